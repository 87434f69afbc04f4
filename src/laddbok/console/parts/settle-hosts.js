// What does each host get for a month? First it is seen, then it is kept.
import { html, useState } from "../vendor/preact.js";
import { get, write } from "../api.js";
import { nowMs } from "../clock.js";
import { failure } from "../commands.js";
import { energy, month as monthName, number } from "../format.js";
import { t } from "../i18n.js";
import { hostPath, invoicePath, withQuery } from "../router.js";
import { Actions } from "./actions.js";
import { Amount, Choice, useSeller } from "./finance.js";
import { Icon } from "./icons.js";

const MONTHS = 14;

/** The months that are over, the newest first. */
function overMonths() {
  const now = new Date(nowMs.peek());
  return Array.from({ length: MONTHS }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back - 1, 1)).toISOString().slice(0, 7),
  );
}

function Host({ each }) {
  return html`
    <tr>
      <td>
        <a href=${hostPath(each.host_id)}>${each.name}</a>
        ${each.in_the_way.map(
          ({ field, reason }, place) => html`
            <p class="doubt" key=${place}>
              <${Icon} name="warning" />
              <span class="break">${field}: ${reason}</span>
            </p>
          `,
        )}
      </td>
      <td class="figure opt">${number(each.sessions)}</td>
      <td class="figure opt">${energy(each.energy_wh)}</td>
      <${Amount} value=${each.payable} currency=${each.currency} />
      <td>
        ${
          each.invoice_id
            ? html`
                <a href=${invoicePath(each.invoice_id)}>${t("host.statement")}</a>
              `
            : ""
        }
      </td>
    </tr>
  `;
}

function Hosts({ items }) {
  if (!items.length)
    return html`
      <p class="calm">${t("host.none_to_settle")}</p>
    `;
  return html`
    <table class="fin">
      <thead>
        <tr>
          <th>${t("host.host")}</th>
          <th class="figure opt">${t("column.sessions")}</th>
          <th class="figure opt">${t("dimension.energy")}</th>
          <th class="figure">${t("billing.payable")}</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${items.map(
          (each) => html`
            <${Host} key=${each.host_id} each=${each} />
          `,
        )}
      </tbody>
    </table>
  `;
}

function settleAction(seen, onKept) {
  const free = seen.items.filter(({ in_the_way }) => !in_the_way.length).length;
  return {
    label: t("host.settle"),
    icon: "check",
    primary: true,
    disabled: !free,
    explain: t("host.settle_explain", { n: number(free), month: monthName(seen.month) }),
    stays: true,
    run: async () => {
      const { seller_id, month } = seen;
      onKept(await write("POST", "/host-settlements", { seller_id, month }));
      return { kind: "good", text: t("host.is_settled") };
    },
  };
}

/** Args: onKept, called when statements were made. */
export function SettleHosts({ onKept }) {
  const [wanted, setWanted] = useState({});
  const [seen, setSeen] = useState(null);
  const [trouble, setTrouble] = useState("");
  const { sellers, seller } = useSeller(wanted);
  const months = overMonths();
  const month = wanted.month ?? months[0];
  if (!seller) return null;
  const choose = (change) => (setWanted({ ...wanted, ...change }), setSeen(null));
  const look = () =>
    get(withQuery("/host-settlements", { seller_id: seller.id, month })).then(
      (told) => (setTrouble(""), setSeen(told)),
      (problem) => setTrouble(failure(problem).text),
    );
  const kept = (told) => (setSeen(told), onKept());
  return html`
    <section class="panel settle">
      <h2>${t("host.settle_title")}</h2>
      <div class="toolbar">
        <div class="filters">
          <${Choice} label=${t("column.seller")} value=${seller.id} options=${sellers.map(({ id, name }) => [id, name])} onChange=${(seller_id) => choose({ seller_id })} wide=${true} />
          <${Choice} label=${t("column.month")} value=${month} options=${months.map((each) => [each, monthName(each)])} onChange=${(value) => choose({ month: value })} />
        </div>
        <button type="button" class="look" onClick=${look}>
          <${Icon} name="search" />
          ${t("billing.look")}
        </button>
      </div>
      <p class="trouble" role="alert">${trouble}</p>
      ${
        seen &&
        html`
          <${Hosts} items=${seen.items} />
          <${Actions} actions=${seen.final || !seen.items.length ? [] : [settleAction(seen, kept)]} />
        `
      }
    </section>
  `;
}
