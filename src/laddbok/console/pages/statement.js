// What does one revision say, what came before it, and has anything changed since?
import { html, useEffect, useState } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { failure } from "../commands.js";
import { month as monthName, number } from "../format.js";
import { t, tCode } from "../i18n.js";
import { FinanceTabs, mayAct, mayBill } from "../parts/finance.js";
import { Icon } from "../parts/icons.js";
import { Pending, useResource } from "../parts/resource.js";
import { Changes, StatementBody, statementPath } from "../parts/statement.js";
import { go, route, withQuery } from "../router.js";

const LOOK_AGAIN_MS = 1_000;

function Files({ path, view }) {
  const base = `/api/v1${path}`;
  return html`
    <div class="head-actions">
      ${
        view.is_rendered
          ? html`
              <a class="button primary" href=${`${base}/pdf`} target="_blank">
                <${Icon} name="invoice" />
                PDF
              </a>
            `
          : html`
              <span class="soft" role="status">${t("statement.rendering")}</span>
            `
      }
      <a class="button" href=${`${base}/csv`} download>
        <${Icon} name="out" />
        CSV
      </a>
      <a class="button" href=${`${base}/sessions.csv`} download>
        <${Icon} name="out" />
        ${t("statement.sessions_csv")}
      </a>
    </div>
  `;
}

/** Whether the same month would say something else now; then it may be kept as the next revision. */
function Outdated({ which }) {
  const [state, setState] = useState({});
  const wanted = { kind: which.kind, subject_id: which.subject_id, month: which.month };
  useEffect(() => {
    write("POST", "/statements/preview", wanted).then(
      (view) => setState({ view }),
      () => {},
    );
  }, []);
  if (!state.view || state.view.hash) return null;
  const of = state.view.apartments ?? state.view.home;
  const keep = async () => {
    setState((old) => ({ ...old, busy: true }));
    try {
      await write("POST", "/statements", wanted);
      go(statementPath({ ...wanted, revision: of.head.revision }));
    } catch (problem) {
      setState((old) => ({ ...old, busy: false, trouble: failure(problem).text }));
    }
  };
  return html`
    <section class="panel">
      <h2>
        <${Icon} name="warning" />
        ${t("statement.outdated")}
      </h2>
      <p class="soft">${t("statement.outdated_lead")}</p>
      <button type="button" disabled=${state.busy || !mayBill()} onClick=${keep}>
        ${t("statement.keep", { n: number(of.head.revision) })}
      </button>
      <p class="bad" role="alert">${state.trouble ?? ""}</p>
    </section>
    <${Changes} of=${of} />
  `;
}

function Revisions({ items, revision }) {
  if (items.length < 2) return null;
  return html`
    <p class="soft">
      ${t("statement.revisions")}${" "}
      ${items.map(
        (each) => html`
          <a key=${each.revision} href=${statementPath(each)} aria-current=${each.revision === revision ? "page" : null}>
            ${number(each.revision)}
          </a>
          ${" "}
        `,
      )}
    </p>
  `;
}

function Revision({ which }) {
  const { kind, subject_id, month, revision } = which;
  const path = `/statements/${seg(kind)}/${seg(subject_id)}/${seg(month)}/${seg(revision)}`;
  const statement = useResource(path);
  const others = useResource(withQuery("/statements", { kind, subject_id, month, limit: 100 }));
  const isWaiting = statement.data && !statement.data.is_rendered;
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = setInterval(() => document.hidden || statement.load(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isWaiting, statement.load]);
  if (!statement.data)
    return html`
      <div class="page">
        <${FinanceTabs} />
        <${Pending} ...${statement} />
      </div>
    `;
  const { head } = statement.data.apartments ?? statement.data.home;
  const items = others.data?.items ?? [];
  const isNewest = items.length > 0 && items[0].revision === head.revision;
  return html`
    <div class="page">
      <${FinanceTabs} />
      <h1>
        ${head.name}
        <span class="as-of">
          ${tCode("statement_kind", kind)} · ${monthName(month)} · ${t("statement.revision", { n: number(head.revision) })}
        </span>
      </h1>
      <${Files} path=${path} view=${statement.data} />
      <${Revisions} items=${items} revision=${head.revision} />
      ${
        isNewest &&
        mayAct() &&
        html`
          <${Outdated} key=${path} which=${which} />
        `
      }
      <${StatementBody} view=${statement.data} />
      <p class="hash soft">${t("statement.hash")} <code class="break">${statement.data.hash}</code></p>
    </div>
  `;
}

export function StatementPage() {
  const { query } = route.value;
  return html`
    <${Revision} key=${statementPath(query)} which=${query} />
  `;
}
