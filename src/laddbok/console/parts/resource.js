// What does the platform say at an address, now and after each reload?
import { html, useCallback, useEffect, useRef, useState } from "../vendor/preact.js";
import { get } from "../api.js";
import { failure } from "../commands.js";
import { t } from "../i18n.js";
import { useLive } from "../live.js";

/** Fetches a path (null: nothing yet) and again on each live reload: {data, problem, load, set}. */
export function useResource(path) {
  const [state, setState] = useState({ data: null, problem: null });
  const newest = useRef(0);
  const load = useCallback(async () => {
    if (!path) return;
    const mine = ++newest.current;
    const result = await get(path).then(
      (data) => ({ data, problem: null }),
      (problem) => ({ problem }),
    );
    if (mine === newest.current) setState((old) => ({ ...old, ...result }));
  }, [path]);
  useEffect(() => {
    setState({ data: null, problem: null });
    load();
    return () => (newest.current += 1);
  }, [load]);
  useLive("reload", load);
  const set = useCallback((change) => setState((old) => ({ ...old, data: change(old.data) })), []);
  return { ...state, load, set };
}

const MOST_PAGES = 20;

/** All items of a list, page after page, as far as MOST_PAGES go: {data: items, problem, load}. */
export function useAll(path) {
  const [state, setState] = useState({ data: null, problem: null });
  const isThere = useRef(true);
  const load = useCallback(async () => {
    const items = [];
    let cursor = "";
    for (let pages = 0; pages < MOST_PAGES && cursor !== null; pages += 1) {
      const page = await get(`${path}?limit=500${cursor && `&cursor=${cursor}`}`);
      items.push(...page.items);
      cursor = page.next;
    }
    return items;
  }, [path]);
  const show = useCallback(
    () =>
      load().then(
        (data) => isThere.current && setState({ data, problem: null }),
        (problem) => isThere.current && setState((old) => ({ ...old, problem })),
      ),
    [load],
  );
  useEffect(() => {
    isThere.current = true;
    show();
    return () => (isThere.current = false);
  }, [show]);
  return { ...state, load: show };
}

/** At most one run of `work` per `pause_ms`, the last request never lost. */
export function usePaced(work, pause_ms) {
  const newest = useRef(work);
  newest.current = work;
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ||= setTimeout(() => {
      timer.current = 0;
      newest.current();
    }, pause_ms);
  }, [pause_ms]);
}

/** What stands in for data that is not there: a quiet word while it loads, or the problem with a way to try again. */
export function Pending({ problem, load }) {
  if (!problem)
    return html`
      <p class="pending" aria-busy="true">${t("loading")}</p>
    `;
  const text = problem.status === 404 ? t("problem.not_found") : failure(problem).text;
  return html`
    <div class="pending" role="alert">
      <p>${text}</p>
      <button type="button" onClick=${load}>${t("again")}</button>
    </div>
  `;
}
