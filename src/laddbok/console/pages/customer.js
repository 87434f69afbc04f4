// Who is this customer, what do their invoices need, and what did they get?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { t, tCode } from "../i18n.js";
import { EditForm } from "../parts/edit-form.js";
import { FinanceTabs, mayAct } from "../parts/finance.js";
import { Pending, useResource } from "../parts/resource.js";
import { contractPath, route, withQuery } from "../router.js";
import { InvoiceTable } from "./invoices.js";

const half = (name, more = {}) => ({ name, label: t(`customer.${name}`), half: true, ...more });
const whole = (name, more = {}) => ({ name, label: t(`customer.${name}`), ...more });

function groups() {
  const kinds = ["consumer", "company", "public"].map((kind) => [kind, tCode("payer_kind", kind)]);
  return [
    {
      title: t("customer.who"),
      fields: [
        whole("name", { required: true }),
        half("kind", { options: kinds }),
        half("language", { options: [["sv", "Svenska"], ["en", "English"]] }),
        half("organisation_number"),
        half("vat_number"),
      ],
    },
    {
      title: t("customer.where"),
      fields: [
        whole("address"),
        half("postal_code"),
        half("city"),
        half("country", { required: true, more: { maxLength: 2, pattern: "[A-Z]{2}" } }),
        half("email", { type: "email" }),
      ],
    },
    {
      title: t("customer.billing"),
      fields: [
        half("buyer_reference"),
        half("order_reference"),
        whole("e_invoice", { type: "checkbox" }),
        half("endpoint_scheme", { more: { placeholder: "0007" } }),
        half("endpoint_id"),
        whole("whole_units", { type: "checkbox" }),
        whole("on_paper", { type: "checkbox" }),
      ],
    },
  ];
}

export function CustomerPage() {
  const { id, query } = route.value;
  const payer = useResource(`/payers/${seg(id)}`);
  const contracts = useResource(withQuery("/contracts", { payer_id: id, limit: 100 }));
  const invoices = useResource(withQuery("/invoices", { payer_id: id, limit: 10 }));
  if (!payer.data)
    return html`
      <div class="page">
        <${FinanceTabs} />
        <${Pending} ...${payer} />
      </div>
    `;
  const save = (values) => write("PUT", `/payers/${seg(id)}`, values).then((saved) => payer.set(() => saved));
  return html`
    <div class="page">
      <${FinanceTabs} />
      <h1>
        ${payer.data.name}
        <span class="as-of">${id}</span>
      </h1>
      <${EditForm} groups=${groups()} values=${payer.data} first=${query.field} save=${save} disabled=${!mayAct()} />
      <section>
        <h2>${t("finance.contracts")}</h2>
        <ul class="plain">
          ${(contracts.data?.items ?? []).map(
            (each) => html`
              <li key=${each.id}>
                <a href=${contractPath(each.id)}>${each.name}</a>${" "}
                <span class="soft">${[each.id, each.driver, each.cost_centre].filter(Boolean).join(" · ")}</span>
              </li>
            `,
          )}
        </ul>
        ${
          contracts.data?.items.length === 0 &&
          html`
            <p class="calm">${t("customer.no_contract")}</p>
          `
        }
      </section>
      <section>
        <h2>
          ${t("finance.invoices")}
          <a class="aside" href=${withQuery("/invoices", { payer_id: id })}>${t("customer.all_invoices")}</a>
        </h2>
        ${
          invoices.data?.items.length
            ? html`
                <${InvoiceTable} items=${invoices.data.items} />
              `
            : html`
                <p class="calm">${t("invoices.none")}</p>
              `
        }
      </section>
    </div>
  `;
}
