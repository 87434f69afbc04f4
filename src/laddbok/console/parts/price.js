// What does it cost, and why? The total, its lines in words, when that was so, and what is odd about it.
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { fullInstant, instant, money, number } from "../format.js";
import { said, t, tCode } from "../i18n.js";
import { Icon } from "./icons.js";

/** A percentage from a decimal string ("25", "25.00"). */
const rate = (text) => number(Number(text), Number.isInteger(Number(text)) ? 0 : 2);

/** A line in the tariff's own terms: before VAT when its prices are, so that quantity x price is what stands there. */
function Line({ line, price }) {
  const amount = price.tax_included ? line.incl_vat ?? line.excl_vat : line.excl_vat ?? line.incl_vat;
  const when =
    line.start_at &&
    `${instant(line.start_at, { against: nowMs.peek() })}–${instant(line.end_at, { against: Date.parse(line.start_at) })}`;
  return html`
    <tr>
      <td>
        <b>${tCode("dimension", line.dimension)}</b>
        <span class="why">${said(line.text)}</span>
        ${
          when &&
          html`
            <span class="soft">${when}</span>
          `
        }
      </td>
      <td class="figure">${money(amount, price.currency)}</td>
    </tr>
  `;
}

function Sum({ price }) {
  const { currency, excl_vat, incl_vat } = price;
  const split = excl_vat !== null && incl_vat !== null;
  const rates = [...new Set(price.lines.map((line) => line.vat_rate).filter(Boolean))];
  const words = rates.length === 1 ? t("price.vat_rate", { rate: rate(rates[0]) }) : t("price.vat");
  return html`
    <tfoot>
      ${
        split &&
        html`
          <tr class="minor">
            <td>${t("price.excl_vat")}</td>
            <td class="figure">${money(excl_vat, currency)}</td>
          </tr>
          <tr class="minor">
            <td>${words}</td>
            <td class="figure">${money(difference(incl_vat, excl_vat), currency)}</td>
          </tr>
        `
      }
      <tr class="total">
        <td>${t(incl_vat === null ? "price.total_excl" : "price.total")}</td>
        <td class="figure">${money(incl_vat ?? excl_vat, currency)}</td>
      </tr>
    </tfoot>
  `;
}

/** The exact difference of two decimal strings, as a decimal string. */
export function difference(a, b) {
  const digits = Math.max(...[a, b].map((text) => (text.split(".")[1] ?? "").length));
  const whole = (text) => {
    const [units, decimals = ""] = text.replace("-", "").split(".");
    return BigInt(units + decimals.padEnd(digits, "0")) * (text.startsWith("-") ? -1n : 1n);
  };
  const value = whole(a) - whole(b);
  const text = String(value < 0n ? -value : value).padStart(digits + 1, "0");
  const sign = value < 0n ? "-" : "";
  return digits ? `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}` : sign + text;
}

function Findings({ findings }) {
  if (!findings?.length) return null;
  return html`
    <ul class="findings">
      ${findings.map(
        (finding) => html`
          <li key=${finding.code}>
            <${Icon} name="warning" />
            ${said(finding.text) || tCode("review", finding.code)}
          </li>
        `,
      )}
    </ul>
  `;
}

const NoPrice = ({ reason }) => html`
  <p class="no-price">
    <${Icon} name="warning" />
    ${tCode("no_price", reason ?? "unknown")}
  </p>
`;

function asOf({ final, as_of }) {
  const time = instant(as_of, { against: nowMs.peek(), seconds: true });
  return t(final ? "price.fixed_at" : "as_of", { time });
}

/** @param price the answer of sessions/{id}/price: the price, or {price: null, reason} */
export function Price({ price }) {
  const known = price && price.currency;
  return html`
    <section class="panel price" aria-labelledby="price">
      <h2 id="price">${t(!known ? "column.price" : price.final ? "price.final" : "price.so_far")}</h2>
      ${
        known
          ? html`
              <p class="soft" title=${fullInstant(price.as_of)}>
                ${asOf(price)}${" · "}${t("price.tariff", price.tariff)}
              </p>
              <table>
                <tbody>
                  ${price.lines.map(
                    (line, index) => html`
                      <${Line} key=${index} line=${line} price=${price} />
                    `,
                  )}
                </tbody>
                <${Sum} price=${price} />
              </table>
            `
          : html`
              <${NoPrice} reason=${price?.reason} />
            `
      }
      <${Findings} findings=${price?.findings} />
    </section>
  `;
}
