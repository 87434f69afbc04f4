// What is on this document, what happened to it, what stands in the books, and what can I do about it?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { nowMs } from "../clock.js";
import { day, energy, fullInstant, instant, money, number, typedNumber } from "../format.js";
import { said, t, tCode } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { CopyButton } from "../parts/copy.js";
import { Amount, Facts, FinanceTabs, InvoiceBadge, documentName, mayAct, mayBill, span } from "../parts/finance.js";
import { Icon } from "../parts/icons.js";
import { InvoiceLife } from "../parts/invoice-life.js";
import { Reminders } from "../parts/reminders.js";
import { Pending, useResource } from "../parts/resource.js";
import { WriteOffs, writeOffAction } from "../parts/write-offs.js";
import { contractPath, invoicePath, payerPath, route, sessionPath } from "../router.js";

const sessionsOf = (content) => content.sessions ?? [];

function disputeAction(invoice, reload) {
  const about = [["", t("dispute.all")], ...sessionsOf(invoice.content).map((item) => [item.session_id, sessionText(item)])];
  return {
    label: t("dispute.open"),
    icon: "ask",
    explain: t("dispute.explain"),
    stays: true,
    fields: [
      { name: "reason", label: t("dispute.reason"), required: true, more: { maxLength: 2000 } },
      { name: "session_id", label: t("dispute.about"), options: about },
      { name: "deadline", label: t("dispute.deadline"), type: "date" },
    ],
    run: async ({ reason, session_id, deadline }) => {
      const body = { reason, session_id: session_id || null, deadline: deadline || null };
      await write("POST", `/invoices/${seg(invoice.id)}/disputes`, body);
      reload();
      return { kind: "good", text: t("dispute.opened") };
    },
  };
}

function creditAction(invoice, reload) {
  const rates = invoice.content.vat.map(({ rate }) => [rate.percent, `${number(Number(rate.percent))} %`]);
  return {
    label: t("credit.title"),
    icon: "reset",
    explain: t("credit.explain"),
    stays: true,
    fields: [
      { name: "reason", label: t("invoice.reason"), required: true, more: { maxLength: 500 } },
      { name: "gross", label: t("credit.gross"), more: { inputMode: "decimal" } },
      { name: "vat_percent", label: t("credit.rate"), options: rates },
    ],
    run: async ({ reason, gross, vat_percent }) => {
      const amount = typedNumber(gross);
      const body = amount ? { reason, gross: amount, vat_percent } : { reason };
      const made = await write("POST", `/invoices/${seg(invoice.id)}/credit`, body);
      reload();
      return { kind: "good", text: t("credit.done", { number: made.number, sum: money(made.gross, made.currency) }) };
    },
  };
}

function toCreditAction(invoice, reload) {
  return {
    label: t("to_credit.title"),
    icon: "in",
    explain: t("to_credit.explain", { sum: money(-Number(invoice.open), invoice.currency) }),
    stays: true,
    run: async () => {
      const { payment } = await write("POST", `/invoices/${seg(invoice.id)}/to-credit`, {});
      reload();
      return { kind: "good", text: t("to_credit.done", { sum: money(payment.balance, payment.currency) }) };
    },
  };
}

function decideAction(invoice, dispute, decision, reload) {
  const mayCredit = decision === "accept" && mayBill();
  const isAboutSession = Boolean(dispute.session_id);
  const rates = invoice.content.vat.map(({ rate }) => [rate.percent, `${number(Number(rate.percent))} %`]);
  return {
    label: t(`dispute.${decision}`),
    icon: decision === "accept" ? "check" : "cross",
    primary: decision === "accept",
    explain: t(isAboutSession && decision === "accept" ? "dispute.accept_session_explain" : `dispute.${decision}_explain`),
    stays: true,
    fields: [
      { name: "note", label: t("dispute.note"), required: true, more: { maxLength: 2000 } },
      ...(mayCredit
        ? [
            { name: "credit", label: t(isAboutSession ? "dispute.credit_session" : "dispute.credit"), type: "checkbox" },
            { name: "gross", label: t(isAboutSession ? "dispute.gross_session" : "credit.gross"), more: { inputMode: "decimal" } },
            { name: "vat_percent", label: t("credit.rate"), options: rates },
          ]
        : []),
    ],
    run: async ({ note, credit, gross, vat_percent }) => {
      const amount = typedNumber(gross);
      const body = {
        decision: decision === "accept" ? "accepted" : "rejected",
        note,
        credit: credit === "on" || Boolean(amount),
        ...(amount ? { gross: amount, vat_percent } : {}),
      };
      await write("POST", `/invoices/${seg(invoice.id)}/disputes/${dispute.number}/decision`, body);
      reload();
      return { kind: "good", text: t("dispute.decided") };
    },
  };
}

const sessionText = (item) => `${item.place}, ${instant(item.started_at)}`;

