// What stands on a list of apartments, or on a statement of charging at home?
import { html } from "../vendor/preact.js";
import { day, energy, instant, money, number, unitPrice } from "../format.js";
import { t } from "../i18n.js";
import { sessionPath, withQuery } from "../router.js";
import { Facts } from "./finance.js";

const SHOWN = 60;

/** The address of a revision. */
export const statementPath = ({ kind, subject_id, month, revision }) =>
  withQuery("/statement", { kind, subject_id, month, revision });

const kwh = (wh) => number(wh / 1000, 3);

function Shares({ view }) {
  const { shares, head } = view.apartments;
  const { sums } = view;
  return html`
    <div class="panel flush">
      <table class="fin">
        <thead>
          <tr>
            <th>${t("statement.apartment")}</th>
            <th class="figure">kWh</th>
            <th class="figure opt">${t("statement.net")}</th>
            <th class="figure opt">${t("statement.vat")}</th>
            <th class="figure">${t("statement.gross")}</th>
          </tr>
        </thead>
        <tbody>
          ${shares.map(
            (each, place) => html`
              <tr key=${each.apartment}>
                <td class="break">${each.apartment || t("statement.nobody")}</td>
                <td class="figure">${kwh(each.energy_wh)}</td>
                <td class="figure opt">${money(each.net, head.currency)}</td>
                <td class="figure opt">${money(each.vat, head.currency)}</td>
                <td class="figure">${money(sums.gross[place], head.currency)}</td>
              </tr>
            `,
          )}
        </tbody>
        <tfoot>
          <tr>
            <th>${t("statement.sum")}</th>
            <th class="figure">${kwh(view.energy_wh)}</th>
            <th class="figure opt">${money(sums.net, head.currency)}</th>
            <th class="figure opt">${money(sums.vat, head.currency)}</th>
            <th class="figure">${money(view.total, head.currency)}</th>
          </tr>
        </tfoot>
      </table>
    </div>
  `;
}

function Refund({ statement }) {
  const { refund } = statement;
  return html`
    <div class="panel flush">
      <table class="fin">
        <thead>
          <tr>
            <th>${t("column.session")}</th>
            <th class="opt">${t("statement.began")}</th>
            <th class="figure opt">${t("statement.registers")}</th>
            <th class="figure">kWh</th>
            <th class="figure opt">${t("statement.per_kwh")}</th>
            <th class="figure">${t("payments.amount")}</th>
          </tr>
        </thead>
        <tbody>
          ${refund.lines.map(
            (each) => html`
              <tr key=${each.session_id}>
                <td><a class="id" href=${sessionPath(each.session_id)}>${each.session_id}</a></td>
                <td class="opt">${instant(each.started_at)}</td>
                <td class="figure opt">${each.begin_wh === undefined ? "–" : `${kwh(each.begin_wh)} → ${kwh(each.end_wh)}`}</td>
                <td class="figure">${kwh(each.energy_wh)}</td>
                <td class="figure opt">${unitPrice(each.per_kwh, refund.currency)}</td>
                <td class="figure">${money(each.amount, refund.currency)}</td>
              </tr>
            `,
          )}
        </tbody>
        <tfoot>
          <tr>
            <th>${t("statement.sum")}</th>
            <th class="opt"></th>
            <th class="opt"></th>
            <th class="figure">${kwh(refund.energy_wh)}</th>
            <th class="opt"></th>
            <th class="figure">${money(refund.total, refund.currency)}</th>
          </tr>
        </tfoot>
      </table>
    </div>
  `;
}

function named(change) {
  const whose = change.apartment ? t("statement.of_apartment", { apartment: change.apartment }) : t("statement.nobody");
  return change.session_id ? html`<a class="id" href=${sessionPath(change.session_id)}>${change.session_id}</a>` : whose;
}

const turned = (before, after, text) => [before, after].map((each) => (each === undefined ? "–" : text(each))).join(" → ");

/** What became otherwise: energy that stayed as it was is not told beside an amount that did not. */
function difference(change, currency) {
  const hasAmount = Boolean(change.before || change.after);
  const energies = change.before_wh === change.after_wh && hasAmount ? [] : [turned(change.before_wh, change.after_wh, energy)];
  const amounts = hasAmount ? [turned(change.before, change.after, (amount) => money(amount, currency))] : [];
  return [...energies, ...amounts].join(", ");
}

/** What differs from the revision before. */
export function Changes({ of }) {
  if (!of.changes?.length) return null;
  const { currency, revision } = of.head;
  return html`
    <section class="panel">
      <h2>${t("statement.changed", { revision: number(revision - 1) })}</h2>
      <ul class="plain obstacles">
        ${of.changes.slice(0, SHOWN).map(
          (each, place) => html`
            <li key=${place}>
              <span>${named(each)}</span>
              <span>${difference(each, currency)}</span>
            </li>
          `,
        )}
      </ul>
      ${
        of.changes.length > SHOWN &&
        html`
          <p class="soft">${t("statement.more", { n: number(of.changes.length - SHOWN) })}</p>
        `
      }
    </section>
  `;
}

function Named({ title, lead, ids }) {
  if (!ids.length) return null;
  return html`
    <section class="panel">
      <h2>
        ${title}
        <span class="count">${number(ids.length)}</span>
      </h2>
      <p class="soft">${lead}</p>
      <p class="ids">
        ${ids.slice(0, SHOWN).map((id) => html`<a key=${id} class="id" href=${sessionPath(id)}>${id}</a> `)}
        ${ids.length > SHOWN && t("statement.more", { n: number(ids.length - SHOWN) })}
      </p>
    </section>
  `;
}

function facts(view, of) {
  const { head, bill } = of;
  return [
    [t("statement.to"), head.to.join(", ")],
    [t("statement.period"), `${day(head.period_start)} – ${day(head.period_end)}`],
    [t("statement.bill"), bill && [bill.number, money(bill.net, head.currency)].filter(Boolean).join(", ")],
    [t("statement.fixed"), bill?.fixed_net && Number(bill.fixed_net) ? money(bill.fixed_net, head.currency) : null],
    [t("contract.driver"), of.driver],
    [t("column.energy"), energy(view.energy_wh)],
    [bill ? t("statement.cost") : t("statement.refund"), money(view.total, head.currency)],
  ];
}

/** A statement as it was kept, or as it would be. @param view of the API */
export function StatementBody({ view }) {
  const of = view.apartments ?? view.home;
  return html`
    <div class="panel"><${Facts} facts=${facts(view, of)} /></div>
    <${Changes} of=${of} />
    ${
      view.apartments
        ? html`
            <${Shares} view=${view} />
            <${Named}
              title=${t("statement.nobody")}
              lead=${t("statement.nobody_lead")}
              ids=${of.sessions.filter((each) => !each.apartment).map((each) => each.session_id)}
            />
          `
        : html`
            <${Refund} statement=${of} />
          `
    }
    <${Named} title=${t("statement.waiting")} lead=${t("statement.waiting_lead")} ids=${of.waiting ?? []} />
  `;
}
