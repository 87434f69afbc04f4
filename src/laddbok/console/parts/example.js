// What would a session cost? Four figures of one that is thought of, or the id of a real one, and the price with its lines.
import { html, useState } from "../vendor/preact.js";
import { failure } from "../commands.js";
import { t } from "../i18n.js";
import { findSessionId } from "../session-id.js";
import { instantOf } from "../zone-time.js";
import { useAnswer } from "./answers.js";
import { Findings, PriceTable } from "./price.js";

const SLIDERS = [
  ["kwh", "example.energy", "kWh", 1, 100, 1],
  ["charging", "example.charging", "min", 5, 720, 5],
  ["idle", "example.idle", "min", 0, 480, 5],
];

function Slider({ name, label, unit, least, most, step, value, onInput }) {
  return html`
    <label class="field slider">
      <span>${label}</span>
      <input type="range" min=${least} max=${most} step=${step} value=${value} tabindex="-1" aria-hidden="true" onInput=${onInput} />
      <span class="with-unit">
        <input type="number" name=${name} min=${least} step="1" value=${value} onInput=${onInput} />
        <span class="unit">${unit}</span>
      </span>
    </label>
  `;
}

/** What is asked of the platform: the document with the example, or with a session. */
function question(text, example, timeZone) {
  if (example.session) return `{"document":${text},"session_id":${JSON.stringify(example.session)}}`;
  const at = instantOf(example.start, timeZone);
  const told = {
    started_at: Number.isNaN(at) ? example.start : new Date(at).toISOString(),
    energy_wh: Math.round(Number(example.kwh) * 1000),
    charging_min: Math.round(Number(example.charging)),
    idle_min: Math.round(Number(example.idle)),
    time_zone: timeZone,
  };
  return `{"document":${text},"example":${JSON.stringify(told)}}`;
}

/** @param text the document as JSON, null while it can't be tried */
export function Example({ text, timeZone, start }) {
  const [example, setExample] = useState({ start, kwh: 20, charging: 180, idle: 30, session: "" });
  const set = (name) => (event) => setExample((old) => ({ ...old, [name]: event.target.value }));
  const id = example.session && (findSessionId(example.session) ?? example.session.trim());
  const answer = useAnswer("/tariffs/try", text && question(text, { ...example, session: id }, timeZone));
  const price = answer.data;
  const missing = answer.problem?.status === 404;
  const own = answer.problem?.field?.startsWith("example") || missing;
  return html`
    <section class="panel price example" aria-labelledby="example">
      <h2 id="example">${t("example.title")}</h2>
      <div class="example-fields">
        <label class="field">
          <span>${t("example.start")}</span>
          <input type="datetime-local" name="start" value=${example.start} disabled=${Boolean(id)} onInput=${set("start")} />
        </label>
        ${
          !id &&
          SLIDERS.map(
            ([name, label, unit, least, most, step]) => html`
              <${Slider}
                key=${name}
                name=${name}
                label=${t(label)}
                unit=${unit}
                least=${least}
                most=${most}
                step=${step}
                value=${example[name]}
                onInput=${set(name)}
              />
            `,
          )
        }
        <label class="field">
          <span>${t("example.session")}</span>
          <input name="session" value=${example.session} placeholder="XXXX-XXXX-XXXX-XXXX" spellcheck="false" onInput=${set("session")} />
        </label>
      </div>
      ${
        own &&
        html`
          <p class="trouble" role="alert">${missing ? t("example.no_session") : failure(answer.problem).text}</p>
        `
      }
      ${
        price &&
        !own &&
        html`
          <div class=${answer.busy || answer.problem || !text ? "stale" : ""} aria-live="polite">
            <${PriceTable} price=${price} />
            <${Findings} findings=${price.findings} />
          </div>
        `
      }
    </section>
  `;
}
