// Of what was this customer reminded, what does it claim, and how is it taken back?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { day, money } from "../format.js";
import { t, tCode } from "../i18n.js";
import { Actions } from "./actions.js";
import { Amount, mayBill } from "./finance.js";

function cancelAction(invoice, reminder, reload) {
  return {
    label: t("reminders.cancel", { n: reminder.number }),
    icon: "reset",
    explain: t("reminders.cancel_explain"),
    stays: true,
    fields: [{ name: "reason", label: t("invoice.reason"), required: true, more: { maxLength: 500 } }],
    run: async ({ reason }) => {
      await write("POST", `/invoices/${seg(invoice.id)}/reminders/${reminder.number}/cancel`, { reason });
      reload();
      return { kind: "good", text: t("reminders.cancelled") };
    },
  };
}

/** What a reminder claims on top, part by part. */
function parts(reminder) {
  return ["fee", "compensation", "interest"]
    .filter((name) => Number(reminder[name]))
    .map((name) => `${t(`reminders.${name}`)} ${money(reminder[name], reminder.currency)}`)
    .join(" · ");
}

const stateOf = (reminder) =>
  reminder.cancelled_at
    ? t("reminders.was_cancelled", { why: reminder.cancelled_because })
    : t("reminders.pay_by", { day: day(reminder.pay_by) });

export function Reminders({ invoice, reload }) {
  if (!invoice.reminders.length) return null;
  const standing = invoice.reminders.filter((each) => !each.cancelled_at);
  return html`
    <section class="panel">
      <h2>${t("reminders.title")}</h2>
      <table class="fin">
        <tbody>
          ${invoice.reminders.map(
            (each) => html`
              <tr key=${each.number}>
                <td>
                  ${
                    each.is_rendered
                      ? html`
                          <a href=${`/api/v1/invoices/${seg(invoice.id)}/reminders/${each.number}/pdf`} target="_blank">${day(each.issue_date)}</a>
                        `
                      : day(each.issue_date)
                  }
                  <span class="soft">${parts(each) || t("reminders.nothing_claimed")}</span>
                  <span class="soft">
                    ${[stateOf(each), each.delivery && tCode("delivery_state", each.delivery)].filter(Boolean).join(" · ")}
                  </span>
                </td>
                <${Amount} value=${each.total} currency=${each.currency} />
              </tr>
            `,
          )}
        </tbody>
        ${
          Number(invoice.claims_open) > 0 &&
          html`
            <tfoot>
              <tr class="total">
                <td>${t("reminders.claims_open")}</td>
                <${Amount} value=${invoice.claims_open} currency=${invoice.currency} />
              </tr>
            </tfoot>
          `
        }
      </table>
      ${
        mayBill() &&
        standing.length > 0 &&
        html`
          <${Actions} compact=${true} actions=${standing.map((each) => cancelAction(invoice, each, reload))} />
        `
      }
    </section>
  `;
}
