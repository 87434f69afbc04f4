// What happened in this session, what does it cost, and what can I do about it? The page a driver's call is answered from.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { get, me, seg } from "../api.js";
import { nowMs } from "../clock.js";
import { order, orderSession } from "../commands.js";
import { DECIDABLE } from "../decide.js";
import { duration, energyParts, fullInstant, instant, money, percent, powerParts } from "../format.js";
import { t, tCode } from "../i18n.js";
import { useLive } from "../live.js";
import { Actions } from "../parts/actions.js";
import { Issued } from "../parts/cdrs.js";
import { CopyButton } from "../parts/copy.js";
import { Curves } from "../parts/curves.js";
import { Decisions } from "../parts/decisions.js";
import { Documents } from "../parts/documents.js";
import { EnergyPanel } from "../parts/energy.js";
import { FactList } from "../parts/facts.js";
import { Figure } from "../parts/figure.js";
import { Icon } from "../parts/icons.js";
import { Price } from "../parts/price.js";
import { Payers } from "../parts/payers.js";
import { Pending, usePaced, useResource } from "../parts/resource.js";
import { lengthMs } from "../parts/session-row.js";
import { SessionBadge } from "../parts/state.js";
import { Timeline } from "../parts/timeline.js";
import { route, stationPath, withQuery } from "../router.js";
import { recount } from "../waiting.js";

const PAGE = 200;
const MOST_PAGES_AT_ONCE = 10;
const PRICE_PAUSE_MS = 300; // after each change, and those come 2 s apart
const CURVE_PAUSE_MS = 4_000;

/** The timeline, page by page, and its growing last page again when asked: {items, complete, more, refresh}. */
function useTimeline(id) {
  const pages = useRef([]); // of {cursor, items, next}
  const busy = useRef(false);
  const [, redraw] = useState(0);
  const fetchFrom = useCallback(
    async (start) => {
      if (busy.current) return;
      busy.current = true;
      try {
        await readPages(id, pages.current, start);
      } catch {
        // the pages that are there stay; the next change or reload tries again
      }
      busy.current = false;
      redraw((count) => count + 1);
    },
    [id],
  );
  useEffect(() => void fetchFrom(0), [fetchFrom]);
  const last = pages.current.at(-1);
  return {
    items: useMemo(() => pages.current.flatMap((page) => page.items), [pages.current.length, last]),
    complete: Boolean(last) && last.next === null,
    more: () => fetchFrom(pages.current.length),
    refresh: () => last?.next === null && fetchFrom(pages.current.length - 1),
  };
}

async function readPages(id, pages, start) {
  for (let number = start; number < start + MOST_PAGES_AT_ONCE; number += 1) {
    const cursor = number ? pages[number - 1].next : "";
    if (cursor === null) return;
    const page = await get(withQuery(`/sessions/${seg(id)}/timeline`, { limit: PAGE, cursor }));
    pages[number] = page;
    if (page.next === null) return;
  }
}

function actionsOf(session) {
  const running = session.state === "active" || session.state === "pending";
  const stop = {
    label: t("action.stop"),
    icon: "stop",
    primary: true,
    disabled: !running,
    explain: t("action.stop_explain"),
    run: () => orderSession(session.id, "stop"),
  };
  const unlock = {
    label: t("action.unlock"),
    icon: "unlock",
    explain: t("action.unlock_explain"),
    run: () => orderSession(session.id, "unlock"),
  };
  const reset = {
    label: t("action.reset"),
    icon: "reset",
    danger: true,
    explain: t("action.reset_explain", { station: session.station_id }),
    run: async () => order(await get(`/stations/${seg(session.station_id)}`), "reset", { hard: false }),
  };
  return session.origin === "import" ? [] : [stop, unlock, reset];
}

function Big({ label, parts: [figure, unit], more }) {
  return html`
    <div class="big">
      <dt>${label}</dt>
      <dd><${Figure} figure=${figure} unit=${unit} /></dd>
      <span class="soft">${more ?? ""}</span>
    </div>
  `;
}

function Numbers({ session, price }) {
  const running = session.state === "active" || session.state === "pending";
  const priceText = price ? money(price.incl_vat ?? price.excl_vat, price.currency) : "–";
  const priceMore = price ? t(price.final ? "price.final" : "price.so_far") : "";
  return html`
    <dl class="numbers">
      <${Big} label=${t("column.energy")} parts=${energyParts(session.energy_wh)} />
      ${
        running &&
        html`
          <${Big} label=${t("column.power")} parts=${powerParts(session.power_w)} />
        `
      }
      ${
        session.soc_pct !== null &&
        session.soc_pct !== undefined &&
        html`
          <${Big} label=${t("column.soc")} parts=${[percent(session.soc_pct)]} />
        `
      }
      <${Big} label=${t("column.duration")} parts=${[duration(lengthMs(session))]} />
      <${Big} label=${t("column.price")} parts=${[priceText]} more=${priceMore} />
    </dl>
  `;
}

/** An id token in the form in which the platform keeps it. */
const normal = (token) => token?.replaceAll(/[:\- \t]/g, "").toUpperCase();

