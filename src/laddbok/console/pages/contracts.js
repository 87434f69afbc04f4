// With whom is there a contract, who pays it, and who charges on it?
import { html } from "../vendor/preact.js";
import { write } from "../api.js";
import { t } from "../i18n.js";
import { FinanceTabs, SearchBar, opens } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { Badge } from "../parts/state.js";
import { contractPath, customerPath, route, withQuery } from "../router.js";

const add = () => ({
  label: t("contract.add"),
  explain: t("contract.add_explain"),
  id: t("contract.id"),
  name: t("contract.name"),
  save: ({ id, name }) => write("POST", "/contracts", { id, name }),
  pathOf: contractPath,
});

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
      <${SearchBar} path="/contracts" label=${t("contracts.search")} value=${query.q} add=${add()} />
      <${GrowingList} list=${list} none=${t("contracts.none")}>
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
      <//>
    </div>
  `;
}
