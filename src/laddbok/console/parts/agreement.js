// Who pays which part of a contract's sessions?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { nowMs } from "../clock.js";
import { exact, instant, typedNumber } from "../format.js";
import { t, tCode } from "../i18n.js";
import { customerPath } from "../router.js";
import { Actions } from "./actions.js";
import { mayAct } from "./finance.js";
import { useResource } from "./resource.js";

/** A share in words: which part, of what, up to how much. */
function shareText({ kinds = [], part = "100", of = 100, up_to_per_session, up_to_per_month }) {
  const what = kinds.length ? kinds.map((kind) => tCode("dimension", kind)).join(", ") : t("agreement.all_kinds");
  const share = Number(part) === Number(of) ? what : t(of === 100 ? "agreement.percent" : "agreement.fraction", { part: exact(part), of, what });
  const limits = [
    up_to_per_session && t("agreement.per_session", { sum: exact(up_to_per_session) }),
    up_to_per_month && t("agreement.per_month", { sum: exact(up_to_per_month) }),
  ];
  return [share, ...limits].filter(Boolean).join(", ");
}

const KINDS = ["flat", "energy", "time", "parking_time", "idle", "reservation_flat", "reservation_time"];

/** What was typed as a share; what is empty is not agreed. */
function shareOf({ payer_id, kind, part, up_to_per_session, up_to_per_month, hides_driver }) {
  const limits = Object.entries({ up_to_per_session, up_to_per_month }).filter(([, text]) => text.trim());
  return {
    payer_id: payer_id.trim(),
    part: typedNumber(part),
    ...(kind ? { kinds: [kind] } : {}),
    ...(hides_driver ? { names_driver: false } : {}),
    ...Object.fromEntries(limits.map(([name, text]) => [name, typedNumber(text)])),
  };
}

/** An action that lets another agreement hold; `change(agreement, typed)` makes it of the present one. */
function changing(contract, agreement, reload, change, action) {
  return {
    explain: t("agreement.from_now"),
    stays: true,
    ...action,
    run: async (typed) => {
      await write("PUT", `/contracts/${seg(contract.id)}/agreement`, { agreement: change(agreement, typed) });
      reload();
      return { kind: "good", text: t("edit.saved") };
    },
  };
}

function addAction(...known) {
  const amount = (name) => ({ name, label: t(`agreement.${name}`), more: { inputMode: "decimal" } });
  const more = (agreement, typed) => ({ ...agreement, shares: [...(agreement?.shares ?? []), shareOf(typed)] });
  return changing(...known, more, {
    label: t("agreement.add"),
    icon: "plus",
    explain: t("agreement.add_explain"),
    fields: [
      { name: "payer_id", label: t("agreement.payer"), required: true },
      { name: "kind", label: t("agreement.of"), options: [["", t("agreement.all_kinds")], ...KINDS.map((kind) => [kind, tCode("dimension", kind)])] },
      { name: "part", label: t("agreement.part"), required: true, initial: "100", more: { inputMode: "decimal" } },
      amount("up_to_per_session"),
      amount("up_to_per_month"),
      { name: "hides_driver", label: t("agreement.hides_driver"), type: "checkbox" },
    ],
  });
}

function restAction(contract, agreement, reload) {
  const other = (old, { rest }) => ({ shares: old.shares, ...(rest.trim() ? { rest: rest.trim() } : {}) });
  return changing(contract, agreement, reload, other, {
    label: t("agreement.change_rest"),
    explain: t("agreement.rest_explain"),
    fields: [{ name: "rest", label: t("agreement.payer"), initial: agreement.rest ?? "" }],
  });
}

/** The agreement without one of its shares; without the last there is none. */
function removeAction(contract, agreement, reload, place) {
  const fewer = (old) => (old.shares.length > 1 ? { ...old, shares: old.shares.filter((_, at) => at !== place) } : null);
  return changing(contract, agreement, reload, fewer, { label: t("agreement.remove"), danger: true });
}

function Shares({ contract, agreement, reload }) {
  return html`
    <ol class="plain plans">
      ${agreement.shares.map(
        (share, place) => html`
          <li key=${place}>
            <div><a href=${customerPath(share.payer_id)}>${share.payer_id}</a>: ${shareText(share)}</div>
            ${
              mayAct() &&
              html`
                <${Actions} compact=${true} actions=${[removeAction(contract, agreement, reload, place)]} />
              `
            }
          </li>
        `,
      )}
    </ol>
  `;
}

export function Agreement({ contract }) {
  const agreed = useResource(`/contracts/${seg(contract.id)}/agreement`);
  if (!agreed.data) return null;
  const { agreement } = agreed.data;
  const rest = agreement?.rest ?? contract.payer_id;
  return html`
    <section class="panel">
      <h2>${t("agreement.title")}</h2>
      ${
        agreement
          ? html`
              <${Shares} contract=${contract} agreement=${agreement} reload=${agreed.load} />
              ${
                rest &&
                html`
                  <p><a href=${customerPath(rest)}>${rest}</a>: ${t("agreement.rest")}</p>
                `
              }
              <p class="soft">
                ${t("contract.since", { time: instant(agreed.data.valid_from, { against: nowMs.peek() }), person: agreed.data.agreed_by })}
              </p>
            `
          : html`
              <p class="calm">${t("agreement.none")}</p>
            `
      }
      ${
        mayAct() &&
        html`
          <${Actions} actions=${[addAction(contract, agreement, agreed.load), ...(agreement ? [restAction(contract, agreement, agreed.load)] : [])]} />
        `
      }
    </section>
  `;
}
