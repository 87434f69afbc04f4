// What was agreed with this host, and what was it paid?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { day, exact, fullInstant, typedNumber } from "../format.js";
import { t } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { EditForm } from "../parts/edit-form.js";
import { half, whoFields } from "../parts/entity-fields.js";
import { Amount, FinanceTabs, mayBill } from "../parts/finance.js";
import { Pending, useResource } from "../parts/resource.js";
import { invoicePath, route } from "../router.js";

const groups = () => [
  whoFields(),
  {
    title: t("customer.where"),
    fields: [
      { ...half("address"), half: false },
      half("postal_code"),
      half("city"),
      half("country", { required: true, more: { maxLength: 2, pattern: "[A-Z]{2}" } }),
      half("email", { type: "email" }),
    ],
  },
  { title: t("seller.bank"), fields: [half("bankgiro"), half("iban")] },
];
const FEES = ["per_kwh", "percent_of_net", "fixed_per_month", "vat"];

function agreeAction(host, sites, reload) {
  const amount = (name, initial = "") => ({ name, label: t(`host.${name}`), initial, more: { inputMode: "decimal" } });
  return {
    label: t("host.agree"),
    icon: "plus",
    explain: t("host.agree_explain"),
    stays: true,
    fields: [
      { name: "site_id", label: t("host.site"), required: true, options: sites.map(({ id, name }) => [id, name]) },
      { name: "from", label: t("host.from"), type: "date", required: true },
      ...FEES.map((name) => amount(name, name === "vat" ? "25" : "")),
    ],
    run: async ({ site_id, from, ...fees }) => {
      const terms = Object.fromEntries(FEES.filter((name) => fees[name].trim()).map((name) => [name, typedNumber(fees[name])]));
      await write("PUT", `/hosts/${seg(host.id)}/agreements/${seg(site_id)}`, { from, terms });
      reload();
      return { kind: "good", text: t("edit.saved") };
    },
  };
}

function endAction(host, agreement, reload) {
  return {
    label: t("host.end"),
    title: agreement.site_name,
    explain: t("host.end_explain"),
    stays: true,
    fields: [{ name: "from", label: t("host.end_from"), type: "date", required: true }],
    run: async ({ from }) => {
      await write("PUT", `/hosts/${seg(host.id)}/agreements/${seg(agreement.site_id)}`, { from, terms: null });
      reload();
      return { kind: "good", text: t("edit.saved") };
    },
  };
}

const termsText = (terms) =>
  FEES.filter((name) => name !== "vat" && Number(terms[name] ?? 0))
    .map((name) => t(`host.${name}_is`, { n: exact(terms[name]) }))
    .join(" + ") || t("host.nothing");

function Agreements({ host, reload }) {
  const sites = useResource("/sites?limit=500");
  return html`
    <section class="panel">
      <h2>${t("host.agreements")}</h2>
      <ul class="plain plans">
        ${host.agreements.map(
          (each) => html`
            <li key=${`${each.site_id} ${each.valid_from}`}>
              <div>
                <b>${each.site_name}</b>${" "}${termsText(each.terms)}
                <span class="soft" title=${fullInstant(each.valid_from)}>
                  ${
                    each.until_day
                      ? t("host.from_to", { from: day(each.first_day), to: day(each.until_day), person: each.agreed_by })
                      : t("host.from_on", { from: day(each.first_day), person: each.agreed_by })
                  }
                </span>
              </div>
              ${
                !each.valid_to &&
                mayBill() &&
                html`
                  <${Actions} compact=${true} actions=${[endAction(host, each, reload)]} />
                `
              }
            </li>
          `,
        )}
      </ul>
      ${
        host.agreements.length === 0 &&
        html`
          <p class="calm">${t("host.no_agreements")}</p>
        `
      }
      ${
        mayBill() &&
        sites.data &&
        html`
          <${Actions} actions=${[agreeAction(host, sites.data.items, reload)]} />
        `
      }
    </section>
  `;
}

function Statements({ host }) {
  return html`
    <section class="panel">
      <h2>${t("host.statements")}</h2>
      <table class="fin">
        <tbody>
          ${host.statements.map(
            (each) => html`
              <tr key=${each.invoice_id}>
                <td>
                  <a href=${invoicePath(each.invoice_id)}>${each.month}</a>
                  <span class="soft">${each.number}</span>
                </td>
                <${Amount} value=${each.payable} currency=${each.currency} />
                <td>
                  ${
                    each.has_pdf
                      ? html`
                          <a href=${`/api/v1/invoices/${seg(each.invoice_id)}/pdf`} target="_blank">PDF</a>
                        `
                      : "–"
                  }
                </td>
              </tr>
            `,
          )}
        </tbody>
      </table>
      ${
        host.statements.length === 0 &&
        html`
          <p class="calm">${t("host.no_statements")}</p>
        `
      }
    </section>
  `;
}

export function HostPage() {
  const { id, query } = route.value;
  const resource = useResource(`/hosts/${seg(id)}`);
  const { data: host, load } = resource;
  if (!host)
    return html`
      <div class="page">
        <${FinanceTabs} />
        <${Pending} ...${resource} />
      </div>
    `;
  const save = (values) => write("PUT", `/hosts/${seg(id)}`, values).then((saved) => resource.set(() => saved));
  return html`
    <div class="page">
      <${FinanceTabs} />
      <h1>
        ${host.name}
        <span class="as-of">${id}</span>
      </h1>
      <p class="lead">${t(host.vat_number ? "host.lead_vat" : "host.lead")}</p>
      <${EditForm} groups=${groups()} values=${host} first=${query.field} save=${save} disabled=${!mayBill()} />
      <div class="session-columns halves">
        <${Agreements} host=${host} reload=${load} />
        <${Statements} host=${host} />
      </div>
    </div>
  `;
}
