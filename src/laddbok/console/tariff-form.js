// How does a form become a tariff document, and which documents can a form show?
//
// The document is the truth. A form shows one only if it writes the same document again; what it doesn't know at the top
// is carried along. `build` also tells which field of the form stands behind each path of the document.
import { exactNumber, isNumber, textOf } from "./exact-json.js";

export const KINDS = ["fixed", "windows", "tiers", "spot", "none"];
export const WEEKDAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
const MOST_DIFFERENCES = 5;
const MOST_ID = 36;
const LETTERS = { å: "a", ä: "a", ö: "o", é: "e", ü: "u", æ: "a", ø: "o" };
const SHOWN = new Set(
  "id currency type tax_included elements min_price max_price laddbok start_date_time tariff_alt_text last_updated".split(" "),
);
const OURS = new Set(["idle", "spot", "subscription"]);

export const EMPTY_WINDOW = { from: "22:00", to: "06:00", days: [], price: "" };
export const EMPTY_ADDITION = { per_kwh: "", from: "", to: "", days: [], since: "", until: "" };
export const EMPTY_FORM = {
  id: "", name: "", type: "", language: "sv", currency: "SEK", tax: "YES", vat: "25", kind: "fixed", price: "",
  windows: [EMPTY_WINDOW], tiers: [{ to_kwh: "", price: "" }],
  spot: { zone: "SE3", markup: "", grid: [EMPTY_ADDITION], energy_tax: [EMPTY_ADDITION] },
  flat: "", time: "", idle: { per_min: "", grace_min: "", cap: "", exempt: [], until: "transaction" },
  min: "", max: "", month_fee: "", included: [{ to_kwh: "", per_kwh: "" }], starts: "", kept: {}, kept_ours: {},
};

/** An id that a name suggests: "Natt och dag" is natt-och-dag. */
export const idOf = (name) =>
  name.toLowerCase().replace(/[^a-z0-9]/g, (letter) => LETTERS[letter] ?? "-").replace(/-+/g, "-").replace(/^-|-$/g, "").slice(0, MOST_ID);

/** A typed number with a point; blanks between digits go. */
export const plain = (typed) => typed.replace(/[\s\u00a0]/g, "").replace(",", ".").replace("−", "-");
const numberOf = (typed) => exactNumber(plain(typed));
const isTyped = (typed) => plain(typed ?? "") !== "";
/** A market price has no VAT in it, so a tariff that uses it is written without. */
export const taxOf = (form) => (form.kind === "spot" && form.tax === "YES" ? "NO" : form.tax);

/** The document of a form, and which field stands behind each path: {document, places}. */
export function build(form) {
  const places = [["id", "id"], ["currency", "currency"], ["type", "type"], ["start_date_time", "starts"], ["tax_included", "tax"]];
  const elements = [...pricedElements(form, places)];
  const ours = { ...form.kept_ours, ...idleOf(form, places), ...spotOf(form, places), ...subscriptionOf(form, places) };
  const document = {
    ...form.kept,
    id: form.id,
    currency: form.currency,
    ...(form.type ? { type: form.type } : {}),
    ...(form.name ? { tariff_alt_text: [{ language: form.language, text: form.name }] } : {}),
    ...(form.tax === "absent" ? {} : { tax_included: taxOf(form) }),
    ...limitsOf(form, places),
    ...(form.starts ? { start_date_time: form.starts } : {}),
    elements,
    ...(Object.keys(ours).length ? { laddbok: ours } : {}),
  };
  return { document, places };
}

/** The field of the form in which a path of the document was typed; null: none. */
export function placeOf({ form, places }, path) {
  const found = innermost(places, path);
  const isHidden = found === "price" && ["spot", "none"].includes(form.kind);
  return isHidden ? null : found;
}

