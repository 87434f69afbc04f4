// Who pays which part of this session, and on which document does it stand?
import { html } from "../vendor/preact.js";
import { money } from "../format.js";
import { said, t } from "../i18n.js";
import { customerPath, invoicePath } from "../router.js";

/** @param parts items of /sessions/{id}/payers */
export function Payers({ parts }) {
  if (!parts?.length) return null;
  return html`
    <section class="panel issued" aria-labelledby="payers">
      <h2 id="payers">${t("payers.title")}</h2>
      <table>
        <tbody>
          ${parts.map(
            (part) => html`
              <tr key=${`${part.revision} ${part.kind} ${part.part}`}>
                <td>
                  <${Payer} part=${part} />
                  <span class="soft">${told(part)}</span>
                </td>
                <td><${Where} part=${part} /></td>
                <td class="figure">${money(part.incl_vat ?? part.excl_vat, part.currency)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </section>
  `;
}

function Payer({ part }) {
  if (part.payer_id)
    return html`
      <a href=${customerPath(part.payer_id)}>${part.payer_name}</a>
    `;
  if (part.document_id) return t("payers.at_once");
  return t(part.outcome === "to_be_shared" ? "payers.by_agreement" : "payers.nobody");
}

function told(part) {
  const what = part.what ? said(part.what) : t("payers.all");
  const revision = part.revision > 1 || part.kind === "credit" ? t(`payers.${part.kind}`, { revision: part.revision }) : "";
  return [what, revision].filter(Boolean).join(", ");
}

function Where({ part }) {
  if (part.document_id)
    return html`
      <a href=${invoicePath(part.document_id)}>${part.document}</a>
    `;
  return html`
    <span class="soft">${t(`payers.${part.outcome}`)}</span>
  `;
}
