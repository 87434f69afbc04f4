// How do figures and instants read? In the reader's language and time zone, units always with them.
import { language } from "./i18n.js";

const LOCALES = { sv: "sv-SE", en: "en-GB" };
export const NONE = "–";
const SPACE = "\u00a0";
const MOST_FORMATS = 100;
const formats = new Map();

function formatOf(Kind, options) {
  const key = `${Kind.name}${language.value}${JSON.stringify(options)}`;
  if (formats.size > MOST_FORMATS) formats.clear();
  if (!formats.has(key)) formats.set(key, new Kind(LOCALES[language.value], options));
  return formats.get(key);
}

export function number(value, digits = 0) {
  return formatOf(Intl.NumberFormat, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** A decimal of the platform with as many digits as it has. */
export const exact = (text) => number(Number(text), (String(text).split(".")[1] ?? "").length);

/** A number as people type it ("4 321,55 kr", "25 %"), as the platform reads it; null: nothing was typed. */
export function typedNumber(text) {
  const bare = (text ?? "").replace(/\s/g, "");
  // "kr" alone is wrong, not nothing: nothing may mean all there is.
  return bare.replace(/(?<=\d)(kr|%)$/i, "").replace(",", ".") || null;
}

/** Energy [Wh] as [figure, unit]. */
export function energyParts(energy_wh) {
  if (energy_wh === null || energy_wh === undefined) return [NONE, ""];
  if (Math.abs(energy_wh) >= 1e7) return [number(energy_wh / 1e6, 2), "MWh"];
  return [number(energy_wh / 1000, Math.abs(energy_wh) >= 1e6 ? 0 : 2), "kWh"];
}

/** Power [W] as [figure, unit]. */
export function powerParts(power_w) {
  if (power_w === null || power_w === undefined) return [NONE, ""];
  if (Math.abs(power_w) >= 1e6) return [number(power_w / 1e6, 2), "MW"];
  return [number(power_w / 1000, 1), "kW"];
}

const joined = (parts) => parts.filter(Boolean).join(SPACE);
export const energy = (energy_wh) => joined(energyParts(energy_wh));
export const power = (power_w) => joined(powerParts(power_w));

/** A decimal string in a currency; formatted from the text, so that no digit is lost. */
export function money(amount, currency) {
  if (amount === null || amount === undefined) return NONE;
  return formatOf(Intl.NumberFormat, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(amount);
}

/** A price per unit: as money, with up to four decimals where it has them. */
export function unitPrice(amount, currency) {
  if (amount === null || amount === undefined) return NONE;
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 4 };
  return formatOf(Intl.NumberFormat, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...digits }).format(amount);
}

/** A date without a time ("2026-05-04"), with its weekday. */
export const dayText = (date, { long = false } = {}) =>
  formatOf(Intl.DateTimeFormat, { weekday: long ? "long" : "short", ...DAY, timeZone: "UTC" }).format(new Date(date));

/** The short name of a date's weekday. */
export const weekday = (date) => formatOf(Intl.DateTimeFormat, { weekday: "short", timeZone: "UTC" }).format(new Date(date));

export const percent = (value, digits = 0) =>
  value === null || value === undefined ? NONE : `${number(value, digits)}${SPACE}%`;

const TIME = { hour: "2-digit", minute: "2-digit" };
const TIME_S = { ...TIME, second: "2-digit" };
const DAY = { day: "numeric", month: "short" };

/** An instant: the time alone when it is on the same day as `against` [ms], else with its date. */
export function instant(at, { against = null, seconds = false } = {}) {
  if (!at) return NONE;
  const date = new Date(at);
  const other = against === null ? null : new Date(against);
  const sameDay = other && date.toDateString() === other.toDateString();
  const year = other && date.getFullYear() !== other.getFullYear() ? { year: "numeric" } : {};
  return formatOf(Intl.DateTimeFormat, {
    ...(sameDay ? {} : { ...DAY, ...year }),
    ...(seconds ? TIME_S : TIME),
  }).format(date);
}

/** An instant in full, with its zone: what a tooltip shows. */
export function fullInstant(at) {
  return at
    ? formatOf(Intl.DateTimeFormat, { ...DAY, year: "numeric", ...TIME_S, timeZoneName: "short" }).format(new Date(at))
    : "";
}

/** A length of time [ms], in its two largest units. */
export function duration(length_ms) {
  if (!Number.isFinite(length_ms)) return NONE;
  const s = Math.max(0, Math.round(length_ms / 1000));
  const [d, h, min] = [Math.floor(s / 86_400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${d}${SPACE}d ${h}${SPACE}h`;
  if (h) return `${h}${SPACE}h ${String(min).padStart(2, "0")}${SPACE}min`;
  return min ? `${min}${SPACE}min` : `${s}${SPACE}s`;
}

/** The reader's time zone, by name. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A day of the calendar ("2026-10-31"), the same in every zone. */
export function day(text) {
  if (!text) return NONE;
  const options = { ...DAY, year: "numeric", timeZone: "UTC" };
  return formatOf(Intl.DateTimeFormat, options).format(new Date(`${text.slice(0, 10)}T00:00:00Z`));
}

/** A month ("2026-10"). */
export const month = (text) =>
  formatOf(Intl.DateTimeFormat, { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${text}-01T00:00:00Z`));
