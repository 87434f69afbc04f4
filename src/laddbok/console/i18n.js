// In which language does the console speak? The reader's choice, else the browser's.
import { effect, signal } from "./vendor/preact.js";
import en from "./i18n/en.js";
import sv from "./i18n/sv.js";

const WORDS = { sv, en };
const MEMORY = "laddbok.language";

function preferred() {
  const remembered = localStorage.getItem(MEMORY);
  if (remembered in WORDS) return remembered;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) ?? "en";
}

export const LANGUAGES = { sv: "Svenska", en: "English" };
export const language = signal(preferred());

effect(() => (document.documentElement.lang = language.value));

export function setLanguage(tag) {
  localStorage.setItem(MEMORY, tag);
  language.value = tag;
}

/** The words for a key, with {names} filled in; the key itself when there are none. */
export function t(key, params = {}) {
  const text = WORDS[language.value][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => params[name] ?? "");
}

/** The words for a code that the platform or a station may add to: the code itself when we have none for it. */
export function tCode(prefix, code, params) {
  const key = `${prefix}.${code}`;
  return key in WORDS[language.value] ? t(key, params) : String(code).replaceAll("_", " ");
}

/** The platform's own words {sv, en}. */
export const said = (text) => text?.[language.value] ?? text?.en ?? "";
