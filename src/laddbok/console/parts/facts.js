// How are facts listed: a name and what is so, row by row?
import { html } from "../vendor/preact.js";

/** @param facts [[name, value], ...]; @param tone more classes, such as "panel" */
export function FactList({ facts, tone = "" }) {
  return html`
    <dl class="facts ${tone}">
      ${facts.map(
        ([name, value]) => html`
          <div key=${name}>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>
        `,
      )}
    </dl>
  `;
}
