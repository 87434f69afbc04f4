// One session in a list: what stands where, in a row at a desk and in two lines on a phone.
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { NONE, duration, energy, fullInstant, instant, money, power } from "../format.js";
import { t } from "../i18n.js";
import { go, sessionPath } from "../router.js";
import { SessionBadge } from "./state.js";

const COLUMNS = ["state", "session", "station", "token", "started", "duration", "energy", "power", "price"];

export function SessionHead() {
  return html`
    <div class="session-row head" role="row" aria-rowindex="1">
      ${COLUMNS.map(
        (name) => html`
          <span class="c-${name}" role="columnheader" key=${name}>${t(`column.${name}`)}</span>
        `,
      )}
    </div>
  `;
}

/** Running: until now; else until its transaction ended. */
export function lengthMs(session) {
  const end = session.ended_at ? Date.parse(session.ended_at) : nowMs.value;
  return end - Date.parse(session.started_at);
}

/** Only a price that stands: the running one is on the session's page, where it keeps up with the energy. */
function Price({ session }) {
  if (session.price?.final) return money(session.price.incl_vat ?? session.price.excl_vat, session.price.currency);
  return NONE;
}

export function SessionRow({ session, rowIndex }) {
  const path = sessionPath(session.id);
  const open = (event) => event.target.closest("a") || getSelection().toString() || go(path);
  const running = session.state === "active" || session.state === "pending";
  return html`
    <div class="session-row" role="row" aria-rowindex=${rowIndex} onClick=${open}>
      <span class="c-state" role="cell"><${SessionBadge} session=${session} /></span>
      <span class="c-session" role="cell"><a class="id" href=${path}>${session.id}</a></span>
      <span class="c-station" role="cell" title=${session.station_id}>
        ${session.station_id}
        <span class="outlet">${" · "}${session.evse_id ?? "–"}</span>
      </span>
      <span class="c-token" role="cell" title=${session.id_token ?? ""}>${session.id_token ?? NONE}</span>
      <span class="c-started" role="cell" title=${fullInstant(session.started_at)}>
        ${instant(session.started_at, { against: nowMs.value })}
      </span>
      <span class="c-duration" role="cell">${duration(lengthMs(session))}</span>
      <span class="c-energy" role="cell">${energy(session.energy_wh)}</span>
      <span class="c-power" role="cell">${running ? power(session.power_w) : NONE}</span>
      <span class="c-price" role="cell"><${Price} session=${session} /></span>
    </div>
  `;
}

/** A short list without scrolling of its own. @param without the column to leave out: station or price */
export function SessionTable({ sessions, label, without = "" }) {
  return html`
    <div
      class="list short ${without && `without-${without}`}"
      role="table"
      aria-label=${label}
      aria-rowcount=${sessions.length + 1}
    >
      <${SessionHead} />
      <div role="rowgroup">
        ${sessions.map(
          (session, index) => html`
            <${SessionRow} session=${session} key=${session.id} rowIndex=${index + 2} />
          `,
        )}
      </div>
    </div>
  `;
}
