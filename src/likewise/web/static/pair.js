// Two pictures at one zoom: side by side, one over the other in turn, or their difference.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { Icon, useKeys } from './parts.js';
import { address } from './store.js';

const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 12];
const MODES = [['side', 'Side by side'], ['blink', 'Blink'], ['difference', 'Difference']];

/** Zoom and mode are kept from pair to pair. */
const held = { zoom: 0, mode: 'side' };

const seen = one => (one.orientation > 4 ? [one.height, one.width] : [one.width, one.height]);
const size = one => one && html`<span class="soft number">${seen(one).join(' × ')}</span>`;

/** `first` and `second` are images of the server; the second may be missing. */
export function Pair({ first, second }) {
  const [zoom, setZoom] = useState(held.zoom), [mode, setMode] = useState(held.mode), [over, setOver] = useState(false);
  const panes = useRef([]);
  held.zoom = zoom;
  held.mode = mode;
  const shown = second ? mode : 'side';
  const change = by => setZoom(before => Math.max(0, Math.min(STEPS.length - 1, before + by)));
  const toggle = name => second && setMode(before => (before === name ? 'side' : name));
  useKeys([
    [['+', '-'], 'larger, smaller pictures', event => change(event.key === '+' ? 1 : -1)],
    [['b'], 'blink: one picture over the other', () => toggle('blink')],
    [['i'], 'difference of the pictures', () => toggle('difference')],
    [['Space'], 'show the other picture while it is held', () => { if (!second) return false; setMode('blink'); setOver(true); return true; }],
  ]);
  useEffect(() => {
    const up = event => event.key === ' ' && setOver(false);
    const blur = () => setOver(false);
    addEventListener('keyup', up);
    addEventListener('blur', blur);
    return () => { removeEventListener('keyup', up); removeEventListener('blur', blur); };
  }, []);
  useEffect(() => setOver(false), [first, second]);
  /** All panes show the same place. */
  const follow = event => {
    const { scrollLeft, scrollTop } = event.target;
    for (const pane of panes.current) {
      if (pane && pane !== event.target) { pane.scrollLeft = scrollLeft; pane.scrollTop = scrollTop; }
    }
  };
  const big = first ?? second;
  const [wide, high] = big ? seen(big) : [4, 3];
  const area = { '--wide': wide, '--high': high, '--zoom': STEPS[zoom] };
  const draw = element => element && Object.entries(area).forEach(([name, value]) => element.style.setProperty(name, value));
  const pane = (number, pictures, name) => html`<div class="pane" ref=${element => { panes.current[number] = element; }} onScroll=${follow} tabindex="0" role="group" aria-label=${name}>
    <div class="sheet stacked" ref=${draw}>${pictures}</div></div>`;
  const image = (one, name, more = {}) => (one ? html`<img src=${one.url} alt=${`${name}: ${one.item_id}`} draggable=${false} ...${more} />` : html`<p class="soft none">This image is not in a published data set.</p>`);
  return html`<div class="pairview"><div class="row pictools">
      <button aria-label="Smaller" disabled=${!zoom} onClick=${() => change(-1)}><${Icon} name="minus" /></button><span class="number soft">${Math.round(STEPS[zoom] * 100)} %</span>
      <button aria-label="Larger" disabled=${zoom === STEPS.length - 1} onClick=${() => change(1)}><${Icon} name="plus" /></button>
      ${second && html`<span class="row" role="group" aria-label="View">${MODES.map(([name, text]) => html`<button aria-pressed=${shown === name} onClick=${() => setMode(name)}>${text}</button>`)}</span>`}
      ${shown === 'blink' && html`<button aria-pressed=${over} onClick=${() => setOver(!over)}>${over ? 'Second picture' : 'First picture'}</button>`}</div>
    ${shown === 'side' ? html`<div class=${second ? 'two' : 'one'}>
        <figure>${pane(0, image(first, 'First'), 'First picture')}<${Caption} one=${first} /></figure>
        ${second && html`<figure>${pane(1, image(second, 'Second'), 'Second picture')}<${Caption} one=${second} /></figure>`}</div>`
    : html`<figure>${pane(0, [image(first, 'First'), image(second, 'Second', { class: shown === 'difference' ? 'minus' : over ? '' : 'under' })], shown === 'difference' ? 'Difference of the pictures' : 'One picture over the other')}
        <figcaption class="two"><${Caption} one=${first} /><${Caption} one=${second} /></figcaption></figure>`}</div>`;
}

/** The item of a picture, with a link to it. */
function Caption({ one }) {
  if (!one) return null;
  return html`<span class="row caption"><a href=${address(['d', one.dataset, 'i', one.item_id])}>${one.item_id}</a><span class="chip">${one.dataset}</span>${one.label !== null && html`<span class="chip">label ${one.label}</span>`}${one.split && html`<span class="chip">${one.split}</span>`}${size(one)}</span>`;
}