function OpenDispute({ invoice, dispute, reload }) {
  const isLate = Date.parse(`${dispute.deadline}T23:59:59`) < nowMs.value;
  return html`
    <section class="review dispute">
      <h2>
        <${Icon} name="ask" />
        ${t("dispute.title", { person: dispute.opened_by === "customer" ? t("dispute.customer") : dispute.opened_by })}
      </h2>
      <blockquote>${dispute.reason}</blockquote>
      <p>
        ${
          dispute.session_id &&
          html`
            ${t("dispute.about")} <a class="id" href=${sessionPath(dispute.session_id)}>${dispute.session_id}</a>${" · "}
          `
        }
        <span class=${isLate ? "bad" : ""}>${t("dispute.until", { day: day(dispute.deadline) })}</span>
        ${" · "}${t("dispute.held")}
      </p>
      ${
        mayAct() &&
        html`
          <${Actions} actions=${["accept", "reject"].map((each) => decideAction(invoice, dispute, each, reload))} />
        `
      }
    </section>
  `;
}

function Head({ invoice, reload }) {
  const api = `/api/v1/invoices/${seg(invoice.id)}`;
  const isOpen = invoice.disputes.some((each) => !each.decision);
  const mayCredit = mayBill() && ["invoice", "receipt"].includes(invoice.kind) && invoice.state !== "credited";
  const mayWriteOff = mayBill() && invoice.kind === "invoice" && Number(invoice.open) > 0;
  const isOwedToPayer = mayAct() && ["invoice", "receipt"].includes(invoice.kind) && Number(invoice.open) < 0;
  const mayDispute = mayAct() && !isOpen && ["invoice", "receipt"].includes(invoice.kind);
  const stored = new Set(invoice.documents.map(({ kind }) => kind));
  return html`
    <div class="session-head">
      <h1>
        ${documentName(invoice)}
        <${InvoiceBadge} invoice=${invoice} />
      </h1>
      <div class="head-actions">
        ${["pdf", "xml"].map(
          (kind) =>
            stored.has(kind) &&
            html`
              <a class="button" key=${kind} href=${`${api}/${kind}`} target="_blank" download=${kind === "xml"}>
                <${Icon} name="out" />
                ${kind.toUpperCase()}
              </a>
            `,
        )}
        <a class="button" href=${invoice.page} target="_blank">${t("invoice.page")}</a>
        <${Actions}
          actions=${[
            mayCredit && creditAction(invoice, reload),
            mayWriteOff && writeOffAction(invoice, reload),
            isOwedToPayer && toCreditAction(invoice, reload),
            mayDispute && disputeAction(invoice, reload),
          ].filter(Boolean)}
        />
      </div>
    </div>
  `;
}

function Figures({ invoice }) {
  const { totals } = invoice.content;
  const figures = [
    [t("billing.net"), totals.net],
    [t("price.vat"), totals.vat],
    [t("billing.payable"), totals.payable],
    [t("column.open"), invoice.open],
    ...(Number(invoice.written_off) ? [[t("write_off.stands"), invoice.written_off]] : []),
    ...(Number(invoice.claims_open) ? [[t("reminders.claims_open"), invoice.claims_open]] : []),
  ];
  return html`
    <dl class="numbers money">
      ${figures.map(
        ([name, value]) => html`
          <div class="big" key=${name}>
            <dt>${name}</dt>
            <dd>${money(value, invoice.currency)}</dd>
          </div>
        `,
      )}
    </dl>
  `;
}

/** What stands below a line: how much of what, and on which cost centre. */
function lineMore(line) {
  const quantity = `${number(Number(line.quantity), line.unit === "KWH" ? 3 : 0)} ${tCode("unit", line.unit)}`;
  return [quantity, line.cost_centre && `${t("customer.cost_centre")} ${line.cost_centre}`].filter(Boolean).join(" · ");
}

function Lines({ content }) {
  const { currency, totals } = content;
  const minor = [
    [t("billing.net"), totals.net],
    ...content.vat.map(({ rate, net, vat }) => [t("invoice.vat_on", { rate: number(Number(rate.percent)), net: money(net, currency) }), vat]),
    ...(Number(totals.prepaid ?? 0) ? [[t("invoice.prepaid"), `-${totals.prepaid}`]] : []),
    ...(Number(totals.rounding ?? 0) ? [[t("invoice.rounding"), totals.rounding]] : []),
  ];
  return html`
    <section class="panel price">
      <h2>${t("invoice.lines")}</h2>
      <table class="fin">
        <tbody>
          ${content.lines.map(
            (line) => html`
              <tr key=${line.number}>
                <td>
                  ${said(line.text)}
                  <span class="soft">${lineMore(line)}</span>
                </td>
                <${Amount} value=${line.net} currency=${currency} />
              </tr>
            `,
          )}
        </tbody>
        <tfoot>
          ${minor.map(
            ([name, value]) => html`
              <tr class="minor" key=${name}>
                <td>${name}</td>
                <${Amount} value=${value} currency=${currency} />
              </tr>
            `,
          )}
          <tr class="total">
            <td>${t("billing.payable")}</td>
            <${Amount} value=${totals.payable} currency=${currency} />
          </tr>
        </tfoot>
      </table>
    </section>
  `;
}

