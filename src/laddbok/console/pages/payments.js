// What money came in, what of it does nobody understand, and where shall it go?
import { html, useRef, useState } from "../vendor/preact.js";
import { seg, upload, write } from "../api.js";
import { failure } from "../commands.js";
import { day, money, number, typedNumber } from "../format.js";
import { t, tCode } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { Choice, FinanceTabs, mayAct } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { Icon } from "../parts/icons.js";
import { Pending, useResource } from "../parts/resource.js";
import { Badge } from "../parts/state.js";
import { go, invoicePath, route, withQuery } from "../router.js";

function Import({ onDone }) {
  const file = useRef();
  const [told, setTold] = useState(null);
  const send = async () => {
    const [chosen] = file.current.files;
    if (!chosen) return;
    setTold({ busy: true });
    const answer = await upload(withQuery("/payments/import", { name: chosen.name }), chosen).catch((problem) => ({ problem }));
    file.current.value = "";
    if (answer.problem) return setTold({ kind: "bad", text: failure(answer.problem).text });
    const key = answer.is_new ? "payments.imported" : "payments.known";
    setTold({ kind: "good", text: t(key, { n: number(answer.payments), suspense: number(answer.in_suspense) }) });
    return onDone();
  };
  return html`
    <div class="import">
      <label class="button">
        <${Icon} name="in" />
        ${t("payments.import")}
        <input ref=${file} class="hidden" type="file" accept=".xml,text/xml,application/xml" onChange=${send} disabled=${!mayAct()} />
      </label>
      <p class=${told?.kind ?? ""} role="status">${told?.busy ? t("payments.importing") : told?.text ?? ""}</p>
    </div>
  `;
}

/** What a person may move of a payment: what waits, else what a customer has to its credit of it. */
const movable = ({ suspense, balance }) =>
  Number(suspense) === 0 ? { source: "balance", left: balance } : { source: "suspense", left: suspense };

/** A customer's credit that came by bank, or that we owe on a document, stays until somebody moves it or pays it back; what was paid at once
 * is for its receipt. */
const isCredit = ({ provider, suspense, balance }) => ["bank", "set_off"].includes(provider) && Number(suspense) === 0 && Number(balance) > 0;

function allocateAction(payment, reload) {
  const { source, left } = movable(payment);
  return {
    label: t("payments.allocate"),
    icon: "check",
    primary: source === "suspense",
    explain: t("payments.allocate_explain"),
    stays: true,
    fields: [
      { name: "amount", label: t("payments.amount"), required: true, initial: left, more: { inputMode: "decimal" } },
      { name: "invoice", label: t("payments.invoice") },
      { name: "payer_id", label: t("payments.payer") },
    ],
    run: async ({ amount, invoice, payer_id }) => {
      if (!invoice.trim() && !payer_id.trim()) return { kind: "bad", text: t("payments.whereto") };
      const to = invoice.trim() ? { to: "invoice", invoice: invoice.trim() } : { to: "balance", payer_id: payer_id.trim() };
      await write("POST", `/payments/${seg(payment.id)}/allocations`, { amount: typedNumber(amount), source, ...to });
      reload();
      return { kind: "good", text: t("payments.allocated") };
    },
  };
}

/** It is the payment that it may be. That one may have come to more, when the bank kept some of it. */
function sameAction(payment, reload) {
  return {
    label: t("payments.same"),
    icon: "check",
    explain: t("payments.same_explain"),
    stays: true,
    fields: [{ name: "amount", label: t("payments.same_amount"), required: true, initial: payment.suspense, more: { inputMode: "decimal" } }],
    run: async ({ amount }) => {
      await write("POST", `/payments/${seg(payment.id)}/allocations`, { amount: typedNumber(amount), to: "same" });
      reload();
      return { kind: "good", text: t("payments.same_done") };
    },
  };
}

/** All that waits goes to the bank, as its `fee`. */
function bankAction(payment, to, reload) {
  return {
    label: t(`payments.${to}`),
    icon: "check",
    explain: t(`payments.${to}_explain`),
    stays: true,
    run: async () => {
      await write("POST", `/payments/${seg(payment.id)}/allocations`, { amount: payment.suspense, to });
      reload();
      return { kind: "good", text: t(`payments.${to}_done`) };
    },
  };
}

/** The payment that another one may be, as people know it. */
function PerhapsSame({ id }) {
  const detail = useResource(`/payments/${seg(id)}`);
  if (!detail.data) return null;
  const { payment } = detail.data;
  const who = payment.payer_name ?? payment.payer_account ?? payment.provider;
  const sum = money(payment.amount, payment.currency);
  return html`
    <p class="soft break">${t("payments.perhaps", { sum, who, day: day(payment.received_on), text: payment.text || payment.reference })}</p>
  `;
}

function refundAction(payment, reload) {
  return {
    label: t("payments.refund"),
    icon: "reset",
    explain: t("payments.refund_explain"),
    stays: true,
    fields: [{ name: "amount", label: t("payments.amount"), required: true, initial: movable(payment).left, more: { inputMode: "decimal" } }],
    run: async ({ amount }) => {
      await write("POST", `/payments/${seg(payment.id)}/refunds`, { amount: typedNumber(amount) });
      reload();
      return { kind: "good", text: t("payments.refunded") };
    },
  };
}

