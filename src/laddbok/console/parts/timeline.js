// What happened, in plain words: every frame and decision, with the raw frame one click away.
//
// A run of meter readings is one line that opens, so that the story stays readable when a charge has a thousand of them.
import { html, useState } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { fullInstant, instant, number } from "../format.js";
import { said, t } from "../i18n.js";
import { Icon } from "./icons.js";

const SHORTEST_RUN = 4;
const LATE_MS = 60_000; // worth telling: a frame that came so much later than its own stamp
const ICONS = { decision: "decision", command: "out" };

const PERIODIC = /"triggerReason"\s*:\s*"MeterValue/;
const isReading = ({ kind, action, raw }) =>
  kind === "frame" && (action === "MeterValues" || (action === "TransactionEvent" && PERIODIC.test(raw ?? "")));

const clockTime = (at) => instant(at, { against: nowMs.peek(), seconds: true });

/** Items with runs of meter readings put together: [item] or [reading, reading, ...]. */
export function grouped(items) {
  const groups = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (isReading(item) && last && isReading(last[0])) last.push(item);
    else groups.push([item]);
  }
  return groups.flatMap((group) => (group.length < SHORTEST_RUN ? group.map((item) => [item]) : [group]));
}

function pretty(raw) {
  if (raw === null || raw === undefined || raw === "") return null;
  try {
    return JSON.stringify(typeof raw === "string" ? JSON.parse(raw) : raw, null, 2);
  } catch {
    return String(raw);
  }
}

function Raw({ title, text }) {
  return (
    text &&
    html`
      <p class="soft">${title}</p>
      <pre tabindex="0">${text}</pre>
    `
  );
}

function Late({ item }) {
  const late = item.at && item.received_at && Date.parse(item.received_at) - Date.parse(item.at) > LATE_MS;
  return (
    late &&
    html`
      <span class="soft">
        ${" · "}${t("timeline.late", { time: instant(item.received_at, { against: Date.parse(item.at), seconds: true }) })}
      </span>
    `
  );
}

function Item({ item }) {
  const [open, setOpen] = useState(false);
  const at = item.at ?? item.received_at;
  const icon = ICONS[item.kind] ?? (item.direction === "o" || item.direction === "out" ? "out" : "in");
  return html`
    <details class="event ${item.kind}" onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <time title=${fullInstant(at)}>${clockTime(at)}</time>
        <${Icon} name=${icon} />
        <span class="words">
          ${said(item.text) || item.action}
          <${Late} item=${item} />
        </span>
        <span class="action">${item.kind === "decision" ? "" : item.action}</span>
      </summary>
      ${
        open &&
        html`
          <div class="raw">
            <${Raw} title=${t(`timeline.${item.kind}`)} text=${pretty(item.raw)} />
            <${Raw} title=${t("timeline.answer")} text=${pretty(item.answer)} />
            ${
              item.epoch !== undefined &&
              item.epoch !== null &&
              html`
                <p class="soft">${t("timeline.position", { epoch: item.epoch, seq: item.seq })}</p>
              `
            }
          </div>
        `
      }
    </details>
  `;
}

/** A run of readings: its newest in words, all of them when opened. */
function Run({ items, newestFirst }) {
  const [open, setOpen] = useState(false);
  const [first, last] = [items[0], items.at(-1)];
  return html`
    <li class="run">
      <button type="button" class="quiet" aria-expanded=${open} onClick=${() => setOpen(!open)}>
        <time title=${fullInstant(first.at)}>${clockTime(first.at)}</time>
        <${Icon} name="next" />
        <span class="words">
          ${t("timeline.readings", { n: number(items.length), time: clockTime(last.at) })}${" "}
          <span class="soft">${said(last.text)}</span>
        </span>
      </button>
      ${
        open &&
        html`
          <ol>
            ${(newestFirst ? items.toReversed() : items).map(
              (item) => html`
                <li key=${`${item.epoch} ${item.seq} ${item.kind}`}><${Item} item=${item} /></li>
              `,
            )}
          </ol>
        `
      }
    </li>
  `;
}

export function Timeline({ items, complete, onMore }) {
  const [newestFirst, setNewestFirst] = useState(false);
  const groups = grouped(items);
  const shown = newestFirst ? groups.toReversed() : groups;
  const draw = (group) =>
    group.length > 1
      ? html`
          <${Run} key=${`run ${group[0].epoch} ${group[0].seq}`} items=${group} newestFirst=${newestFirst} />
        `
      : html`
          <li key=${`${group[0].kind} ${group[0].epoch} ${group[0].seq} ${group[0].at}`}>
            <${Item} item=${group[0]} />
          </li>
        `;
  return html`
    <section class="panel timeline" aria-labelledby="timeline">
      <h2 id="timeline">
        ${t("timeline.title")}
        <button type="button" class="quiet aside" onClick=${() => setNewestFirst(!newestFirst)}>
          ${t(newestFirst ? "timeline.oldest_first" : "timeline.newest_first")}
        </button>
      </h2>
      ${
        items.length === 0 &&
        html`
          <p class="calm">${complete ? t("timeline.none") : t("loading")}</p>
        `
      }
      <ol>
        ${shown.map(draw)}
      </ol>
      ${
        !complete &&
        html`
          <button type="button" onClick=${onMore}>${t("more")}</button>
        `
      }
    </section>
  `;
}
