// Who pays, and is all there that their invoices need?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { t, tCode } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { FinanceTabs, Typed, mayAct, opens } from "../parts/finance.js";
import { Pending } from "../parts/resource.js";
import { customerPath, go, route, withQuery } from "../router.js";
import { More, useGrowing } from "./invoices.js";

function addAction() {
  return {
    label: t("customer.add"),
    icon: "plus",
    explain: t("customer.add_explain"),
    disabled: !mayAct(),
    stays: true,
    fields: [
      { name: "id", label: t("customer.id"), required: true, more: { maxLength: 64, pattern: "[^/]+" } },
      { name: "name", label: t("customer.name"), required: true },
    ],
    run: async ({ id, name }) => {
      await write("PUT", `/payers/${seg(id)}`, { name });
      go(customerPath(id));
      return { kind: "good", text: t("edit.saved") };
    },
  };
}

export function CustomersPage() {
  const { query } = route.value;
  const list = useGrowing(withQuery("/payers", { q: query.q, limit: 50 }));
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <div class="toolbar">
        <form class="filters" onSubmit=${(event) => event.preventDefault()}>
          <${Typed} label=${t("customers.search")} value=${query.q} onChange=${(q) => go(withQuery("/customers", { q }), { replace: true })} wide=${true} />
        </form>
        <${Actions} actions=${[addAction()]} />
      </div>
      ${
        !list.data
          ? html`
              <${Pending} ...${list} />
            `
          : list.items.length
            ? html`
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
                <${More} list=${list} />
              `
            : html`
                <p class="calm">${t("customers.none")}</p>
              `
      }
    </div>
  `;
}