function Parts({ id }) {
  const detail = useResource(`/payments/${seg(id)}`);
  if (!detail.data)
    return html`
      <${Pending} ...${detail} />
    `;
  const { payment, parts } = detail.data;
  return html`
    <ul class="plain parts">
      ${parts.map(
        (part) => html`
          <li key=${part.number}>
            <span>${tCode("payment_part", part.kind)}</span>
            ${
              part.invoice_id &&
              html`
                <a href=${invoicePath(part.invoice_id)}>${part.invoice_id}</a>
              `
            }
            <b>${money(part.amount, payment.currency)}</b>
            <span class="soft">${tCode("payment_why", part.reason)}</span>
          </li>
        `,
      )}
    </ul>
  `;
}

const actionsOf = (payment, reload) => [
  ...(payment.perhaps_same_as.length ? [sameAction(payment, reload)] : []),
  ...(Number(payment.suspense) < 0 ? [bankAction(payment, "fee", reload)] : []),
  allocateAction(payment, reload),
  refundAction(payment, reload),
];

function Payment({ payment, reload }) {
  const [isOpen, setOpen] = useState(false);
  const waits = Number(payment.suspense) !== 0;
  return html`
    <li class="panel payment ${waits ? "waits" : ""}">
      <div class="payment-head">
        <b>${money(payment.amount, payment.currency)}</b>
        <span>${payment.provider === "set_off" ? t("payments.set_off") : payment.payer_name ?? payment.payer_account ?? payment.provider}</span>
        <span class="soft">${day(payment.received_on)}</span>
        ${
          waits
            ? html`
                <${Badge} tone="warn" icon="ask">${t("payments.waits", { sum: money(payment.suspense, payment.currency) })}<//>
              `
            : html`
                <${Badge} tone="good" icon="check">${t("payments.placed")}<//>
              `
        }
        ${
          isCredit(payment) &&
          html`
            <${Badge} tone="quiet" icon="dots">${t("payments.credit", { sum: money(payment.balance, payment.currency) })}<//>
          `
        }
        <button type="button" class="quiet" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>${t("payments.parts")}</button>
      </div>
      ${
        payment.provider === "bank" &&
        payment.named.length > 0 &&
        html`
          <p class="break">${t("payments.named", { named: payment.named.join(", ") })}</p>
        `
      }
      <p class="soft break">${[payment.text, payment.reference].filter(Boolean).join(" · ")}</p>
      ${
        waits &&
        payment.reason &&
        html`
          <p class="doubt">
            <${Icon} name="warning" />
            ${tCode("payment_why", payment.reason)}
          </p>
        `
      }
      ${
        isOpen &&
        html`
          <${Parts} id=${payment.id} />
        `
      }
      ${
        waits &&
        payment.perhaps_same_as.map(
          (id) => html`
            <${PerhapsSame} key=${id} id=${id} />
          `,
        )
      }
      ${
        (waits || isCredit(payment)) &&
        mayAct() &&
        html`
          <${Actions} compact=${true} actions=${actionsOf(payment, reload)} />
        `
      }
    </li>
  `;
}

function decideRefund(refund, pay, reload) {
  return {
    label: t(pay ? "payments.pay_back" : "payments.keep"),
    icon: pay ? "out" : "cross",
    primary: pay,
    explain: t(pay ? "payments.pay_back_explain" : "payments.keep_explain", { sum: money(refund.amount, refund.currency) }),
    stays: true,
    run: async () => {
      await write("POST", `/refunds/${seg(refund.id)}/decision`, { pay });
      reload();
      return { kind: "good", text: t("payments.decided") };
    },
  };
}

/** Money that nobody owes us, of which a person says whether it goes back. */
function Refunds() {
  const refunds = useResource("/refunds?state=proposed");
  const items = refunds.data?.items ?? [];
  if (!items.length) return null;
  return html`
    <section>
      <h2>
        ${t("payments.refund_tasks")}
        <span class="count">${number(items.length)}</span>
      </h2>
      <ul class="panels">
        ${items.map(
          (refund) => html`
            <li class="panel payment" key=${refund.id}>
              <div class="payment-head"><b>${money(refund.amount, refund.currency)}</b><span>${tCode("payment_why", refund.reason)}</span></div>
              <${Actions} compact=${true} actions=${[true, false].map((pay) => decideRefund(refund, pay, refunds.load))} />
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}

export function PaymentsPage() {
  const { query } = route.value;
  const which = query.which ?? "all";
  const list = useGrowing(withQuery("/payments", { in_suspense: which === "suspense" ? "true" : null, limit: 50 }));
  const set = (value) => go(withQuery("/payments", { which: value === "all" ? null : value }), { replace: true });
  const none = html`
    <${Icon} name="check" />
    ${t(which === "suspense" ? "payments.no_suspense" : "payments.none")}
  `;
  const options = ["all", "suspense"].map((each) => [each, t(`payments.${each}`)]);
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <div class="toolbar">
        <div class="filters">
          <${Choice} label=${t("payments.show")} value=${which} options=${options} onChange=${set} wide=${true} />
        </div>
        <${Import} onDone=${list.load} />
      </div>
      <${Refunds} />
      <${GrowingList} list=${list} none=${none}>
        <ul class="payments">
          ${list.items.map(
            (payment) => html`
              <${Payment} key=${payment.id} payment=${payment} reload=${list.load} />
            `,
          )}
        </ul>
      <//>
    </div>
  `;
}
