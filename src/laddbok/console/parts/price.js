// What does it cost, and why? The total, its lines in words, when that was so, and what is odd about it.
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { energy, fullInstant, instant, money, number } from "../format.js";
import { said, t, tCode } from "../i18n.js";
import { Icon } from "./icons.js";

const MOST_QUARTERS = 4; // of a market price are told line by line

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
      <td class="figure">${line.pending ? t("price.pending") : money(amount, price.currency)}</td>
    </tr>
  `;
}

function Sum({ price }) {
  const { currency, excl_vat, incl_vat } = price;
  const split = excl_vat !== null && incl_vat !== null;
  const rates = [...new Set(price.lines.map((line) => line.vat_rate).filter(Boolean))];
  const isPending = price.lines.some((line) => line.pending);
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
        <td>${t(incl_vat === null && !isPending ? "price.total_excl" : "price.total")}</td>
        <td class="figure">${isPending ? t("price.pending") : money(incl_vat ?? excl_vat, currency)}</td>
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

export function Findings({ findings }) {
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

/** The quarters of a market price as one line that can be unfolded: a night has thirty of them. */
function Quarters({ lines, price }) {
  const amount = (line) => (price.tax_included ? line.incl_vat ?? line.excl_vat : line.excl_vat ?? line.incl_vat);
  const isPending = lines.some((line) => line.pending);
  const total = lines.reduce((sum, line) => difference(sum, negative(amount(line) ?? "0")), "0");
  const wh = lines.reduce((sum, line) => sum + line.quantity, 0);
  return html`
    <tr>
      <td>
        <b>${t("dimension.energy")}</b>
        <span class="why">${t("price.quarters", { n: number(lines.length), energy: energy(wh) })}</span>
        <details class="quarters">
          <summary class="soft">${t("price.each_quarter")}</summary>
          <p class="soft">${t("price.shares")}</p>
          <table>
            <tbody>
              ${lines.map(
                (line, index) => html`
                  <${Line} key=${index} line=${line} price=${price} />
                `,
              )}
            </tbody>
          </table>
        </details>
      </td>
      <td class="figure">${isPending ? t("price.pending") : money(total, price.currency)}</td>
    </tr>
  `;
}

const negative = (text) => (text.startsWith("-") ? text.slice(1) : `-${text}`);

/** The lines of a price and their sum. */
export function PriceTable({ price }) {
  const market = price.lines.filter((line) => line.parts);
  const quarters = market.length > MOST_QUARTERS ? market : [];
  return html`
    <table>
      <tbody>
        ${
          quarters.length > 0 &&
          html`
            <${Quarters} lines=${quarters} price=${price} />
          `
        }
        ${price.lines
          .filter((line) => !quarters.includes(line))
          .map(
            (line, index) => html`
              <${Line} key=${index} line=${line} price=${price} />
            `,
          )}
      </tbody>
      <${Sum} price=${price} />
    </table>
  `;
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
              <${PriceTable} price=${price} />
            `
          : html`
              <${NoPrice} reason=${price?.reason} />
            `
      }
      <${Findings} findings=${price?.findings} />
    </section>
  `;
}