function innermost(places, path) {
  const fits = places.filter(([prefix]) => path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`));
  return fits.sort(([a], [b]) => b.length - a.length)[0]?.[1] ?? null;
}

function* pricedElements(form, places) {
  let number = 0;
  const vat = isTyped(form.vat) ? { vat: numberOf(form.vat) } : {};
  const component = (type, typed) => ({ type, price: numberOf(typed), ...vat, step_size: exactNumber("1") });
  const special = { windows: windowElements, tiers: tierElements }[form.kind]?.(form) ?? [];
  for (const [field, restrictions, typed] of special) {
    places.push([`elements[${number}].price_components[0]`, `${field}.price`]);
    places.push([`elements[${number}].price_components[0].vat`, "vat"], [`elements[${number}]`, field]);
    number += 1;
    yield { price_components: [component("ENERGY", typed)], ...(Object.keys(restrictions).length ? { restrictions } : {}) };
  }
  const energy = ["fixed", "windows", "tiers"].includes(form.kind) ? form.price : "";
  const others = [["ENERGY", "price", energy], ["TIME", "time", form.time], ["FLAT", "flat", form.flat]];
  const base = others.filter(([, , typed]) => isTyped(typed));
  base.forEach(([, field], i) => places.push([`elements[${number}].price_components[${i}]`, field]));
  base.forEach((_, i) => places.push([`elements[${number}].price_components[${i}].vat`, "vat"]));
  places.push(["elements", "price"]);
  if (base.length) yield { price_components: base.map(([type, , typed]) => component(type, typed)) };
}

const windowElements = (form) =>
  form.windows.map((each, i) => [`windows.${i}`, hoursOf(each), each.price]).filter(([, , typed]) => isTyped(typed));

const tierElements = (form) =>
  form.tiers
    .map((each, i) => [`tiers.${i}`, isTyped(each.to_kwh) ? { max_kwh: numberOf(each.to_kwh) } : {}, each.price])
    .filter(([, , typed]) => isTyped(typed));

const hoursOf = ({ from, to, days }) => ({
  ...(from ? { start_time: from } : {}),
  ...(to ? { end_time: to } : {}),
  ...(days.length ? { day_of_week: WEEKDAYS.filter((day) => days.includes(day)) } : {}),
});

function idleOf({ idle }, places) {
  if (!isTyped(idle.per_min)) return {};
  const [grace_s, cap] = [isTyped(idle.grace_min), isTyped(idle.cap)];
  places.push(["laddbok.idle", "idle.per_min"], ["laddbok.idle.grace_s", "idle.grace_min"], ["laddbok.idle.cap", "idle.cap"]);
  idle.exempt.forEach((_, i) => places.push([`laddbok.idle.exempt[${i}]`, `idle.exempt.${i}`]));
  const terms = {
    per_min: numberOf(idle.per_min),
    ...(grace_s ? { grace_s: secondsOf(idle.grace_min) } : {}),
    ...(cap ? { cap: numberOf(idle.cap) } : {}),
    ...(idle.exempt.length ? { exempt: idle.exempt.map(hoursOf) } : {}),
    ...(idle.until === "transaction" ? {} : { until: idle.until }),
  };
  return { idle: terms };
}

/** Typed minutes in whole seconds; what is no number stays as it is. */
function secondsOf(typed) {
  const seconds = Number(plain(typed)) * 60;
  return Number.isFinite(seconds) ? exactNumber(String(Math.round(seconds))) : typed;
}

function spotOf(form, places) {
  if (form.kind !== "spot") return {};
  const { zone, markup } = form.spot;
  places.push(["laddbok.spot", "kind"], ["laddbok.spot.vat", "vat"]);
  for (const name of ["zone", "markup", "grid", "energy_tax"]) places.push([`laddbok.spot.${name}`, `spot.${name}`]);
  const additions = (name) => {
    const typed = form.spot[name].map((each, i) => [each, i]).filter(([each]) => isTyped(each.per_kwh));
    typed.forEach(([, i], n) => places.push([`laddbok.spot.${name}[${n}]`, `spot.${name}.${i}`]));
    return typed.length ? { [name]: typed.map(([each]) => additionOf(each)) } : {};
  };
  const spot = {
    zone,
    ...(isTyped(markup) ? { markup: numberOf(markup) } : {}),
    ...additions("grid"),
    ...additions("energy_tax"),
    ...(isTyped(form.vat) ? { vat: numberOf(form.vat) } : {}),
  };
  return { spot };
}

const additionOf = (each) => ({
  per_kwh: numberOf(each.per_kwh),
  ...(each.since ? { start_date: each.since } : {}),
  ...(each.until ? { end_date: each.until } : {}),
  ...hoursOf(each),
});

function subscriptionOf({ month_fee, included }, places) {
  const typed = included.map((each, i) => [each, i]).filter(([each]) => isTyped(each.to_kwh));
  if (!isTyped(month_fee) && !typed.length) return {};
  places.push(["laddbok.subscription", "month_fee"], ["laddbok.subscription.tiers", "included.0"]);
  typed.forEach(([, i], n) => places.push([`laddbok.subscription.tiers[${n}]`, `included.${i}`]));
  const tiers = typed.map(([each]) => ({ to_kwh: numberOf(each.to_kwh), per_kwh: numberOf(each.per_kwh || "0") }));
  const subscription = {
    ...(isTyped(month_fee) ? { month_fee: numberOf(month_fee) } : {}),
    ...(tiers.length ? { tiers } : {}),
  };
  return { subscription };
}

function limitsOf(form, places) {
  places.push(["min_price", "min"], ["max_price", "max"]);
  const found = {};
  if (isTyped(form.min)) found.min_price = limitOf(form, form.min, Math.floor);
  if (isTyped(form.max)) found.max_price = limitOf(form, form.max, Math.ceil);
  return found;
}

/** A limit with VAT also needs one before it: rounded so that the one that was typed is the one that counts. */
function limitOf(form, typed, round) {
  const vat = Number(plain(form.vat) || 0);
  const amount = Number(plain(typed));
  if (taxOf(form) !== "YES" || !Number.isFinite(vat + amount)) return { before_taxes: numberOf(typed) };
  const tenThousandths = (amount * 1_000_000) / (100 + vat);
  const near = Math.round(tenThousandths);
  const before = Math.abs(tenThousandths - near) < 1e-6 ? near : round(tenThousandths);
  return { before_taxes: exactNumber(trimmed((before / 10_000).toFixed(4))), after_taxes: numberOf(typed) };
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** The form that shows a document, and the paths that it can't show: {form, missing}. `comma`: write decimals with one. */
export function read(document, { comma = false } = {}) {
  const shown = (value) => (value === undefined || value === null ? "" : comma ? textOf(value).replace(".", ",") : textOf(value));
  const form = { ...EMPTY_FORM, ...topOf(document, shown), ...energyOf(document, shown) };
  const idle = document.laddbok?.idle;
  if (idle) {
    form.idle = {
      per_min: shown(idle.per_min),
      grace_min: idle.grace_s ? shown(trimmed((Number(textOf(idle.grace_s)) / 60).toFixed(3))) : "",
      cap: shown(idle.cap),
      exempt: listOf(idle.exempt).map(readHours),
      until: idle.until ?? "transaction",
    };
  }
  const subscription = document.laddbok?.subscription;
  if (subscription) {
    form.month_fee = shown(subscription.month_fee);
    const tiers = listOf(subscription.tiers).map((each) => ({ to_kwh: shown(each?.to_kwh), per_kwh: shown(each?.per_kwh) }));
    form.included = tiers.length ? tiers : EMPTY_FORM.included;
  }
  return { form, missing: differences(canonical(document, form), canonical(build(form).document, form)) };
}

const listOf = (value) => (Array.isArray(value) ? value : []);

const readHours = (given) => ({
  from: given?.start_time ?? "",
  to: given?.end_time === "24:00" ? "00:00" : (given?.end_time ?? ""),
  days: listOf(given?.day_of_week),
});

function topOf(document, shown) {
  const names = listOf(document.tariff_alt_text);
  const isNamed = names.length === 1;
  const rest = (object, known) => Object.fromEntries(Object.entries(object ?? {}).filter(([key]) => !known.has(key)));
  const limit = (given) => shown(given?.after_taxes ?? given?.incl_vat ?? given?.before_taxes ?? given?.excl_vat);
  const vats = listOf(document.elements).flatMap((element) => listOf(element?.price_components).map((each) => each?.vat));
  return {
    id: textOf(document.id),
    currency: textOf(document.currency),
    type: textOf(document.type),
    name: isNamed ? textOf(names[0]?.text) : "",
    language: isNamed ? textOf(names[0]?.language) : "sv",
    tax: document.tax_included ?? "absent",
    vat: shown(document.laddbok?.spot ? document.laddbok.spot.vat : vats[0]),
    min: limit(document.min_price),
    max: limit(document.max_price),
    starts: textOf(document.start_date_time),
    kept: { ...rest(document, SHOWN), ...(isNamed || !names.length ? {} : { tariff_alt_text: names }) },
    kept_ours: rest(document.laddbok, OURS),
  };
}

function energyOf(document, shown) {
  const elements = listOf(document.elements);
  const last = elements.at(-1);
  const isBase = last && !Object.keys(last.restrictions ?? {}).length;
  const special = isBase ? elements.slice(0, -1) : elements;
  const priceOf = (element, type) => shown(listOf(element?.price_components).find((each) => each?.type === type)?.price);
  const found = isBase ? { price: priceOf(last, "ENERGY"), flat: priceOf(last, "FLAT"), time: priceOf(last, "TIME") } : {};
  const spot = document.laddbok?.spot;
  if (spot) {
    const read = (given) => ({ per_kwh: shown(given?.per_kwh), ...readHours(given), since: given?.start_date ?? "", until: given?.end_date ?? "" });
    const additions = (given) => (listOf(given).length ? listOf(given).map(read) : [EMPTY_ADDITION]);
    const terms = { zone: spot.zone, markup: shown(spot.markup), grid: additions(spot.grid), energy_tax: additions(spot.energy_tax) };
    return { ...found, kind: "spot", spot: terms };
  }
  if (special.some((element) => element?.restrictions?.max_kwh !== undefined)) {
    const tiers = special.map((element) => ({ to_kwh: shown(element?.restrictions?.max_kwh), price: priceOf(element, "ENERGY") }));
    return { ...found, kind: "tiers", tiers };
  }
  if (special.length) {
    const windows = special.map((element) => ({ ...readHours(element?.restrictions), price: priceOf(element, "ENERGY") }));
    return { ...found, kind: "windows", windows };
  }
  return { ...found, kind: found.price || !isBase ? "fixed" : "none" };
}

const LIMIT_NAMES = { excl_vat: "before_taxes", incl_vat: "after_taxes" };
/** What a tariff means when it says nothing: to say so changes nothing. */
const DEFAULTS = { step_size: ["0", "1"], grace_s: ["0"], markup: ["0"], month_fee: ["0"], until: ["transaction"], tax_included: ["NO"] };

/** A document without what makes no difference, so that two of them can be compared. */
function canonical(value, form, key = "") {
  if (Array.isArray(value)) {
    const all = value.map((each) => canonical(each, form, key));
    // Each component prices a dimension of its own, so their order says nothing.
    return key === "price_components" ? all.sort((a, b) => String(a?.type).localeCompare(String(b?.type))) : all;
  }
  if (value === null || typeof value !== "object") return leaf(value, key);
  const kept = {};
  for (const [name, given] of Object.entries(value)) {
    if (given === null || ["last_updated", ""].includes(name)) continue;
    const said = canonical(given, form, name);
    const isEmpty = typeof said === "object" && !Object.keys(said).length;
    const isOwnRate = name === "vat" && ["idle", "subscription"].includes(key) && said === leaf(plain(form.vat), "vat");
    if (isEmpty || isOwnRate || DEFAULTS[name]?.includes(said)) continue;
    kept[key.endsWith("_price") ? (LIMIT_NAMES[name] ?? name) : name] = said;
  }
  return kept;
}

function leaf(value, key) {
  if (key === "end_time" && value === "24:00") return "00:00";
  const text = textOf(value);
  const isFigure = (isNumber(value) || !["id", "text", "name"].includes(key)) && /^-?\d+(\.\d+)?$/.test(text);
  return isFigure ? trimmed(text) : value;
}

/** The paths at which two canonical values part, the first few of them. */
function differences(one, other, path = "") {
  if (JSON.stringify(one) === JSON.stringify(other)) return [];
  const bothAre = (test) => test(one) && test(other);
  const isTable = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  let found = [path || "document"];
  if (bothAre(Array.isArray) && one.length === other.length) {
    found = one.flatMap((each, i) => differences(each, other[i], `${path}[${i}]`));
  } else if (bothAre(Array.isArray)) {
    const parting = one.map((_, i) => i).filter((i) => differences(one[i], other[i]).length);
    found = parting.length ? parting.map((i) => `${path}[${i}]`) : [path];
  } else if (bothAre(isTable)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    found = keys.flatMap((key) => differences(one[key], other[key], path ? `${path}.${key}` : key));
  }
  return found.slice(0, MOST_DIFFERENCES);
}
