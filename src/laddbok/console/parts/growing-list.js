// How is a list shown that is too long for one page of the platform's answers?
import { html, useEffect, useState } from "../vendor/preact.js";
import { get } from "../api.js";
import { failure } from "../commands.js";
import { t } from "../i18n.js";
import { Pending, useResource } from "./resource.js";

/** A list that grows page by page: {…resource, items, next, more, problem}. */
export function useGrowing(path) {
  const first = useResource(path);
  const [rest, setRest] = useState({ items: [], next: null, trouble: "" });
  useEffect(() => setRest({ items: [], next: first.data?.next ?? null, trouble: "" }), [first.data]);
  const more = async () => {
    const page = await get(`${path}${path.includes("?") ? "&" : "?"}cursor=${rest.next}`).catch((problem) => ({ problem }));
    if (page.problem) return setRest((old) => ({ ...old, trouble: failure(page.problem).text }));
    return setRest((old) => ({ items: [...old.items, ...page.items], next: page.next, trouble: "" }));
  };
  return { ...first, items: [...(first.data?.items ?? []), ...rest.items], next: rest.next, trouble: rest.trouble, more };
}

function More({ list }) {
  return html`
    ${
      list.next &&
      html`
        <button type="button" onClick=${list.more}>${t("more")}</button>
      `
    }
    ${
      list.trouble &&
      html`
        <p class="bad" role="alert">${list.trouble}</p>
      `
    }
  `;
}

/** What stands for the items of a list that is there, with a way to more of them; `none` stands for an empty one. */
export function GrowingList({ list, none, children }) {
  if (!list.data)
    return html`
      <${Pending} ...${list} />
    `;
  if (!list.items.length)
    return html`
      <p class="calm">${none}</p>
    `;
  return html`
    ${children}
    <${More} list=${list} />
  `;
}
