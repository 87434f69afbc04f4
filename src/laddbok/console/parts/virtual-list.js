// How is a list of ten thousand rows shown? Only the rows in sight exist; the rest is empty space of the right height.
//
// When rows are added or removed above the ones in sight, the view moves with them, so nothing jumps under the reader's
// eyes; at the very top it stays at the top and new rows appear.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";

const MARGIN_ROWS = 8; // drawn above and below what is in sight
const NEAR_END_ROWS = 60; // fetch more when this close to the end

function useView(box) {
  const [view, setView] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const read = () => setView({ top: box.current.scrollTop, height: box.current.clientHeight });
    const sizes = new ResizeObserver(read);
    sizes.observe(box.current);
    const element = box.current;
    element.addEventListener("scroll", read, { passive: true });
    return () => (sizes.disconnect(), element.removeEventListener("scroll", read));
  }, []);
  return view;
}

/** Keeps the first row in sight where it is while rows come and go above it. */
function useAnchor(box, rows, rowHeight, view) {
  const anchor = useRef(null);
  const version = rows.version.value;
  useLayoutEffect(() => {
    const { id, index } = anchor.current ?? {};
    const moved = id && box.current.scrollTop > 0 ? rows.indexOf(id) - index : 0;
    if (moved && rows.indexOf(id) >= 0) box.current.scrollTop += moved * rowHeight;
  }, [version]);
  useLayoutEffect(() => {
    const index = Math.floor(box.current.scrollTop / rowHeight);
    anchor.current = { index, id: rows.at(index)?.id };
  }, [version, view.top, rowHeight, rows]);
}

/** Up, Down, Home and End move the focus from row to row, also to rows that are not drawn yet. */
function moveFocus(event, box, rowHeight, size) {
  const row = event.target.closest("[aria-rowindex]");
  const from = row ? Number(row.getAttribute("aria-rowindex")) - 2 : -1;
  const to = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: size - 1 }[event.key];
  if (from < 0 || to === undefined || to < 0 || to >= size) return;
  event.preventDefault();
  const top = to * rowHeight;
  const { scrollTop, clientHeight } = box.current;
  if (top < scrollTop) box.current.scrollTop = top;
  else if (top + rowHeight > scrollTop + clientHeight) box.current.scrollTop = top + rowHeight - clientHeight;
  const focus = () => box.current?.querySelector(`[aria-rowindex="${to + 2}"] a`)?.focus({ preventScroll: true });
  requestAnimationFrame(() => requestAnimationFrame(focus));
}

/** A table of `rows` {size, at(i), indexOf(id), version}; `Row` draws one; `onNearEnd` is asked for more. */
export function VirtualList({ rows, rowHeight, Head, Row, label, onNearEnd, empty }) {
  const box = useRef();
  const view = useView(box);
  useAnchor(box, rows, rowHeight, view);
  const size = rows.size;
  const first = Math.max(0, Math.floor(view.top / rowHeight) - MARGIN_ROWS);
  const last = Math.min(size, Math.ceil((view.top + view.height) / rowHeight) + MARGIN_ROWS);
  useEffect(() => {
    if (last + NEAR_END_ROWS >= size) onNearEnd?.();
  }, [last, size, onNearEnd]);
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, offset) => rows.at(first + offset));
  return html`
    <div class="list" role="table" aria-label=${label} aria-rowcount=${size + 1}>
      <${Head} />
      <div class="list-box" ref=${box} role="rowgroup" onKeyDown=${(event) => moveFocus(event, box, rowHeight, size)}>
        ${size === 0 ? empty : null}
        <div class="list-space" style=${{ height: `${size * rowHeight}px` }}>
          <div class="list-shown" style=${{ transform: `translateY(${first * rowHeight}px)` }}>
            ${shown.map(
              (session, offset) => html`
                <${Row} session=${session} key=${session.id} rowIndex=${first + offset + 2} />
              `,
            )}
          </div>
        </div>
      </div>
    </div>
  `;
}
