// What do we ask a station for, in the words of its protocol, and what did it answer, in the reader's?
//
// An intent (reset, unlock, ...) becomes the OCPP call of the station's version; every answer becomes one sentence.
import { write, seg } from "./api.js";
import { t, tCode } from "./i18n.js";

const isV16 = (protocol) => String(protocol).includes("1.6");
const randomNumber = () => crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;

const V16 = {
  reset: ({ hard }) => ["Reset", { type: hard ? "Hard" : "Soft" }],
  unlock: ({ evse_id }) => ["UnlockConnector", { connectorId: evse_id }],
  availability: ({ evse_id = 0, operative }) => [
    "ChangeAvailability",
    { connectorId: evse_id, type: operative ? "Operative" : "Inoperative" },
  ],
  trigger: ({ message }) => ["TriggerMessage", { requestedMessage: message }],
  start: ({ evse_id, id_token }) => ["RemoteStartTransaction", { connectorId: evse_id, idTag: id_token }],
};

const V2 = {
  reset: ({ hard }) => ["Reset", { type: hard ? "Immediate" : "OnIdle" }],
  unlock: ({ evse_id, connector_id }) => ["UnlockConnector", { evseId: evse_id, connectorId: connector_id }],
  availability: ({ evse_id, operative }) => [
    "ChangeAvailability",
    { operationalStatus: operative ? "Operative" : "Inoperative", ...(evse_id ? { evse: { id: evse_id } } : {}) },
  ],
  trigger: ({ message }) => ["TriggerMessage", { requestedMessage: message }],
  start: ({ evse_id, id_token }) => [
    "RequestStartTransaction",
    { evseId: evse_id, remoteStartId: randomNumber(), idToken: { idToken: id_token, type: "Central" } },
  ],
};

/** The reports a station can be asked for. */
export const TRIGGERS = ["BootNotification", "Heartbeat", "StatusNotification", "MeterValues"];

/** The OCPP call [action, payload] that carries an intent to a station of this protocol. */
export const callFor = (protocol, intent, values) => (isV16(protocol) ? V16 : V2)[intent](values);

const GOOD = new Set(["Accepted", "Unlocked", "Scheduled", "RebootRequired"]);

/** A command's outcome as {kind: good|bad, text}. */
export function outcome(answer) {
  if (answer.status === "error") {
    return { kind: "bad", text: t("command.error", { code: answer.code, description: answer.description ?? "" }) };
  }
  const status = answer.payload?.status;
  if (status === undefined) return { kind: "good", text: t("command.answered") };
  return { kind: GOOD.has(status) ? "good" : "bad", text: tCode("answer", status, { status }) };
}

/** A failed request as {kind: "bad", text}. */
export function failure(problem) {
  const words = { 0: "problem.offline", 403: "problem.forbidden", 409: "problem.conflict", 504: "problem.timeout" };
  const key = words[problem.status];
  const detail = problem.field ? `${problem.field}: ${problem.message}` : problem.message;
  return { kind: "bad", text: key ? t(key, { detail }) : t("problem.other", { detail }) };
}

/** Sends an intent to a station and tells the outcome. */
export async function order(station, intent, values = {}) {
  const [action, payload] = callFor(station.protocol, intent, values);
  return outcome(await write("POST", `/stations/${seg(station.station_id)}/commands/${action}`, payload));
}

/** Asks for a session to be stopped, or its connector to be unlocked; the platform picks the call. */
export async function orderSession(sessionId, deed) {
  return outcome(await write("POST", `/sessions/${seg(sessionId)}/${deed}`));
}
