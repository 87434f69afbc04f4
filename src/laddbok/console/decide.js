// What does a person decide about a session, and what will come of it? The platform's words for both.
import { Problem, seg, write } from "./api.js";
import { energy, money } from "./format.js";
import { language, t } from "./i18n.js";

export const DECIDABLE = new Set(["review", "settled", "void"]);
const KWH = /^\d{1,5}([.,]\d{1,3})?$/;

/** A typed energy [kWh] as whole Wh. Throws what the platform would say of it. */
export function energyWh(text) {
  const typed = text.trim();
  if (!KWH.test(typed)) throw new Problem(422, { detail: t("decide.bad_energy"), field: t("decide.energy") });
  return Math.round(Number(typed.replace(",", ".")) * 1000);
}

/** An energy [Wh] as a person types it in kWh; empty when there is none. */
export function kwhText(energy_wh) {
  const text = energy_wh === null ? "" : String(energy_wh / 1000);
  return language.value === "sv" ? text.replace(".", ",") : text;
}

/** An instant as a field for local time takes it, to the second. */
export function localTime(at) {
  if (!at) return "";
  const date = new Date(at);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

/** What a person changed of a session: fields that stand as they stood are left out. */
export function corrections(session, values) {
  const before = {
    energy: kwhText(session.energy_wh),
    started_at: localTime(session.started_at),
    ended_at: localTime(session.ended_at),
    id_token: session.token ?? "",
    tariff_id: session.tariff?.id ?? "",
  };
  const typed = (name) => (values[name] ?? "").trim();
  const changed = (name) => typed(name) !== "" && typed(name) !== before[name];
  const moved = (name) => changed(name) && Date.parse(typed(name)) !== Date.parse(before[name]); // a field drops ":00"
  return {
    ...(changed("energy") ? { energy_wh: energyWh(values.energy) } : {}),
    ...(moved("started_at") ? { started_at: new Date(values.started_at).toISOString() } : {}),
    ...(moved("ended_at") ? { ended_at: new Date(values.ended_at).toISOString() } : {}),
    ...(changed("id_token") ? { id_token: values.id_token.trim() } : {}),
    ...(changed("tariff_id") ? { tariff_id: values.tariff_id } : {}),
  };
}

/** The last revision that was issued, and whether it stands (it was not credited). */
export function standing(issued) {
  const last = Math.max(0, ...issued.filter(({ kind }) => kind === "cdr").map(({ revision }) => revision));
  const credited = issued.some(({ kind, revision }) => kind === "credit" && revision === last);
  return { last, stands: last > 0 && !credited };
}

/** The energy [Wh] that the engine proposes; null: nothing can be believed, though a register was followed for a while. */
export const proposedWh = (session) => (session.energy ? session.energy.energy_wh : session.energy_wh);

/** What a decision of this kind will do, in words. `issued`: the session's CDRs and credits so far. */
export function consequence(kind, session, issued) {
  const { last, stands } = standing(issued);
  const price = session.price ? money(session.price.incl_vat ?? session.price.excl_vat, session.price.currency) : "–";
  const params = { revision: last, next: last + 1, energy: energy(proposedWh(session)), price };
  if (kind === "accept") return t("decide.accept_explain", params);
  if (kind === "correct") return t(stands ? "decide.correct_credits" : "decide.correct_issues", params);
  if (kind === "void") return t(stands ? "decide.void_credits" : "decide.void_explain", params);
  return t(stands ? "decide.reopen_credits" : "decide.reopen_explain", params);
}

/** Sends a decision about the session as the person saw it. */
export async function decide(session, kind, values) {
  const changed = kind === "correct" ? corrections(session, values) : {};
  const body = { kind, reason: values.reason, version: session.version, ...changed };
  await write("POST", `/sessions/${seg(session.id)}/decisions`, body);
  return { kind: "good", text: t("decide.recorded") };
}
