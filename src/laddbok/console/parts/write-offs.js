// What of this invoice was given up, what came back of it, and how do I do either?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { day, money } from "../format.js";
import { t, tCode } from "../i18n.js";
import { Actions } from "./actions.js";
import { Amount, mayBill } from "./finance.js";

const plainAmount = (text) => (text ?? "").replace(/\s/g, "").replace(",", ".");
const reasonField = () => ({ name: "reason", label: t("invoice.reason"), required: true, more: { maxLength: 500 } });

export function writeOffAction(invoice, reload) {
  return {
    label: t("write_off.title"),
    icon: "cross",
    explain: t("write_off.explain", { sum: money(invoice.open, invoice.currency) }),
    stays: true,
    fields: [
      reasonField(),
      { name: "amount", label: t("write_off.amount"), more: { inputMode: "decimal" } },
      { name: "vat_relief", label: t("write_off.vat_relief"), type: "checkbox" },
    ],
    run: async ({ reason, amount, vat_relief }) => {
      const body = { reason, amount: plainAmount(amount) || null, vat_relief: vat_relief === "on" };
      const made = await write("POST", `/invoices/${seg(invoice.id)}/write-off`, body);
      reload();
      const sums = { sum: money(made.amount, made.currency), vat: money(made.vat, made.currency) };
      return { kind: "good", text: t(made.is_new ? "write_off.done" : "write_off.done_before", sums) };
    },
  };
}

function undoAction(invoice, reload) {
  return {
    label: t("write_off.undo"),
    icon: "reset",
    explain: t("write_off.undo_explain"),
    stays: true,
    fields: [reasonField()],
    run: async ({ reason }) => {
      await write("POST", `/invoices/${seg(invoice.id)}/write-off/undo`, { reason });
      reload();
      return { kind: "good", text: t("write_off.undone") };
    },
  };
}

const about = (step) =>
  [tCode("write_off_kind", step.kind), Number(step.vat) ? t("write_off.of_it_vat", { vat: money(step.vat, step.currency) }) : "", step.reason]
    .filter(Boolean)
    .join(" · ");

export function WriteOffs({ invoice, reload }) {
  if (!invoice.write_offs.length) return null;
  return html`
    <section class="panel">
      <h2>${t("write_off.heading")}</h2>
      <table class="fin">
        <tbody>
          ${invoice.write_offs.map(
            (each) => html`
              <tr key=${each.number}>
                <td>
                  ${day(each.day)}
                  <span class="soft break">${about(each)}</span>
                </td>
                <${Amount} value=${each.amount} currency=${each.currency} />
              </tr>
            `,
          )}
        </tbody>
        <tfoot>
          <tr class="total">
            <td>${t("write_off.stands")}</td>
            <${Amount} value=${invoice.written_off} currency=${invoice.currency} />
          </tr>
        </tfoot>
      </table>
      ${
        mayBill() &&
        Number(invoice.written_off) > 0 &&
        html`
          <${Actions} compact=${true} actions=${[undoAction(invoice, reload)]} />
        `
      }
    </section>
  `;
}
