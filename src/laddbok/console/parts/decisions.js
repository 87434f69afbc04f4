// How does a person decide about a session? Accept, correct, void, reopen: each says first what it will do.
import { html } from "../vendor/preact.js";
import { me } from "../api.js";
import { DECIDABLE, consequence, decide, kwhText, localTime, proposedWh } from "../decide.js";
import { t } from "../i18n.js";
import { Actions } from "./actions.js";

const reason = (initial = "") => ({
  name: "reason",
  label: t("decide.reason"),
  required: true,
  initial,
  more: { maxlength: 500 },
});

function correctionFields(session, tariffs) {
  const now = session.tariff?.id ?? "";
  const ids = tariffs.map(({ id }) => [id, id]);
  const known = now && !ids.some(([id]) => id === now) ? [[now, now]] : [];
  return [
    {
      name: "energy",
      label: t("decide.energy"),
      initial: kwhText(session.energy_wh),
      more: { inputmode: "decimal" },
    },
    {
      name: "started_at",
      label: t("decide.started"),
      type: "datetime-local",
      initial: localTime(session.started_at),
      more: { step: 1 },
    },
    {
      name: "ended_at",
      label: t("decide.ended"),
      type: "datetime-local",
      initial: localTime(session.ended_at),
      more: { step: 1 },
    },
    { name: "id_token", label: t("decide.token"), initial: session.token ?? "", more: { maxlength: 255 } },
    {
      name: "tariff_id",
      label: t("decide.tariff"),
      initial: now,
      options: [...(now ? [] : [["", t("decide.no_tariff")]]), ...known, ...ids],
    },
    reason(),
  ];
}

/** What a decision does, and that nobody can be invoiced for it while no contract is known. */
function withoutContract(session, text) {
  return session.contract_id === null ? `${text} ${t("decide.no_contract")}` : text;
}

/** The decisions that fit the session's state. `issued`: its CDRs and credits; `reload` after each. */
function actionsOf({ session, issued, tariffs, reload }) {
  const action = (kind, icon, more = {}) => ({
    label: t(`decide.${kind}`),
    icon,
    stays: true,
    explain: consequence(kind, session, issued),
    fields: [reason()],
    run: (values) => decide(session, kind, values).finally(reload), // after a conflict, too: show what is so
    ...more,
  });
  const accept = action("accept", "check", {
    primary: true,
    disabled: proposedWh(session) === null || session.tariff === null,
    explain: withoutContract(session, consequence("accept", session, issued)),
  });
  const correct = action("correct", "decision", {
    fields: correctionFields(session, tariffs),
    explain: withoutContract(session, consequence("correct", session, issued)),
  });
  const voided = action("void", "cross", { danger: true });
  const reopen = action("reopen", "flag");
  if (session.state === "review") return [accept, correct, voided, reopen];
  return session.state === "settled" ? [correct, voided, reopen] : [correct, reopen];
}

/** @param issued the session's CDRs and credits */
export function Decisions({ session, issued, tariffs, reload }) {
  const may = me.value.role !== "reader" && session.origin !== "import" && DECIDABLE.has(session.state);
  if (!may) return null;
  return html`
    <${Actions} actions=${actionsOf({ session, issued, tariffs, reload })} />
  `;
}
