// A grid of tiles over a result of any length, and the strip at its right that shows what is where.
// Only the tiles in sight are in the document.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/preact.js';
import { count, shown, Tile, useKeys } from './parts.js';
import { layout, useScroll } from './scroll.js';

const UNDER = 32;
const UNDER_SMALL = 10;
const QUICK = 2_000;

/**
 * `rows` is a Rows; `size` the least width of a tile; `groups` the headings, or null.
 * `hrefOf(row, index)` is the address of an item; `start` the first tile to show. `cursorRow` is a
 * ref, which gets a function that returns the row at the cursor; `onRange(from, to)` selects a range; `changeOf(id)` a pending label.
 */
export function Grid({ rows, size, groups, marks, column, start, hrefOf, selected, onSelect, onRange, onPlace, onLook, cursorRow, changeOf }) {
  const total = groups ? groups.reduce((sum, group) => sum + group.count, 0) : rows.total ?? 0;
  const [width, setWidth] = useState(0);
  const columns = Math.max(1, Math.floor(width / size));
  const cell = width / columns;
  const height = Math.round(cell + (size < 96 ? UNDER_SMALL - 10 : UNDER - 8));
  const plan = useMemo(() => layout({ total, columns, height, groups }), [total, columns, height, groups]);
  const scroll = useScroll(plan);
  const [cursor, setCursor] = useState(start);
  const live = useRef({ focus: false, first: start, placed: false, asked: 0, timer: 0 }).current;
  useLayoutEffect(() => setWidth(scroll.width), [scroll.width]);

  // The first tile stays the first when the window or the size of the tiles changes.
  useLayoutEffect(() => {
    if (!total || !scroll.height || !width) return;
    scroll.to(live.first ? plan.top(live.first) : 0);
    live.placed = true;
  }, [plan, scroll.height > 0, width]);

  const shownRows = scroll.height && width ? plan.rows(scroll.y, scroll.y + scroll.height) : [];
  const tiles = shownRows.filter(row => row.head === undefined);
  const from = tiles.length ? tiles[0].first : 0;
  const to = tiles.length ? tiles.at(-1).first + tiles.at(-1).count : 100;
  const first = total ? plan.index(scroll.y + height / 2) : 0;
  if (live.placed) live.first = first;

  useEffect(() => {
    clearTimeout(live.timer);
    const far = Math.abs(from - live.asked) > QUICK;
    live.asked = from;
    live.timer = setTimeout(() => rows.need(from - columns, to + columns), far ? 60 : 0);
  }, [rows, from, to, rows.total]);
  useEffect(() => { if (live.placed) onPlace(first); }, [first]);

  const show = index => {
    const top = plan.top(index);
    if (top < scroll.y) scroll.to(top - (groups ? 40 : 0));
    else if (top + height > scroll.y + scroll.height) scroll.to(top + height - scroll.height);
  };
  const move = index => {
    const next = Math.max(0, Math.min(total - 1, index));
    if (!total) return;
    setCursor(next);
    live.focus = true;
    show(next);
  };
  const here = () => (tiles.some(row => cursor >= row.first && cursor < row.first + row.count) ? cursor : first);
  const screen = Math.max(1, Math.floor(scroll.height / height));
  const row = index => rows.at(index);
  cursorRow.current = () => row(here());
  const select = range => {
    const one = row(here());
    if (range) onRange(live.from ?? here(), here());
    else if (one) onSelect(one);
    live.from = here();
  };
  useKeys([
    [['ArrowLeft', 'ArrowRight'], 'previous, next', event => move(here() + (event.key === 'ArrowLeft' ? -1 : 1))],
    [['ArrowUp', 'ArrowDown'], 'a row up, down', event => move(plan.beyond(here(), event.key === 'ArrowUp' ? -1 : 1))],
    [['PageUp', 'PageDown'], 'a screen up, down', event => move(plan.beyond(here(), event.key === 'PageUp' ? -screen : screen))],
    [['Home', 'End'], 'first, last', event => move(event.key === 'Home' ? 0 : total - 1)],
    [['x', 'X'], 'select (with Shift: all up to here)', event => select(event.key === 'X')],
    [['Space'], 'look at it', () => { const one = row(here()); if (one) onLook(one, here()); }],
  ]);
  useLayoutEffect(() => {
    if (!live.focus) return;
    const tile = scroll.ref.current?.querySelector(`[data-i="${cursor}"]`);
    if (tile) { live.focus = false; tile.focus({ preventScroll: true }); }
  });

  const entry = here();
  const shift = scroll.box - scroll.y;
  const part = plan.real > scroll.height ? scroll.y / (plan.real - scroll.height) : 0;
  const click = (event, one, index) => {
    if (!event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    onRange(live.from ?? index, index);
    live.from = index;
  };
  return html`<div class="field">
    <div class=${scroll.scaled ? 'view scaled' : 'view'} ref=${scroll.ref} role="region" aria-label="Items" tabindex="-1">
      <div class="space" role="list" aria-label="Items" style=${{ height: `${plan.box}px` }}>
        ${shownRows.flatMap(line => (line.head !== undefined
    ? [html`<div class="head" role="presentation" key=${`h${line.top}`} style=${{ transform: `translateY(${line.top + shift}px)` }}><span class="cut">${shown(line.head)}${line.text && line.text !== line.head ? html`<span class="soft"> ${line.text}</span>` : ''}</span><span class="soft number">${count(line.size)}</span></div>`]
    : Array.from({ length: line.count }, (_, at) => {
      const index = line.first + at, one = row(index);
      const place = { width: `${cell}px`, height: `${height}px`, transform: `translate(${at * cell}px, ${line.top + shift}px)` };
      return html`<div role="listitem" key=${index} aria-setsize=${total} aria-posinset=${index + 1}>
        <${Tile} href=${one ? hrefOf(one, index) : undefined} thumb=${one?.thumb} label=${one ? one.label : ''} text=${one?.text} note=${one?.text && one.label !== one.text ? one.label : null} name=${one?.item_id ?? ''} small=${cell * devicePixelRatio <= 72}
          on=${one && selected.has(one.item_id)} change=${one ? changeOf(one.item_id) : null} data-i=${index} tabindex=${index === entry ? 0 : -1} style=${place}
          onFocus=${() => setCursor(index)} onClick=${event => one && click(event, one, index)} /></div>`;
    })))}
      </div>
    </div>
    <${Scrubber} part=${Math.max(0, Math.min(1, part))} view=${scroll.height} plan=${plan} marks=${marks} text=${placeText(first, total, row(first), column)}
      jump=${place => scroll.to(place * (plan.real - scroll.height))} step=${by => move(plan.beyond(here(), by * 1))} />
  </div>`;
}

const APART = 20;

/** Marks that do not overlap at a height in pixels. */
function apart(marks, placeOf, height) {
  const kept = [];
  for (const mark of marks) {
    const top = placeOf(mark.offset) * height;
    if (!kept.length || top - kept.at(-1).top >= APART) kept.push({ ...mark, top });
  }
  return kept.filter(mark => mark.top <= height - 8);
}

/** `part` is the place from 0 to 1; `placeOf(index)` is the place of a tile; `jump(part)` goes to one. */
function Scrubber({ part, view, plan, marks, jump, step, text }) {
  const strip = useRef();
  const [held, setHeld] = useState(null);
  const height = Math.max(0, view - 16);
  const placeOf = index => (plan.real > view ? Math.min(1, plan.top(index) / (plan.real - view)) : 0);
  const at = event => {
    const box = strip.current.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientY - box.top) / box.height));
  };
  const down = event => {
    if (event.button) return;
    strip.current.setPointerCapture(event.pointerId);
    setHeld(at(event));
    jump(at(event));
  };
  const move = event => {
    if (held === null) return;
    setHeld(at(event));
    jump(at(event));
  };
  const key = event => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    if (event.key === 'Home') jump(0);
    else if (event.key === 'End') jump(1);
    else if (steps[event.key]) step(steps[event.key]);
    else return;
    event.preventDefault();
  };
  if (plan.real <= view) return html`<div class="scrubber"></div>`;
  const thumb = Math.max(24, Math.min(height, (view / Math.max(view, plan.real)) * height));
  return html`<div class="scrubber" ref=${strip} role="slider" tabindex="0" aria-label="Place in the result" aria-orientation="vertical" data-own-keys
      aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(part * 100)} aria-valuetext=${text}
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${() => setHeld(null)} onPointerCancel=${() => setHeld(null)} onKeyDown=${key}>
    <span class="rail"></span>
    ${apart(marks, placeOf, height).map(mark => html`<span class="mark cut" key=${mark.offset} style=${{ top: `${mark.top}px` }}>${mark.words ?? shown(mark.text)}</span>`)}
    <span class="thumb" style=${{ top: `${part * (height - thumb)}px`, height: `${thumb}px` }}></span>
    ${held !== null && html`<span class="bubble cut" style=${{ top: `${Math.max(12, Math.min(height - 12, held * height))}px` }}>${text}</span>`}
  </div>`;
}

/** `label cat · 8,123,001 of 12,000,000`. */
function placeText(index, total, row, column) {
  const words = column === 'label' ? row?.text : null;
  const value = words ?? (row ? row.columns[column]?.[row.at] ?? row.label : null);
  const place = `${count(Math.min(index + 1, total))} of ${count(total)}`;
  return value === null || value === undefined ? place : `${shown(value)} · ${place}`;
}
