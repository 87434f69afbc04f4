// How does the console talk to the platform? JSON over the same API that everybody else uses.
import { signal } from "./vendor/preact.js";
import { parseExact } from "./exact-json.js";

const BASE = "/api/v1";
const TIME_LIMIT_MS = 45_000; // a command may wait 30 s for its station

/** Who is logged in: undefined = not asked yet, null = nobody. */
export const me = signal(undefined);

/** What went wrong, as the platform said it (problem+json), or as we saw it (status 0: no connection). */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.field = body.field;
  }
}

/** Args: body, a value, or JSON text or a file that is sent as it is. read, how the answer's text is read. */
async function call(method, path, body, headers = {}, read = JSON.parse) {
  const request = {
    method,
    headers: { accept: "application/json", ...headers },
    signal: AbortSignal.timeout(TIME_LIMIT_MS),
  };
  if (body !== undefined) {
    const isRaw = typeof body === "string" || body instanceof Blob;
    request.body = isRaw ? body : JSON.stringify(body);
    request.headers["content-type"] = body instanceof Blob ? "application/octet-stream" : "application/json";
  }
  let response;
  try {
    response = await fetch(BASE + path, request);
  } catch (reason) {
    throw new Problem(0, { detail: String(reason.message ?? reason) });
  }
  const text = await response.text().catch(() => "");
  if (response.ok) return text ? read(text) : {};
  if (response.status === 401 && path !== "/login") me.value = null;
  throw new Problem(response.status, problemOf(text));
}

function problemOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

export const get = (path) => call("GET", path);
/** The same, its numbers as they were written (exact-json.js). */
export const getExact = (path) => call("GET", path, undefined, {}, parseExact);

/** Writes: marked against forged requests, and with a key so that a repeated one acts once. */
export function write(method, path, body = {}) {
  return call(method, path, body, { "x-laddbok": "1", "idempotency-key": randomKey() });
}

/** Sends a file as it is. */
export function upload(path, file) {
  return call("POST", path, file, { "x-laddbok": "1" });
}

/** 128 random bits in hex; crypto.randomUUID exists only where the page is served over TLS or from this machine. */
export function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function findMe() {
  try {
    me.value = await get("/me");
  } catch (problem) {
    if (problem.status !== 401) throw problem;
  }
}

export async function logIn(person, password) {
  me.value = await write("POST", "/login", { person, password });
}

export async function logOut() {
  await write("POST", "/logout").catch(() => {});
  me.value = null;
}

export const seg = encodeURIComponent;
