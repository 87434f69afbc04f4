// One curve over time, with what the outlet did as shades behind it.
import { html, useEffect, useLayoutEffect, useRef } from "../vendor/preact.js";
import uPlot from "../vendor/uplot.js";
import { number } from "../format.js";
import { language } from "../i18n.js";
import { activityTone } from "./state.js";

const DARK = matchMedia("(prefers-color-scheme: dark)");
const HEADROOM = 1.1;
const STRIPE_PX = 3;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Shades each charging period, with a stronger stripe at the foot. */
function shade(plot, periods) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { start_at, end_at, activity } of periods) {
    const from = Math.max(bbox.left, plot.valToPos(Date.parse(start_at), "x", true));
    const to = Math.min(bbox.left + bbox.width, plot.valToPos(Date.parse(end_at), "x", true));
    if (to <= from) continue;
    const tone = activityTone(activity);
    const stripe = STRIPE_PX * devicePixelRatio;
    ctx.fillStyle = color(`${tone}-bg`);
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.fillStyle = color(tone);
    ctx.fillRect(from, bbox.top + bbox.height - stripe, to - from, stripe);
  }
  ctx.restore();
}

const clockFace = (ms) =>
  new Intl.DateTimeFormat(language.value === "sv" ? "sv-SE" : "en-GB", { hour: "2-digit", minute: "2-digit" }).format(
    ms,
  );

function axes(unit) {
  const common = { stroke: color("text-2"), font: "11px system-ui, sans-serif", ticks: { show: false }, gap: 6 };
  const digits = (splits) => (splits.every(Number.isInteger) ? 0 : splits[1] < 0.1 ? 2 : 1);
  return [
    { ...common, grid: { show: false }, size: 26, space: 70, values: (_, splits) => splits.map(clockFace) },
    {
      ...common,
      grid: { stroke: color("line"), width: 1 },
      size: 56,
      space: 32,
      values: (_, splits) =>
        splits.map((value, index) => number(value, digits(splits)) + (index === splits.length - 1 ? ` ${unit}` : "")),
    },
  ];
}

function options({ unit, tone, sync, least, view, onCursor }, width, height) {
  return {
    width,
    height,
    ms: 1,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { sync: { key: sync }, drag: { x: false, y: false }, y: false, points: { size: 7, fill: color(tone) } },
    scales: {
      x: { range: () => view.current.span },
      y: { range: (_, __, most) => [0, Math.max(least, (most ?? 0) * HEADROOM)] },
    },
    axes: axes(unit),
    series: [
      {},
      { stroke: color(tone), width: 1.75, fill: `${color(tone)}1f`, points: { show: false }, spanGaps: true },
    ],
    hooks: {
      drawClear: [(plot) => shade(plot, view.current.periods)],
      setCursor: [(plot) => onCursor?.(plot.cursor.idx ?? null)],
    },
  };
}

/**
 * @param data [[ms...], [value...]] in the unit shown
 * @param span [from, to] in ms: the time axis
 * @param least the y axis reaches at least so far
 */
export function Chart({ data, span, periods, unit, tone, sync, least, height, label, onCursor }) {
  const box = useRef();
  const plot = useRef(null);
  const view = useRef({ span, periods });
  view.current = { span, periods };
  const newest = useRef(data);
  newest.current = data;
  const spoken = language.value;
  useEffect(() => {
    const build = () => {
      plot.current?.destroy();
      const all = { unit, tone, sync, least, view, onCursor };
      plot.current = new uPlot(options(all, box.current.clientWidth, height), newest.current, box.current);
    };
    const sizes = new ResizeObserver(() => plot.current.setSize({ width: box.current.clientWidth, height }));
    build();
    sizes.observe(box.current);
    DARK.addEventListener("change", build);
    return () => (DARK.removeEventListener("change", build), sizes.disconnect(), plot.current.destroy());
  }, [unit, tone, height, spoken]);
  useLayoutEffect(() => plot.current?.setData(data), [data, span[0], span[1]]);
  return html`
    <div class="chart" ref=${box} role="img" aria-label=${label}></div>
  `;
}
