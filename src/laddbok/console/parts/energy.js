// How was the energy found, and how sure is it? The way that was used, and beside it what the others say.
import { html } from "../vendor/preact.js";
import { NONE, duration, energy, number } from "../format.js";
import { t, tCode } from "../i18n.js";
import { FactList } from "./facts.js";
import { Badge } from "./state.js";

const CONFIDENCE = { high: ["good", "check"], fair: ["warn", "dots"], low: ["bad", "warning"] };

export function ConfidenceBadge({ confidence }) {
  const [tone, icon] = CONFIDENCE[confidence] ?? ["quiet", "dots"];
  return html`
    <${Badge} tone=${tone} icon=${icon}>${tCode("confidence", confidence)}<//>
  `;
}

/** One way of finding it, with a bar that compares it with the others. */
function Estimate({ estimate, used, most_wh }) {
  const share = most_wh > 0 ? Math.min(100, Math.max(0, (100 * estimate.energy_wh) / most_wh)) : 0;
  return html`
    <tr class=${used ? "used" : ""}>
      <td>
        ${tCode("method", estimate.method)}${
          used &&
          html`
            ${" "}
            <span class="soft">${t("found.used")}</span>
          `
        }
        <span class="bar" aria-hidden="true"><i style=${{ width: `${share}%` }}></i></span>
      </td>
      <td class="figure">${energy(estimate.energy_wh)}</td>
      <td class="figure soft">${duration(estimate.covered_s * 1000)}</td>
    </tr>
  `;
}

function Estimates({ found }) {
  const most_wh = Math.max(...found.estimates.map(({ energy_wh }) => energy_wh), found.energy_wh ?? 0, 1);
  return html`
    <table class="estimates">
      <thead>
        <tr>
          <th>${t("found.way")}</th>
          <th class="figure">${t("column.energy")}</th>
          <th class="figure">${t("found.covers")}</th>
        </tr>
      </thead>
      <tbody>
        ${found.estimates.map(
          (estimate) => html`
            <${Estimate}
              key=${estimate.method}
              estimate=${estimate}
              used=${estimate.method === found.method}
              most_wh=${most_wh}
            />
          `,
        )}
      </tbody>
    </table>
  `;
}

function Facts({ found }) {
  const wh = (value) => (value === null ? NONE : `${number(value)} Wh`);
  const gap = found.gap_wh === null ? t("found.gap_unknown") : found.gap_wh === 0 ? t("found.gap_none") : wh(found.gap_wh);
  const facts = [
    [t("found.bound"), energy(found.bound_wh)],
    [t("found.begin"), wh(found.begin_wh)],
    [t("found.end"), wh(found.end_wh)],
    ...(found.carried_wh ? [[t("found.carried"), wh(found.carried_wh)]] : []),
    [t("found.gap"), gap],
  ];
  return html`
    <${FactList} facts=${facts} />
  `;
}

/** @param found the session's `energy`; null before it was found */
export function EnergyPanel({ found }) {
  if (!found) return null;
  return html`
    <section class="panel found" aria-labelledby="found">
      <h2 id="found">
        ${t("found.title")}
        <span class="aside"><${ConfidenceBadge} confidence=${found.confidence} /></span>
      </h2>
      <p>
        <b>${found.method ? `${energy(found.energy_wh)} · ${tCode("method", found.method)}` : t("found.nothing")}</b>
        <br />
        <span class="soft">${tCode("confidence_why", found.confidence)}</span>
      </p>
      ${
        found.estimates.length > 0 &&
        html`
          <${Estimates} found=${found} />
        `
      }
      <${Facts} found=${found} />
      ${
        found.notes.length > 0 &&
        html`
          <ul class="notes">
            ${found.notes.map(
              (note) => html`
                <li key=${note}>${tCode("note", note)}</li>
              `,
            )}
          </ul>
        `
      }
    </section>
  `;
}
