// What is this station, what does each of its EVSEs do, and what can I ask of it?
import { html, useEffect, useState } from "../vendor/preact.js";
import { get, seg, write } from "../api.js";
import { nowMs } from "../clock.js";
import { TRIGGERS, order } from "../commands.js";
import { duration, fullInstant, instant, power } from "../format.js";
import { t, tCode } from "../i18n.js";
import { useLive } from "../live.js";
import { Actions } from "../parts/actions.js";
import { FactList } from "../parts/facts.js";
import { Habits } from "../parts/habits.js";
import { Pending, useResource } from "../parts/resource.js";
import { SessionTable } from "../parts/session-row.js";
import { ConnectionBadge, ConnectorBadge } from "../parts/state.js";
import { route, sessionPath, withQuery } from "../router.js";
import { SessionRows } from "../session-rows.js";
import { outlets } from "./stations.js";

const LATEST = 20;

const WHOLE = "0"; // the whole station, in a choice of EVSEs

function resetAction(station) {
  const options = [
    ["soft", t("reset.soft")],
    ["hard", t("reset.hard")],
  ];
  return {
    label: t("action.reset"),
    icon: "reset",
    danger: true,
    explain: t("action.reset_explain", { station: station.station_id }),
    fields: [{ name: "kind", label: t("reset.kind"), options }],
    run: ({ kind }) => order(station, "reset", { hard: kind === "hard" }),
  };
}

function triggerAction(station) {
  return {
    label: t("action.trigger"),
    icon: "ask",
    explain: t("action.trigger_explain"),
    fields: [
      {
        name: "message",
        label: t("action.trigger_what"),
        options: TRIGGERS.map((name) => [name, t(`trigger.${name}`)]),
      },
    ],
    run: ({ message }) => order(station, "trigger", { message }),
  };
}

function availabilityAction(station) {
  const evses = outlets(station).map(({ evse_id }) => [String(evse_id), `EVSE ${evse_id}`]);
  return {
    label: t("action.availability"),
    verb: t("action.availability_do"),
    icon: "power",
    explain: t("action.availability_explain"),
    fields: [
      { name: "evse", label: t("action.where"), options: [[WHOLE, t("action.whole_station")], ...evses] },
      {
        name: "to",
        label: t("action.availability_to"),
        options: [
          ["in", t("availability.in")],
          ["out", t("availability.out")],
        ],
      },
    ],
    run: ({ evse, to }) => order(station, "availability", { evse_id: Number(evse), operative: to === "in" }),
  };
}

function passwordAction(station) {
  return {
    label: t("action.password"),
    icon: "key",
    explain: t("action.password_explain"),
    run: async () => {
      const { password } = await write("POST", `/stations/${seg(station.station_id)}/password`);
      return { kind: "good", text: t("action.password_done"), secret: password };
    },
  };
}

function startAction(station, evse) {
  return {
    label: t("action.start"),
    icon: "bolt",
    explain: t("action.start_explain", { evse: evse.evse_id }),
    fields: [{ name: "id_token", label: t("column.token"), required: true }],
    disabled: Boolean(evse.session_id),
    run: ({ id_token }) => order(station, "start", { evse_id: evse.evse_id, id_token: id_token.trim() }),
  };
}

function unlockAction(station, evse) {
  return {
    label: t("action.unlock"),
    icon: "unlock",
    explain: t("action.unlock_explain"),
    run: () => order(station, "unlock", { evse_id: evse.evse_id, connector_id: evse.connectors[0]?.connector_id ?? 1 }),
  };
}

function Connector({ connector }) {
  const trouble = [connector.error_code, connector.info].filter((text) => text && text !== "NoError");
  return html`
    <p class="connector">
      <${ConnectorBadge} status=${connector.status} />
      <span class="soft">${connector.standard ?? ""}</span>
      ${
        connector.status_at &&
        html`
          <span class="soft" title=${fullInstant(connector.status_at)}>
            ${t("since", { time: duration(nowMs.value - Date.parse(connector.status_at)) })}
          </span>
        `
      }
      ${
        trouble.length > 0 &&
        html`
          <strong class="bad">${trouble.map((text) => tCode("fault", text)).join(": ")}</strong>
        `
      }
    </p>
  `;
}

