// Which documents have not reached their customers yet, and what must somebody do about it?
import { html } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { day, number } from "../format.js";
import { t, tCode } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { Choice, FinanceTabs, MailServer, mayAct } from "../parts/finance.js";
import { GrowingList, useGrowing } from "../parts/growing-list.js";
import { Icon } from "../parts/icons.js";
import { useResource } from "../parts/resource.js";
import { Badge } from "../parts/state.js";
import { customerPath, go, invoicePath, route, withQuery } from "../router.js";

const WHICH = {
  by_hand: { state: "waiting", way: "hand" },
  failed: { state: "failed" },
  for_mail: { state: "waiting", way: "mail" },
  sent: { state: "sent" },
};

const WHY_NOT = { disputed: "invoice_state.disputed", in_credit: "reminders.in_credit" };
const AT_ONCE = 500;
const pathOf = (each) => `/deliveries/${seg(each.invoice_id)}/${each.reminder}`;

function act(each, verb, icon, reload) {
  return {
    label: t(`deliveries.${verb}`),
    icon,
    primary: true,
    explain: t(`deliveries.${verb}_explain`, { name: each.payer_name ?? "", address: each.address ?? "" }),
    stays: true,
    run: async () => {
      await write("POST", `${pathOf(each)}/${verb}`);
      reload();
      return { kind: "good", text: t("deliveries.done") };
    },
  };
}

/** Whether it may be given out by hand: no mail will bring it, as things are. */
const needsHands = (each, figures) =>
  each.state === "failed" || (each.state === "waiting" && (!each.address || figures?.has_mail_server === false));

/** What can be done: what failed goes again once there is an address; what no mail brings is given out by hand. */
function actionsOf(each, figures, reload) {
  const again = each.state === "failed" && each.address ? [act(each, "again", "reset", reload)] : [];
  const byHand = needsHands(each, figures) ? [act(each, "sent", "check", reload)] : [];
  return [...again, ...byHand];
}

/** All that are shown, at once: those that stand on the page when it is asked for. */
function allAction(shown, reload) {
  return {
    label: t("deliveries.all", { n: number(shown.length) }),
    icon: "check",
    explain: t("deliveries.all_explain", { n: number(shown.length) }),
    stays: true,
    run: async () => {
      for (let at = 0; at < shown.length; at += AT_ONCE)
        await write("POST", "/deliveries/sent", {
          documents: shown.slice(at, at + AT_ONCE).map(({ invoice_id, reminder }) => ({ invoice_id, reminder })),
        });
      reload();
      return { kind: "good", text: t("deliveries.done") };
    },
  };
}

function documentLink(each) {
  const pdf = each.reminder ? `/api/v1/invoices/${seg(each.invoice_id)}/reminders/${each.reminder}/pdf` : `/api/v1/invoices/${seg(each.invoice_id)}/pdf`;
  return html`
    <a class="button" href=${pdf} target="_blank">
      <${Icon} name="out" />
      PDF
    </a>
  `;
}

function Delivery({ each, figures, reload }) {
  const name = `${tCode("document", each.kind)} ${each.number}`;
  return html`
    <li class="panel payment ${each.state === "failed" ? "waits" : ""}">
      <div class="payment-head">
        <a href=${invoicePath(each.invoice_id)}><b>${each.reminder ? `${t("reminders.number", { n: each.reminder })} · ${name}` : name}</b></a>
        ${each.kind === "self_billed" ? html`<span>${each.payer_name}</span>` : html`<a href=${customerPath(each.payer_id)}>${each.payer_name}</a>`}
        <span class="soft">${day(each.issue_date)}</span>
        <${Badge} tone=${{ failed: "bad", sent: "good" }[each.state] ?? "quiet"} icon=${{ failed: "warning", sent: "check" }[each.state] ?? "clock"}>
          ${tCode("delivery_state", each.state)}
        <//>
        ${documentLink(each)}
      </div>
      <p class="soft break">${each.address ?? each.tried ?? t("deliveries.no_address")}</p>
      ${
        each.last_error &&
        html`
          <p class="doubt">
            <${Icon} name="warning" />
            <span class="break">${each.tried ? `${each.tried}: ` : ""}${each.last_error}</span>
          </p>
        `
      }
      ${
        mayAct() &&
        actionsOf(each, figures, reload).length > 0 &&
        html`
          <${Actions} compact=${true} actions=${actionsOf(each, figures, reload)} />
        `
      }
    </li>
  `;
}

/** Late invoices that nobody was reminded of on the last day, and why. */
function LeftOut() {
  const runs = useResource("/reminder-runs");
  const items = (runs.data ?? []).flatMap((run) => run.left_out.map((each) => ({ ...each, run })));
  if (!items.length) return null;
  return html`
    <section>
      <h2>
        ${t("reminders.left_out")}
        <span class="count">${number(items.length)}</span>
      </h2>
      <ul class="plain parts">
        ${items.map(
          ({ invoice_id, reason, run }) => html`
            <li key=${`${run.seller_id} ${invoice_id}`}>
              <a href=${invoice_id ? invoicePath(invoice_id) : `/sellers/${seg(run.seller_id)}`}>${invoice_id || run.seller_id}</a>
              <span class="break">${WHY_NOT[reason] ? t(WHY_NOT[reason]) : reason}</span>
              <span class="soft">${day(run.day)}</span>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}

export function DeliveriesPage() {
  const { query } = route.value;
  const which = query.which in WHICH ? query.which : "by_hand";
  const figures = useResource("/deliveries/figures");
  const list = useGrowing(withQuery("/deliveries", { ...WHICH[which], limit: 50 }));
  const reload = () => {
    figures.load();
    list.load();
  };
  const count = (each) => (figures.data && each in figures.data ? ` (${number(figures.data[each])})` : "");
  const options = Object.keys(WHICH).map((each) => [each, `${tCode("deliveries_which", each)}${count(each)}`]);
  const shown = which === "sent" ? [] : list.items.filter((each) => needsHands(each, figures.data));
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <div class="toolbar">
        <div class="filters">
          <${Choice}
            label=${t("payments.show")}
            value=${which}
            options=${options}
            onChange=${(value) => go(withQuery("/deliveries", { which: value }), { replace: true })}
            wide=${true}
          />
        </div>
        ${
          mayAct() &&
          shown.length > 1 &&
          html`
            <${Actions} actions=${[allAction(shown, reload)]} />
          `
        }
      </div>
      <${MailServer} figures=${figures.data} />
      <${LeftOut} />
      <${GrowingList} list=${list} none=${html`<${Icon} name="check" /> ${t("deliveries.none")}`}>
        <ul class="payments">
          ${list.items.map(
            (each) => html`
              <${Delivery} key=${`${each.invoice_id} ${each.reminder}`} each=${each} figures=${figures.data} reload=${reload} />
            `,
          )}
        </ul>
      <//>
    </div>
  `;
}
