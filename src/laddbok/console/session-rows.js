// Which sessions does a list show, newest first, while they change under it?
//
// A sorted array with an index by id. A change of a known session replaces its row in place; a new one is put where its
// start belongs; one that no longer matches the list's filter leaves it. The list is bounded: the oldest rows go first.
import { signal } from "./vendor/preact.js";

export const MOST_ROWS = 10_000;

/** Newest first; the id decides between equals. */
function before(a, b) {
  if (a.started_at !== b.started_at) return a.started_at > b.started_at;
  return a.id < b.id;
}

/** Where `session` stands, or would stand, in a sorted list. */
function position(list, session) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(list[middle], session)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class SessionRows {
  /** @param matches tells whether a session belongs into this list */
  constructor(matches = () => true) {
    this.matches = matches;
    this.list = [];
    this.byId = new Map();
    this.version = signal(0);
  }

  get size() {
    return this.list.length;
  }

  at(index) {
    return this.list[index];
  }

  /** The row of a session's id; -1 when it is not shown. */
  indexOf(id) {
    const session = this.byId.get(id);
    return session ? position(this.list, session) : -1;
  }

  /** Takes in sessions, new or changed; what a change leaves out (the price) is kept. Redraws once. */
  apply(changes) {
    for (const change of changes) this.#put(change);
    while (this.list.length > MOST_ROWS) this.byId.delete(this.list.pop().id);
    this.version.value += 1;
  }

  #put(change) {
    const old = this.byId.get(change.id);
    const session = old ? { ...old, ...change } : change;
    if (old && this.matches(session) && old.started_at === session.started_at) {
      this.list[position(this.list, old)] = session;
      this.byId.set(session.id, session);
      return;
    }
    if (old) this.#remove(old);
    if (!this.matches(session)) return;
    this.list.splice(position(this.list, session), 0, session);
    this.byId.set(session.id, session);
  }

  #remove(session) {
    this.list.splice(position(this.list, session), 1);
    this.byId.delete(session.id);
  }
}