function Evse({ station, evse }) {
  return html`
    <section class="panel evse">
      <h2>
        ${`EVSE ${evse.evse_id}`}
        <span class="as-of">${evse.max_power_w ? power(evse.max_power_w) : ""}</span>
      </h2>
      ${evse.connectors.map(
        (connector) => html`
          <${Connector} connector=${connector} key=${connector.connector_id} />
        `,
      )}
      <p class="evse-session">
        ${
          evse.session_id
            ? html`
                ${t("station.session")}${" "}
                <a class="id" href=${sessionPath(evse.session_id)}>${evse.session_id}</a>
              `
            : html`
                <span class="soft">${t("station.no_session")}</span>
              `
        }
      </p>
      <${Actions} compact actions=${[startAction(station, evse), unlockAction(station, evse)]} />
    </section>
  `;
}

function Facts({ station }) {
  const at = (value) => html`
    <span title=${fullInstant(value)}>${instant(value, { against: nowMs.value })}</span>
  `;
  const facts = [
    [t("column.site"), station.site_id ?? "–"],
    [t("column.model"), [station.vendor, station.model].filter(Boolean).join(" ") || "–"],
    [t("station.firmware"), station.firmware_version ?? "–"],
    [t("station.serial"), station.serial_number ?? "–"],
    [t("column.protocol"), station.protocol ? `OCPP ${station.protocol}` : "–"],
    [t("station.tariff"), station.tariff_id ?? t("station.no_tariff")],
    [t("station.booted"), at(station.booted_at)],
    [t("station.last_frame"), at(station.last_frame_at)],
  ];
  return html`
    <${FactList} facts=${facts} tone="panel" />
  `;
}

function Sessions({ stationId }) {
  const [rows] = useState(() => new SessionRows((session) => session.station_id === stationId));
  const load = () =>
    get(withQuery("/sessions", { station_id: stationId, limit: LATEST })).then(
      (page) => rows.apply(page.items),
      () => {},
    );
  useEffect(() => void load(), []);
  useLive("session", (changes) => rows.apply(changes));
  useLive("reload", load);
  void rows.version.value;
  return html`
    <section aria-labelledby="sessions">
      <h2 id="sessions">
        ${t("nav.sessions")}
        <a class="aside" href=${withQuery("/sessions", { station: stationId })}>${t("station.all_sessions")}</a>
      </h2>
      ${
        rows.size
          ? html`
              <${SessionTable} sessions=${rows.list.slice(0, LATEST)} label=${t("nav.sessions")} without="station" />
            `
          : html`
              <p class="calm">${t("sessions.none")}</p>
            `
      }
    </section>
  `;
}

/** What the station says of itself as a whole, when that is worth knowing. */
function WholeStation({ station }) {
  const whole = station.evses.find(({ evse_id }) => evse_id === 0)?.connectors[0];
  if (!whole?.status || whole.status === "Available") return null;
  return html`
    <${ConnectorBadge} status=${whole.status} />
  `;
}

export function StationPage() {
  const { id } = route.value;
  const resource = useResource(`/stations/${seg(id)}`);
  useLive("station", (changes) => {
    const fresh = changes.find((station) => station.station_id === id);
    if (fresh) resource.set((old) => old && { ...old, ...fresh });
  });
  const station = resource.data;
  if (!station)
    return html`
      <${Pending} ...${resource} />
    `;
  return html`
    <div class="page">
      <p class="crumbs"><a href="/stations">${t("nav.stations")}</a></p>
      <h1>
        ${station.station_id}
        ${
          station.name &&
          html`
            <span class="as-of">${station.name}</span>
          `
        }
        <${ConnectionBadge} connected=${station.connected} />
        <${WholeStation} station=${station} />
      </h1>
      <${Facts} station=${station} />
      <${Actions}
        actions=${[triggerAction(station), availabilityAction(station), passwordAction(station), resetAction(station)]}
      />
      <div class="panels">
        ${outlets(station).map(
          (evse) => html`
            <${Evse} key=${evse.evse_id} station=${station} evse=${evse} />
          `,
        )}
      </div>
      <${Sessions} stationId=${id} />
      <${Habits} stationId=${id} />
    </div>
  `;
}
