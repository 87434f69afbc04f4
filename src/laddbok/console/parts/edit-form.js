// How is a record edited? A form with one place per field for what is wrong with it; what was typed is never lost.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { failure } from "../commands.js";
import { language, t } from "../i18n.js";
import { words } from "./field-words.js";

/** A path of the platform ("buyer.address.country") as the name of a field here. */
export const fieldOf = (path) => {
  const name = (path ?? "").split(".").slice(path?.includes(".") ? 1 : 0)[0];
  return { endpoint: "endpoint_id" }[name] ?? name;
};

function Control({ field, value, isWrong }) {
  const { name, type = "text", options } = field;
  const about = isWrong ? `wrong-${name}` : null;
  if (type === "checkbox")
    return html`
      <input type="checkbox" name=${name} defaultChecked=${value === true} aria-describedby=${about} />
    `;
  if (options)
    return html`
      <select name=${name} aria-invalid=${isWrong} aria-describedby=${about}>
        ${options.map(
          ([key, text]) => html`
            <option key=${key} value=${key} selected=${key === value}>${text}</option>
          `,
        )}
      </select>
    `;
  return html`
    <input
      name=${name}
      type=${type}
      defaultValue=${value ?? ""}
      autocomplete="off"
      spellcheck="false"
      required=${field.required}
      aria-invalid=${isWrong}
      aria-describedby=${about}
      ...${field.more ?? {}}
    />
  `;
}

function Field({ field, value, wrong }) {
  return html`
    <label class="field ${field.type === "checkbox" ? "check" : ""} ${field.half ? "half" : ""} ${wrong ? "wrong" : ""}">
      ${
        field.type === "checkbox" &&
        html`
          <${Control} field=${field} value=${value} isWrong=${Boolean(wrong)} />
        `
      }
      <span>${field.label}</span>
      ${
        field.type !== "checkbox" &&
        html`
          <${Control} field=${field} value=${value} isWrong=${Boolean(wrong)} />
        `
      }
      ${
        wrong &&
        html`
          <em id=${`wrong-${field.name}`} class="bad">${wrong}</em>
        `
      }
    </label>
  `;
}

function typed(form, groups) {
  const data = new FormData(form);
  const values = {};
  for (const { name, type } of groups.flatMap(({ fields }) => fields)) {
    if (type === "checkbox") values[name] = data.has(name);
    else if (type === "number") values[name] = Number(data.get(name));
    else values[name] = data.get(name)?.trim() || null;
  }
  return values;
}

/**
 * @param groups of {title, fields: [{name, label, type?, options?, required?, half?}]}; `first`: the field to look at;
 * `save(values)` writes them, and its Problem's field is shown at its place; `done`: what is said then;
 * `onTyped(event)`: something was typed or chosen.
 */
export function EditForm({ groups, values, first, save, disabled, verb, done, onTyped }) {
  const form = useRef();
  const [state, setState] = useState({});
  const focus = (name) => form.current?.elements[name]?.focus?.();
  useEffect(() => first && focus(first), [first]);
  const submit = async (event) => {
    event.preventDefault();
    setState({ busy: true });
    try {
      await save(typed(event.target, groups));
      setState({ done: true });
    } catch (problem) {
      const known = groups.some(({ fields }) => fields.some(({ name }) => name === problem.field));
      setState({ field: known ? problem.field : null, text: known ? words(problem) : failure(problem).text });
      if (known) focus(problem.field);
    }
  };
  const typing = (event) => {
    if (state.done) setState({});
    onTyped?.(event);
  };
  return html`
    <form class="edit panel" ref=${form} onSubmit=${submit} lang=${language.value} onInput=${typing}>
      <fieldset disabled=${disabled}>
        ${groups.map(
          ({ title, fields }, place) => html`
            <div class="group" key=${place} role="group" aria-label=${title}>
              <h2>${title}</h2>
              <div class="fields">
                ${fields.map(
                  (field) => html`
                    <${Field}
                      key=${field.name}
                      field=${field}
                      value=${values[field.name]}
                      wrong=${state.field === field.name ? state.text : null}
                    />
                  `,
                )}
              </div>
            </div>
          `,
        )}
      </fieldset>
      <div class="edit-end">
        ${
          !disabled &&
          html`
            <button type="submit" class="primary" disabled=${state.busy}>${verb ?? t("edit.save")}</button>
          `
        }
        <p role="status" class=${state.text ? "bad" : "good"}>
          ${disabled ? t("edit.no_right") : state.done ? done ?? t("edit.saved") : state.field ? t("edit.look") : state.text}
        </p>
      </div>
    </form>
  `;
}
