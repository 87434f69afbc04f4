// What does the platform answer to something that is still being typed? One question at a time, and the newest one last.
import { useEffect, useRef, useState } from "../vendor/preact.js";
import { write } from "../api.js";

const PAUSE_MS = 250;

/**
 * Posts a text once it has stood still for a moment (null: nothing to ask), and keeps the last answer while the next one is
 * on its way: {data, problem, busy}. `problem` is of the newest question only.
 */
export function useAnswer(path, body) {
  const [state, setState] = useState({ data: null, problem: null, busy: false });
  const line = useRef({ wanted: null, asking: false, alive: true });
  const ask = async () => {
    const { current } = line;
    if (current.asking || current.wanted === null) return;
    const asked = current.wanted;
    current.asking = true;
    const result = await write("POST", path, asked).then(
      (data) => ({ data, problem: null }),
      (problem) => ({ problem }),
    );
    current.asking = false;
    if (!current.alive) return;
    if (current.wanted !== asked) return ask();
    setState((old) => ({ ...old, ...result, busy: false }));
  };
  useEffect(() => {
    line.current.wanted = body;
    setState((old) => ({ ...old, busy: body !== null, problem: body === null ? null : old.problem }));
    const timer = setTimeout(ask, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [path, body]);
  useEffect(() => {
    line.current.alive = true;
    return () => (line.current.alive = false);
  }, []);
  return state;
}
