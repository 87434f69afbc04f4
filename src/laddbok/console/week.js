// What does a week of prices say at a glance? Runs of equal prices to draw, a scale of colours, and a sentence for each end.
import { money, number, unitPrice, weekday } from "./format.js";
import { t } from "./i18n.js";

export const COLUMNS = 96;
export const STEPS = 7;
const MOST_SWATCHES = 6;

const minutesOf = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const timeOf = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** What a driver pays per kWh: with VAT where that is known. */
export const paid = (price) => price.incl_vat ?? price.excl_vat ?? price.per_kwh;

/** The runs of a day: neighbouring quarters of one price, cut where the clock jumps. `half` 1 and 2: an hour that comes twice. */
export function runsOf(day) {
  const seen = new Map();
  for (const time of day.times) seen.set(time, (seen.get(time) ?? 0) + 1);
  const passed = new Set();
  const runs = [];
  day.times.forEach((time, i) => {
    const half = seen.get(time) === 1 ? 0 : passed.has(time) ? 2 : 1;
    passed.add(time);
    const column = minutesOf(time) / 15;
    const last = runs.at(-1);
    const goesOn = last && last.place === day.cells[i] && last.half === half && last.column + last.span === column;
    if (goesOn) last.span += 1;
    else runs.push({ place: day.cells[i], half, column, span: 1 });
    if (day.changes.includes(i)) runs.at(-1).changes = true;
  });
  return runs.map((run) => ({ ...run, from: timeOf(run.column * 15), to: timeOf((run.column + run.span) * 15) }));
}

/** The scale of a week: lowest and highest price that is known, and the step [0, STEPS) of each price; null: none. */
export function scaleOf(grid) {
  const known = grid.prices.filter((price) => !price.pending).map((price) => Number(paid(price)));
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const top = Math.min(STEPS - 1, new Set(known).size + 2); // few prices lie less far apart
  const step = (price) => {
    if (!price || price.pending) return null;
    return most === least ? 2 : Math.round(((Number(paid(price)) - least) / (most - least)) * top);
  };
  return { least, most, step, isKnown: known.length > 0 };
}

/** The prices of a week from the lowest to the highest, each once; null when there are too many to name. */
export function swatches(grid) {
  const byAmount = new Map();
  for (const price of grid.prices) if (!price.pending) byAmount.set(Number(paid(price)), price);
  if (byAmount.size > MOST_SWATCHES) return null;
  return [...byAmount.entries()].sort(([a], [b]) => a - b).map(([, price]) => price);
}

/** When a week's quarters fit a test, in words: "every day 22:00–06:00". */
export function whenOf(grid, fits) {
  const days = grid.days.map((day) => intervals(day, fits));
  const groups = [];
  days.forEach((found, i) => {
    const said = found.map(({ from, to }) => `${from}–${to}`).join(", ");
    if (!found.length) return;
    const words = said === "00:00–24:00" ? t("week.all_day") : said;
    const group = groups.find((each) => each.words === words);
    if (group) group.days.push(i);
    else groups.push({ words, days: [i] });
  });
  if (groups.length === 1 && groups[0].days.length === days.length) return t("week.every_day", { when: overMidnight(groups[0].words) });
  if (groups.length > 3) {
    const [{ words, days: [first] }] = groups;
    return t("week.among_others", { day: weekday(grid.days[first].date), when: words.split(", ")[0] });
  }
  return groups.map(({ words, days: of }) => `${spans(of, grid)} ${words}`).join("; ");
}

/** "00:00–06:00, 22:00–24:00" of every day is 22:00–06:00. */
function overMidnight(words) {
  const parts = words.split(", ");
  if (parts.length < 2 || !parts[0].startsWith("00:00–") || !parts.at(-1).endsWith("–24:00")) return words;
  return [...parts.slice(1, -1), `${parts.at(-1).split("–")[0]}–${parts[0].split("–")[1]}`].join(", ");
}

/** The names of days, three or more in a row as a span: "Fri, Mon–Thu". */
function spans(indexes, grid) {
  const rows = [];
  for (const i of indexes) {
    if (rows.length && rows.at(-1).at(-1) === i - 1) rows.at(-1).push(i);
    else rows.push([i]);
  }
  const name = (i) => weekday(grid.days[i].date);
  const said = (row) => (row.length > 2 ? `${name(row[0])}–${name(row.at(-1))}` : row.map(name).join(", "));
  return rows.map(said).join(", ");
}

/** The stretches of a day that fit, by the clock: {from, to}. */
function intervals(day, fits) {
  const found = [];
  day.times.forEach((time, i) => {
    if (!fits(day.cells[i])) return;
    const to = day.times[i + 1] ?? "24:00";
    if (i > 0 && fits(day.cells[i - 1])) found.at(-1).to = to;
    else found.push({ from: time, to });
  });
  return found;
}

/** What a week says in sentences: when it is cheap, when dear, what is not priced, what is not known yet. */
export function sentences(grid) {
  const { least, most, isKnown } = scaleOf(grid);
  const amountOf = (place) => (place === null || grid.prices[place].pending ? null : Number(paid(grid.prices[place])));
  const said = amountText(grid);
  const hasHole = grid.days.some((day) => day.cells.includes(null));
  const isAll = !hasHole && grid.prices.every((price) => !price.pending);
  const found = [];
  if (isKnown && least === most) {
    const when = isAll ? t("week.always") : whenOf(grid, (place) => amountOf(place) === least);
    found.push(t("week.one_price", { price: said(least), when }));
  } else if (isKnown) {
    found.push(t("week.cheapest", { price: said(least), when: whenOf(grid, (place) => amountOf(place) === least) }));
    found.push(t("week.dearest", { price: said(most), when: whenOf(grid, (place) => amountOf(place) === most) }));
  }
  if (hasHole) found.push(t("week.unpriced", { when: whenOf(grid, (place) => place === null) }));
  const pending = grid.days.flatMap((day) => day.cells).filter((place) => place !== null && grid.prices[place].pending).length;
  if (pending) found.push(t(isKnown ? "week.pending" : "week.all_pending", { hours: number(pending / 4, pending % 4 ? 2 : 0) }));
  return found;
}

/** How an amount of this week is written: to the last digit where there are few prices, else to the minor unit. */
export const amountText = (grid) => {
  const write = swatches(grid) === null ? money : unitPrice;
  return (amount) => `${write(amount, grid.currency)}/kWh`;
};

export const perKwh = (amount, currency) => `${unitPrice(amount, currency)}/kWh`;
