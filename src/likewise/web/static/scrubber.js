// The strip at the right of the grid: where one is, what is where, and a jump to any place.
import { html, useRef, useState } from './vendor/preact.js';
import { count, shown } from './parts.js';

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
export function Scrubber({ part, view, plan, marks, jump, step, text }) {
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
    ${apart(marks, placeOf, height).map(mark => html`<span class="mark cut" key=${mark.offset} style=${{ top: `${mark.top}px` }}>${shown(mark.text)}</span>`)}
    <span class="thumb" style=${{ top: `${part * (height - thumb)}px`, height: `${thumb}px` }}></span>
    ${held !== null && html`<span class="bubble cut" style=${{ top: `${Math.max(12, Math.min(height - 12, held * height))}px` }}>${text}</span>`}
  </div>`;
}

/** `label cat · 8,123,001 of 12,000,000`. */
export function placeText(index, total, row, column) {
  const value = row ? row.columns[column]?.[row.at] ?? row.label : null;
  const place = `${count(Math.min(index + 1, total))} of ${count(total)}`;
  return value === null || value === undefined ? place : `${shown(value)} · ${place}`;
}
