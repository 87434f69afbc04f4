// How does a person act on a station or session? A button, a dialog that says what will happen, and the result in words.
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { failure } from "../commands.js";
import { t } from "../i18n.js";
import { CopyButton } from "./copy.js";
import { Icon } from "./icons.js";

function Field({ field }) {
  const { name, label, options, type = "text", required = false, initial = "", more = {} } = field;
  if (type === "checkbox") {
    return html`
      <label class="field check">
        <input type="checkbox" name=${name} />
        ${label}
      </label>
    `;
  }
  const control = options
    ? html`
        <select name=${name} required=${required}>
          ${options.map(
            ([value, text]) => html`
              <option value=${value} selected=${value === initial}>${text}</option>
            `,
          )}
        </select>
      `
    : html`
        <input
          name=${name}
          type=${type}
          required=${required}
          defaultValue=${initial}
          autocomplete="off"
          spellcheck="false"
          ...${more}
        />
      `;
  return html`
    <label class="field">
      <span>${label}</span>
      ${control}
    </label>
  `;
}

/**
 * A form in a dialog. `onDone(values)` gets the fields by name; Escape and Cancel close it. An action that `stays` is run
 * while the form is open, so that nothing that was typed is lost when it is refused.
 */
function ActionDialog({ action, onDone, onTold, onClose }) {
  const dialog = useRef();
  const opened = useRef(action); // what was read before it is confirmed, though the page goes on behind the dialog
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  useLayoutEffect(() => dialog.current.showModal(), []);
  const submit = async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    if (!action.stays) return onDone(values);
    setBusy(true);
    const told = await Promise.resolve()
      .then(() => opened.current.run(values))
      .catch(failure);
    setBusy(false);
    if (told.kind === "bad") setTrouble(told.text);
    else onTold(told);
  };
  return html`
    <dialog ref=${dialog} onClose=${onClose} aria-labelledby="dialog-title">
      <form onSubmit=${submit}>
        <h2 id="dialog-title">${action.title ?? action.label}</h2>
        <p>${action.stays ? opened.current.explain : action.explain}</p>
        ${(action.fields ?? []).map(
          (field) => html`
            <${Field} field=${field} key=${field.name} />
          `,
        )}
        <p class="trouble" role="alert">${trouble}</p>
        <div class="dialog-buttons">
          <button type="button" onClick=${onClose}>${t("cancel")}</button>
          <button type="submit" disabled=${busy} class=${action.danger ? "danger solid" : "primary"}>
            ${action.verb ?? action.label}
          </button>
        </div>
      </form>
    </dialog>
  `;
}

/** The outcome of the last action, told as soon as it is there. `secret` is shown once, to be copied. */
export function Result({ result }) {
  const text = result?.busy ? t("command.waiting") : result?.text;
  return html`
    <div class="result ${result?.kind ?? ""}" role="status" aria-live="polite">
      ${
        text &&
        html`
          <span>
            ${
              result.label
                ? html`
                    <b>${result.label}</b>
                    ${" · "}
                  `
                : null
            }${text}
          </span>
        `
      }
      ${
        result?.secret &&
        html`
          <p class="secret">
            <code>${result.secret}</code>
            <${CopyButton} text=${result.secret} />
          </p>
        `
      }
    </div>
  `;
}

/** A row of actions {label, verb?, icon, explain, fields?, stays?, run(values) -> {kind, text}} with one place for their results. */
export function Actions({ actions, compact = false }) {
  const [openLabel, setOpen] = useState(null);
  const open = actions.find(({ label }) => label === openLabel); // as it is now: its choices may have come meanwhile
  const [result, setResult] = useState(null);
  const run = async (action, values) => {
    setOpen(null);
    setResult({ busy: true, label: action.label });
    const told = await action.run(values).catch(failure);
    setResult({ ...told, label: action.label });
  };
  const told = (outcome) => {
    setOpen(null);
    setResult({ ...outcome, label: openLabel });
  };
  return html`
    <div class="actions ${compact ? "compact" : ""}">
      <div class="action-buttons">
        ${actions.map(
          (action) => html`
            <button
              type="button"
              key=${action.label}
              class=${action.danger ? "danger" : action.primary ? "primary" : ""}
              disabled=${action.disabled || result?.busy}
              onClick=${() => setOpen(action.label)}
            >
              ${
                action.icon &&
                html`
                  <${Icon} name=${action.icon} />
                `
              }${action.label}
            </button>
          `,
        )}
      </div>
      <${Result} result=${result} />
      ${
        open &&
        html`
          <${ActionDialog}
            action=${open}
            onDone=${(values) => run(open, values)}
            onTold=${told}
            onClose=${() => setOpen(null)}
          />
        `
      }
    </div>
  `;
}
