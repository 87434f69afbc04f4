// What is agreed in this contract: who pays, who charges, with which tokens, at which price?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { nowMs } from "../clock.js";
import { fullInstant, instant } from "../format.js";
import { said, t, tCode } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { Agreement } from "../parts/agreement.js";
import { EditForm } from "../parts/edit-form.js";
import { FinanceTabs, mayAct } from "../parts/finance.js";
import { HomeCharging } from "../parts/home-charging.js";
import { Pending, useResource } from "../parts/resource.js";
import { Badge } from "../parts/state.js";
import { customerPath, route, tariffPath, withQuery } from "../router.js";

const groups = () => [
  {
    title: t("contract.agreed"),
    fields: [
      { name: "name", label: t("contract.name"), required: true },
      { name: "payer_id", label: t("contract.payer_id"), half: true },
      { name: "cost_centre", label: t("contract.cost_centre"), half: true },
      { name: "driver", label: t("contract.driver"), half: true },
    ],
  },
];

function chooseAction(id, plan, reload) {
  return {
    label: t("contract.choose"),
    title: said(plan.name),
    explain: t("contract.choose_explain"),
    stays: true,
    disabled: !mayAct() || !plan.currency,
    run: async () => {
      await write("PUT", `/contracts/${seg(id)}/plan`, { tariff_id: plan.tariff_id });
      reload();
      return { kind: "good", text: t("edit.saved") };
    },
  };
}

function Plans({ id }) {
  const plans = useResource(`/contracts/${seg(id)}/plans`);
  if (!plans.data) return null;
  const { choice, items } = plans.data;
  return html`
    <section class="panel">
      <h2>${t("contract.plans")}</h2>
      <p class="soft">
        ${
          choice
            ? html`
                ${t("contract.has")} <a href=${tariffPath(choice.tariff_id)}>${choice.tariff_id}</a>${" "}
                ${t("contract.since", { time: instant(choice.since, { against: nowMs.peek() }), person: choice.by ?? "–" })}
              `
            : t("contract.no_choice")
        }
      </p>
      <ul class="plain plans">
        ${items.map(
          (plan) => html`
            <li key=${plan.tariff_id}>
              <div>
                <b>${said(plan.name)}</b>
                ${
                  plan.is_chosen &&
                  html`
                    <${Badge} tone="good" icon="check">${t("contract.chosen")}<//>
                  `
                }
                <span class="soft">${said(plan.about)}</span>
              </div>
              ${
                !plan.is_chosen &&
                html`
                  <${Actions} compact=${true} actions=${[chooseAction(id, plan, plans.load)]} />
                `
              }
            </li>
          `,
        )}
      </ul>
      ${
        items.length === 0 &&
        html`
          <p class="calm">${t("contract.no_plans")}</p>
        `
      }
    </section>
  `;
}

function Tokens({ id }) {
  const tokens = useResource(withQuery("/id-tokens", { contract_id: id, limit: 100 }));
  if (!tokens.data) return null;
  return html`
    <section class="panel">
      <h2>${t("contract.tokens")}</h2>
      <ul class="plain">
        ${tokens.data.items.map(
          (token) => html`
            <li key=${token.token}>
              <a class="id" href=${withQuery("/sessions", { token: token.token })}>${token.id_token}</a>${" "}
              <span class="soft">${[token.label, tCode("token_status", token.status)].filter(Boolean).join(" · ")}</span>
            </li>
          `,
        )}
      </ul>
      ${
        tokens.data.items.length === 0 &&
        html`
          <p class="calm">${t("contract.no_tokens")}</p>
        `
      }
    </section>
  `;
}

export function ContractPage() {
  const { id, query } = route.value;
  const contract = useResource(`/contracts/${seg(id)}`);
  if (!contract.data)
    return html`
      <div class="page">
        <${FinanceTabs} />
        <${Pending} ...${contract} />
      </div>
    `;
  const { data } = contract;
  const save = (values) =>
    write("PUT", `/contracts/${seg(id)}`, { ...values, valid_to: data.valid_to }).then((saved) => contract.set(() => saved));
  return html`
    <div class="page">
      <${FinanceTabs} />
      <h1>
        ${data.name}
        <span class="as-of" title=${fullInstant(data.valid_from)}>
          ${id} · ${t("contract.from", { time: instant(data.valid_from, { against: nowMs.peek() }) })}
        </span>
      </h1>
      <p class="lead">
        ${
          data.payer_id
            ? html`
                ${t("contract.paid_by")} <a href=${customerPath(data.payer_id)}>${data.payer_name}</a>
              `
            : t("contract.nobody_lead")
        }
      </p>
      <${EditForm} groups=${groups()} values=${data} first=${query.field} save=${save} disabled=${!mayAct()} />
      <div class="session-columns halves">
        <${Plans} id=${id} />
        <${Tokens} id=${id} />
        <${Agreement} contract=${data} />
      </div>
      <${HomeCharging} id=${id} />
    </div>
  `;
}
