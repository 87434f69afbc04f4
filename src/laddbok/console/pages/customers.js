// Who pays, and is all there that their invoices need?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { t, tCode } from "../i18n.js";
import { FinanceTabs, SearchBar, opens } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { customerPath, route, withQuery } from "../router.js";

const add = () => ({
  label: t("customer.add"),
  explain: t("customer.add_explain"),
  id: t("customer.id"),
  name: t("customer.name"),
  save: ({ id, name }) => write("PUT", `/payers/${seg(id)}`, { name }),
  pathOf: customerPath,
});

export function CustomersPage() {
  const { query } = route.value;
  const list = useGrowing(withQuery("/payers", { q: query.q, limit: 50 }));
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <${SearchBar} path="/customers" label=${t("customers.search")} value=${query.q} add=${add()} />
      <${GrowingList} list=${list} none=${t("customers.none")}>
        <div class="panel flush">
          <table class="fin leads">
            <thead>
              <tr>
                <th>${t("customer.name")}</th>
                <th>${t("customer.kind")}</th>
                <th class="opt">${t("customer.organisation_number")}</th>
                <th class="opt">${t("customer.address")}</th>
                <th class="opt">${t("customers.by")}</th>
              </tr>
            </thead>
            <tbody>
              ${list.items.map(
                (payer) => html`
                  <tr key=${payer.id} onClick=${opens(customerPath(payer.id))}>
                    <td>
                      <a href=${customerPath(payer.id)}>${payer.name}</a>
                      <span class="soft">${payer.id}</span>
                    </td>
                    <td>${tCode("payer_kind", payer.kind)}</td>
                    <td class="opt">${payer.organisation_number ?? "–"}</td>
                    <td class="opt break">${[payer.address, payer.postal_code, payer.city].filter(Boolean).join(", ") || "–"}</td>
                    <td class="opt break">${payer.e_invoice ? t("customers.e_invoice") : payer.email ?? t("customers.no_way")}</td>
                  </tr>
                `,
              )}
            </tbody>
          </table>
        </div>
      <//>
    </div>
  `;
}
