// What does an employer pay back to this contract for charging at home?
import { html } from "../vendor/preact.js";
import { Problem, seg, write } from "../api.js";
import { day, typedNumber } from "../format.js";
import { language, t } from "../i18n.js";
import { withQuery } from "../router.js";
import { EditForm } from "./edit-form.js";
import { mayBill } from "./finance.js";
import { useResource } from "./resource.js";

const groups = () => [
  {
    title: t("contract.agreed"),
    fields: [
      { name: "site_id", label: t("home.site_id"), half: true, required: true },
      { name: "employer_id", label: t("home.employer_id"), half: true, required: true },
      { name: "per_kwh", label: t("home.per_kwh"), half: true, more: { inputmode: "decimal" } },
      { name: "from_date", label: t("home.from_date"), half: true, type: "date" },
      { name: "tariff_id", label: t("home.tariff_id"), half: true },
    ],
  },
];

/** The prices with one more, which takes the place of one from the same day on. */
function pricesWith(prices, { per_kwh, from_date }) {
  const price = typedNumber(per_kwh);
  if (price === null) return prices;
  const more = from_date ? { per_kwh: price, from_date } : { per_kwh: price };
  return [...prices.filter((each) => (each.from_date ?? null) !== (from_date ?? null)), more];
}

export function HomeCharging({ id }) {
  const agreed = useResource(`/contracts/${seg(id)}/home-charging`);
  if (!agreed.data) return null;
  const { agreement, version } = agreed.data;
  const prices = agreement?.prices ?? [];
  const save = async (values) => {
    const body = { site_id: values.site_id, employer_id: values.employer_id };
    if (values.tariff_id) body.tariff_id = values.tariff_id;
    else body.prices = pricesWith(prices, values);
    if (agreement?.language) body.language = agreement.language;
    try {
      const saved = await write("PUT", `/contracts/${seg(id)}/home-charging`, body);
      agreed.set(() => saved);
    } catch (problem) {
      if (!problem.field?.startsWith("prices")) throw problem;
      throw new Problem(problem.status, { detail: problem.message, field: "per_kwh" });
    }
  };
  return html`
    <section class="home">
      <h2>${t("home.title")}</h2>
      <p class="soft">${t("home.lead")}</p>
      ${
        agreement &&
        html`
          <ul class="plain">
            ${prices.map(
              (each) => html`
                <li key=${each.from_date ?? ""}>
                  <b>${language.value === "sv" ? each.per_kwh.replace(".", ",") : each.per_kwh} /kWh</b>${" "}
                  <span class="soft">${each.from_date ? t("home.from", { day: day(each.from_date) }) : t("home.always")}</span>
                </li>
              `,
            )}
          </ul>
          <p><a href=${withQuery("/new-statement", { kind: "home", subject_id: id })}>${t("home.state")}</a></p>
        `
      }
      <${EditForm} key=${version} groups=${groups()} values=${agreement ?? {}} save=${save} disabled=${!mayBill()} />
    </section>
  `;
}
