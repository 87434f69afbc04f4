// What does charging cost, from when on, and where?
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { fullInstant, instant, number } from "../format.js";
import { t } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { Icon } from "../parts/icons.js";
import { assign, mayPublish, placesOf, scopeOptions } from "../parts/publish.js";
import { Pending, useAll, useResource } from "../parts/resource.js";
import { Badge } from "../parts/state.js";
import { go, tariffPath } from "../router.js";

const COLUMNS = ["tariff", "applies", "currency", "valid_from", "versions"];

/** Which tariff applies where: from now on, for sessions that begin then. */
function assignAction(tariffs, sites, reload) {
  return {
    label: t("assign.title"),
    icon: "plug",
    explain: t("assign.explain"),
    disabled: !mayPublish(),
    stays: true,
    fields: [
      { name: "tariff", label: t("column.tariff"), options: tariffs.map((each) => [each.id, each.name ?? each.id]) },
      { name: "scope", label: t("assign.scope"), options: scopeOptions(sites) },
    ],
    run: async ({ tariff, scope }) => {
      await assign(tariff, scope);
      reload();
      return { kind: "good", text: t("assign.done") };
    },
  };
}

function Row({ tariff, places }) {
  const path = tariffPath(tariff.id);
  const isComing = Date.parse(tariff.valid_from) > nowMs.value;
  return html`
    <div class="tariff-row" role="row" onClick=${(event) => event.target.closest("a") || go(path)}>
      <span role="cell" class="c-tariff">
        <a href=${path}><b>${tariff.name ?? tariff.id}</b></a>
        ${
          tariff.name &&
          tariff.name !== tariff.id &&
          html`
            <small>${" "}${tariff.id}</small>
          `
        }
      </span>
      <span role="cell" class="c-applies">${places.length ? places.join(", ") : t("tariffs.nowhere")}</span>
      <span role="cell" class="c-currency">${tariff.currency ?? "–"}</span>
      <span role="cell" class="c-valid_from" title=${fullInstant(tariff.valid_from)}>
        ${
          isComing
            ? html`
                <${Badge} tone="accent" icon="clock">
                  ${t("tariffs.from", { time: instant(tariff.valid_from, { against: nowMs.value }) })}
                <//>
              `
            : instant(tariff.valid_from, { against: nowMs.value })
        }
      </span>
      <span role="cell" class="c-versions">${number(tariff.versions)}</span>
    </div>
  `;
}

export function TariffsPage() {
  const list = useAll("/tariffs");
  const assignments = useResource("/tariff-assignments?limit=500");
  const sites = useResource("/sites?limit=500");
  if (!list.data || !assignments.data)
    return html`
      <${Pending} ...${list.data ? assignments : list} />
    `;
  const places = sites.data?.items ?? [];
  const items = list.data;
  return html`
    <div class="page">
      <h1>${t("nav.tariffs")}</h1>
      <p class="lead">${t("tariffs.lead")}</p>
      <div class="toolbar">
        <a class="button primary" href="/tariff">
          <${Icon} name="plus" />
          ${t("tariffs.new")}
        </a>
        ${
          items.length > 0 &&
          html`
            <${Actions} actions=${[assignAction(items, places, assignments.load)]} />
          `
        }
      </div>
      <div class="list short" role="table" aria-label=${t("nav.tariffs")}>
        <div class="tariff-row head" role="row">
          ${COLUMNS.map(
            (name) => html`
              <span key=${name} role="columnheader" class="c-${name}">${t(`column.${name}`)}</span>
            `,
          )}
        </div>
        <div role="rowgroup">
          ${items.map(
            (tariff) => html`
              <${Row} key=${tariff.id} tariff=${tariff} places=${placesOf(tariff.id, assignments.data.items, places)} />
            `,
          )}
        </div>
        ${
          items.length === 0 &&
          html`
            <p class="calm">${t("tariffs.none")}</p>
          `
        }
      </div>
    </div>
  `;
}
