// Who pays which part of a contract's sessions?
import { html } from "../vendor/preact.js";
import { seg } from "../api.js";
import { nowMs } from "../clock.js";
import { exact, instant } from "../format.js";
import { t, tCode } from "../i18n.js";
import { customerPath } from "../router.js";
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
              <ol class="plain">
                ${agreement.shares.map(
                  (share, place) => html`
                    <li key=${place}>
                      <a href=${customerPath(share.payer_id)}>${share.payer_id}</a>: ${shareText(share)}
                    </li>
                  `,
                )}
                ${
                  rest &&
                  html`
                    <li><a href=${customerPath(rest)}>${rest}</a>: ${t("agreement.rest")}</li>
                  `
                }
              </ol>
              <p class="soft">
                ${t("contract.since", { time: instant(agreed.data.valid_from, { against: nowMs.peek() }), person: agreed.data.agreed_by })}
              </p>
            `
          : html`
              <p class="calm">${t("agreement.none")}</p>
            `
      }
    </section>
  `;
}
