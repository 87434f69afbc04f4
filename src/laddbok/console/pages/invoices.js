// Which documents are there, and which of them need somebody?
import { html } from "../vendor/preact.js";
import { day, money, month as monthName, number } from "../format.js";
import { t, tCode } from "../i18n.js";
import { Choice, FinanceTabs, InvoiceBadge, Typed, opens } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { Icon } from "../parts/icons.js";
import { go, invoicePath, route, withQuery } from "../router.js";

const STATES = ["open", "overdue", "disputed", "paid", "written_off", "credited", "credit_note"];
const PAGE = 50;

function Filters({ query }) {
  const set = (change) => go(withQuery("/invoices", { ...query, ...change }), { replace: true });
  const months = Array.from({ length: 14 }, (_, back) => {
    const now = new Date();
    return new Date(Date.UTC(now.getFullYear(), now.getMonth() - back, 1)).toISOString().slice(0, 7);
  });
  const states = [["", t("filter.all")], ...STATES.map((each) => [each, tCode("invoice_state", each)])];
  return html`
    <form class="filters" onSubmit=${(event) => event.preventDefault()}>
      <${Typed} label=${t("invoices.number")} value=${query.number} onChange=${(value) => set({ number: value })} />
      <${Choice} label=${t("column.state")} value=${query.state} options=${states} onChange=${(value) => set({ state: value })} />
      <${Choice} label=${t("column.month")} value=${query.month} options=${[["", t("filter.all")], ...months.map((each) => [each, monthName(each)])]} onChange=${(value) => set({ month: value })} />
      ${
        (query.payer_id || query.run_id) &&
        html`
          <a class="button" href=${withQuery("/invoices", { ...query, payer_id: null, run_id: null })}>
            <${Icon} name="cross" />
            ${query.payer_id ?? query.run_id}
          </a>
        `
      }
    </form>
  `;
}

/** Whose the document is; a driver who paid at once has no customer number, only a session. */
const whose = ({ payer_id, payer_name }) =>
  payer_id?.startsWith("session/") ? `${t("invoices.paid_at_once")}, ${payer_id.slice("session/".length)}` : payer_name ?? "–";

/** What a document asks for; a receipt was paid before it was written, and says what. */
const asked = ({ kind, gross, payable }) => (kind === "receipt" ? gross : payable);

export function InvoiceTable({ items }) {
  return html`
    <div class="panel flush">
      <table class="fin leads">
        <thead>
          <tr>
            <th>${t("column.document")}</th>
            <th class="opt">${t("column.customer")}</th>
            <th class="opt">${t("column.issued")}</th>
            <th class="opt">${t("column.due")}</th>
            <th class="figure">${t("billing.payable")}</th>
            <th class="figure opt">${t("column.open")}</th>
            <th>${t("column.state")}</th>
          </tr>
        </thead>
        <tbody>
          ${items.map(
            (invoice) => html`
              <tr key=${invoice.id} onClick=${opens(invoicePath(invoice.id))}>
                <td>
                  <a href=${invoicePath(invoice.id)}>${invoice.number}</a>
                  ${
                    invoice.kind !== "invoice" &&
                    html`
                      <span class="soft">${tCode("document", invoice.kind)}</span>
                    `
                  }
                  <span class="narrow break">${whose(invoice)}</span>
                </td>
                <td class="opt break">${whose(invoice)}</td>
                <td class="opt">${day(invoice.issue_date)}</td>
                <td class="opt">${day(invoice.due_date)}</td>
                <td class="figure">${money(asked(invoice), invoice.currency)}</td>
                <td class="figure opt">${money(invoice.open, invoice.currency)}</td>
                <td><${InvoiceBadge} invoice=${invoice} /></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

export function InvoicesPage() {
  const { query } = route.value;
  const list = useGrowing(withQuery("/invoices", { ...query, limit: PAGE }));
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <${Filters} query=${query} />
      <${GrowingList} list=${list} none=${t("invoices.none")}>
        <${InvoiceTable} items=${list.items} />
        <p class="soft">${t("invoices.shown", { n: number(list.items.length) })}</p>
      <//>
    </div>
  `;
}
