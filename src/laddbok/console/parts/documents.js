// On which documents does this session stand, and where does its driver see them? Receipts, invoices and what took them back.
import { html } from "../vendor/preact.js";
import { seg } from "../api.js";
import { day, money } from "../format.js";
import { t } from "../i18n.js";
import { documentName } from "./finance.js";

/** @param documents items of /sessions/ID/documents, the oldest first */
export function Documents({ documents }) {
  if (!documents?.length) return null;
  return html`
    <section class="panel issued" aria-labelledby="documents">
      <h2 id="documents">${t("documents.title")}</h2>
      <table>
        <tbody>
          ${documents.map(
            (each) => html`
              <tr key=${each.id}>
                <td>
                  <a href=${`/invoices/${seg(each.id)}`}>${documentName(each)}</a>
                  <span class="soft">${day(each.issue_date)}</span>
                </td>
                <td>
                  <a href=${each.page} target="_blank" rel="noopener">${t("documents.page")}</a>
                </td>
                <td class="figure">${money(each.gross, each.currency)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </section>
  `;
}
