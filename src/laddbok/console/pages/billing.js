// How is a month billed? First what will happen, then one decision, then the progress.
import { html, useEffect, useState } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { nowMs } from "../clock.js";
import { failure } from "../commands.js";
import { day, instant, money, month as monthName, number } from "../format.js";
import { said, t, tCode } from "../i18n.js";
import { Choice, FinanceTabs, MailServer, mayBill, useSeller } from "../parts/finance.js";
import { fieldOf } from "../parts/edit-form.js";
import { Actions } from "../parts/actions.js";
import { Icon } from "../parts/icons.js";
import { Pending, useResource } from "../parts/resource.js";
import { Badge } from "../parts/state.js";
import { go, route, sessionPath, withQuery } from "../router.js";

const LOOK_AGAIN_MS = 1_000;
const MONTHS = 14;
const SHOWN = 12;

/** The months that can be billed, the newest first, and the one that is asked for. */
function months(asked) {
  const now = new Date(nowMs.peek());
  const late = Array.from({ length: MONTHS }, (_, back) =>
    new Date(Date.UTC(now.getFullYear(), now.getMonth() - back, 1)).toISOString().slice(0, 7),
  );
  return !asked || late.includes(asked) ? late : [...late, asked];
}

function usePolled(path, isRunning) {
  const resource = useResource(path);
  const running = isRunning(resource.data);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => document.hidden || resource.load(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [running, resource.load]);
  return resource;
}

function Tile({ label, value, more }) {
  return html`
    <div class="tile">
      <span class="label">${label}</span>
      <span class="figure">${value}</span>
      <span class="more">${more}</span>
    </div>
  `;
}

function Sums({ result }) {
  const { currency } = result;
  return html`
    <div class="tiles sums">
      <${Tile} label=${t("billing.documents")} value=${number(result.documents)} more=${t("billing.sessions", { n: number(result.sessions) })} />
      <${Tile} label=${t("billing.net")} value=${money(result.net, currency)} more=${t("billing.vat", { vat: money(result.vat, currency) })} />
      <${Tile} label=${t("billing.payable")} value=${money(result.payable, currency)} more=${t("billing.rest", { nothing: number(result.nothing), netted: number(result.netted) })} />
    </div>
  `;
}

/** The address of what is to be mended: a field of the seller or the customer, or a session. */
function mendPath(each, seller_id) {
  const session = /^session (\S+)$/.exec(each.field);
  if (session) return sessionPath(session[1]);
  if (each.field.startsWith("seller.")) return withQuery(`/sellers/${seg(seller_id)}`, { field: fieldOf(each.field) });
  return withQuery(`/customers/${seg(each.payer_id)}`, { field: fieldOf(each.field) });
}

function InTheWay({ result, sellerId }) {
  if (!result.in_the_way_count) return null;
  return html`
    <section class="panel">
      <h2>
        <${Icon} name="warning" />
        ${t("billing.in_the_way")}
        <span class="count">${number(result.in_the_way_count)}</span>
      </h2>
      <p class="soft">${t("billing.in_the_way_lead")}</p>
      <ul class="plain obstacles">
        ${result.in_the_way.map(
          (each, place) => html`
            <li key=${place}>
              <a href=${mendPath(each, sellerId)}>${each.payer_id ?? each.field}</a>
              <span class="break">${each.text ? said(each.text) : each.reason}</span>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}

function LeftOut({ result }) {
  if (!result.left_out_count) return null;
  return html`
    <section class="panel">
      <h2>
        ${t("billing.left_out")}
        <span class="count">${number(result.left_out_count)}</span>
      </h2>
      <p class="soft">${t("billing.left_out_lead")}</p>
      <ul class="plain obstacles">
        ${result.left_out.map(
          (each) => html`
            <li key=${each.session_id}>
              <a class="id" href=${sessionPath(each.session_id)}>${each.session_id}</a>
              <span>
                ${each.reasons.length ? each.reasons.map((reason) => tCode("review", reason)).join(" ") : tCode("state", each.state)}
              </span>
            </li>
          `,
        )}
      </ul>
      <p><a href="/review">${t("nav.review")}</a></p>
    </section>
  `;
}

