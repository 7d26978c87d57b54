// A picture with boxes: zoom, and choose a part of it. Boxes are in pixels of the stored file.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { Icon } from './parts.js';

const STEPS = [1, 1.5, 2, 3, 4, 6, 8];

/** Size of the picture as it is seen: EXIF orientations 5 to 8 exchange the sides. */
export function seen({ width, height, orientation = 1 }) {
  return orientation > 4 ? [height, width] : [width, height];
}

/** The place of a point of the stored file in the picture as it is seen, or the inverse. */
function turn([x, y], { width: w, height: h, orientation: o = 1 }, back = false) {
  const forth = { 1: [x, y], 2: [w - x, y], 3: [w - x, h - y], 4: [x, h - y], 5: [y, x], 6: [h - y, x], 7: [h - y, w - x], 8: [y, w - x] };
  if (!back) return forth[o] ?? [x, y];
  const inverse = { 1: [x, y], 2: [w - x, y], 3: [w - x, h - y], 4: [x, h - y], 5: [y, x], 6: [y, h - x], 7: [w - y, h - x], 8: [w - y, x] };
  return inverse[o] ?? [x, y];
}

/** A box [x1, y1, x2, y2] turned; the corners are sorted again. */
export function turned(box, picture, back = false) {
  const [a, b] = [turn(box.slice(0, 2), picture, back), turn(box.slice(2), picture, back)];
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
}

const percent = ([x1, y1, x2, y2], [width, height]) => ({
  left: `${(x1 / width) * 100}%`, top: `${(y1 / height) * 100}%`, width: `${((x2 - x1) / width) * 100}%`, height: `${((y2 - y1) / height) * 100}%`,
});

/** `boxes` [{item_id, label, box, self, href}]; `lit` the item_id of a box to stress; `onCrop(box)` where a part can be chosen. */
export function Picture({ picture, boxes = [], alt, lit = null, onCrop = null, onLit = () => {}, cropping = false, tools = [] }) {
  const [zoom, setZoom] = useState(0), [on, setOn] = useState(true), [part, setPart] = useState(cropping ? middle(picture) : null);
  const view = useRef();
  const size = seen(picture);
  const change = by => setZoom(before => Math.max(0, Math.min(STEPS.length - 1, before + by)));
  const near = event => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    change(event.deltaY < 0 ? 1 : -1);
  };
  useEffect(() => {
    const element = view.current;
    element.addEventListener('wheel', near, { passive: false });
    return () => element.removeEventListener('wheel', near);
  }, []);
  const scale = STEPS[zoom];
  const area = { '--wide': size[0], '--high': size[1], '--zoom': scale };
  return html`<div class="picture"><div class="row pictools">
      <button aria-label="Smaller" disabled=${!zoom} onClick=${() => change(-1)}><${Icon} name="minus" /></button><span class="number soft">${Math.round(scale * 100)} %</span>
      <button aria-label="Larger" disabled=${zoom === STEPS.length - 1} onClick=${() => change(1)}><${Icon} name="plus" /></button>
      ${boxes.length > 0 && html`<button aria-pressed=${on} onClick=${() => setOn(!on)}>Boxes</button>`}
      ${onCrop && html`<button aria-pressed=${Boolean(part)} onClick=${() => setPart(part ? null : own(boxes, picture) ?? middle(picture))}><${Icon} name="crop" /><span>Part</span></button>`}
      ${part && html`<button class="main" onClick=${() => onCrop(turned(part, picture, true).map(Math.round))}>Search by this part</button>`}${tools}
    </div>
    <div class="pane" ref=${view} tabindex="0" role="group" aria-label=${`Picture of ${alt}`}>
      <div class="sheet" ref=${element => element && Object.entries(area).forEach(([name, value]) => element.style.setProperty(name, value))}>
        <img src=${picture.url} alt=${alt} draggable=${false} />
        ${on && boxes.map(one => html`<${one.href ? 'a' : 'span'} class=${`box${one.self ? ' self' : ''}${lit === one.item_id ? ' lit' : ''}`} href=${one.href} title=${one.label ?? one.item_id} aria-label=${`Box of ${one.label ?? one.item_id}`} role=${one.href ? undefined : 'img'}
          style=${percent(turned(one.box, picture), size)} onMouseEnter=${() => onLit(one.item_id)} onMouseLeave=${() => onLit(null)} />`)}
        ${part && html`<${Part} part=${part} size=${size} onPart=${setPart} />`}
      </div></div></div>`;
}

/** The box of the item itself, if it has one. */
function own(boxes, picture) {
  const box = boxes.find(one => one.self)?.box;
  return box ? turned(box, picture) : null;
}

function middle(picture) {
  const [width, height] = seen(picture);
  return [width / 4, height / 4, (width * 3) / 4, (height * 3) / 4];
}

/** The chosen part: drag a new one, or move it by the arrow keys. */
function Part({ part, size, onPart }) {
  const layer = useRef(), start = useRef(null);
  const at = event => {
    const box = layer.current.getBoundingClientRect();
    return [Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * size[0], Math.max(0, Math.min(1, (event.clientY - box.top) / box.height)) * size[1]];
  };
  const down = event => { event.preventDefault(); layer.current.setPointerCapture(event.pointerId); start.current = at(event); };
  const move = event => {
    if (!start.current) return;
    const [a, b] = [start.current, at(event)];
    const next = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    if (next[2] - next[0] >= 2 && next[3] - next[1] >= 2) onPart(next);
  };
  const key = event => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const by = way.map((one, axis) => (one * size[axis]) / 50);
    const next = event.shiftKey ? [part[0], part[1], part[2] + by[0], part[3] + by[1]] : [part[0] + by[0], part[1] + by[1], part[2] + by[0], part[3] + by[1]];
    if (next[0] >= 0 && next[1] >= 0 && next[2] <= size[0] && next[3] <= size[1] && next[2] - next[0] >= 2 && next[3] - next[1] >= 2) onPart(next);
  };
  return html`<div class="partlayer" ref=${layer} onPointerDown=${down} onPointerMove=${move} onPointerUp=${() => { start.current = null; }} onPointerCancel=${() => { start.current = null; }}>
    <div class="part" tabindex="0" role="group" data-own-keys aria-label="Part of the picture. Arrow keys move it; with Shift they change its size." style=${percent(part, size)} onKeyDown=${key}></div></div>`;
}
