// Which messages are about transactions that nobody knew, and where do they belong?
import { html, useEffect, useState } from "../vendor/preact.js";
import { get, me, seg, write } from "../api.js";
import { nowMs } from "../clock.js";
import { duration, energy, fullInstant, instant, number } from "../format.js";
import { said, t } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { FactList } from "../parts/facts.js";
import { Pending, useResource } from "../parts/resource.js";
import { Badge, SessionBadge } from "../parts/state.js";
import { go, route, sessionPath, stationPath, withQuery } from "../router.js";

const PAGE = 30;
const LOOK_AGAIN_MS = 4_000; // the event stream does not tell of orphans
const OPEN = new Set(["pending", "active", "ended"]);

const reason = () => ({ name: "reason", label: t("decide.reason"), required: true, more: { maxlength: 500 } });

async function match(orphan, wish, reload) {
  await write("POST", `/orphans/${seg(orphan.station_id)}/${orphan.epoch}/${orphan.seq}/match`, wish).finally(reload);
  return { kind: "good", text: t("orphans.recorded") };
}

function matchAction(orphan, candidate, reload) {
  return {
    label: t("orphans.match"),
    title: t("orphans.match_title", { session: candidate.session_id }),
    icon: "check",
    stays: true,
    explain: t("orphans.match_explain"),
    fields: [reason()],
    run: (values) => match(orphan, { session_id: candidate.session_id, reason: values.reason }, reload),
  };
}

function otherActions(orphan, reload) {
  const token = { name: "id_token", label: t("orphans.token"), initial: "" };
  const evse = {
    name: "evse_id",
    label: "EVSE",
    type: "number",
    required: true,
    initial: String(orphan.evse_id ?? 1),
    more: { min: 1 },
  };
  return [
    {
      label: t("orphans.other"),
      icon: "search",
      stays: true,
      explain: t("orphans.match_explain"),
      fields: [{ name: "session_id", label: t("orphans.session_id"), required: true }, reason()],
      run: (values) => match(orphan, { session_id: values.session_id, reason: values.reason }, reload),
    },
    {
      label: t("orphans.new"),
      icon: "plus",
      stays: true,
      explain: t("orphans.new_explain"),
      fields: [evse, token, reason()],
      run: ({ evse_id, id_token, reason: why }) =>
        match(
          orphan,
          { evse_id: Number(evse_id), reason: why, ...(id_token.trim() ? { id_token: id_token.trim() } : {}) },
          reload,
        ),
    },
  ];
}

function Candidate({ orphan, candidate, may, reload }) {
  const why = [
    candidate.same_token && t("orphans.same_token"),
    candidate.same_evse && t("orphans.same_evse"),
    candidate.closed_softly && t("orphans.closed_softly"),
  ].filter(Boolean);
  return html`
    <li class="candidate">
      <span>
        <a class="id" href=${sessionPath(candidate.session_id)}>${candidate.session_id}</a>
        ${" "}
        <${SessionBadge} session=${candidate} />
        <span class="soft">
          ${" "}${instant(candidate.started_at, { against: nowMs.peek() })}${" · "}${energy(candidate.energy_wh)}${
            why.length ? ` · ${why.join(", ")}` : ""
          }
        </span>
      </span>
      ${
        OPEN.has(candidate.state)
          ? html`
              <span class="soft">${t("orphans.not_settled")}</span>
            `
          : may &&
            html`
              <${Actions} compact actions=${[matchAction(orphan, candidate, reload)]} />
            `
      }
    </li>
  `;
}

/** What became of it: matched, wished, or refused with the reason. */
function Fate({ orphan }) {
  if (orphan.matched_session_id)
    return html`
      <p>
        <${Badge} tone="good" icon="check">${t("orphans.matched")}<//>
        ${" "}
        <a class="id" href=${sessionPath(orphan.matched_session_id)}>${orphan.matched_session_id}</a>
      </p>
    `;
  if (orphan.match_error)
    return html`
      <p class="bad" role="alert">${t("orphans.failed", { error: orphan.match_error })}</p>
    `;
  if (orphan.wanted)
    return html`
      <p>
        <${Badge} tone="accent" icon="dots">${t("orphans.waits", { person: orphan.wanted.by })}<//>
        ${" "}
        <span class="soft">${orphan.wanted.reason}</span>
      </p>
    `;
  return null;
}

