// How did the charge go? Power, energy and state of charge over time, and the charging periods in words.
import { html, useMemo, useState } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { duration, energy, instant, number } from "../format.js";
import { t } from "../i18n.js";
import { Chart } from "./chart.js";
import { ACTIVITIES, activityTone } from "./state.js";

const MOST_PERIODS = 500;
const KINDS = [
  { name: "power_w", key: "curve.power", unit: "kW", per: 1000, tone: "accent", height: 190, least: 1, digits: 1 },
  {
    name: "energy_wh",
    key: "curve.energy",
    unit: "kWh",
    per: 1000,
    tone: "accent",
    height: 130,
    least: 0.1,
    digits: 2,
  },
  { name: "soc_pct", key: "curve.soc", unit: "%", per: 1, tone: "accent", height: 110, least: 100, digits: 0 },
];

/** From the start until now, or until the cable came out. */
function spanOf(session, curve) {
  const last = Math.max(
    ...KINDS.map(({ name }) => curve[name]?.at(-1)?.[0] ?? 0),
    ...curve.periods.slice(-1).map((period) => Date.parse(period.end_at)),
  );
  const from = Date.parse(session.started_at);
  const end = session.unplugged_at ?? session.ended_at;
  return [from, Math.max(from + 60_000, last, end ? Date.parse(end) : nowMs.peek())];
}

function Legend({ periods }) {
  const present = ACTIVITIES.filter((activity) => periods.some((period) => period.activity === activity));
  return html`
    <ul class="legend">
      ${present.map(
        (activity) => html`
          <li key=${activity}>
            <i class=${activityTone(activity)}></i>
            ${t(`activity.${activity}`)}
          </li>
        `,
      )}
    </ul>
  `;
}

const activityAt = (periods, ms) =>
  periods.find((period) => Date.parse(period.start_at) <= ms && ms < Date.parse(period.end_at))?.activity;

function Curve({ kind, points, span, periods, sync }) {
  const [index, setIndex] = useState(null);
  const data = useMemo(
    () => [points.map(([ms]) => ms), points.map(([, value]) => (value === null ? null : value / kind.per))],
    [points],
  );
  const at = index ?? points.length - 1;
  const [ms, value] = points[at] ?? points.at(-1);
  const activity = activityAt(periods, ms);
  const figure = value === null ? "–" : `${number(value / kind.per, kind.digits)} ${kind.unit}`;
  return html`
    <figure class="curve">
      <figcaption>
        <b>${t(kind.key)}</b>
        <span>
          ${figure}${" "}
          <span class="soft">
            ${instant(ms, { against: nowMs.peek(), seconds: true })}${activity ? ` · ${t(`activity.${activity}`)}` : ""}
          </span>
        </span>
      </figcaption>
      <${Chart}
        data=${data}
        span=${span}
        periods=${periods}
        ...${kind}
        sync=${sync}
        label=${`${t(kind.key)}: ${figure}`}
        onCursor=${setIndex}
      />
    </figure>
  `;
}

/** Neighbours of one activity as one row: the quarter hours at which periods are cut concern the price, not the reader. */
export function joinPeriods(periods) {
  const joined = [];
  for (const period of periods) {
    const last = joined.at(-1);
    if (last?.activity === period.activity && last.end_at === period.start_at) {
      joined[joined.length - 1] = { ...last, end_at: period.end_at, energy_wh: last.energy_wh + period.energy_wh };
    } else joined.push(period);
  }
  return joined;
}

function Periods({ periods }) {
  const rows = joinPeriods(periods).slice(-MOST_PERIODS);
  return html`
    <details class="periods">
      <summary>${t("curve.periods", { n: number(rows.length) })}</summary>
      <table>
        <thead>
          <tr>
            <th>${t("curve.from")}</th>
            <th>${t("curve.activity")}</th>
            <th class="figure">${t("column.duration")}</th>
            <th class="figure">${t("column.energy")}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ start_at, end_at, activity, energy_wh }) => html`
              <tr key=${start_at}>
                <td>${instant(start_at, { against: nowMs.peek(), seconds: true })}</td>
                <td>
                  <i class="dot ${activityTone(activity)}"></i>
                  ${t(`activity.${activity}`)}
                </td>
                <td class="figure">${duration(Date.parse(end_at) - Date.parse(start_at))}</td>
                <td class="figure">${energy(energy_wh)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </details>
  `;
}

export function Curves({ session, curve }) {
  const drawn = KINDS.filter(({ name }) => curve[name]?.length);
  const span = spanOf(session, curve);
  if (!drawn.length)
    return html`
      <section class="panel">
        <h2>${t("curve.title")}</h2>
        <p class="calm">${t("curve.none")}</p>
      </section>
    `;
  return html`
    <section class="panel curves" aria-label=${t("curve.title")}>
      <${Legend} periods=${curve.periods} />
      ${drawn.map(
        (kind) => html`
          <${Curve}
            key=${kind.name}
            kind=${kind}
            points=${curve[kind.name]}
            span=${span}
            periods=${curve.periods}
            sync=${session.id}
          />
        `,
      )}
      <${Periods} periods=${curve.periods} />
    </section>
  `;
}
