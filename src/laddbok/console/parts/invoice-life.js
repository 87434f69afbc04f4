// What happened to a document since it became final, in order and in words?
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { day, fullInstant, instant, money } from "../format.js";
import { t, tCode } from "../i18n.js";
import { invoicePath } from "../router.js";
import { Icon } from "./icons.js";

const ICONS = {
  final: "check", rendered: "copy", rendering_differs: "warning", sent: "out", not_sent: "warning", send_again: "reset", reminder_cancelled: "reset", reminded: "clock", paid: "in", credited: "reset", disputed: "ask",
  dispute_accepted: "decision", dispute_rejected: "decision", booked: "in", written_off: "cross", write_off_taken_back: "reset",
}; // prettier-ignore

/** What an event tells beside its kind: the reason of a dispute, a sum, where it was sent. */
function detail({ kind, body }, disputes, currency) {
  if (kind === "disputed") return body.reason;
  if (kind.startsWith("dispute_")) return body.note ?? disputes.find(({ number }) => number === body.number)?.note;
  if (kind.startsWith("writ")) return writeOffText(body, currency);
  const n = kind.startsWith("remind") ? body.number : body.reminder;
  const what = n && t("reminders.number", { n });
  const how = body.by_hand && t("deliveries.by_hand");
  return [what, body.reason, body.to, how, body.error].filter(Boolean).join(" · ");
}

const writeOffText = ({ amount, why, reason }, currency) =>
  [money(amount, currency), why !== "written_off" && tCode("write_off_kind", why), reason].filter(Boolean).join(" · ");

/** Events, the becoming final, and credits and payments that only the books tell of. */
function life(invoice) {
  const told = new Set(invoice.events.map(({ kind }) => kind));
  const events = invoice.events.map((each) => ({
    ...each,
    text: detail(each, invoice.disputes, invoice.currency),
    credit: invoice.credits.find(({ id }) => id === each.body.credit_note),
  }));
  const credits = told.has("credited")
    ? []
    : invoice.credits.map((credit) => ({ kind: "credited", at: credit.issue_date, credit, text: "" }));
  const booked = invoice.entries
    .filter(({ source_kind }) => !["invoice", "credit_note", "receipt", "self_billed", "write_off"].includes(source_kind))
    .map((entry) => ({ kind: "booked", at: entry.posted_at, text: entry.text }));
  const start = { kind: "final", at: invoice.finalised_at, by: invoice.run_id, text: "" };
  return [start, ...[...events, ...credits, ...booked].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))];
}

function Event({ event, currency }) {
  const isDay = event.at.length === 10;
  const by = event.by === "customer" ? t("dispute.customer") : event.by;
  return html`
    <li>
      <${Icon} name=${ICONS[event.kind] ?? "dots"} />
      <div>
        <b>${tCode("invoice_event", event.kind)}</b>
        ${
          event.credit &&
          html`
            ${" "}<a href=${invoicePath(event.credit.id)}>${event.credit.number}</a>${" "}${money(event.credit.gross, currency)}
          `
        }
        <span class="soft" title=${isDay ? "" : fullInstant(event.at)}>
          ${isDay ? day(event.at) : instant(event.at, { against: nowMs.peek() })}${by ? ` · ${by}` : ""}
        </span>
        ${
          event.text &&
          html`
            <p class="break">${event.text}</p>
          `
        }
      </div>
    </li>
  `;
}

export function InvoiceLife({ invoice }) {
  return html`
    <section class="panel">
      <h2>${t("invoice.life")}</h2>
      <ol class="life">
        ${life(invoice).map(
          (event, place) => html`
            <${Event} key=${place} event=${event} currency=${invoice.currency} />
          `,
        )}
      </ol>
    </section>
  `;
}
