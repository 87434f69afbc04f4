// How does a person say a price? Fields with their unit, each with what is wrong with it beside it.
import { html, useState } from "../vendor/preact.js";
import { said, t } from "../i18n.js";
import { WEEKDAYS } from "../tariff-form.js";
import { Icon } from "./icons.js";

const WORKDAYS = WEEKDAYS.slice(0, 5);
const WEEKEND = WEEKDAYS.slice(5);
const same = (one, other) => one.length === other.length && one.every((day) => other.includes(day));

/** The value at a path such as "windows.0.price". */
export const valueAt = (form, path) => path.split(".").reduce((value, key) => value?.[key], form);

/** The form with another value at a path; what is not on the path is shared. */
export function withValue(form, path, value) {
  const [key, ...rest] = path.split(".");
  const next = rest.length ? withValue(form[key], rest.join("."), value) : value;
  return Array.isArray(form) ? form.map((each, i) => (String(i) === key ? next : each)) : { ...form, [key]: next };
}

const troubleOf = (ui, at) => ui.errors[at] ?? null;

/** What is wrong with a field, and what is worth knowing about it. */
export function Trouble({ ui, at }) {
  const text = troubleOf(ui, at);
  const notes = ui.notes[at] ?? [];
  return html`
    ${
      text &&
      html`
        <span class="field-trouble" role="alert" id="trouble-${at}">
          <${Icon} name="warning" />
          ${text}
        </span>
      `
    }
    ${notes.map(
      (note) => html`
        <span key=${note.text.en} class="field-trouble ${note.severity}" role="status">
          <${Icon} name="warning" />
          ${said(note.text)}
        </span>
      `,
    )}
  `;
}

/** One field. @param ui {form, set, errors, notes}; `at` its path in the form; `unit` stands behind what is typed. */
export function Field({ ui, at, label, unit, hint, type = "text", bare = false, more = {} }) {
  const bad = troubleOf(ui, at) !== null;
  return html`
    <label class="field ${bad ? "bad-field" : ""}">
      <span class=${bare ? "hidden" : ""}>${label}</span>
      <span class="with-unit">
        <input
          type=${type}
          name=${at}
          value=${valueAt(ui.form, at)}
          inputmode=${unit ? "decimal" : null}
          aria-invalid=${bad ? "true" : null}
          aria-describedby=${bad ? `trouble-${at}` : null}
          autocomplete="off"
          spellcheck="false"
          onInput=${(event) => ui.set(at, event.target.value)}
          ...${more}
        />
        ${
          unit &&
          html`
            <span class="unit">${unit}</span>
          `
        }
      </span>
      ${
        hint &&
        html`
          <small>${hint}</small>
        `
      }
      <${Trouble} ui=${ui} at=${at} />
    </label>
  `;
}

export function Choice({ ui, at, label, options, value = valueAt(ui.form, at), onChange }) {
  return html`
    <label class="field">
      <span>${label}</span>
      <select name=${at} value=${value} onChange=${(event) => (onChange ?? ((chosen) => ui.set(at, chosen)))(event.target.value)}>
        ${options.map(
          ([name, words]) => html`
            <option key=${name} value=${name} selected=${name === value}>${words}</option>
          `,
        )}
      </select>
      <${Trouble} ui=${ui} at=${at} />
    </label>
  `;
}

/** On which days: every day, Monday to Friday, Saturday and Sunday, or some. */
function Days({ ui, at }) {
  const days = valueAt(ui.form, at);
  const known = days.length === 0 ? "all" : same(days, WORKDAYS) ? "work" : same(days, WEEKEND) ? "weekend" : "some";
  const [isSome, setSome] = useState(known === "some");
  const kind = isSome ? "some" : known;
  const choose = (name) => {
    setSome(name === "some");
    if (name !== "some") ui.set(at, { all: [], work: WORKDAYS, weekend: WEEKEND }[name]);
  };
  const toggle = (day) => ui.set(at, days.includes(day) ? days.filter((each) => each !== day) : [...days, day]);
  const names = ["all", "work", "weekend", "some"].map((name) => [name, t(`days.${name}`)]);
  return html`
    <div class="days">
      <${Choice} ui=${ui} at=${at} label=${t("tariff.days")} options=${names} value=${kind} onChange=${choose} />
      ${
        kind === "some" &&
        html`
          <span class="day-buttons" role="group" aria-label=${t("tariff.days")}>
            ${WEEKDAYS.map(
              (day) => html`
                <button
                  type="button"
                  class="small"
                  key=${day}
                  aria-pressed=${days.includes(day) ? "true" : "false"}
                  aria-label=${t(`weekday.${day}`)}
                  onClick=${() => toggle(day)}
                >
                  ${t(`weekday.${day}`).slice(0, 2)}
                </button>
              `,
            )}
          </span>
        `
      }
    </div>
  `;
}

/** From when to when, and on which days. */
export function Hours({ ui, at }) {
  return html`
    <${Field} ui=${ui} at=${`${at}.from`} label=${t("tariff.from")} type="time" />
    <${Field} ui=${ui} at=${`${at}.to`} label=${t("tariff.to")} type="time" />
    <${Days} ui=${ui} at=${`${at}.days`} />
  `;
}

/** Rows that a person adds and removes; `row(path, i)` draws one. */
export function Rows({ ui, at, empty, add, row }) {
  const rows = valueAt(ui.form, at);
  return html`
    <div class="rows">
      ${rows.map(
        (_, i) => html`
          <div class="row" key=${i}>
            ${row(`${at}.${i}`, i)}
            <button
              type="button"
              class="quiet small remove"
              aria-label=${t("tariff.remove")}
              title=${t("tariff.remove")}
              onClick=${() => ui.set(at, rows.filter((__, other) => other !== i))}
            >
              <${Icon} name="cross" />
            </button>
            <${Trouble} ui=${ui} at=${`${at}.${i}`} />
          </div>
        `,
      )}
      <button type="button" class="quiet small add" onClick=${() => ui.set(at, [...rows, empty])}>
        <${Icon} name="plus" />
        ${add}
      </button>
      <${Trouble} ui=${ui} at=${at} />
    </div>
  `;
}
