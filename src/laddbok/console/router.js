// Which page is shown? The address decides: a path and its query, nothing else.
import { signal } from "./vendor/preact.js";

const PAGES = [
  [/^\/$/, "overview"],
  [/^\/stations$/, "stations"],
  [/^\/station$/, "station"],
  [/^\/lobby$/, "lobby"],
  [/^\/sessions$/, "sessions"],
  [/^\/sessions\/([^/]+)$/, "session"],
  [/^\/review$/, "review"],
  [/^\/orphans$/, "orphans"],
  [/^\/tariffs$/, "tariffs"],
  [/^\/tariff$/, "tariff-editor"],
  [/^\/billing$/, "billing"],
  [/^\/invoices$/, "invoices"],
  [/^\/invoices\/([^/]+)$/, "invoice"],
  [/^\/payments$/, "payments"],
  [/^\/deliveries$/, "deliveries"],
  [/^\/ledger$/, "ledger"],
  [/^\/customers$/, "customers"],
  [/^\/customers\/([^/]+)$/, "customer"],
  [/^\/contracts$/, "contracts"],
  [/^\/contracts\/([^/]+)$/, "contract"],
  [/^\/statements$/, "statements"],
  [/^\/statement$/, "statement"],
  [/^\/new-statement$/, "new-statement"],
  [/^\/apartments$/, "apartments"],
  [/^\/hosts$/, "hosts"],
  [/^\/hosts\/([^/]+)$/, "host"],
  [/^\/sellers\/([^/]+)$/, "seller"],
  [/^\/password$/, "password"],
];

/** The page an address names: {page, id, query}. A station's identity may contain dots, so it is in the query. */
export function parse(url) {
  const query = Object.fromEntries(url.searchParams);
  for (const [pattern, page] of PAGES) {
    const found = pattern.exec(url.pathname);
    if (found) return { page, id: found[1] ? safeDecode(found[1]) : query.id, query };
  }
  return { page: "missing", query };
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = signal(parse(new URL(location.href)));

/** Goes to an address of the console; `replace` leaves no entry in the history. */
export function go(path, { replace = false } = {}) {
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  route.value = parse(new URL(location.href));
  if (!replace) window.scrollTo(0, 0);
}

export const stationPath = (id) => `/station?id=${encodeURIComponent(id)}`;
export const tariffPath = (id, version) => withQuery("/tariff", { id, version });
export const invoicePath = (id) => `/invoices/${encodeURIComponent(id)}`;
export const customerPath = (id) => `/customers/${encodeURIComponent(id)}`;
/** Where one reads of who pays: who paid at once without a contract is known by the session. */
export const payerPath = (id) => (id.startsWith("session/") ? sessionPath(id.slice(8)) : customerPath(id));
export const contractPath = (id) => `/contracts/${encodeURIComponent(id)}`;
export const hostPath = (id) => `/hosts/${encodeURIComponent(id)}`;
export const sessionPath = (id) => `/sessions/${encodeURIComponent(id)}`;

/** An address with those query values that are set. */
export function withQuery(path, values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return query.size ? `${path}?${query}` : path;
}

function followLink(event) {
  const link = event.target.closest?.("a[href^='/']");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || link.target || link.hasAttribute("download") || event.defaultPrevented) return;
  event.preventDefault();
  go(link.getAttribute("href"));
}

/** Takes over clicks on our own links and the browser's back and forward. */
export function startRouter() {
  document.addEventListener("click", followLink);
  window.addEventListener("popstate", () => (route.value = parse(new URL(location.href))));
}
