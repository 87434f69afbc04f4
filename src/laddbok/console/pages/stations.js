// Which stations do we run, and which of them answer?
import { html, useState } from "../vendor/preact.js";
import { get, write } from "../api.js";
import { nowMs } from "../clock.js";
import { duration, fullInstant, number } from "../format.js";
import { t } from "../i18n.js";
import { useLive } from "../live.js";
import { Actions } from "../parts/actions.js";
import { Pending, useResource } from "../parts/resource.js";
import { ConnectionBadge, ConnectorBadge } from "../parts/state.js";
import { go, route, stationPath, withQuery } from "../router.js";

const PAGE = 200;
/** Its EVSEs; number 0 is how OCPP 1.6 names the station as a whole. */
export const outlets = (station) => (station.evses ?? []).filter(({ evse_id }) => evse_id > 0);

const COLUMNS = ["connection", "station", "site", "connectors", "model", "protocol", "seen"];

function Connectors({ station }) {
  const connectors = outlets(station).flatMap((evse) => evse.connectors ?? []);
  return html`
    <span class="badges">
      ${connectors.map(
        (connector) => html`
          <${ConnectorBadge} status=${connector.status} />
        `,
      )}
    </span>
  `;
}

function StationRow({ station }) {
  const path = stationPath(station.station_id);
  const seen = station.last_frame_at;
  return html`
    <div class="station-row" role="row" onClick=${(event) => event.target.closest("a") || go(path)}>
      <span role="cell" class="c-connection"><${ConnectionBadge} connected=${station.connected} /></span>
      <span role="cell" class="c-name">
        <a href=${path}><b>${station.station_id}</b></a>
        ${
          station.name
            ? html`
                ${" "}
                <small>${station.name}</small>
              `
            : null
        }
      </span>
      <span role="cell" class="c-site">${station.site_id ?? "–"}</span>
      <span role="cell" class="c-connectors"><${Connectors} station=${station} /></span>
      <span role="cell" class="c-model">${[station.vendor, station.model].filter(Boolean).join(" ") || "–"}</span>
      <span role="cell" class="c-protocol">${station.protocol ?? "–"}</span>
      <span role="cell" class="c-seen" title=${fullInstant(seen)}>
        ${seen ? t("ago", { time: duration(nowMs.value - Date.parse(seen)) }) : "–"}
      </span>
    </div>
  `;
}

function Filters({ query }) {
  const set = (name, value) => go(withQuery("/stations", { ...query, [name]: value }), { replace: true });
  return html`
    <form class="filters" onSubmit=${(event) => event.preventDefault()}>
      <label class="filter">
        <span>${t("filter.connection")}</span>
        <select value=${query.connected ?? ""} onChange=${(event) => set("connected", event.target.value)}>
          <option value="">${t("filter.all")}</option>
          <option value="true">${t("station.connected")}</option>
          <option value="false">${t("station.disconnected")}</option>
        </select>
      </label>
      <label class="filter">
        <span>${t("filter.search")}</span>
        <input
          type="search"
          value=${query.q ?? ""}
          onChange=${(event) => set("q", event.target.value.trim())}
          spellcheck="false"
        />
      </label>
    </form>
  `;
}

/** A station that we expect: its one-time password is shown once, to be put into the box. */
export function addAction(sites, reload) {
  return {
    label: t("station.add"),
    icon: "plus",
    primary: true,
    explain: t("station.add_explain"),
    fields: [
      { name: "station_id", label: t("station.identity"), required: true },
      { name: "name", label: t("station.name") },
      { name: "site_id", label: t("column.site"), options: sites.map((site) => [site.id, site.name]), required: true },
    ],
    run: async ({ station_id, name, site_id }) => {
      const station = await write("POST", "/stations", {
        station_id: station_id.trim(),
        site_id,
        ...(name ? { name } : {}),
      });
      reload();
      return { kind: "good", text: t("station.added", { station: station.station_id }), secret: station.password };
    },
  };
}

/** The next page joins the rows that are there. */
function useMore(list, path) {
  const [busy, setBusy] = useState(false);
  const more = async () => {
    setBusy(true);
    const page = await get(withQuery(path, { ...route.value.query, limit: PAGE, cursor: list.data.next })).catch(
      () => null,
    );
    if (page) list.set((old) => ({ items: [...old.items, ...page.items], next: page.next }));
    setBusy(false);
  };
  return [more, busy];
}

export function StationsPage() {
  const { query } = route.value;
  const list = useResource(withQuery("/stations", { ...query, limit: PAGE }));
  const sites = useResource("/sites");
  const [more, busy] = useMore(list, "/stations");
  useLive("station", (changes) => list.set((old) => old && { ...old, items: mergeStations(old.items, changes) }));
  if (!list.data)
    return html`
      <${Pending} ...${list} />
    `;
  const { items, next } = list.data;
  return html`
    <div class="page">
      <h1>
        ${t("nav.stations")}
        <span class="as-of">${t(next ? "stations.count_more" : "stations.count", { n: number(items.length) })}</span>
      </h1>
      <div class="toolbar">
        <${Filters} query=${query} />
        <${Actions} actions=${[addAction(sites.data?.items ?? [], list.load)]} />
      </div>
      <div class="list short" role="table" aria-label=${t("nav.stations")}>
        <div class="station-row head" role="row">
          ${COLUMNS.map(
            (name) => html`
              <span role="columnheader" class="c-${name}">${t(`column.${name}`)}</span>
            `,
          )}
        </div>
        <div role="rowgroup">
          ${items.map(
            (station) => html`
              <${StationRow} station=${station} key=${station.station_id} />
            `,
          )}
        </div>
        ${
          items.length === 0 &&
          html`
            <p class="calm">${t("stations.none")}</p>
          `
        }
      </div>
      ${
        next &&
        html`
          <button type="button" disabled=${busy} onClick=${more}>${t("more")}</button>
        `
      }
    </div>
  `;
}

/** Rows with their changes; a change of a station that is not listed is left out. */
export function mergeStations(items, changes) {
  const changed = new Map(changes.map((station) => [station.station_id, station]));
  return items.map((station) =>
    changed.has(station.station_id) ? { ...station, ...changed.get(station.station_id) } : station,
  );
}
