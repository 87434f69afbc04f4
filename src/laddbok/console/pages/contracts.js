// With whom is there a contract, who pays it, and who charges on it?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { t } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { FinanceTabs, Typed, mayAct, opens } from "../parts/finance.js";
import { Pending } from "../parts/resource.js";
import { Badge } from "../parts/state.js";
import { contractPath, customerPath, go, route, withQuery } from "../router.js";
import { More, useGrowing } from "./invoices.js";

function addAction() {
  return {
    label: t("contract.add"),
    icon: "plus",
    explain: t("contract.add_explain"),
    disabled: !mayAct(),
    stays: true,
    fields: [
      { name: "id", label: t("contract.id"), required: true, more: { maxLength: 64, pattern: "[^/]+" } },
      { name: "name", label: t("contract.name"), required: true },
    ],
    run: async ({ id, name }) => {
      await write("POST", "/contracts", { id, name });
      go(contractPath(id));
      return { kind: "good", text: t("edit.saved") };
    },
  };
}

function Row({ contract }) {
  return html`
    <tr onClick=${opens(contractPath(contract.id))}>
      <td>
        <a href=${contractPath(contract.id)}>${contract.name}</a>
        <span class="soft">${contract.id}</span>
      </td>
      <td class="opt">${contract.driver ?? "–"}</td>
      <td class="opt">${contract.cost_centre ?? "–"}</td>
      <td>
        ${
          contract.payer_id
            ? html`
                <a href=${customerPath(contract.payer_id)}>${contract.payer_name}</a>
              `
            : html`
                <${Badge} tone="warn" icon="warning">${t("contract.nobody")}<//>
              `
        }
      </td>
    </tr>
  `;
}

export function ContractsPage() {
  const { query } = route.value;
  const list = useGrowing(withQuery("/contracts", { q: query.q, payer_id: query.payer_id, limit: 50 }));
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <div class="toolbar">
        <form class="filters" onSubmit=${(event) => event.preventDefault()}>
          <${Typed} label=${t("contracts.search")} value=${query.q} onChange=${(q) => go(withQuery("/contracts", { q }), { replace: true })} wide=${true} />
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
                        <th>${t("column.contract")}</th>
                        <th class="opt">${t("contract.driver")}</th>
                        <th class="opt">${t("contract.cost_centre")}</th>
                        <th>${t("contract.payer")}</th>
                      </tr>
                    </thead>
                    <tbody>
                      ${list.items.map(
                        (contract) => html`
                          <${Row} key=${contract.id} contract=${contract} />
                        `,
                      )}
                    </tbody>
                  </table>
                </div>
                <${More} list=${list} />
              `
            : html`
                <p class="calm">${t("contracts.none")}</p>
              `
      }
    </div>
  `;
}