function Facts({ orphan }) {
  const facts = [
    [
      t("column.station"),
      html`
        <a href=${stationPath(orphan.station_id)}>${orphan.station_id}</a>
      `,
    ],
    ["EVSE", orphan.evse_id ?? "–"],
    [t("session.transaction"), orphan.transaction_id ?? "–"],
    [t("column.token"), orphan.id_token ?? "–"],
    [t("orphans.register"), orphan.register_wh === null ? "–" : `${number(orphan.register_wh)} Wh`],
    [
      t("orphans.said_at"),
      html`
        <span title=${fullInstant(orphan.at)}>${instant(orphan.at, { against: nowMs.peek() })}</span>
      `,
    ],
  ];
  return html`
    <${FactList} facts=${facts} />
  `;
}

function Orphan({ orphan, reload }) {
  const open = !orphan.matched_session_id && !(orphan.wanted && !orphan.match_error);
  const may = open && me.value.role !== "reader";
  return html`
    <li class="panel orphan">
      <h2>
        ${said(orphan.text) || orphan.action}
        <span class="aside" title=${fullInstant(orphan.received_at)}>
          ${t("ago", { time: duration(nowMs.value - Date.parse(orphan.received_at)) })}
        </span>
      </h2>
      <${Facts} orphan=${orphan} />
      <${Fate} orphan=${orphan} />
      ${
        open &&
        html`
          <h3>${t("orphans.candidates")}</h3>
          ${
            orphan.candidates.length === 0 &&
            html`
              <p class="soft">${t("orphans.no_candidates")}</p>
            `
          }
          <ul class="candidates">
            ${orphan.candidates.map(
              (candidate) => html`
                <${Candidate}
                  key=${candidate.session_id}
                  orphan=${orphan}
                  candidate=${candidate}
                  may=${may}
                  reload=${reload}
                />
              `,
            )}
          </ul>
        `
      }
      ${
        may &&
        html`
          <${Actions} compact actions=${otherActions(orphan, reload)} />
        `
      }
      <details>
        <summary class="soft">${`${orphan.action} · ${t("timeline.position", orphan)}`}</summary>
        <pre tabindex="0">${orphan.raw ?? "–"}</pre>
      </details>
    </li>
  `;
}

function useOrphans(which) {
  const list = useResource(withQuery("/orphans", { which, limit: PAGE }));
  const [older, setOlder] = useState({ items: [], next: undefined });
  useEffect(() => setOlder({ items: [], next: undefined }), [which]);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || list.load(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [list.load]);
  const next = older.next === undefined ? list.data?.next : older.next;
  const more = async () => {
    const page = await get(withQuery("/orphans", { which, limit: PAGE, cursor: next })).catch(() => null);
    if (page) setOlder((old) => ({ items: [...old.items, ...page.items], next: page.next }));
  };
  const place = ({ station_id, epoch, seq }) => `${station_id} ${epoch} ${seq}`;
  const items = new Map([...(list.data?.items ?? []), ...older.items].map((orphan) => [place(orphan), orphan]));
  return { ...list, items: [...items], next, more };
}

export function OrphansPage() {
  const which = route.value.query.which === "all" ? "all" : "unmatched";
  const list = useOrphans(which);
  if (!list.data)
    return html`
      <${Pending} ...${list} />
    `;
  return html`
    <div class="page">
      <p class="crumbs"><a href="/review">${t("nav.review")}</a></p>
      <h1>${t("orphans.title")}</h1>
      <p class="lead">${t("orphans.lead")}</p>
      <form class="filters" onSubmit=${(event) => event.preventDefault()}>
        <label class="filter">
          <span>${t("orphans.which")}</span>
          <select
            value=${which}
            onChange=${(event) => go(withQuery("/orphans", { which: event.target.value }), { replace: true })}
          >
            <option value="unmatched">${t("orphans.unmatched")}</option>
            <option value="all">${t("filter.all")}</option>
          </select>
        </label>
      </form>
      ${
        list.items.length === 0 &&
        html`
          <section><p class="calm">${t("orphans.none")}</p></section>
        `
      }
      <ul class="orphans">
        ${list.items.map(
          ([place, orphan]) => html`
            <${Orphan} key=${place} orphan=${orphan} reload=${list.load} />
          `,
        )}
      </ul>
      ${
        list.next &&
        html`
          <button type="button" onClick=${list.more}>${t("more")}</button>
        `
      }
    </div>
  `;
}
