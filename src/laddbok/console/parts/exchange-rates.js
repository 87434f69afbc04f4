// What is a currency worth today, and how do new rates come in?
import { html, useRef, useState } from "../vendor/preact.js";
import { upload } from "../api.js";
import { failure } from "../commands.js";
import { day, exact, number } from "../format.js";
import { t } from "../i18n.js";
import { mayBill } from "./finance.js";
import { Icon } from "./icons.js";
import { useResource } from "./resource.js";

function TakeIn({ onDone }) {
  const file = useRef();
  const [told, setTold] = useState(null);
  const send = async () => {
    const [chosen] = file.current.files;
    if (!chosen) return;
    setTold({ text: t("payments.importing") });
    const answer = await upload("/exchange-rates/import", chosen).catch((problem) => ({ problem }));
    file.current.value = "";
    if (answer.problem) return setTold({ kind: "bad", text: failure(answer.problem).text });
    const counts = { n: number(answer.new), changed: number(answer.changed), booked: number(answer.booked) };
    setTold({ kind: "good", text: t("rates.taken_in", counts) });
    return onDone();
  };
  return html`
    <div class="import">
      <label class="button">
        <${Icon} name="in" />
        ${t("rates.import")}
        <input ref=${file} class="hidden" type="file" accept=".xml,.csv,text/xml,text/csv" onChange=${send} />
      </label>
      <p class=${told?.kind ?? ""} role="status">${told?.text ?? ""}</p>
    </div>
  `;
}

/** Args: onTakenIn, called when new rates are there: entries may have come into the books by them. */
export function ExchangeRates({ onTakenIn }) {
  const rates = useResource("/exchange-rates/last");
  if (!rates.data) return null;
  const done = () => {
    rates.load();
    onTakenIn();
  };
  return html`
    <section class="rates">
      <div class="toolbar">
        <h2>${t("rates.title")}</h2>
        ${
          mayBill() &&
          html`
            <${TakeIn} onDone=${done} />
          `
        }
      </div>
      ${
        rates.data.length
          ? html`
              <details>
                <summary>${t("rates.last", { n: number(rates.data.length) })}</summary>
                <div class="panel flush">
                  <table class="fin">
                    <thead>
                      <tr>
                        <th>${t("seller.currency")}</th>
                        <th class="figure">${t("rates.rate")}</th>
                        <th>${t("ledger.date")}</th>
                        <th class="opt">${t("rates.source")}</th>
                      </tr>
                    </thead>
                    <tbody>
                      ${rates.data.map(
                        (each) => html`
                          <tr key=${`${each.base} ${each.currency}`}>
                            <td>${each.currency}</td>
                            <td class="figure">1 ${each.base} = ${exact(each.rate)}</td>
                            <td class="date">${day(each.day)}</td>
                            <td class="opt">${each.source}</td>
                          </tr>
                        `,
                      )}
                    </tbody>
                  </table>
                </div>
              </details>
            `
          : html`
              <p class="calm">${t("rates.none")}</p>
            `
      }
    </section>
  `;
}
