// Which lists per apartment and statements of charging at home are there?
import { html } from "../vendor/preact.js";
import { energy, instant, money, month as monthName, number } from "../format.js";
import { nowMs } from "../clock.js";
import { t, tCode } from "../i18n.js";
import { Choice, FinanceTabs, opens } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { Icon } from "../parts/icons.js";
import { statementPath } from "../parts/statement.js";
import { go, route, withQuery } from "../router.js";

function Row({ row }) {
  return html`
    <tr onClick=${opens(statementPath(row))}>
      <td class="break">
        <a href=${statementPath(row)}>${row.name}</a>
        <span class="soft">${tCode("statement_kind", row.kind)}</span>
      </td>
      <td>
        ${monthName(row.month)}
        <span class="soft">${t("statement.revision", { n: number(row.revision) })}</span>
      </td>
      <td class="figure opt">${energy(row.energy_wh)}</td>
      <td class="figure">${money(row.total, row.currency)}</td>
      <td class="opt">${instant(row.issued_at, { against: nowMs.peek() })}, ${row.issued_by}</td>
    </tr>
  `;
}

export function StatementsPage() {
  const { query } = route.value;
  const list = useGrowing(withQuery("/statements", { kind: query.kind, newest: "true", limit: 50 }));
  const kinds = [["", t("filter.all")], ...["apartments", "home"].map((each) => [each, tCode("statement_kind", each)])];
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <div class="toolbar">
        <form class="filters" onSubmit=${(event) => event.preventDefault()}>
          <${Choice} label=${t("statement.kind")} value=${query.kind} options=${kinds} onChange=${(kind) => go(withQuery("/statements", { kind }), { replace: true })} />
        </form>
        <div class="head-actions">
          <a class="button" href="/apartments">${t("statement.apartments")}</a>
          <a class="button" href="/new-statement?kind=home">
            <${Icon} name="plus" />
            ${t("statement.new_home")}
          </a>
          <a class="button primary" href="/new-statement?kind=apartments">
            <${Icon} name="plus" />
            ${t("statement.new_apartments")}
          </a>
        </div>
      </div>
      <${GrowingList} list=${list} none=${t("statement.none")}>
        <div class="panel flush">
          <table class="fin leads">
            <thead>
              <tr>
                <th>${t("statement.of")}</th>
                <th>${t("column.month")}</th>
                <th class="figure opt">${t("column.energy")}</th>
                <th class="figure">${t("payments.amount")}</th>
                <th class="opt">${t("statement.kept")}</th>
              </tr>
            </thead>
            <tbody>
              ${list.items.map(
                (row) => html`
                  <${Row} key=${statementPath(row)} row=${row} />
                `,
              )}
            </tbody>
          </table>
        </div>
      <//>
    </div>
  `;
}
