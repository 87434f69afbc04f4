// What does the clock show at a site, and which instant is that?

const FIELDS = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const formats = new Map();

function formatOf(timeZone) {
  if (!formats.has(timeZone)) formats.set(timeZone, new Intl.DateTimeFormat("en-GB", { ...FIELDS, timeZone }));
  return formats.get(timeZone);
}

/** The wall time of an instant [ms] in a zone, as a field for local time takes it: 2026-05-04T17:30. */
export function wallTime(at_ms, timeZone) {
  const parts = Object.fromEntries(formatOf(timeZone).formatToParts(at_ms).map(({ type, value }) => [type, value]));
  return `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/** The instant [ms] at which a zone's clock shows this; of an hour that comes twice the first one. NaN: no time. */
export function instantOf(wall, timeZone) {
  const wanted = Date.parse(`${wall}:00Z`);
  if (Number.isNaN(wanted)) return NaN;
  const offset = (at) => Date.parse(`${wallTime(at, timeZone)}:00Z`) - at;
  const day = 86_400_000;
  const candidates = [offset(wanted - day), offset(wanted + day)].map((ms) => wanted - ms);
  return Math.min(...candidates.filter((at) => wallTime(at, timeZone) === wall), Math.max(...candidates));
}

/** The date after so many days: ("2026-05-04", 7) is "2026-05-11". */
export const dateAfter = (date, days) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