function Facts({ session }) {
  const at = (value) => html`
    <span title=${fullInstant(value)}>${instant(value, { against: nowMs.value, seconds: true })}</span>
  `;
  const facts = [
    [
      t("column.station"),
      html`
        <a href=${stationPath(session.station_id)}>${session.station_id}</a>
      `,
    ],
    ["EVSE", session.evse_id ?? "–"],
    [t("column.token"), session.id_token ?? "–"],
    ...(session.verdict && session.token && normal(session.id_token) !== session.token
      ? [[t("session.token"), session.token]]
      : []),
    [t("session.started"), at(session.started_at)],
    [t("session.ended"), at(session.ended_at)],
    [t("session.charging_ended"), at(session.charging_ended_at)],
    [t("session.unplugged"), at(session.unplugged_at)],
    [
      t("session.transaction"),
      html`
        <span class="break">${session.transaction_id ?? "–"}</span>
      `,
    ],
    [t("session.contract"), session.contract_id ?? "–"],
    [t("column.site"), session.site_id ?? "–"],
    ...(session.stop_reason ? [[t("session.stop_reason"), tCode("stop_reason", session.stop_reason)]] : []),
    ...(session.origin === "import" ? [[t("session.origin"), t("session.imported")]] : []),
    ...(session.revision > 1 ? [[t("session.revision"), session.revision]] : []),
  ];
  return html`
    <${FactList} facts=${facts} tone="panel" />
  `;
}

function Review({ session, issued, tariffs, reload }) {
  const reasons = session.state === "review" ? session.review_reasons ?? [] : [];
  const { verdict } = session;
  if (!DECIDABLE.has(session.state) || session.origin === "import") return null;
  if (me.value.role === "reader" && !reasons.length && !verdict) return null;
  return html`
    <section class=${session.state === "review" ? "review" : "panel"} aria-labelledby="review">
      <h2 id="review">
        <${Icon} name="flag" />
        ${t(session.state === "review" ? "session.review" : "decide.title")}
      </h2>
      <ul>
        ${reasons.map(
          (reason) => html`
            <li key=${reason}>${tCode("review", reason)}</li>
          `,
        )}
        ${
          verdict &&
          html`
            <li>${tCode("verdict", verdict.kind, { reason: verdict.reason })}</li>
          `
        }
      </ul>
      ${
        issued.data
          ? html`
              <${Decisions} session=${session} issued=${issued.data.items} tariffs=${tariffs} reload=${reload} />
            `
          : issued.problem &&
            html`
              <${Pending} ...${issued} />
            `
      }
    </section>
  `;
}

function useSession(id) {
  const path = `/sessions/${seg(id)}`;
  const [session, price, curve] = [useResource(path), useResource(`${path}/price`), useResource(`${path}/curve`)];
  const issued = useResource(`/cdrs?session_id=${seg(id)}`);
  const documents = useResource(`/sessions/${seg(id)}/documents`);
  const payers = useResource(`${path}/payers`);
  const timeline = useTimeline(id);
  const pricePaced = usePaced(() => (price.load(), timeline.refresh()), PRICE_PAUSE_MS);
  const curvePaced = usePaced(curve.load, CURVE_PAUSE_MS);
  useLive("session", (changes) => {
    const fresh = changes.find((change) => change.id === id);
    if (!fresh) return;
    session.set((old) => old && { ...old, ...fresh });
    pricePaced();
    curvePaced();
  });
  useLive("reload", timeline.refresh);
  const version = session.data?.version;
  const seen = useRef(version);
  useEffect(() => {
    if (seen.current !== undefined && seen.current !== version) void (issued.load(), documents.load(), payers.load(), recount());
    seen.current = version;
  }, [version]);
  const reload = () => void (session.load(), timeline.refresh());
  return { session, price, curve, issued, documents, payers, timeline, reload };
}

export function SessionPage() {
  const { id } = route.value;
  const { session: resource, price, curve, issued, documents, payers, timeline, reload } = useSession(id);
  const tariffs = useResource("/tariffs?limit=500");
  const session = resource.data;
  if (!session)
    return html`
      <${Pending} ...${resource} />
    `;
  return html`
    <div class="page">
      <p class="crumbs"><a href="/sessions">${t("nav.sessions")}</a></p>
      <div class="session-head">
        <h1>
          <span class="id">${session.id}</span>
          <${CopyButton} text=${session.id} label=${t("session.copy_id")} />
          <${SessionBadge} session=${session} />
        </h1>
        <${Actions} actions=${actionsOf(session)} />
      </div>
      <${Numbers} session=${session} price=${price.data?.currency ? price.data : session.price} />
      <${Review}
        session=${session}
        issued=${issued}
        tariffs=${tariffs.data?.items ?? []}
        reload=${reload}
      />
      <div class="session-columns">
        <div class="session-main">
          ${
            curve.data
              ? html`
                  <${Curves} session=${session} curve=${curve.data} />
                `
              : html`
                  <${Pending} ...${curve} />
                `
          }
          <${Timeline} items=${timeline.items} complete=${timeline.complete} onMore=${timeline.more} />
        </div>
        <div class="session-side">
          ${
            price.data
              ? html`
                  <${Price} price=${price.data} />
                `
              : html`
                  <${Pending} ...${price} />
                `
          }
          <${Issued} issued=${issued.data?.items} />
          <${Documents} documents=${documents.data?.items} />
          <${Payers} parts=${payers.data?.items} />
          <${EnergyPanel} found=${session.energy} />
          <${Facts} session=${session} />
        </div>
      </div>
    </div>
  `;
}
