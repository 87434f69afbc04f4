// Who sells, and is all there that its invoices, its bank and its books need?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { typedNumber } from "../format.js";
import { t, tCode } from "../i18n.js";
import { EditForm } from "../parts/edit-form.js";
import { half, whoFields } from "../parts/entity-fields.js";
import { FinanceTabs, mayBill } from "../parts/finance.js";
import { Pending, useResource } from "../parts/resource.js";
import { route } from "../router.js";

const groups = () => [
  whoFields(),
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
      half("book_currency", { more: { maxLength: 3, pattern: "[A-Z]{3}" } }),
      half("simplified_up_to", { required: true, more: { inputMode: "decimal" } }),
      half("endpoint_scheme", { more: { placeholder: "0007" } }),
      half("endpoint_id"),
    ],
  },
];

const late = (name, more = {}) => ({ name: `late_terms.${name}`, label: t(`late.${name}`), half: true, ...more });
const amount = { more: { inputMode: "decimal" } };

/** What was agreed about paying late, and the accounts of the books: each a field under a name with a dot. */
const mapsOf = (seller) => [
  {
    title: t("late.title"),
    fields: [
      late("reminder_days", { more: { placeholder: "5, 20" } }),
      late("reminder_pay_days", { more: { placeholder: "10", inputMode: "numeric" } }),
      late("reminder_fee", amount),
      late("compensation", amount),
      late("interest_points", amount),
      late("reference_rates", { half: false, more: { placeholder: "2026-01-01 2.00, 2026-07-01 1.75" } }),
    ],
  },
  {
    title: t("seller.accounts"),
    fields: Object.entries(seller.usual_accounts).map(([name, usual]) => ({
      name: `accounts.${name}`,
      label: tCode("account", name),
      half: true,
      more: { placeholder: usual, pattern: "[0-9]{4}", maxLength: 4, inputMode: "numeric" },
    })),
  },
];

/** A seller with what stands in its maps side by side with the rest. */
function flat(seller) {
  const within = (map) => Object.entries(seller[map]).map(([name, value]) => [`${map}.${name}`, value]);
  return { ...seller, ...Object.fromEntries([...within("late_terms"), ...within("accounts")]) };
}

/** What was typed, with its maps whole again; what is empty is not agreed, or as usual. What has no field here stays. */
function whole(values, seller) {
  const made = { late_terms: { ...seller.late_terms }, accounts: { ...seller.accounts } };
  for (const [path, value] of Object.entries(values)) {
    const [map, name] = path.split(".");
    if (!name) made[map] = value;
    else if (value) made[map][name] = map === "late_terms" && name !== "reference_rates" ? value.replace(/(\d),(\d)/g, "$1.$2") : value;
    else delete made[map][name];
  }
  return made;
}

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
    write("PUT", `/legal-entities/${seg(id)}`, { ...whole(values, seller.data), simplified_up_to: typedNumber(values.simplified_up_to), number_series }).then((saved) => seller.set(() => saved));
  return html`
    <div class="page">
      <${FinanceTabs} />
      <h1>
        ${seller.data.name}
        <span class="as-of">${id}</span>
      </h1>
      <p class="lead">${t("seller.lead")}</p>
      <${EditForm} groups=${[...groups(), ...mapsOf(seller.data)]} values=${flat(seller.data)} first=${query.field} save=${save} disabled=${!mayBill()} />
    </div>
  `;
}
