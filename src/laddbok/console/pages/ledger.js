// What stands in the books of a seller, account by account?
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { day, money } from "../format.js";
import { t } from "../i18n.js";
import { ExchangeRates } from "../parts/exchange-rates.js";
import { Amount, Choice, FinanceTabs, Typed, useSeller } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { Icon } from "../parts/icons.js";
import { Pending, useResource } from "../parts/resource.js";
import { go, invoicePath, route, withQuery } from "../router.js";

/** The days that are asked for: this year, unless the address says otherwise. */
function daysOf(query) {
  const year = new Date(nowMs.peek()).getFullYear();
  return { from: query.from ?? `${year}-01-01`, to: query.to ?? `${year}-12-31` };
}

function Balance({ balance, query }) {
  const isEven = Number(balance.sum) === 0;
  return html`
    <section>
      <h2>
        ${t("ledger.balance")}
        <span class="aside ${isEven ? "good" : "bad"}">
          <${Icon} name=${isEven ? "check" : "warning"} />
          ${isEven ? t("ledger.even") : t("ledger.uneven", { sum: balance.sum })}
        </span>
      </h2>
      <div class="panel flush">
        <table class="fin">
          <thead>
            <tr>
              <th>${t("ledger.account")}</th>
              <th class="figure opt">${t("ledger.opening")}</th>
              <th class="figure opt">${t("ledger.debit")}</th>
              <th class="figure opt">${t("ledger.credit")}</th>
              <th class="figure">${t("ledger.closing")}</th>
            </tr>
          </thead>
          <tbody>
            ${balance.items.map(
              (each) => html`
                <tr key=${`${each.account} ${each.currency}`} class=${query.account === each.account ? "here" : ""}>
                  <td>
                    <a href=${withQuery("/ledger", { ...query, account: each.account })}>${each.account}</a>
                    ${" "}<span class="soft">${each.name ?? ""}</span>
                  </td>
                  <td class="figure opt">${money(each.opening, each.currency)}</td>
                  <td class="figure opt">${money(each.debit, each.currency)}</td>
                  <td class="figure opt">${money(each.credit, each.currency)}</td>
                  <${Amount} value=${each.closing} currency=${each.currency} />
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

function Card({ account, path }) {
  const list = useGrowing(path);
  return html`
    <section>
      <h2>${t("ledger.card", { account })}</h2>
      <${GrowingList} list=${list} none=${t("ledger.empty")}>
        <div class="panel flush">
          <table class="fin">
            <thead>
              <tr>
                <th>${t("ledger.date")}</th>
                <th class="opt">${t("ledger.number")}</th>
                <th>${t("ledger.text")}</th>
                <th class="figure opt">${t("ledger.debit")}</th>
                <th class="figure opt">${t("ledger.credit")}</th>
                <th class="figure narrow">${t("payments.amount")}</th>
              </tr>
            </thead>
            <tbody>
              ${list.items.map(
                (each) => html`
                  <tr key=${`${each.entry_id} ${each.line}`}>
                    <td class="date">${day(each.date)}</td>
                    <td class="opt">${each.entry_id}</td>
                    <td class="break">
                      ${
                        each.invoice_id
                          ? html`
                              <a href=${invoicePath(each.invoice_id)}>${each.text}</a>
                            `
                          : each.text
                      }
                    </td>
                    <td class="figure opt">${Number(each.amount) > 0 ? money(each.amount, each.currency) : ""}</td>
                    <td class="figure opt">${Number(each.amount) < 0 ? money(each.amount.slice(1), each.currency) : ""}</td>
                    <td class="figure narrow">${money(each.amount, each.currency)}</td>
                  </tr>
                `,
              )}
            </tbody>
          </table>
        </div>
      <//>
    </section>
  `;
}

export function LedgerPage() {
  const { query } = route.value;
  const { sellers, seller, ...list } = useSeller(query);
  const days = daysOf(query);
  const asked = seller && withQuery("", { seller_id: seller.id, ...days });
  const balance = useResource(asked ? `/ledger/accounts${asked}` : null);
  const set = (change) => go(withQuery("/ledger", { ...query, ...change }), { replace: true });
  if (!list.data)
    return html`
      <${Pending} ...${list} />
    `;
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <div class="toolbar">
        <form class="filters" onSubmit=${(event) => event.preventDefault()}>
          <${Choice} label=${t("column.seller")} value=${seller?.id} options=${sellers.map((each) => [each.id, each.name])} onChange=${(seller_id) => set({ seller_id })} wide=${true} />
          <${Typed} type="date" label=${t("filter.from")} value=${days.from} onChange=${(from) => set({ from })} />
          <${Typed} type="date" label=${t("filter.to")} value=${days.to} onChange=${(to) => set({ to })} />
        </form>
        <a class="button" href=${`/api/v1/ledger/sie${asked ?? ""}`} download>
          <${Icon} name="out" />
          ${t("ledger.sie")}
        </a>
      </div>
      ${
        balance.data
          ? balance.data.items.length
            ? html`
                <${Balance} balance=${balance.data} query=${query} />
              `
            : html`
                <p class="calm">${t("ledger.empty")}</p>
              `
          : html`
              <${Pending} ...${balance} />
            `
      }
      ${
        query.account &&
        asked &&
        html`
          <${Card} key=${query.account} account=${query.account} path=${`/ledger/accounts/${query.account}/postings${asked}`} />
        `
      }
      <${ExchangeRates} onTakenIn=${balance.load} />
    </div>
  `;
}