function Documents({ result }) {
  const [all, setAll] = useState(false);
  const { items, currency, documents } = result;
  if (!items.length) return null;
  const shown = all ? items : items.slice(0, SHOWN);
  return html`
    <section class="panel">
      <h2>${t("billing.what")}</h2>
      <table class="fin">
        <thead>
          <tr>
            <th>${t("column.customer")}</th>
            <th class="opt">${t("column.document")}</th>
            <th class="figure">${t("column.sessions")}</th>
            <th class="figure opt">${t("billing.net")}</th>
            <th class="figure">${t("billing.payable")}</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (each, place) => html`
              <tr key=${place}>
                <td><a href=${`/customers/${seg(each.payer_id)}`}>${each.name}</a></td>
                <td class="opt">${tCode("document", each.kind)}</td>
                <td class="figure">${number(each.sessions)}</td>
                <td class="figure opt">${money(each.net, currency)}</td>
                <td class="figure">${money(each.payable, currency)}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
      ${
        !all &&
        items.length > SHOWN &&
        html`
          <button type="button" onClick=${() => setAll(true)}>${t("billing.show_all", { n: number(items.length) })}</button>
        `
      }
      ${
        documents > items.length &&
        all &&
        html`
          <p class="soft">${t("billing.and_more", { n: number(documents - items.length) })}</p>
        `
      }
    </section>
  `;
}

/** The one decision: it says what will happen, and names the sum. */
function finalAction(plan, reload) {
  const { result, month, seller_id } = plan;
  const sum = money(result.payable, result.currency);
  const explain = [
    t("billing.confirm", { n: number(result.documents), sum, month: monthName(month) }),
    plan.awaits_late_sessions && t("billing.confirm_early", { day: day(plan.final_from) }),
    result.in_the_way_count && t("billing.confirm_in_the_way", { n: number(result.in_the_way_count) }),
    result.left_out_count && t("billing.confirm_left_out", { n: number(result.left_out_count) }),
    t("billing.confirm_end"),
  ];
  return {
    label: t(plan.awaits_late_sessions ? "billing.final_early" : "billing.final"),
    verb: t("billing.final_verb", { n: number(result.documents), sum }),
    icon: "check",
    primary: !plan.awaits_late_sessions,
    danger: plan.awaits_late_sessions,
    disabled: !mayBill() || !result.documents,
    explain: explain.filter(Boolean).join(" "),
    stays: true,
    run: async () => {
      await write("POST", "/billing-runs", { seller_id, month, early: plan.awaits_late_sessions });
      reload();
      return { kind: "good", text: t("billing.begun") };
    },
  };
}

function Progress({ run }) {
  if (!run || run.ended_at) return null;
  return html`
    <section class="panel progress" role="status">
      <h2>${t("billing.running", { month: monthName(run.month) })}</h2>
      <progress max=${Math.max(run.planned, 1)} value=${run.done}></progress>
      <p>${t("billing.progress", { done: number(run.done), planned: number(run.planned) })}</p>
      ${
        run.trouble &&
        html`
          <p class="bad break">${t("billing.trouble", { error: run.trouble })}</p>
        `
      }
    </section>
  `;
}

/** What a run did, and what it had to leave. */
function Outcome({ run }) {
  const { result } = run;
  const path = withQuery("/invoices", { run_id: `${run.seller_id}/${run.month}` });
  return html`
    <section class="panel outcome">
      <h2>
        <${Icon} name="check" />
        ${t("billing.was_billed", { month: monthName(run.month), n: number(run.done) })}
      </h2>
      <p>
        <span class="soft">${instant(run.ended_at, { against: nowMs.peek() })} · ${run.started_by}</span>
      </p>
      <a class="button" href=${path}>${t("billing.see_invoices")}</a>
    </section>
    ${
      result &&
      html`
        <${InTheWay} result=${result} sellerId=${run.seller_id} />
        <${LeftOut} result=${result} />
      `
    }
  `;
}

function Plan({ plan, run, sellerId, reload }) {
  const isBusy = run && !run.ended_at;
  if (!plan.data)
    return html`
      <${Pending} ...${plan} />
    `;
  const { data } = plan;
  if (!data.asked_at) {
    if (run?.ended_at)
      return html`
        <${Outcome} run=${run} />
      `;
    return (
      !isBusy &&
      html`
        <p class="calm">${t("billing.not_looked")}</p>
      `
    );
  }
  if (!data.result)
    return html`
      <section class="panel progress" role="status" aria-busy=${!data.trouble}>
        <h2>${t("billing.looking")}</h2>
        <progress></progress>
        <p class=${data.trouble ? "bad break" : ""}>
          ${data.trouble ? t("billing.trouble", { error: data.trouble }) : t("billing.looked_at", { n: number(data.customers) })}
        </p>
      </section>
    `;
  return html`
    <h2 class="plan-head">
      ${t("billing.would")}
      <span class="aside">
        ${t("billing.as_of", { time: instant(data.ended_at, { against: nowMs.peek(), seconds: true }), person: data.asked_by })}
      </span>
    </h2>
    ${
      data.awaits_late_sessions &&
      html`
        <p class="doubt">
          <${Icon} name="clock" />
          ${t("billing.awaits", { day: day(data.final_from) })}
        </p>
      `
    }
    <${Sums} result=${data.result} />
    ${
      data.result.documents
        ? !isBusy &&
          html`
            <${Actions} key=${data.asked_at} actions=${[finalAction(data, reload)]} />
          `
        : html`
            <p class="calm">
              <${Icon} name="check" />
              ${t("billing.nothing_left")}
            </p>
          `
    }
    <${InTheWay} result=${data.result} sellerId=${sellerId} />
    <${LeftOut} result=${data.result} />
    <${Documents} result=${data.result} />
  `;
}

function Runs({ runs, sellers }) {
  if (!runs.length) return null;
  return html`
    <section>
      <h2>${t("billing.runs")}</h2>
      <div class="panel flush">
        <table class="fin">
          <thead>
            <tr>
              <th>${t("column.month")}</th>
              <th class="opt">${t("column.seller")}</th>
              <th class="opt">${t("column.started")}</th>
              <th class="figure">${t("billing.documents")}</th>
              <th class="figure">${t("billing.payable")}</th>
              <th>${t("column.state")}</th>
            </tr>
          </thead>
          <tbody>
            ${runs.map(
              (run) => html`
                <tr key=${`${run.seller_id}/${run.month}`}>
                  <td>
                    <a href=${withQuery("/invoices", { run_id: `${run.seller_id}/${run.month}` })}>${monthName(run.month)}</a>
                  </td>
                  <td class="opt">${sellers.find(({ id }) => id === run.seller_id)?.name ?? run.seller_id}</td>
                  <td class="opt">${instant(run.started_at, { against: nowMs.peek() })} · ${run.started_by}</td>
                  <td class="figure">${number(run.done)}</td>
                  <td class="figure">${run.result ? money(run.result.payable, run.result.currency) : "–"}</td>
                  <td>
                    ${
                      run.ended_at
                        ? html`
                            <${Badge} tone="good" icon="check">${t("billing.done")}<//>
                          `
                        : html`
                            <${Badge} tone="accent" icon="dots">${t("billing.at_it")}<//>
                          `
                    }
                  </td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

export function BillingPage() {
  const { query } = route.value;
  const { sellers, seller, ...list } = useSeller(query);
  const month = query.month ?? months()[1];
  const asked = seller && withQuery("", { seller_id: seller.id, month });
  const plan = usePolled(asked ? `/billing-runs/plan${asked}` : null, (data) => data?.asked_at && !data.ended_at);
  const runs = usePolled("/billing-runs", (data) => data?.items.some((run) => !run.ended_at));
  const [trouble, setTrouble] = useState("");
  const run = runs.data?.items.find((each) => each.seller_id === seller?.id && each.month === month);
  const figures = useResource("/deliveries/figures");
  const isRunning = Boolean(run && !run.ended_at);
  useEffect(() => void (isRunning || plan.load()), [isRunning]);
  if (!list.data)
    return html`
      <${Pending} ...${list} />
    `;
  const set = (change) => go(withQuery("/billing", { ...query, ...change }), { replace: true });
  const look = () =>
    write("POST", "/billing-runs/plan", { seller_id: seller.id, month })
      .then(() => (setTrouble(""), plan.load()))
      .catch((problem) => setTrouble(failure(problem).text));
  return html`
    <div class="page">
      <h1>${t("nav.finance")}</h1>
      <${FinanceTabs} />
      <p class="lead">${t("billing.lead")}</p>
      <${MailServer} figures=${figures.data} />
      <div class="toolbar">
        <div class="filters">
          <${Choice} label=${t("column.seller")} value=${seller?.id} options=${sellers.map((each) => [each.id, each.name])} onChange=${(seller_id) => set({ seller_id })} wide=${true} />
          <${Choice} label=${t("column.month")} value=${month} options=${months(query.month).map((each) => [each, monthName(each)])} onChange=${(value) => set({ month: value })} />
        </div>
        <button type="button" class="look" disabled=${!seller || !mayBill()} onClick=${look}>
          <${Icon} name="search" />
          ${t("billing.look")}
        </button>
        <span class="grow"></span>
        ${
          seller &&
          html`
            <a class="button" href=${`/sellers/${seg(seller.id)}`}>${t("billing.seller")}</a>
          `
        }
      </div>
      <p class="trouble" role="alert">${trouble}</p>
      <${Progress} run=${run} />
      <${Plan} plan=${plan} run=${run} sellerId=${seller?.id} reload=${() => (runs.load(), plan.load())} />
      <${Runs} runs=${runs.data?.items ?? []} sellers=${sellers} />
    </div>
  `;
}
