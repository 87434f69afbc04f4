// Puts a text on the reader's clipboard and says so.
import { html, useState } from "../vendor/preact.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

const SHOWN_MS = 2_000;

/** The clipboard's own interface exists only over TLS or on this machine; a selected text field works everywhere. */
function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copy(text) {
  if (!navigator.clipboard) return copyBySelection(text);
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => copyBySelection(text),
  );
}

export function CopyButton({ text, label }) {
  const [copied, setCopied] = useState(false);
  const click = async () => {
    if (!(await copy(text))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return html`
    <button
      type="button"
      class="quiet small"
      onClick=${click}
      aria-label=${label ?? t("copy")}
      title=${label ?? t("copy")}
    >
      <${Icon} name=${copied ? "check" : "copy"} />
      <span aria-live="polite">${copied ? t("copied") : ""}</span>
    </button>
  `;
}
