// Which sessions are there? A live list of up to ten thousand rows, with filters that live in the address.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { get, seg } from "../api.js";
import { failure } from "../commands.js";
import { number } from "../format.js";
import { t, tCode } from "../i18n.js";
import { useLive } from "../live.js";
import { SessionHead, SessionRow } from "../parts/session-row.js";
import { STATES } from "../parts/state.js";
import { VirtualList } from "../parts/virtual-list.js";
import { go, route, withQuery } from "../router.js";
import { MOST_ROWS, SessionRows } from "../session-rows.js";

const PAGE = 200;
const MOST_REFRESHES = 4; // sessions fetched at once because their price has become final
const NARROW = matchMedia("(max-width: 759px)");
const ROW_HEIGHT = { wide: 36, narrow: 64 };
const WITH_PRICE = new Set(["settled", "review"]);

const starts = (text, wanted) =>
  !wanted ||
  String(text ?? "")
    .toUpperCase()
    .startsWith(wanted.toUpperCase());

/** Whether a changed session belongs into the list under these filters. A search is answered by the platform alone. */
export function matcher({ state, station, token, from, to, q }, known) {
  return (session) =>
    (!state || session.state === state) &&
    (!station || session.station_id === station) &&
    starts(session.id_token, token) &&
    (!from || session.started_at >= from) &&
    (!to || session.started_at < to) &&
    (!q || known.has(session.id));
}

/** A day of the reader's (2026-11-23) as the instant at which it begins; `after` days later. */
export function dayStart(day, after = 0) {
  if (!/^\d{4}-\d\d-\d\d$/.test(day ?? "")) return null;
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + after).toISOString();
}

function asked(query) {
  const { state, station, token, q } = query;
  return { state, station, token, q, from: dayStart(query.from), to: dayStart(query.to, 1) };
}

function pagePath({ station, token, ...rest }, cursor) {
  return withQuery("/sessions", { ...rest, station_id: station, id_token: token, limit: PAGE, cursor });
}

/** The rows under these filters: {rows, more(), trouble, complete}. */
function useSessions(query) {
  const key = JSON.stringify(query);
  const filters = useMemo(() => asked(query), [key]);
  const known = useMemo(() => new Set(), [key]);
  const rows = useMemo(() => new SessionRows(matcher(filters, known)), [key]);
  const [state, setState] = useState({ trouble: "", complete: false, key });
  const next = useRef("");
  const busy = useRef(null);
  const load = useCallback(async () => {
    if (busy.current === rows || next.current === null || rows.size >= MOST_ROWS) return;
    busy.current = rows;
    try {
      const page = await get(pagePath(filters, next.current));
      if (busy.current !== rows) return;
      page.items.forEach((session) => known.add(session.id));
      next.current = page.next;
      rows.apply(page.items);
      setState({ trouble: "", complete: page.next === null, key });
    } catch (problem) {
      next.current = null;
      setState({ trouble: failure(problem).text, complete: true, key });
    } finally {
      if (busy.current === rows) busy.current = null;
    }
  }, [rows]);
  const reload = () => ((next.current = ""), load());
  useEffect(() => ((busy.current = null), void reload()), [rows]);
  useLive("reload", reload);
  useLive("session", (changes) => takeIn(rows, changes));
  return { rows, more: load, ...(state.key === key ? state : { trouble: "", complete: false }) };
}

/** Changes come without prices: a session that has just settled is fetched once, a few at a time. */
function takeIn(rows, changes) {
  const settled = changes.filter(({ id, state }) => WITH_PRICE.has(state) && rows.byId.get(id)?.state !== state);
  rows.apply(changes);
  for (const { id } of settled.slice(0, MOST_REFRESHES)) {
    if (rows.byId.has(id))
      get(`/sessions/${seg(id)}`).then(
        (session) => rows.apply([session]),
        () => {},
      );
  }
}

function Filter({ name, label, query, onSet, type = "text" }) {
  return html`
    <label class="filter">
      <span>${label}</span>
      <input
        type=${type}
        value=${query[name] ?? ""}
        onChange=${(event) => onSet(name, event.target.value.trim())}
        spellcheck="false"
        autocomplete="off"
      />
    </label>
  `;
}

function Filters({ query }) {
  const set = (name, value) => go(withQuery("/sessions", { ...query, [name]: value }), { replace: true });
  const any = Object.values(query).some(Boolean);
  return html`
    <form class="filters" onSubmit=${(event) => event.preventDefault()}>
      <label class="filter">
        <span>${t("column.state")}</span>
        <select value=${query.state ?? ""} onChange=${(event) => set("state", event.target.value)}>
          <option value="">${t("filter.all")}</option>
          ${STATES.map(
            (state) => html`
              <option value=${state}>${tCode("state", state)}</option>
            `,
          )}
        </select>
      </label>
      <${Filter} name="station" label=${t("column.station")} query=${query} onSet=${set} />
      <${Filter} name="token" label=${t("column.token")} query=${query} onSet=${set} />
      <${Filter} name="from" label=${t("filter.from")} query=${query} onSet=${set} type="date" />
      <${Filter} name="to" label=${t("filter.to")} query=${query} onSet=${set} type="date" />
      <${Filter} name="q" label=${t("filter.search")} query=${query} onSet=${set} type="search" />
      ${
        any &&
        html`
          <button type="button" class="quiet" onClick=${() => go("/sessions", { replace: true })}>
            ${t("filter.clear")}
          </button>
        `
      }
    </form>
  `;
}

function useNarrow() {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const read = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", read);
    return () => NARROW.removeEventListener("change", read);
  }, []);
  return narrow;
}

function Count({ rows, complete }) {
  void rows.version.value;
  const key = rows.size >= MOST_ROWS ? "sessions.most" : complete ? "sessions.count" : "sessions.count_more";
  return html`
    <span class="as-of">${t(key, { n: number(rows.size) })}</span>
  `;
}

/** No session: what was sought may be a document's number, or a customer. */
function Elsewhere({ q }) {
  return html`
    <p class="calm">
      ${t("sessions.none")} ${t("sessions.elsewhere")}${" "}
      <a href=${withQuery("/invoices", { number: q })}>${t("finance.invoices")}</a>${" · "}
      <a href=${withQuery("/customers", { q })}>${t("finance.customers")}</a>
    </p>
  `;
}

export function SessionsPage() {
  const { query } = route.value;
  const { rows, more, trouble, complete } = useSessions(query);
  const narrow = useNarrow();
  const empty =
    query.q && complete && !trouble
      ? html`
          <${Elsewhere} q=${query.q} />
        `
      : html`
          <p class="calm">${trouble || (complete ? t("sessions.none") : t("loading"))}</p>
        `;
  return html`
    <div class="page fill">
      <h1>
        ${t("nav.sessions")}
        <${Count} rows=${rows} complete=${complete} />
      </h1>
      <${Filters} query=${query} />
      <${VirtualList}
        rows=${rows}
        rowHeight=${narrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide}
        Head=${SessionHead}
        Row=${SessionRow}
        label=${t("nav.sessions")}
        onNearEnd=${more}
        empty=${empty}
      />
    </div>
  `;
}
