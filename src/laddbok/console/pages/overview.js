// How are things right now? The counts, the power, and first of all what is broken.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get } from "../api.js";
import { nowMs, setClock } from "../clock.js";
import { duration, energyParts, instant, fullInstant, number, powerParts } from "../format.js";
import { t, tCode } from "../i18n.js";
import { useLive } from "../live.js";
import { Figure } from "../parts/figure.js";
import { Icon } from "../parts/icons.js";
import { Pending, useResource } from "../parts/resource.js";
import { SessionTable } from "../parts/session-row.js";
import { sessionPath, stationPath } from "../router.js";
import { SessionRows } from "../session-rows.js";

const LATEST = 12;
const MOST_PROBLEMS = 50;

function Tile({ label, figure, unit, href, more, tone = "" }) {
  return html`
    <a class="tile ${tone}" href=${href}>
      <span class="label">${label}</span>
      <span class="figure"><${Figure} figure=${figure} unit=${unit} /></span>
      <span class="more">${more ?? ""}</span>
    </a>
  `;
}

function Tiles({ overview }) {
  const { stations, sessions } = overview;
  const [power, powerUnit] = powerParts(overview.power_w);
  const [energy, energyUnit] = energyParts(overview.energy_today_wh);
  const away = stations.total - stations.connected;
  return html`
    <div class="tiles">
      <${Tile}
        label=${t("overview.power")}
        figure=${power}
        unit=${powerUnit}
        href="/sessions?state=active"
        more=${t("overview.active", { n: number(sessions.active) })}
      />
      <${Tile}
        label=${t("overview.energy")}
        figure=${energy}
        unit=${energyUnit}
        href="/sessions"
        more=${t("overview.finished", { n: number(sessions.finished_today) })}
      />
      <${Tile}
        label=${t("overview.stations")}
        figure=${number(stations.connected)}
        unit=${`/ ${number(stations.total)}`}
        href="/stations"
        tone=${away ? "warn" : ""}
        more=${away ? t("overview.away", { n: number(away) }) : t("overview.all_connected")}
      />
      <${Tile}
        label=${t("overview.faulted")}
        figure=${number(stations.faulted)}
        href="/stations"
        tone=${stations.faulted ? "bad" : ""}
        more=${stations.faulted ? t("overview.see_below") : t("overview.none_faulted")}
      />
      <${Tile}
        label=${t("overview.review")}
        figure=${number(sessions.review)}
        href="/review"
        tone=${sessions.review ? "bad" : ""}
        more=${t("overview.ended", { n: number(sessions.ended) })}
      />
    </div>
  `;
}

function Trouble({ problem }) {
  const { kind, station_id, session_id, params, since } = problem;
  const href = session_id ? sessionPath(session_id) : station_id ? stationPath(station_id) : null;
  const reasons = (params?.reasons ?? []).map((reason) => tCode("review", reason)).join(" ");
  const body = html`
    <${Icon} name=${session_id ? "flag" : "warning"} />
    <span class="words">
      <b class=${session_id ? "id" : ""}>${session_id ?? station_id ?? ""}</b>
      ${" "}${tCode("broken", kind, { ...params, reasons, fault: tCode("fault", params?.error_code ?? "") })}
    </span>
    <span class="since" title=${fullInstant(since)}>
      ${since ? t("since", { time: duration(nowMs.value - Date.parse(since)) }) : ""}
    </span>
    ${
      href &&
      html`
        <${Icon} name="next" />
      `
    }
  `;
  return html`
    <li>
      ${
        href
          ? html`
              <a href=${href}>${body}</a>
            `
          : html`
              <span>${body}</span>
            `
      }
    </li>
  `;
}

function Troubles({ problems }) {
  return html`
    <section aria-labelledby="broken">
      <h2 id="broken">
        ${t("overview.broken")}${
          problems.length
            ? html`
                <span class="count">${problems.length}</span>
              `
            : null
        }
      </h2>
      ${
        problems.length === 0
          ? html`
              <p class="calm">
                <${Icon} name="check" />
                ${t("overview.nothing_broken")}
              </p>
            `
          : html`
              <ul class="troubles">
                ${problems.slice(0, MOST_PROBLEMS).map(
                  (problem) => html`
                    <${Trouble} problem=${problem} />
                  `,
                )}
              </ul>
            `
      }
    </section>
  `;
}

/** The latest sessions that run, kept current by the live stream. */
function useRunning() {
  const [rows] = useState(() => new SessionRows((session) => session.state === "active"));
  const load = () =>
    get(`/sessions?state=active&limit=${LATEST}`).then(
      (page) => rows.apply(page.items),
      () => {},
    );
  useEffect(() => void load(), []);
  useLive("session", (changes) => rows.apply(changes));
  useLive("reload", load);
  return rows;
}

function Running() {
  const rows = useRunning();
  void rows.version.value;
  return html`
    <section aria-labelledby="running">
      <h2 id="running">
        ${t("overview.running")}
        <a class="aside" href="/sessions?state=active">${t("overview.all_running")}</a>
      </h2>
      ${
        rows.size
          ? html`
              <${SessionTable} sessions=${rows.list.slice(0, LATEST)} label=${t("overview.running")} without="price" />
            `
          : html`
              <p class="calm">${t("sessions.none_running")}</p>
            `
      }
    </section>
  `;
}

export function OverviewPage() {
  const overview = useResource("/overview");
  useLive("overview", (fresh) => (setClock(fresh), overview.set((old) => ({ ...old, ...fresh }))));
  if (!overview.data)
    return html`
      <${Pending} ...${overview} />
    `;
  return html`
    <div class="page">
      <h1>
        ${t("nav.overview")}
        <span class="as-of">
          ${t("as_of", { time: instant(nowMs.value, { against: nowMs.value, seconds: true }) })}
        </span>
      </h1>
      <${Tiles} overview=${overview.data} />
      <${Troubles} problems=${overview.data.problems ?? []} />
      <${Running} />
    </div>
  `;
}
