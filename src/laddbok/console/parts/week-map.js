// What does a kWh cost, hour by hour? A week as rows of days, coloured by price, read by pointer, keyboard and in words.
import { html, useMemo, useState } from "../vendor/preact.js";
import { dayText, money, number, unitPrice } from "../format.js";
import { said, t } from "../i18n.js";
import { COLUMNS, STEPS, amountText, paid, perKwh, runsOf, scaleOf, sentences, swatches } from "../week.js";

const HOURS = [0, 3, 6, 9, 12, 15, 18, 21];
const ROOM_FOR_FIGURE = 8; // quarters

function look(run, grid, scale) {
  if (run.place === null) return "unpriced";
  const price = grid.prices[run.place];
  return price.pending ? "pending-price" : `c${scale.step(price)}`;
}

function Run({ run, grid, scale, id, current, onPoint }) {
  const price = run.place === null ? null : grid.prices[run.place];
  const rows = { 0: "1 / span 2", 1: "1", 2: "2" }[run.half];
  const figure = price && !price.pending && run.span >= ROOM_FOR_FIGURE && run.half === 0;
  return html`
    <span
      id=${id}
      role="gridcell"
      aria-selected=${current ? "true" : null}
      class="${look(run, grid, scale)} ${current ? "current" : ""}"
      style=${{ gridColumn: `${run.column + 1} / span ${run.span}`, gridRow: rows }}
      aria-label=${`${run.from}–${run.to} ${priceWords(price, grid)}`}
      onPointerEnter=${onPoint}
      onClick=${onPoint}
    >
      ${figure ? number(paid(price), 2) : ""}
    </span>
  `;
}

function priceWords(price, grid) {
  if (!price) return t("week.no_price");
  return price.pending ? t("week.not_known") : perKwh(paid(price), grid.currency);
}

/** What one run says: when, how much, on both sides of the VAT, why, and what a market price is made of. */
function Readout({ day, run, grid }) {
  if (!run)
    return html`
      <p class="readout soft">${t("week.point")}</p>
    `;
  const price = run.place === null ? null : grid.prices[run.place];
  const both = price && price.incl_vat !== null && price.excl_vat !== null && price.incl_vat !== price.excl_vat;
  const remarks = [
    both && t("week.before_vat", { price: unitPrice(price.excl_vat, grid.currency) }),
    price?.incl_vat === null && !price.pending && t("week.vat_unknown"),
    price?.restriction && said(price.restriction),
    price?.parts && !price.pending && partsText(price.parts),
    run.changes && t("week.changes"),
    run.half && t(run.half === 1 ? "week.first_pass" : "week.second_pass"),
  ].filter(Boolean);
  return html`
    <p class="readout" aria-live="polite">
      ${dayText(day.date, { long: true })}, ${run.from}–${run.to}:${" "}
      <b>${priceWords(price, grid)}</b>
      ${
        remarks.length
          ? html`
              <span class="soft">${" "}${remarks.join(" · ")}</span>
            `
          : null
      }
    </p>
  `;
}

function partsText(parts) {
  const told = ["spot", "markup", "grid", "energy_tax"].filter((name) => name === "spot" || Number(parts[name]));
  return told.map((name) => `${t(`part.${name}`)} ${number(parts[name], 2)}`).join(" + ");
}

function Legend({ grid, scale }) {
  const named = swatches(grid);
  const hasPending = grid.prices.some((price) => price.pending);
  const hasHole = grid.days.some((day) => day.cells.includes(null));
  const entries = [
    ...(named ?? []).map((price) => [`c${scale.step(price)}`, perKwh(paid(price), grid.currency)]),
    ...(hasPending ? [["pending-price", t("week.not_known")]] : []),
    ...(hasHole ? [["unpriced", t("week.no_price")]] : []),
  ];
  return html`
    <div class="week-legend">
      ${
        named === null &&
        html`
          <span class="ramp">
            ${money(scale.least, grid.currency)}
            ${Array.from(
              { length: STEPS },
              (_, step) => html`
                <i class="swatch c${step}"></i>
              `,
            )}
            ${amountText(grid)(scale.most)}
          </span>
        `
      }
      ${entries.map(
        ([name, words]) => html`
          <span>
            <i class="swatch ${name}"></i>
            ${words}
          </span>
        `,
      )}
      <span class="soft">${t(grid.prices.some((price) => price.incl_vat !== null) ? "week.with_vat" : "week.without_vat")}</span>
    </div>
  `;
}

/** Where the arrow keys lead from a place {day, run}: to the run beside it, or to the one at the same time of another day. */
function moved(place, key, rows) {
  const { day, run } = place ?? { day: 0, run: 0 };
  if (!place) return { day, run };
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (step) return { day, run: Math.min(rows[day].length - 1, Math.max(0, run + step)) };
  if (key === "Home") return { day, run: 0 };
  if (key === "End") return { day, run: rows[day].length - 1 };
  const other = Math.min(rows.length - 1, Math.max(0, day + (key === "ArrowUp" ? -1 : 1)));
  const { column } = rows[day][run];
  const at = rows[other].findIndex((each) => each.column + each.span > column);
  return { day: other, run: at < 0 ? rows[other].length - 1 : at };
}

const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

/** @param grid the answer of tariffs/week; `stale`: it is of an earlier draft */
export function WeekMap({ grid, stale }) {
  const rows = useMemo(() => grid.days.map(runsOf), [grid]);
  const scale = useMemo(() => scaleOf(grid), [grid]);
  const [place, setPlace] = useState(null);
  const at = place && rows[place.day]?.[place.run] ? place : null;
  const key = (event) => {
    if (!KEYS.has(event.key)) return;
    event.preventDefault();
    setPlace(moved(at, event.key, rows));
  };
  return html`
    <div class="week ${stale ? "stale" : ""}">
      <ul class="week-words">
        ${sentences(grid).map(
          (sentence) => html`
            <li key=${sentence}>${sentence}</li>
          `,
        )}
      </ul>
      <div
        class="week-map"
        role="grid"
        tabindex="0"
        aria-label=${t("week.label")}
        aria-activedescendant=${at ? `week-${at.day}-${at.run}` : null}
        onKeyDown=${key}
        onPointerLeave=${() => setPlace(null)}
      >
        <div class="week-hours" aria-hidden="true">
          ${HOURS.map(
            (hour) => html`
              <span key=${hour}>${String(hour).padStart(2, "0")}</span>
            `,
          )}
        </div>
        ${grid.days.map(
          (day, d) => html`
            <div class="week-day" role="row" key=${day.date}>
              <span role="rowheader">${dayText(day.date)}</span>
              <div class="week-cells" role="presentation" style=${{ gridTemplateColumns: `repeat(${COLUMNS}, minmax(0, 1fr))` }}>
                ${rows[d].map(
                  (run, r) => html`
                    <${Run}
                      key=${`${run.column} ${run.half}`}
                      id=${`week-${d}-${r}`}
                      run=${run}
                      grid=${grid}
                      scale=${scale}
                      current=${at?.day === d && at?.run === r}
                      onPoint=${() => setPlace({ day: d, run: r })}
                    />
                  `,
                )}
              </div>
            </div>
          `,
        )}
      </div>
      <${Readout} day=${at && grid.days[at.day]} run=${at && rows[at.day][at.run]} grid=${grid} />
      <${Legend} grid=${grid} scale=${scale} />
    </div>
  `;
}
