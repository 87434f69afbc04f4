// What waits for a person? Sessions in review, the oldest first, with what would be billed and how sure that is.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get } from "../api.js";
import { nowMs } from "../clock.js";
import { duration, energy, fullInstant, money, number } from "../format.js";
import { t, tCode } from "../i18n.js";
import { useLive } from "../live.js";
import { ConfidenceBadge } from "../parts/energy.js";
import { Icon } from "../parts/icons.js";
import { Pending, usePaced, useResource } from "../parts/resource.js";
import { Badge } from "../parts/state.js";
import { go, route, sessionPath, withQuery } from "../router.js";
import { waiting } from "../waiting.js";

const PAGE = 50;
const MOST = 500; // a list that was grown page by page is fetched anew in one go
const RELOAD_PAUSE_MS = 2_000;
const COLUMNS = ["reasons", "session", "station", "token", "age", "proposal", "confidence"];

function Filters({ query, review, sites }) {
  const set = (name, value) => go(withQuery("/review", { ...query, [name]: value }), { replace: true });
  return html`
    <form class="filters" onSubmit=${(event) => event.preventDefault()}>
      <label class="filter wide">
        <span>${t("column.reasons")}</span>
        <select value=${query.reason ?? ""} onChange=${(event) => set("reason", event.target.value)}>
          <option value="">${t("review_page.all", { n: number(review.total) })}</option>
          ${review.counts.map(
            ({ reason, sessions }) => html`
              <option key=${reason} value=${reason}>${`${tCode("review", reason)} (${number(sessions)})`}</option>
            `,
          )}
        </select>
      </label>
      <label class="filter">
        <span>${t("column.site")}</span>
        <select value=${query.site_id ?? ""} onChange=${(event) => set("site_id", event.target.value)}>
          <option value="">${t("filter.all")}</option>
          ${sites.map(
            (site) => html`
              <option key=${site.id} value=${site.id}>${site.name}</option>
            `,
          )}
        </select>
      </label>
    </form>
  `;
}

function Proposal({ proposal }) {
  const { price } = proposal;
  return html`
    <span class="c-proposal" role="cell">
      <b>${energy(proposal.energy_wh)}</b>
      <span class="soft">
        ${
          price
            ? money(price.incl_vat ?? price.excl_vat, price.currency)
            : tCode("no_price_short", proposal.price_missing_reason ?? "unknown")
        }
      </span>
    </span>
  `;
}

function Row({ item }) {
  const path = sessionPath(item.session_id);
  const open = (event) => event.target.closest("a") || getSelection().toString() || go(path);
  return html`
    <div class="review-row" role="row" onClick=${open}>
      <span class="c-reasons" role="cell">
        ${item.reasons.map(
          (reason) => html`
            <span key=${reason}>${tCode("review", reason)}</span>
          `,
        )}
        ${
          item.decided_by &&
          html`
            <${Badge} tone="accent" icon="dots">${t("review_page.decided", { person: item.decided_by })}<//>
          `
        }
      </span>
      <span class="c-session" role="cell"><a class="id" href=${path}>${item.session_id}</a></span>
      <span class="c-station" role="cell" title=${item.station_id}>
        ${item.station_id}
        <span class="soft">${" · "}${item.evse_id ?? "–"}</span>
      </span>
      <span class="c-token" role="cell" title=${item.id_token ?? ""}>${item.id_token ?? "–"}</span>
      <span class="c-age" role="cell" title=${fullInstant(item.proposal.ended_at ?? item.proposal.started_at)}>
        ${duration(nowMs.value - Date.parse(item.proposal.ended_at ?? item.proposal.started_at))}
      </span>
      <${Proposal} proposal=${item.proposal} />
      <span class="c-confidence" role="cell">
        ${
          item.energy
            ? html`
                <${ConfidenceBadge} confidence=${item.energy.confidence} />
              `
            : "–"
        }
      </span>
    </div>
  `;
}

function List({ items }) {
  return html`
    <div class="list short" role="table" aria-label=${t("nav.review")} aria-rowcount=${items.length + 1}>
      <div class="review-row head" role="row">
        ${COLUMNS.map(
          (name) => html`
            <span class="c-${name}" role="columnheader" key=${name}>${t(`column.${name}`)}</span>
          `,
        )}
      </div>
      <div role="rowgroup">
        ${items.map(
          (item) => html`
            <${Row} key=${item.session_id} item=${item} />
          `,
        )}
      </div>
    </div>
  `;
}

/** Settled sessions of which later messages tell otherwise; nothing is shown when there are none. */
function Corrections({ items }) {
  if (!items.length) return null;
  return html`
    <section>
      <h2>${t("corrections.title")}</h2>
      <p class="soft">${t("corrections.lead")}</p>
      <ul class="plain">
        ${items.map(
          (item) => html`
            <li key=${item.session_id}>
              <a class="id" href=${sessionPath(item.session_id)}>${item.session_id}</a>
              ${" "}${t("corrections.item", { billed: energy(item.energy_wh), told: energy(item.told_wh) })}${" "}
              <span class="soft">${item.station_id} · ${fullInstant(item.at)}</span>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}

/** The list as far as it was opened, and again when the platform tells of a change: {…resource, more, busy}. */
function useReview(query) {
  const path = withQuery("/review", query);
  const [size, setSize] = useState(PAGE);
  const list = useResource(withQuery("/review", { ...query, limit: size }));
  const [shown, setShown] = useState(null);
  useEffect(() => setSize(PAGE), [path]);
  useEffect(() => list.data && setShown({ path, data: list.data }), [list.data]);
  const paced = usePaced(list.load, RELOAD_PAUSE_MS);
  useEffect(paced, [waiting.value]);
  useLive("session", (changes) => changes.some(({ state }) => state === "review") && paced());
  const data = list.data ?? (shown?.path === path ? shown.data : null); // a longer page does not blank the one that is there
  return { ...list, data, more: () => setSize((now) => Math.min(MOST, now + PAGE)), busy: !list.data };
}

export function ReviewPage() {
  const { query } = route.value;
  const review = useReview(query);
  const sites = useResource("/sites");
  const orphans = useResource("/orphans?limit=1");
  const corrections = useResource(withQuery("/corrections", { site_id: query.site_id }));
  if (!review.data)
    return html`
      <${Pending} ...${review} />
    `;
  const { items, next, total } = review.data;
  return html`
    <div class="page">
      <h1>
        ${t("nav.review")}
        <span class="as-of">${number(total)}</span>
      </h1>
      <p class="lead">${t("review_page.lead")}</p>
      <div class="toolbar">
        <${Filters} query=${query} review=${review.data} sites=${sites.data?.items ?? []} />
        <a class="button" href="/orphans">
          <${Icon} name="ask" />
          ${t("orphans.title")}${
            orphans.data?.items.length
              ? html`
                  <i class="mark" title=${t("orphans.some")}></i>
                `
              : null
          }
        </a>
      </div>
      ${
        items.length
          ? html`
              <${List} items=${items} />
            `
          : html`
              <section>
                <p class="calm">
                  <${Icon} name="check" />
                  ${t(total ? "review_page.none_here" : "review_page.none")}
                </p>
              </section>
            `
      }
      <${Corrections} items=${corrections.data?.items ?? []} />
      ${
        next &&
        items.length < MOST &&
        html`
          <button type="button" disabled=${review.busy} onClick=${review.more}>${t("more")}</button>
        `
      }
    </div>
  `;
}
