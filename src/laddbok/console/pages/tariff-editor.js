// What shall charging cost? A form or the JSON itself, the week that comes of it, a session to try it on, and publishing.
import { html, signal, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { getExact, seg } from "../api.js";
import { nowMs } from "../clock.js";
import { failure } from "../commands.js";
import { isNumber, parseExact, textOf, writeExact } from "../exact-json.js";
import { fullInstant } from "../format.js";
import { language, t } from "../i18n.js";
import { useAnswer } from "../parts/answers.js";
import { Example } from "../parts/example.js";
import { Icon } from "../parts/icons.js";
import { Publish, Versions, placesOf, standing } from "../parts/publish.js";
import { Pending, useAll, useResource } from "../parts/resource.js";
import { Trouble, withValue } from "../parts/tariff-fields.js";
import { TariffForm } from "../parts/tariff-form.js";
import { WeekMap } from "../parts/week-map.js";
import { go, route, tariffPath } from "../router.js";
import { EMPTY_FORM, build, placeOf, plain, read } from "../tariff-form.js";
import { dateAfter, instantOf, wallTime } from "../zone-time.js";

const STOCKHOLM = "Europe/Stockholm";
/** What was published last, so that the page that follows can say so: {id, version, valid_from}. */
const published = signal(null);
/** What was typed and not published, by tariff, so that another page in between loses nothing. */
const unpublished = new Map();

/** A draft: the JSON text is the truth; the form that shows it, if one can. {text, form, places, missing, broken} */
function draftOf(text) {
  let document;
  try {
    document = parseExact(text);
  } catch (error) {
    return { text, form: null, places: [], missing: [], broken: error.message };
  }
  if (document === null || typeof document !== "object" || Array.isArray(document))
    return { text, form: null, places: [], missing: [], broken: t("tariff.no_object") };
  const { form, missing } = read(document, { comma: language.peek() === "sv" });
  if (missing.length) return { text, form: null, places: [], missing, broken: null, id: textOf(document.id) };
  return { text, form, places: build(form).places, missing, broken: null, id: form.id };
}

function formDraft(form) {
  const { document, places } = build(form);
  return { text: writeExact(document), form, places, missing: [], broken: null, id: form.id };
}

/** The document of a version as the beginning of the next one: a start that has passed is left out. */
function startingFrom(document) {
  const begun = Date.parse(textOf(document.start_date_time)) <= nowMs.peek();
  return writeExact(begun ? Object.fromEntries(Object.entries(document).filter(([key]) => key !== "start_date_time")) : document);
}

/** Whether there is anything to draw: an element, or a market price. */
const isBlank = ({ form }) => form !== null && form.kind !== "spot" && build(form).document.elements.length === 0;

/** What is wrong, by the field of the form it belongs to; "" is where no field is. */
function errorsOf(problems, draft) {
  const { form } = draft;
  const errors = {};
  for (const problem of problems.filter(Boolean)) {
    if (problem.status !== 422 || !problem.field || /^(example|from_date|time_zone|session_id)/.test(problem.field)) continue;
    const place = form ? placeOf(draft, problem.field) : null;
    const typed = place && String(place.split(".").reduce((value, key) => value?.[key], form) ?? "");
    const isNoNumber = typed && /price|per_|flat|^time$|cap|grace|vat|min|max|fee|kwh/.test(place) && !isNumberText(typed);
    errors[place ?? ""] ??= isNoNumber ? t("tariff.no_number") : `${place ? "" : `${problem.field}: `}${problem.message}`;
  }
  return errors;
}

/** What the check says of a draft, by the field it belongs to. */
function notesOf(checked, draft) {
  const notes = {};
  for (const finding of checked?.findings ?? []) {
    const place = (draft.form && placeOf(draft, finding.path)) ?? "";
    (notes[place] ??= []).push(finding);
  }
  return notes;
}

const isNumberText = (typed) => /^-?\d*\.?\d+$/.test(plain(typed));

function Json({ draft, onText, readOnly, isOpen }) {
  return html`
    <details class="panel json" open=${isOpen}>
      <summary>${t("tariff.json")}</summary>
      <p class="soft">${t("tariff.json_lead")}</p>
      <textarea
        name="json"
        aria-label=${t("tariff.json")}
        spellcheck="false"
        rows="24"
        readonly=${readOnly}
        value=${draft.text}
        onInput=${(event) => onText(event.target.value)}
      ></textarea>
      ${
        draft.broken &&
        html`
          <p class="trouble" role="alert">${t("tariff.no_json", { reason: draft.broken })}</p>
        `
      }
    </details>
  `;
}

/** Why there is no form: what it can't show stays as it is, and only the JSON is edited. */
function OnlyJson({ missing, ui }) {
  return html`
    <section class="panel only-json">
      ${
        missing.length > 0 &&
        html`
          <h2>
            <${Icon} name="warning" />
            ${t("tariff.only_json")}
          </h2>
          <p>${t("tariff.only_json_lead")}</p>
          <ul>
            ${missing.map(
              (path) => html`
                <li key=${path}><code>${path}</code></li>
              `,
            )}
          </ul>
        `
      }
      <${Trouble} ui=${ui} at="" />
    </section>
  `;
}

function WeekPanel({ answer, blank, from, setFrom, today, zones, timeZone, setZone }) {
  const grid = answer.data;
  const own = /^(from_date|time_zone)/.test(answer.problem?.field ?? "");
  return html`
    <section class="panel" aria-labelledby="week">
      <h2 id="week">
        ${t("week.title")}
        <span class="week-steps">
          <button type="button" class="quiet small back" aria-label=${t("week.earlier")} onClick=${() => setFrom(dateAfter(from, -7))}>
            <${Icon} name="next" />
          </button>
          <input
            type="date"
            name="from_date"
            aria-label=${t("week.from")}
            value=${from}
            onInput=${(event) => event.target.value && setFrom(event.target.value)}
          />
          <button type="button" class="quiet small" aria-label=${t("week.later")} onClick=${() => setFrom(dateAfter(from, 7))}>
            <${Icon} name="next" />
          </button>
          ${
            from !== today &&
            html`
              <button type="button" class="quiet small" onClick=${() => setFrom(today)}>${t("week.today")}</button>
            `
          }
          ${
            zones.length > 1 &&
            html`
              <select aria-label=${t("week.zone")} value=${timeZone} onChange=${(event) => setZone(event.target.value)}>
                ${zones.map(
                  (zone) => html`
                    <option key=${zone} value=${zone} selected=${zone === timeZone}>${zone}</option>
                  `,
                )}
              </select>
            `
          }
        </span>
      </h2>
      ${
        own &&
        html`
          <p class="trouble" role="alert">${failure(answer.problem).text}</p>
        `
      }
      ${
        grid && !blank
          ? html`
              <${WeekMap} grid=${grid} stale=${Boolean(answer.problem)} />
            `
          : html`
              <p class="soft" aria-busy=${answer.busy ? "true" : null}>
                ${t(answer.problem ? "week.not_drawn" : answer.busy ? "loading" : "week.blank")}
              </p>
            `
      }
      ${
        grid?.uses_power &&
        html`
          <p class="soft">${t("week.power", { kw: grid.power_w / 1000 })}</p>
        `
      }
    </section>
  `;
}

/** From when the next version holds: at once, or from a time by the clock of the site. */
function Starts({ ui, timeZone }) {
  const { starts } = ui.form;
  const shown = starts ? wallTime(Date.parse(starts), timeZone) : "";
  const typed = (event) => {
    const at = instantOf(event.target.value, timeZone);
    ui.set("starts", Number.isNaN(at) ? "" : new Date(at).toISOString().replace(".000Z", "Z"));
  };
  return html`
    <label class="field">
      <span>${t("publish.starts")}</span>
      <input type="datetime-local" name="starts" value=${shown} onChange=${typed} />
      <small>${t("publish.starts_hint")}</small>
    </label>
  `;
}

/** @param tariff {id, versions} as stored, null for a new one; `version` to look at, null: write the next one */
function Editor({ tariff, version, taken, assignments, sites, reload }) {
  const versions = tariff?.versions ?? [];
  const looked = version && versions.find((each) => each.version === version);
  const base = looked ?? versions.at(-1);
  const key = tariff?.id ?? "";
  const fresh = useMemo(() => {
    if (!base) return formDraft({ ...EMPTY_FORM, language: language.peek() });
    return draftOf(looked ? writeExact(base.document) : startingFrom(base.document));
  }, []);
  const kept = useMemo(() => (looked ? undefined : unpublished.get(key)), []);
  const [draft, setDraft] = useState(kept ?? fresh);
  const untouched = useRef(fresh.text);
  const zones = useMemo(() => [...new Set([...sites.map((site) => site.time_zone), STOCKHOLM])], [sites]);
  const [timeZone, setZone] = useState(zones[0]);
  const today = wallTime(nowMs.peek(), timeZone).slice(0, 10);
  const [from, setFrom] = useState(today);
  const blank = isBlank(draft);
  const text = draft.broken || blank ? null : draft.text;
  const week = useAnswer("/tariffs/week", text && `{"document":${text},"time_zone":${JSON.stringify(timeZone)},"from_date":"${from}"}`);
  const check = useAnswer("/tariffs/check", text);
  const errors = errorsOf([week.problem], draft);
  const notes = text && !check.problem ? notesOf(check.data, draft) : {};
  const id = draft.id ?? "";
  if (!tariff && taken.includes(id)) errors.id = t("tariff.id_taken");
  const change = (form) => setDraft(formDraft(form));
  const ui = { form: draft.form, errors, notes, change, set: (path, value) => change(withValue(draft.form, path, value)) };
  const places = placesOf(id, assignments, sites);
  const changed = draft.text !== untouched.current;
  const discard = () => {
    setDraft(fresh);
    unpublished.delete(key);
  };
  useEffect(() => void (changed && unpublished.set(key, draft)), [draft]);
  useEffect(() => {
    const ask = (event) => changed && event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  const posted = (done) => {
    published.value = done;
    unpublished.delete(key);
    untouched.current = draft.text;
    if (tariff && !version) reload();
    else go(tariffPath(id), { replace: true });
  };
  const toPost = () => (draft.form ? writeExact({ ...build(draft.form).document, last_updated: new Date(nowMs.peek()).toISOString() }) : draft.text);
  return html`
    ${
      kept &&
      changed &&
      html`
        <p class="draft">
          ${t("tariff.draft_kept")}
          <button type="button" class="small" onClick=${discard}>${t("tariff.discard")}</button>
        </p>
      `
    }
    <div class="editor">
      <div class="editor-form">
        ${
          draft.form
            ? html`
                <${TariffForm} ui=${ui} isNew=${!tariff} disabled=${Boolean(looked)} />
              `
            : html`
                <${OnlyJson} missing=${draft.missing} ui=${ui} />
              `
        }
        <${Json} draft=${draft} readOnly=${Boolean(looked)} isOpen=${!draft.form} onText=${(typed) => setDraft(draftOf(typed))} />
      </div>
      <div class="editor-view">
        <${WeekPanel}
          answer=${week}
          blank=${blank}
          from=${from}
          setFrom=${setFrom}
          today=${today}
          zones=${zones}
          timeZone=${timeZone}
          setZone=${setZone}
        />
        <${Example} text=${week.problem ? null : text} timeZone=${timeZone} start=${`${today}T17:30`} />
      </div>
      <div class="editor-end">
        ${
          !looked &&
          html`
            <section class="panel" aria-labelledby="publish">
              <h2 id="publish">${t("publish.title")}</h2>
              ${
                draft.form &&
                html`
                  <${Starts} ui=${ui} timeZone=${timeZone} />
                `
              }
              <${Publish}
                draft=${{ id, text: toPost, starts: draft.form?.starts }}
                versions=${versions}
                places=${places}
                isFirst=${!assignments.some(({ scope }) => scope === "default")}
                sites=${sites}
                blocked=${text === null || !id || Object.keys(errors).length > 0 || check.data?.refused}
                onDone=${posted}
              />
            </section>
          `
        }
        <${Versions} id=${id} versions=${versions} shown=${looked?.version} />
      </div>
    </div>
  `;
}

function Head({ tariff, looked }) {
  const newest = tariff?.versions.at(-1)?.document;
  const name = Array.isArray(newest?.tariff_alt_text) ? textOf(newest.tariff_alt_text[0]?.text) : "";
  return html`
    <p class="crumbs"><a href="/tariffs">${t("nav.tariffs")}</a></p>
    <h1>
      ${tariff ? name || tariff.id : t("tariffs.new")}
      ${
        looked
          ? html`
              <span class="as-of">${t("versions.name", { number: looked.version })}</span>
            `
          : null
      }
    </h1>
    ${
      looked &&
      html`
        <p class="lead">
          ${t(`version_lead.${standing(tariff.versions, looked, nowMs.peek())}`, { time: fullInstant(looked.valid_from) })}
          ${" "}<a href=${tariffPath(tariff.id)}>${t("versions.write")}</a>
        </p>
      `
    }
  `;
}

/** The tariff with its documents' numbers as they were posted. */
function useTariff(id) {
  const [state, setState] = useState({ data: null, problem: null, round: 0 });
  const load = () =>
    getExact(`/tariffs/${seg(id)}`).then(
      (data) => setState(({ round }) => ({ data: figured(data), problem: null, round: round + 1 })),
      (problem) => setState((old) => ({ ...old, problem })),
    );
  useEffect(() => void (id && load()), [id]);
  return { ...state, load };
}

const figured = (tariff) => ({
  ...tariff,
  versions: tariff.versions.map((each) => ({ ...each, version: isNumber(each.version) ? Number(textOf(each.version)) : each.version })),
});

export function TariffEditorPage() {
  const { id, query } = route.value;
  const tariff = useTariff(id);
  const all = useAll("/tariffs");
  const assignments = useResource("/tariff-assignments?limit=500");
  const sites = useResource("/sites?limit=500");
  const waiting = [id ? tariff : all, all, assignments, sites].find(({ data }) => !data);
  if (waiting)
    return html`
      <${Pending} ...${waiting} />
    `;
  const version = query.version ? Number(query.version) : null;
  const looked = version && tariff.data?.versions.find((each) => each.version === version);
  const reload = () => Promise.all([tariff.load(), assignments.load(), all.load()]);
  return html`
    <div class="page tariff-page">
      ${
        id &&
        published.value?.id === id &&
        html`
          <p class="published" role="status">
            <${Icon} name="check" />
            ${t("publish.done", { number: published.value.version, time: fullInstant(published.value.valid_from) })}
          </p>
        `
      }
      <${Head} tariff=${id ? tariff.data : null} looked=${looked} />
      <${Editor}
        key=${`${id ?? ""} ${version ?? ""} ${tariff.round}`}
        tariff=${id ? tariff.data : null}
        version=${version}
        taken=${all.data.map((each) => each.id)}
        assignments=${assignments.data.items}
        sites=${sites.data.items}
        reload=${reload}
      />
    </div>
  `;
}
