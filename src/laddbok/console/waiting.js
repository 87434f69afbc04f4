// How many sessions wait for a person? The figure beside "Review" in the navigation.
import { signal } from "./vendor/preact.js";
import { get } from "./api.js";
import { setClock } from "./clock.js";

/** Sessions in review; null: not known yet. */
export const waiting = signal(null);

/** Takes in an overview: its counts, and the platform's time. */
export function takeOverview(overview) {
  waiting.value = overview.sessions.review;
  setClock(overview);
}

/** Asks anew: the stream of one session does not tell the counts. */
export const recount = () => get("/overview").then(takeOverview, () => {});
