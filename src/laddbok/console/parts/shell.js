// The frame around every page: navigation, the search for a session, whether the picture is live, language and person.
import { html, useEffect, useRef } from "../vendor/preact.js";
import { get, logOut, me, seg } from "../api.js";
import { demoSpeed } from "../clock.js";
import { LANGUAGES, language, setLanguage, t } from "../i18n.js";
import { liveState, useLive } from "../live.js";
import { go, route, sessionPath, withQuery } from "../router.js";
import { findSessionId } from "../session-id.js";
import { number, zone } from "../format.js";
import { recount, takeOverview, waiting } from "../waiting.js";
import { Icon } from "./icons.js";

const FINANCE = [
  "billing", "invoices", "invoice", "payments", "ledger", "customers", "customer", "contracts", "contract", "seller",
  "statements", "statement", "new-statement", "apartments",
]; // prettier-ignore
const NAVIGATION = [
  ["overview", "/", ["overview"]],
  ["sessions", "/sessions", ["sessions", "session"]],
  ["review", "/review", ["review", "orphans"]],
  ["stations", "/stations", ["stations", "station"]],
  ["tariffs", "/tariffs", ["tariffs", "tariff-editor"]],
  ["finance", "/billing", FINANCE],
];

function Navigation() {
  const lobby = me.value.deployment_administrator ? [["lobby", "/lobby", ["lobby"]]] : [];
  const icons = {
    overview: "overview", sessions: "sessions", review: "flag", stations: "station", tariffs: "price", finance: "invoice", lobby: "lobby",
  };
  return html`
    <nav aria-label=${t("nav.label")}>
      ${[...NAVIGATION, ...lobby].map(
        ([name, path, pages]) => html`
          <a key=${name} href=${path} aria-current=${pages.includes(route.value.page) ? "page" : null}>
            <${Icon} name=${icons[name]} />
            <span>${t(`nav.${name}`)}</span>
            ${
              name === "review" &&
              waiting.value > 0 &&
              html`
                <b class="count" title=${t("nav.waiting", { n: number(waiting.value) })}>${number(waiting.value)}</b>
              `
            }
          </a>
        `,
      )}
    </nav>
  `;
}

/** Goes to the session that a text means, else lists what the text may mean. */
export async function search(text) {
  const id = findSessionId(text);
  const found = id && (await get(`/sessions/${seg(id)}`).catch(() => null));
  go(found ? sessionPath(found.id) : withQuery("/sessions", { q: id ?? text.trim() }));
}

const isTyping = (element) =>
  /^(INPUT|TEXTAREA|SELECT)$/.test(element?.tagName) || document.querySelector("dialog[open]");

function Search() {
  const field = useRef();
  useEffect(() => {
    const key = (event) => {
      if (event.key !== "/" || isTyping(event.target)) return;
      event.preventDefault();
      field.current.focus();
    };
    const paste = (event) => !isTyping(event.target) && search(event.clipboardData.getData("text"));
    document.addEventListener("keydown", key);
    document.addEventListener("paste", paste);
    return () => (document.removeEventListener("keydown", key), document.removeEventListener("paste", paste));
  }, []);
  const submit = (event) => {
    event.preventDefault();
    if (field.current.value.trim()) search(field.current.value).then(() => (field.current.value = ""));
  };
  return html`
    <form class="search" role="search" onSubmit=${submit}>
      <${Icon} name="search" />
      <input
        ref=${field}
        type="search"
        aria-label=${t("search.label")}
        placeholder=${t("search.placeholder")}
        spellcheck="false"
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  `;
}

function Live() {
  return html`
    <span class="live ${liveState.value}" role="status" title=${t("live.zone", { zone: zone() })}>
      <i></i>
      <span>${t(`live.${liveState.value}`)}</span>
    </span>
  `;
}

function Language() {
  const other = Object.keys(LANGUAGES).find((tag) => tag !== language.value);
  return html`
    <button
      type="button"
      class="quiet language"
      lang=${other}
      title=${LANGUAGES[other]}
      onClick=${() => setLanguage(other)}
    >
      ${other.toUpperCase()}
      <span class="hidden">${LANGUAGES[other]}</span>
    </button>
  `;
}

function Person() {
  return html`
    <details class="person">
      <summary aria-label=${me.value.name} title=${me.value.name}>
        <${Icon} name="person" />
        <span>${me.value.name}</span>
      </summary>
      <div class="menu">
        <a href="/password">${t("password.title")}</a>
        <button type="button" class="quiet" onClick=${logOut}>${t("logout")}</button>
      </div>
    </details>
  `;
}

export function Shell({ children }) {
  useEffect(() => void recount(), []);
  useLive("overview", takeOverview);
  return html`
    <div class="shell">
      <a
        class="skip"
        href="#content"
        onClick=${(event) => (event.preventDefault(), document.getElementById("content").focus())}
      >
        ${t("skip")}
      </a>
      <aside>
        <a class="brand" href="/">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          Laddbok
        </a>
        <${Navigation} />
      </aside>
      <header>
        <${Search} />
        <span class="grow"></span>
        <${Live} />
        <${Language} />
        <${Person} />
      </header>
      <main id="content" tabindex="-1">
        ${
          demoSpeed.value &&
          html`
            <p class="demo">
              <${Icon} name="clock" />
              ${t("demo", { speed: demoSpeed.value })}
            </p>
          `
        }
        ${children}
      </main>
    </div>
  `;
}
