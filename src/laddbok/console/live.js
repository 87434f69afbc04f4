// How does the console stay live? One stream of server-sent events per page, handed on once per animation frame.
//
// Events of one object within a frame are merged: only the newest is handed on. After a lost connection or `lagged`
// the listeners of "reload" fetch afresh. A hidden page gives its connection back after a while, because a browser
// allows six per server over all its tabs.
import { signal, useEffect, useRef } from "./vendor/preact.js";
import { findMe, me } from "./api.js";

const STREAM = "/api/v1/events";
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 30_000;
const HIDDEN_CLOSE_MS = 60_000;
const KEYS = { session: "id", station: "station_id", overview: "as_of" };

/** connecting, open or lost. */
export const liveState = signal("connecting");

const listeners = { session: new Set(), station: new Set(), overview: new Set(), reload: new Set() };
const waiting = { session: new Map(), station: new Map(), overview: new Map() };
let source = null;
let address = null;
let retryMs = RETRY_FIRST_MS;
let retryTimer = 0;
let hiddenTimer = 0;
let frame = 0;
let wasLost = false;

function flush() {
  frame = 0;
  for (const [kind, changes] of Object.entries(waiting)) {
    if (!changes.size) continue;
    const newest = kind === "overview" ? [[...changes.values()].at(-1)] : [[...changes.values()]];
    changes.clear();
    for (const listener of listeners[kind]) listener(...newest);
  }
}

/** Takes in one event; it is handed on with the next animation frame. A price that was left out is not a missing one. */
export function receive(kind, object) {
  if (object.price_missing_reason === "omitted") {
    delete object.price;
    delete object.price_missing_reason;
  }
  waiting[kind].set(object[KEYS[kind]], object);
  frame ||= requestAnimationFrame(flush);
}

function reload() {
  for (const listener of listeners.reload) listener();
}

function opened() {
  liveState.value = "open";
  retryMs = RETRY_FIRST_MS;
  if (wasLost) reload();
  wasLost = false;
}

function lost() {
  liveState.value = "lost";
  wasLost = true;
  if (source?.readyState !== EventSource.CLOSED) return; // the browser itself tries again
  clearTimeout(retryTimer);
  retryTimer = setTimeout(reopen, retryMs);
  retryMs = Math.min(retryMs * 2, RETRY_MOST_MS);
}

async function reopen() {
  await findMe().catch(() => {});
  if (me.value && address) open();
}

function open() {
  source?.close();
  source = new EventSource(address);
  source.onopen = opened;
  source.onerror = lost;
  for (const kind of Object.keys(KEYS)) source.addEventListener(kind, (event) => receive(kind, JSON.parse(event.data)));
  source.addEventListener("lagged", () => {
    wasLost = true;
    source.close();
    lost();
  });
}

/** Opens the stream, of everything or narrowed to one session; the same address again changes nothing. */
export function connect(sessionId) {
  const wanted = sessionId ? `${STREAM}?session_id=${encodeURIComponent(sessionId)}` : STREAM;
  if (wanted === address) return;
  address = wanted;
  open();
}

export function disconnect() {
  clearTimeout(retryTimer);
  source?.close();
  source = address = null;
}

function visibilityChanged() {
  clearTimeout(hiddenTimer);
  if (!address) return;
  if (document.hidden) hiddenTimer = setTimeout(() => ((wasLost = true), source?.close()), HIDDEN_CLOSE_MS);
  else if (source?.readyState === EventSource.CLOSED) open();
}
document.addEventListener("visibilitychange", visibilityChanged);

/** While the component is shown, `listener` gets each frame's changed objects, the newest overview, or a reload. */
export function useLive(kind, listener) {
  const newest = useRef(listener);
  newest.current = listener;
  useEffect(() => {
    const stable = (...values) => newest.current(...values);
    listeners[kind].add(stable);
    return () => listeners[kind].delete(stable);
  }, [kind]);
}
