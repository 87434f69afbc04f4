// Who are you? The log-in, and the change of a password, which the first log-in demands.
import { html, useState } from "../vendor/preact.js";
import { logIn, logOut, me, write } from "../api.js";
import { failure } from "../commands.js";
import { LANGUAGES, language, setLanguage, t } from "../i18n.js";
import { go } from "../router.js";

const SHORTEST_PASSWORD = 10; // store.people.MIN_PASSWORD_CHARS

function Card({ title, children }) {
  return html`
    <main class="card-page">
      <div class="card">
        <p class="brand">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          Laddbok
        </p>
        <h1>${title}</h1>
        ${children}
        <p class="languages">
          ${Object.entries(LANGUAGES).map(
            ([tag, name]) => html`
              <button
                type="button"
                class="quiet"
                lang=${tag}
                aria-pressed=${tag === language.value}
                onClick=${() => setLanguage(tag)}
              >
                ${name}
              </button>
            `,
          )}
        </p>
      </div>
    </main>
  `;
}

/** A form whose `send(values)` may fail; the failure stands under the fields in words. */
function Form({ children, send, button }) {
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setTrouble("");
    await send(Object.fromEntries(new FormData(event.target))).catch((problem) =>
      setTrouble(problem.words ?? failure(problem).text),
    );
    setBusy(false);
  };
  return html`
    <form onSubmit=${submit}>
      ${children}
      <p class="trouble" role="alert">${trouble}</p>
      <button type="submit" class="primary wide" disabled=${busy}>${button}</button>
    </form>
  `;
}

function Input({ name, label, type, autocomplete, ...more }) {
  return html`
    <label class="field">
      <span>${label}</span>
      <input name=${name} type=${type} autocomplete=${autocomplete} required ...${more} />
    </label>
  `;
}

export function LoginPage() {
  const send = async ({ person, password }) => {
    await logIn(person.trim(), password).catch((problem) => {
      if (problem.status === 401) problem.words = t("login.wrong");
      if (problem.status === 429) problem.words = t("login.too_often");
      throw problem;
    });
  };
  return html`
    <${Card} title=${t("login.title")}>
      <${Form} send=${send} button=${t("login.button")}>
        <${Input}
          name="person"
          label=${t("login.person")}
          type="text"
          autocomplete="username"
          autofocus
          autocapitalize="none"
        />
        <${Input} name="password" label=${t("login.password")} type="password" autocomplete="current-password" />
      <//>
    <//>
  `;
}

export function PasswordPage({ first = false }) {
  const send = async ({ old, fresh, again }) => {
    if (fresh !== again) throw Object.assign(new Error(), { words: t("password.differ") });
    await write("POST", "/me/password", { old, new: fresh }).catch((problem) => {
      if (problem.field === "new") problem.words = t("password.refused", { n: SHORTEST_PASSWORD });
      if (problem.status === 403) problem.words = t("password.wrong");
      throw problem;
    });
    me.value = { ...me.value, must_change_password: false };
    go("/", { replace: first });
  };
  return html`
    <${Card} title=${t("password.title")}>
      ${
        first &&
        html`
          <p>${t("password.first")}</p>
        `
      }
      <${Form} send=${send} button=${t("password.button")}>
        <${Input} name="old" label=${t("password.old")} type="password" autocomplete="current-password" />
        <${Input}
          name="fresh"
          label=${t("password.new", { n: SHORTEST_PASSWORD })}
          type="password"
          autocomplete="new-password"
          minlength=${SHORTEST_PASSWORD}
        />
        <${Input}
          name="again"
          label=${t("password.again")}
          type="password"
          autocomplete="new-password"
          minlength=${SHORTEST_PASSWORD}
        />
      <//>
      <button type="button" class="quiet wide" onClick=${() => (first ? logOut() : go("/"))}>
        ${first ? t("logout") : t("cancel")}
      </button>
    <//>
  `;
}
