// Who sells, and is all there that its invoices, its bank and its books need?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { t } from "../i18n.js";
import { EditForm } from "../parts/edit-form.js";
import { FinanceTabs, mayBill } from "../parts/finance.js";
import { Pending, useResource } from "../parts/resource.js";
import { route } from "../router.js";

const half = (name, more = {}) => ({ name, label: t(`seller.${name}`), half: true, ...more });

const groups = () => [
  {
    title: t("customer.who"),
    fields: [
      { ...half("name", { required: true }), half: false },
      half("organisation_number"),
      half("vat_number"),
      { ...half("f_skatt", { type: "checkbox" }), half: false },
    ],
  },
  {
    title: t("customer.where"),
    fields: [
      { ...half("address"), half: false },
      half("postal_code"),
      half("city"),
      half("country", { required: true, more: { maxLength: 2, pattern: "[A-Z]{2}" } }),
      half("contact"),
      half("email", { type: "email" }),
      half("phone"),
    ],
  },
  { title: t("seller.bank"), fields: [half("bankgiro"), half("currency", { required: true }), half("iban"), half("bic")] },
  {
    title: t("seller.terms"),
    fields: [
      half("payment_days", { type: "number", more: { min: 0, max: 120 } }),
      half("draft_days", { type: "number", more: { min: 0, max: 60 } }),
      half("time_zone", { required: true }),
      half("endpoint_scheme", { more: { placeholder: "0007" } }),
      half("endpoint_id"),
    ],
  },
];

export function SellerPage() {
  const { id, query } = route.value;
  const seller = useResource(`/legal-entities/${seg(id)}`);
  if (!seller.data)
    return html`
      <div class="page">
        <${FinanceTabs} />
        <${Pending} ...${seller} />
      </div>
    `;
  const { number_series } = seller.data;
  const save = (values) =>
    write("PUT", `/legal-entities/${seg(id)}`, { ...values, number_series }).then((saved) => seller.set(() => saved));
  return html`
    <div class="page">
      <${FinanceTabs} />
      <h1>
        ${seller.data.name}
        <span class="as-of">${id}</span>
      </h1>
      <p class="lead">${t("seller.lead")}</p>
      <${EditForm} groups=${groups()} values=${seller.data} first=${query.field} save=${save} disabled=${!mayBill()} />
    </div>
  `;
}
