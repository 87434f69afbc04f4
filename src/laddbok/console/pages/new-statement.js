// How does a month's bill become a list per apartment, or a month at home a statement? First it is seen, then it is kept.
import { html, useState } from "../vendor/preact.js";
import { write } from "../api.js";
import { nowMs } from "../clock.js";
import { failure } from "../commands.js";
import { month as monthName, number, typedNumber } from "../format.js";
import { t, tCode } from "../i18n.js";
import { EditForm } from "../parts/edit-form.js";
import { FinanceTabs, mayBill } from "../parts/finance.js";
import { Pending, useResource } from "../parts/resource.js";
import { StatementBody, statementPath } from "../parts/statement.js";
import { go, route } from "../router.js";

const MONTHS = 14;

/** Months that are over, the newest first. */
function months() {
  const now = new Date(nowMs.peek());
  return Array.from({ length: MONTHS }, (_, back) =>
    new Date(Date.UTC(now.getFullYear(), now.getMonth() - back - 1, 1)).toISOString().slice(0, 7),
  );
}

const lastDay = (month) => {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
};

/** The bill's days follow the month that is chosen, until they are changed. */
function follow({ target }) {
  const days = target.form?.elements;
  if (target.name !== "month" || !days["bill.period_start"]) return;
  days["bill.period_start"].value = `${target.value}-01`;
  days["bill.period_end"].value = lastDay(target.value);
}

function groups(kind, sites) {
  const amount = { more: { inputmode: "decimal" } };
  const what = [
    kind === "home"
      ? { name: "subject_id", label: t("statement.contract"), required: true, half: true }
      : { name: "subject_id", label: t("statement.site"), half: true, options: sites.map((each) => [each.id, each.name]) },
    { name: "month", label: t("column.month"), half: true, options: months().map((each) => [each, monthName(each)]) },
  ];
  if (kind === "home") return [{ title: tCode("statement_kind", kind), fields: what }];
  return [
    { title: tCode("statement_kind", kind), fields: what },
    {
      title: t("statement.bill"),
      fields: [
        { name: "bill.period_start", label: t("statement.bill_from"), type: "date", half: true, required: true },
        { name: "bill.period_end", label: t("statement.bill_to"), type: "date", half: true, required: true },
        { name: "bill.net", label: t("statement.bill_net"), half: true, required: true, ...amount },
        { name: "bill.fixed_net", label: t("statement.bill_fixed"), half: true, ...amount },
        { name: "bill.vat_percent", label: t("statement.bill_percent"), half: true, required: true, ...amount },
        { name: "bill.vat", label: t("statement.bill_vat"), half: true, ...amount },
        { name: "bill.number", label: t("statement.bill_number"), half: true },
      ],
    },
  ];
}

/** What was typed as the platform wants it. */
function wantedOf(kind, values) {
  const { subject_id, month } = values;
  if (kind === "home") return { kind, subject_id, month };
  const bill = { period_start: values["bill.period_start"], period_end: values["bill.period_end"], number: values["bill.number"] };
  for (const name of ["net", "fixed_net", "vat_percent", "vat"]) {
    const typed = typedNumber(values[`bill.${name}`]);
    if (typed !== null) bill[name] = typed;
  }
  return { kind, subject_id, month, bill };
}

function Seen({ seen }) {
  const [state, setState] = useState({});
  const { head } = seen.view.apartments ?? seen.view.home;
  const keep = async () => {
    setState({ busy: true });
    try {
      await write("POST", "/statements", seen.wanted);
      go(statementPath({ ...seen.wanted, revision: head.revision }));
    } catch (problem) {
      setState({ trouble: failure(problem).text });
    }
  };
  return html`
    <h2>${seen.view.hash ? t("statement.same", { n: number(head.revision) }) : t("statement.seen")}</h2>
    <div class="head-actions">
      ${
        seen.view.hash
          ? html`
              <a class="button" href=${statementPath({ ...seen.wanted, revision: head.revision })}>${t("statement.open")}</a>
            `
          : html`
              <button type="button" class="primary" disabled=${state.busy || !mayBill()} onClick=${keep}>
                ${t("statement.keep", { n: number(head.revision) })}
              </button>
            `
      }
      <p class="bad" role="alert">${state.trouble ?? ""}</p>
    </div>
    <${StatementBody} view=${seen.view} />
  `;
}

export function NewStatementPage() {
  const { query } = route.value;
  const kind = query.kind === "home" ? "home" : "apartments";
  const sites = useResource("/sites?limit=500");
  const [seen, setSeen] = useState(null);
  if (!sites.data)
    return html`
      <${Pending} ...${sites} />
    `;
  const month = query.month ?? months()[0];
  const values = {
    subject_id: query.subject_id ?? sites.data.items[0]?.id, month, "bill.period_start": `${month}-01`,
    "bill.period_end": lastDay(month), "bill.vat_percent": "25",
  }; // prettier-ignore
  if (kind === "home") values.subject_id = query.subject_id;
  const save = async (typed) => {
    setSeen(null);
    const wanted = wantedOf(kind, typed);
    setSeen({ wanted, view: await write("POST", "/statements/preview", wanted) });
  };
  return html`
    <div class="page">
      <h1>${t(kind === "home" ? "statement.new_home" : "statement.new_apartments")}</h1>
      <${FinanceTabs} />
      <p class="lead">${t(kind === "home" ? "statement.home_lead" : "statement.apartments_lead")}</p>
      <${EditForm} key=${kind} groups=${groups(kind, sites.data.items)} values=${values} save=${save} onTyped=${follow} disabled=${!mayBill()} verb=${t("statement.see")} done=${t("statement.below")} />
      ${
        seen &&
        html`
          <${Seen} seen=${seen} />
        `
      }
    </div>
  `;
}
