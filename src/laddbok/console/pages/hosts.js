// At whose places do our stations stand, and up to which month are they paid?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { FinanceTabs, SearchBar, mayBill, opens } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { SettleHosts } from "../parts/settle-hosts.js";
import { hostPath, route, withQuery } from "../router.js";

const add = () => ({
  label: t("host.add"),
  explain: t("host.add_explain"),
  id: t("host.id"),
  name: t("seller.name"),
  save: ({ id, name }) => write("PUT", `/hosts/${seg(id)}`, { name }),
  pathOf: hostPath,
});

export function HostsPage() {
  const { query } = route.value;
  const list = useGrowing(withQuery("/hosts", { q: query.q, limit: 50 }));
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <${SearchBar} path="/hosts" label=${t("hosts.search")} value=${query.q} add=${add()} />
      <${GrowingList} list=${list} none=${t("hosts.none")}>
        <div class="panel flush">
          <table class="fin leads">
            <thead>
              <tr>
                <th>${t("host.host")}</th>
                <th class="figure">${t("host.sites")}</th>
                <th>${t("host.settled")}</th>
              </tr>
            </thead>
            <tbody>
              ${list.items.map(
                (host) => html`
                  <tr key=${host.id} onClick=${opens(hostPath(host.id))}>
                    <td>
                      <a href=${hostPath(host.id)}>${host.name}</a>
                      <span class="soft">${host.id}</span>
                    </td>
                    <td class="figure">${number(host.sites)}</td>
                    <td>${host.settled ?? "–"}</td>
                  </tr>
                `,
              )}
            </tbody>
          </table>
        </div>
      <//>
      ${
        mayBill() &&
        list.items.length > 0 &&
        html`
          <${SettleHosts} onKept=${list.load} />
        `
      }
    </div>
  `;
}
