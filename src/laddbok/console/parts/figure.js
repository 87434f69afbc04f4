// How does a large figure stand with its unit?
import { html } from "../vendor/preact.js";

/** @param unit may be empty */
export function Figure({ figure, unit }) {
  return html`
    ${figure}${
      unit
        ? html`
            ${" "}
            <small>${unit}</small>
          `
        : null
    }
  `;
}
