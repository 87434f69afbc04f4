// What do the pages of finance share? Their tabs, the badge of a document, and who may do what.
import { html } from "../vendor/preact.js";
import { me } from "../api.js";
import { day, money, number } from "../format.js";
import { t, tCode } from "../i18n.js";
import { go, route, withQuery } from "../router.js";
import { Actions } from "./actions.js";
import { Icon } from "./icons.js";
import { Badge } from "./state.js";
import { useResource } from "./resource.js";

const TABS = [
  ["billing", "/billing", ["billing"]],
  ["invoices", "/invoices", ["invoices", "invoice"]],
  ["deliveries", "/deliveries", ["deliveries"]],
  ["payments", "/payments", ["payments"]],
  ["ledger", "/ledger", ["ledger"]],
  ["customers", "/customers", ["customers", "customer"]],
  ["contracts", "/contracts", ["contracts", "contract"]],
  ["hosts", "/hosts", ["hosts", "host"]],
  ["statements", "/statements", ["statements", "statement", "new-statement", "apartments"]],
];
const STATES = {
  open: ["accent", "clock"],
  overdue: ["bad", "warning"],
  paid: ["good", "check"],
  credited: ["quiet", "reset"],
  written_off: ["quiet", "cross"],
  credit_note: ["quiet", "reset"],
};

/** Administrators write what bills are made of, and bill. */
export const mayBill = () => me.value.role === "administrator";
export const mayAct = () => me.value.role !== "reader";

export function FinanceTabs() {
  return html`
    <nav class="tabs" aria-label=${t("finance.tabs")}>
      ${TABS.map(
        ([name, path, pages]) => html`
          <a key=${name} href=${path} aria-current=${pages.includes(route.value.page) ? "page" : null}>
            ${t(`finance.${name}`)}
          </a>
        `,
      )}
    </nav>
  `;
}

export function InvoiceBadge({ invoice }) {
  const [tone, icon] = STATES[invoice.state] ?? ["quiet", "dots"];
  return html`
    <span class="badges">
      <${Badge} tone=${tone} icon=${icon}>${tCode("invoice_state", invoice.state)}<//>
      ${
        invoice.is_disputed &&
        html`
          <${Badge} tone="warn" icon="ask">${t("invoice_state.disputed")}<//>
        `
      }
    </span>
  `;
}

/** What a document is, with its number. */
export const documentName = (invoice) => `${tCode("document", invoice.kind)} ${invoice.number}`;

/** A filter that a person chooses from; the address keeps it. */
export function Choice({ label, value, options, onChange, wide = false }) {
  return html`
    <label class="filter ${wide ? "wide" : ""}">
      <span>${label}</span>
      <select value=${value ?? ""} onChange=${(event) => onChange(event.target.value)}>
        ${options.map(
          ([key, text]) => html`
            <option key=${key} value=${key}>${text}</option>
          `,
        )}
      </select>
    </label>
  `;
}

/** A field that is applied when it is left or Enter is pressed. */
export function Typed({ label, value, onChange, type = "search", wide = false }) {
  return html`
    <label class="filter ${wide ? "wide" : ""}">
      <span>${label}</span>
      <input
        type=${type}
        defaultValue=${value ?? ""}
        key=${value ?? ""}
        onChange=${(event) => onChange(event.target.value.trim())}
      />
    </label>
  `;
}

/** A list that is searched by one field, and to which something with an id and a name is added. */
export function SearchBar({ path, label, value, add }) {
  const search = (q) => go(withQuery(path, { q }), { replace: true });
  return html`
    <div class="toolbar">
      <form class="filters" onSubmit=${(event) => event.preventDefault()}>
        <${Typed} label=${label} value=${value} onChange=${search} wide=${true} />
      </form>
      <${Actions} actions=${[addAction(add)]} />
    </div>
  `;
}

/** @param save what writes it, given {id, name}; @param pathOf the page of what was added */
function addAction({ label, explain, id, name, save, pathOf }) {
  return {
    label,
    icon: "plus",
    explain,
    disabled: !mayAct(),
    stays: true,
    fields: [
      { name: "id", label: id, required: true, more: { maxLength: 64, pattern: "[^\\/]+" } },
      { name: "name", label: name, required: true },
    ],
    run: async (typed) => {
      await save(typed);
      go(pathOf(typed.id));
      return { kind: "good", text: t("edit.saved") };
    },
  };
}

/** The sellers, and the one that the address names, else the first with an organisation number. */
export function useSeller(query) {
  const list = useResource("/legal-entities?limit=500");
  const sellers = list.data?.items ?? [];
  const chosen = sellers.find(({ id }) => id === query.seller_id);
  return { ...list, sellers, seller: chosen ?? sellers.find((each) => each.organisation_number) ?? sellers[0] };
}

/** A row of a table that opens what it names; links in it work as links. */
export const opens = (path) => (event) => event.target.closest("a, button") || getSelection().toString() || go(path);

/** Money as it stands in a table, before or after 0. */
export function Amount({ value, currency }) {
  return html`
    <td class="figure">${money(value, currency)}</td>
  `;
}

/** The facts of something: [name, value] pairs, those without a value left out. */
export function Facts({ facts }) {
  return html`
    <dl class="facts">
      ${facts
        .filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
        .map(
          ([name, value]) => html`
            <div key=${name}>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>
          `,
        )}
    </dl>
  `;
}

export const span = (from, to) => `${day(from)} – ${day(to)}`;

/** That there is no mail server, or what it said last. Args: figures, of deliveries. */
export function MailServer({ figures }) {
  if (!figures || (figures.has_mail_server && !figures.trouble)) return null;
  const text = figures.has_mail_server
    ? t("deliveries.trouble", { why: figures.trouble })
    : t("deliveries.no_server", { n: number(figures.for_mail) });
  return html`
    <p class="doubt" role="status">
      <${Icon} name="warning" />
      <span class="break">${text}</span>
    </p>
  `;
}
