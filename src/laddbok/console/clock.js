// What time is it at the platform? In a demo its clock runs faster than ours.
import { signal } from "./vendor/preact.js";

const TICK_MS = 1_000;
let anchor = { platformMs: Date.now(), seenMs: Date.now(), speed: 1 };

/** The platform's time [ms], renewed each second; reading it in a component keeps that component current. */
export const nowMs = signal(Date.now());
/** How many times faster than ours, or null when it is the real time. */
export const demoSpeed = signal(null);

const estimate = () => anchor.platformMs + (Date.now() - anchor.seenMs) * anchor.speed;

/** Sets the clock from an overview {as_of, demo_speed}. */
export function setClock({ as_of, demo_speed }) {
  if (demo_speed !== undefined) demoSpeed.value = demo_speed;
  anchor = { platformMs: Date.parse(as_of), seenMs: Date.now(), speed: demoSpeed.value ?? 1 };
  nowMs.value = estimate();
}

setInterval(() => {
  if (!document.hidden) nowMs.value = estimate();
}, TICK_MS);
