// Where does a session or a connector stand? A badge of word, drawing and colour: never colour alone.
import { html } from "../vendor/preact.js";
import { t, tCode } from "../i18n.js";
import { Icon } from "./icons.js";

const ACTIVITY = {
  charging: ["good", "bolt"],
  paused_by_ev: ["warn", "pause"],
  paused_by_evse: ["hold", "hold"],
  idle: ["idle", "clock"],
};
const STATE = {
  pending: ["quiet", "dots"],
  active: ["good", "bolt"],
  ended: ["quiet", "clock"],
  settled: ["plain", "check"],
  review: ["bad", "flag"],
  void: ["quiet", "cross"],
};
const CONNECTOR = {
  Available: ["plain", "check"],
  Occupied: ["accent", "plug"],
  Preparing: ["accent", "dots"],
  Charging: ["good", "bolt"],
  SuspendedEV: ["warn", "pause"],
  SuspendedEVSE: ["hold", "hold"],
  Finishing: ["idle", "clock"],
  Reserved: ["quiet", "flag"],
  Unavailable: ["quiet", "cross"],
  Faulted: ["bad", "warning"],
};

export function Badge({ tone, icon, children }) {
  return html`
    <span class="badge ${tone}">
      <${Icon} name=${icon} />
      ${children}
    </span>
  `;
}

/** A session's state; an active one says what its outlet does. */
export function SessionBadge({ session }) {
  const active = session.state === "active" && ACTIVITY[session.activity];
  const [tone, icon] = active || STATE[session.state] || ["quiet", "dots"];
  const word = active ? t(`activity.${session.activity}`) : tCode("state", session.state);
  return html`
    <${Badge} tone=${tone} icon=${icon}>${word}<//>
  `;
}

/** What a connector last said of itself. */
export function ConnectorBadge({ status }) {
  const [tone, icon] = CONNECTOR[status] ?? ["quiet", "dots"];
  return html`
    <${Badge} tone=${tone} icon=${icon}>${status ? tCode("connector", status) : t("connector.unknown")}<//>
  `;
}

export function ConnectionBadge({ connected }) {
  return connected
    ? html`
        <${Badge} tone="good" icon="check">${t("station.connected")}<//>
      `
    : html`
        <${Badge} tone="bad" icon="cross">${t("station.disconnected")}<//>
      `;
}

export const ACTIVITIES = Object.keys(ACTIVITY);
export const STATES = Object.keys(STATE);
export const activityTone = (activity) => ACTIVITY[activity]?.[0] ?? "quiet";
