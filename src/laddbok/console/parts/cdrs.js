// What was issued for this session? Its CDRs and the credits that took them back, none of them ever edited.
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { energy, fullInstant, instant, money } from "../format.js";
import { t } from "../i18n.js";

/** @param issued items of /cdrs, the newest first */
export function Issued({ issued }) {
  if (!issued?.length) return null;
  const inOrder = [...issued].sort((a, b) => a.revision - b.revision || (a.kind < b.kind ? -1 : 1));
  return html`
    <section class="panel issued" aria-labelledby="issued">
      <h2 id="issued">${t("issued.title")}</h2>
      <table>
        <tbody>
          ${inOrder.map(
            (cdr) => html`
              <tr key=${`${cdr.revision} ${cdr.kind}`}>
                <td>
                  ${t(cdr.kind === "credit" ? "issued.credit" : "issued.cdr", { revision: cdr.revision })}
                  <span class="soft" title=${fullInstant(cdr.issued_at)}>
                    ${instant(cdr.issued_at, { against: nowMs.peek(), seconds: true })}
                  </span>
                </td>
                <td class="figure">${energy(cdr.energy_wh)}</td>
                <td class="figure">${money(cdr.incl_vat ?? cdr.excl_vat, cdr.currency)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </section>
  `;
}
