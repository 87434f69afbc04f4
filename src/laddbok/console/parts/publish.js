// How does a draft become what charging costs? It says what will happen, asks once, and old versions stay as they were.
import { html } from "../vendor/preact.js";
import { me, write } from "../api.js";
import { nowMs } from "../clock.js";
import { fullInstant, instant } from "../format.js";
import { t } from "../i18n.js";
import { tariffPath } from "../router.js";
import { Actions } from "./actions.js";
import { Badge } from "./state.js";

export const mayPublish = () => me.value.role === "administrator";

/** Where a tariff applies, in words: the default, and sites, stations and contracts by name. */
export function placesOf(id, assignments, sites) {
  const mine = assignments.filter((each) => each.tariff_id === id);
  const name = ({ scope, scope_id }) => sites.find((site) => scope === "site" && site.id === scope_id)?.name ?? scope_id;
  const words = (each) => (each.scope === "default" ? t("tariffs.default") : t(`scope.${each.scope}`, { name: name(each) }));
  return mine.map(words);
}

/** The choices of where a tariff shall apply, as "scope id". */
export const scopeOptions = (sites) => [
  ["default ", t("tariffs.default")],
  ...sites.map((site) => [`site ${site.id}`, t("scope.site", { name: site.name })]),
];

/** Lets a tariff apply in a scope written as "site torget". */
export function assign(tariffId, scopeText) {
  const [scope, scope_id] = [scopeText.split(" ")[0], scopeText.slice(scopeText.indexOf(" ") + 1)];
  return write("PUT", "/tariff-assignments", { scope, scope_id, tariff_id: tariffId });
}

function explained({ id, versions, starts, places, isFirst }) {
  const number = (versions.at(-1)?.version ?? 0) + 1;
  const isLater = starts && Date.parse(starts) > nowMs.peek();
  const begins = isLater ? Date.parse(starts) : nowMs.peek();
  const next = versions.find(({ valid_from }) => Date.parse(valid_from) > begins);
  const parts = [
    t(isLater ? "publish.later" : "publish.now", { number, id, time: isLater ? fullInstant(starts) : "" }),
    ...(next ? [t("publish.then", { number: next.version, time: fullInstant(next.valid_from) })] : []),
    t("publish.sessions"),
    places.length
      ? t("publish.applies", { places: places.join(", ") })
      : t(isFirst ? "publish.first" : "publish.nowhere"),
  ];
  return parts.join(" ");
}

/** @param draft {id, text(): the JSON to post, starts}; `onDone(posted)` after it is posted */
export function Publish({ draft, versions, places, isFirst, sites, blocked, onDone }) {
  const unchanged = places.length || isFirst ? t("publish.as_is") : t("tariffs.nowhere");
  const action = {
    label: t("publish.title"),
    verb: t("publish.verb"),
    icon: "check",
    primary: true,
    stays: true,
    disabled: blocked || !mayPublish(),
    explain: explained({ ...draft, versions, places, isFirst }),
    fields: [{ name: "scope", label: t("publish.scope"), options: [["", unchanged], ...scopeOptions(sites)] }],
    run: async ({ scope }) => {
      const posted = await write("POST", "/tariffs", draft.text());
      if (scope) await assign(posted.id, scope);
      onDone(posted);
      return { kind: "good", text: "" }; // the page that follows says it
    },
  };
  return html`
    <div class="publish">
      <${Actions} actions=${[action]} />
      ${
        !mayPublish() &&
        html`
          <p class="soft">${t("publish.may_not")}</p>
        `
      }
    </div>
  `;
}

/** Whether a version holds now, is still to come, or was followed by another one. */
export function standing(versions, version, now) {
  const begun = versions.filter(({ valid_from }) => Date.parse(valid_from) <= now);
  const newest = begun.reduce((best, each) => (!best || Date.parse(each.valid_from) >= Date.parse(best.valid_from) ? each : best), null);
  if (Date.parse(version.valid_from) > now) return "coming";
  return newest?.version === version.version ? "holds" : "past";
}

const TONES = { holds: ["good", "check"], coming: ["accent", "clock"], past: ["quiet", "dots"] };

export function Versions({ id, versions, shown }) {
  if (!versions.length) return null;
  const now = nowMs.value;
  return html`
    <section class="panel versions" aria-labelledby="versions">
      <h2 id="versions">${t("versions.title")}</h2>
      <p class="soft">${t("versions.lead")}</p>
      <ol>
        ${[...versions].reverse().map((each) => {
          const state = standing(versions, each, now);
          return html`
            <li key=${each.version}>
              <a href=${tariffPath(id, String(each.version))} aria-current=${shown === each.version ? "true" : null}>
                ${t("versions.name", { number: each.version })}
              </a>
              <${Badge} tone=${TONES[state][0]} icon=${TONES[state][1]}>${t(`version_state.${state}`)}<//>
              <span class="soft" title=${fullInstant(each.received_at)}>
                ${t("versions.from", { time: instant(each.valid_from, { against: now }) })}
                ${each.posted_by && ` · ${t("versions.by", { person: each.posted_by })}`}
              </span>
            </li>
          `;
        })}
      </ol>
    </section>
  `;
}