function Sessions({ content }) {
  const items = sessionsOf(content);
  if (!items.length) return null;
  return html`
    <section class="panel">
      <h2>
        ${t("nav.sessions")}
        <span class="aside">${number(items.length)}</span>
      </h2>
      <table class="fin">
        <tbody>
          ${items.map(
            (item) => html`
              <tr key=${`${item.session_id} ${item.revision} ${item.kind}`}>
                <td>
                  <a class="id" href=${sessionPath(item.session_id)}>${item.session_id}</a>
                  <span class="soft">
                    ${[item.place, item.driver, item.kind === "credit" && t("invoice.taken_back")].filter(Boolean).join(" · ")}
                  </span>
                </td>
                <td class="opt" title=${fullInstant(item.started_at)}>${instant(item.started_at, { against: nowMs.peek() })}</td>
                <td class="figure">${energy(item.energy_wh)}</td>
                <${Amount} value=${item.gross ?? item.net} currency=${content.currency} />
              </tr>
            `,
          )}
        </tbody>
      </table>
    </section>
  `;
}

function Books({ entries }) {
  if (!entries.length) return null;
  return html`
    <section class="panel">
      <h2>${t("invoice.books")}</h2>
      ${entries.map(
        (entry) => html`
          <div class="entry" key=${entry.id}>
            <h3>${day(entry.date)} · ${t("ledger.entry", { n: entry.id })} · ${entry.text}</h3>
            <table class="fin">
              <tbody>
                ${entry.postings.map(
                  (posting, line) => html`
                    <tr key=${line}>
                      <td>${posting.account}</td>
                      <td class="figure">${Number(posting.amount) > 0 ? money(posting.amount, posting.currency) : ""}</td>
                      <td class="figure">${Number(posting.amount) < 0 ? money(posting.amount.slice(1), posting.currency) : ""}</td>
                    </tr>
                  `,
                )}
              </tbody>
            </table>
          </div>
        `,
      )}
    </section>
  `;
}

function About({ invoice }) {
  const { content } = invoice;
  const facts = [
    [t("column.customer"), html`<a href=${payerPath(invoice.payer_id)}>${content.buyer.name}</a>`],
    [t("column.seller"), content.seller.name],
    [t("invoice.period"), span(invoice.period_start, invoice.period_end)],
    [t("column.issued"), day(invoice.issue_date)],
    [t("column.due"), day(invoice.due_date)],
    [t("invoice.reference"), invoice.payment_reference],
    [t("customer.buyer_reference"), content.buyer.buyer_reference],
    [t("customer.order_reference"), content.buyer.order_reference],
    [t("column.contract"), invoice.contract_id && html`<a href=${contractPath(invoice.contract_id)}>${invoice.contract_id}</a>`],
    [t("invoice.refers_to"), invoice.refers_to && html`<a href=${invoicePath(invoice.refers_to)}>${content.refers_to?.number}</a>`],
    [t("invoice.reason"), said(content.reason)],
  ];
  return html`
    <section class="panel">
      <h2>${t("invoice.about")}</h2>
      <${Facts} facts=${facts} />
    </section>
  `;
}

function Chain({ chain, id }) {
  return html`
    <section class="panel chain">
      <h2>
        <${Icon} name=${chain.is_right ? "check" : "warning"} />
        ${t(chain.is_right ? "invoice.chain_right" : "invoice.chain_wrong")}
      </h2>
      <p class="soft">${t("invoice.chain_lead")}</p>
      <p class="hash"><code class="break">${chain.hash}</code><${CopyButton} text=${chain.hash} /></p>
      <p><a href=${`/api/v1/invoices/${seg(id)}/content`} target="_blank">${t("invoice.frozen")}</a></p>
    </section>
  `;
}

export function InvoicePage() {
  const { id } = route.value;
  const resource = useResource(`/invoices/${seg(id)}`);
  const { data: invoice, load } = resource;
  if (!invoice)
    return html`
      <div class="page">
        <${FinanceTabs} />
        <${Pending} ...${resource} />
      </div>
    `;
  const open = invoice.disputes.find((each) => !each.decision);
  return html`
    <div class="page">
      <${FinanceTabs} />
      <${Head} invoice=${invoice} reload=${load} />
      ${
        open &&
        html`
          <${OpenDispute} invoice=${invoice} dispute=${open} reload=${load} />
        `
      }
      <${Figures} invoice=${invoice} />
      <div class="session-columns">
        <div class="session-main">
          <${Lines} content=${invoice.content} />
          <${Sessions} content=${invoice.content} />
          <${Reminders} invoice=${invoice} reload=${load} />
          <${WriteOffs} invoice=${invoice} reload=${load} />
          <${Books} entries=${invoice.entries} />
        </div>
        <div class="session-side">
          <${About} invoice=${invoice} />
          <${InvoiceLife} invoice=${invoice} />
          <${Chain} chain=${invoice.chain} id=${invoice.id} />
        </div>
      </div>
    </div>
  `;
}
