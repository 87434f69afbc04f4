// The console's drawings: 16 px, one stroke, in the colour of the text beside them.
import { html } from "../vendor/preact.js";

const PATHS = {
  overview: "M2.5 8.5 8 3l5.5 5.500M4 7.500V13h8V7.5",
  station:
    "M3.5 13.500v-9a2 2 0 0 1 2-2h2a2 2 0 0 1 2 2v9M2.5 13.500h8M5.5 6h2M9.5 9h1a1 1 0 0 1 1 1v1.200a1 1 0 0 0 2 0V6.500l-1.8-2",
  lobby: "M9 3h3.500v10H9M2.5 8h7M7 5.5 9.5 8 7 10.5",
  sessions: "M3 4h10M3 8h10M3 12h10",
  search: "M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9M10.3 10.3 13.5 13.5",
  bolt: "M9 2 4 9h4l-1 5 5-7H8z",
  pause: "M6 4v8M10 4v8",
  plug: "M6 2.500v3M10 2.500v3M4.5 5.500h7V8a3.5 3.5 0 0 1-7 0zM8 11.500v2",
  hold: "M8 2.5 13 5.500v5L8 13.5 3 10.500v-5zM6 8h4",
  clock: "M8 13.500a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11M8 5v3.200l2 1.3",
  check: "M3 8.5 6.5 12 13 4.5",
  flag: "M4 14V2.500h8l-2 3 2 3H4",
  cross: "M4 4l8 8M12 4l-8 8",
  dots: "M3.5 8h.010M8 8h.010M12.5 8h.01",
  stop: "M4 4h8v8H4z",
  unlock: "M4 7.500h8v6H4zM5.5 7.500V5a2.5 2.5 0 0 1 4.8-1",
  reset: "M12.5 8A4.5 4.5 0 1 1 11 4.600M11.5 2v3h-3",
  power: "M8 2.500v5M5 4.300a5 5 0 1 0 6 0",
  ask: "M3 3h10v7.500H8L5 13.500v-3H3z",
  key: "M6 10.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M8.5 8h5v2.500M11.5 8v2",
  plus: "M8 3v10M3 8h10",
  copy: "M6 6h7v7.500H6zM3 10V2.500h7",
  warning: "M8 2.5 14 13H2zM8 6.500v3M8 11.300h.01",
  person: "M8 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M3 13.500c.5-2.5 2.5-3.5 5-3.500s4.5 1 5 3.5",
  price: "M2.5 8.5V3.500a1 1 0 0 1 1-1h5l5 5-6 6zM5.5 5.500h.01",
  invoice: "M4 2.500h8V14l-2-1.200L8 14l-2-1.200L4 14zM6 5.500h4M6 8h4",
  next: "M6 3.5 10.5 8 6 12.5",
  in: "M13 8H4M7.5 4.5 4 8l3.5 3.5",
  out: "M3 8h9M8.5 4.5 12 8l-3.5 3.5",
  decision: "M8 2.5 13.5 8 8 13.5 2.5 8z",
};

/** One drawing; hidden from screen readers, as words always stand beside it. */
export function Icon({ name }) {
  return html`
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>
  `;
}
