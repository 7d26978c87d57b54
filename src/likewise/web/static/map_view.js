// The canvas of a map: move, zoom, and draw a region around points.
import { html, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { Nearest, painter } from './points.js';

const GRID = 65534;
const SAMPLE = 100_000;
const SETTLE = 150;
const SLOW = 25;
const NEAR = 12;
const CORNERS = 64;

/** At most `CORNERS` points of a path, evenly chosen. */
function fewer(path) {
  if (path.length <= CORNERS) return path;
  return Array.from({ length: CORNERS }, (_, at) => path[Math.floor((at * path.length) / CORNERS)]);
}

/**
 * `layers` {points, codes, states, palette} are the typed arrays of points.js; `span` is the size
 * of the map in its grid. Regions are corners
 * [x, y] of the grid of points. `onRegion(corners)`, `onPick(position)`, `onHover(position, x, y)`.
 * `busy` is true while other states are on their way.
 */
export function MapView({ control, layers, span, region, busy, lasso, onRegion, onPick, onHover, label }) {
  const canvas = useRef(), outline = useRef(), frame = useRef(), [plain, setPlain] = useState(false);
  const live = useRef({ view: null, painter: null, nearest: null, timer: 0, waiting: 0, asked: 0, down: null, path: null, given: {}, whole: 0 }).current;
  live.layers = layers;
  live.region = region;
  live.busy = busy;
  live.span = span ?? [GRID, GRID];
  live.placed = Boolean(span); // before, the map would be drawn at another scale

  const toGrid = ([x, y]) => { const { view, ratio } = live; return [(x * ratio - view.x) / view.scale, (view.y - y * ratio) / view.scale]; };
  const toPage = ([x, y]) => { const { view, ratio } = live; return [(view.x + x * view.scale) / ratio, (view.y - y * view.scale) / ratio]; };
  const trace = () => {
    const corners = live.path ?? (live.region ?? []).map(toPage);
    outline.current?.setAttribute('points', corners.map(corner => corner.map(value => value.toFixed(1)).join(',')).join(' '));
  };
  const draw = step => {
    if (!live.painter || !live.view || !live.placed || Object.values(live.layers).some(one => !one)) return;
    for (const name of ['points', 'codes', 'states', 'palette']) {
      if (live.given[name] !== live.layers[name]) { live.painter[name](live.layers[name]); live.given[name] = live.layers[name]; }
    }
    const begin = performance.now(), size = (live.layers.points.length / 2 > 200_000 ? 1.5 : live.layers.points.length > 20_000 ? 3 : 6) * live.ratio * Math.min(3, Math.sqrt(live.view.scale / live.fit));
    live.painter.draw({ ...live.view, size: Math.max(1, Math.min(16, size)) }, step);
    trace();
    if (step !== 1) return;
    const number = live.layers.points.length / 2, { asked } = live;
    live.painter.finish(() => {
      if (!live.whole) performance.mark('map-first-frame');
      live.whole = performance.now() - begin;
      if (canvas.current && asked === live.asked) canvas.current.dataset.drawn = number;
    });
  };
  /** Draw everything at once where that is fast; else a sample now, and everything a moment later. */
  const redraw = (moving = false, now = false) => {
    cancelAnimationFrame(live.waiting);
    clearTimeout(live.timer);
    live.asked += 1;
    delete canvas.current?.dataset.drawn; // until all points are drawn as they are now
    if (live.resizing) return;
    const begin = () => {
      const number = (live.layers.points?.length ?? 0) / 2, step = Math.min(63, Math.ceil(number / SAMPLE));
      const slow = moving && step > 1 && live.whole > SLOW;
      draw(slow ? step : 1);
      if (slow) live.timer = setTimeout(() => draw(1), SETTLE);
    };
    if (now) begin(); else live.waiting = requestAnimationFrame(begin);
  };
  const fit = (now = false) => {
    const { width, height } = canvas.current, [wide, high] = live.span.map(one => Math.max(one, 1));
    live.fit = 0.94 * Math.min(width / wide, height / high);
    live.view = { scale: live.fit, x: (width - wide * live.fit) / 2, y: (height + high * live.fit) / 2 };
    live.fitted = true;
    redraw(false, now);
  };
  const zoom = (by, x = canvas.current.clientWidth / 2, y = canvas.current.clientHeight / 2) => {
    const [px, py] = [x * live.ratio, y * live.ratio], { view } = live;
    const scale = Math.max(live.fit / 2, Math.min(live.fit * 2000, view.scale * by)), change = scale / view.scale;
    live.view = { scale, x: px - (px - view.x) * change, y: py - (py - view.y) * change };
    live.fitted = false;
    redraw(true);
  };
  const pan = (dx, dy) => {
    live.view = { ...live.view, x: live.view.x + dx * live.ratio, y: live.view.y + dy * live.ratio };
    live.fitted = false;
    redraw(true);
  };
  const inView = () => {
    const { clientWidth: w, clientHeight: h } = canvas.current;
    return [[0, 0], [w, 0], [w, h], [0, h]].map(toGrid);
  };
  useImperativeHandle(control, () => ({ fit: () => fit(), zoom, pan, inView }), []);

  useLayoutEffect(() => {
    const element = canvas.current;
    live.painter = painter(element, plain);
    live.given = {};
    live.view = null;
    element.dataset.painter = live.painter.kind;
    /** Draw at the present size; a place that was chosen stays in the middle. */
    const measure = () => {
      const { view, ratio } = live, stays = view && !live.fitted;
      live.resizing = 0;
      live.ratio = devicePixelRatio || 1;
      const [width, height] = [Math.round(element.clientWidth * live.ratio), Math.round(element.clientHeight * live.ratio)];
      if (!width || !height) return;
      if (element.width === width && element.height === height && view) { redraw(); return; }
      const [dx, dy] = [(width - element.width) / 2, (height - element.height) / 2];
      element.width = width;
      element.height = height; // which empties it: it is drawn before the browser shows it
      if (!stays || ratio !== live.ratio) { fit(true); return; }
      fit();
      live.view = { scale: view.scale, x: view.x + dx, y: view.y + dy };
      live.fitted = false;
      redraw(false, true);
    };
    /** A slow map is drawn once for all changes of a region: its size, and then its states. */
    const resized = () => {
      clearTimeout(live.resizing);
      const many = (live.layers.points?.length ?? 0) / 2 > SAMPLE;
      if (!many || live.whole <= SLOW) { measure(); return; }
      live.resizing = setTimeout(() => (live.busy ? resized() : measure()), SETTLE);
    };
    const watch = new ResizeObserver(resized);
    watch.observe(element);
    measure();
    const lost = event => { event.preventDefault(); setPlain(true); };
    const wheel = event => { event.preventDefault(); const box = element.getBoundingClientRect(); zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top); };
    element.addEventListener('webglcontextlost', lost);
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      watch.disconnect();
      clearTimeout(live.timer);
      clearTimeout(live.resizing);
      live.resizing = 0;
      cancelAnimationFrame(live.waiting);
      element.removeEventListener('webglcontextlost', lost);
      element.removeEventListener('wheel', wheel);
    };
  }, [plain]);
  useEffect(() => { live.nearest = null; }, [layers.points]);
  useEffect(() => redraw(), [layers.points, layers.codes, layers.states, layers.palette]);
  useLayoutEffect(() => { if (span && live.view) fit(); }, [span]);
  useEffect(trace, [region]);

  const at = event => { const box = canvas.current.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const nearest = place => {
    const { points, states } = live.layers;
    if (!points || !states) return -1;
    live.nearest ??= new Nearest(points);
    return live.nearest.find(...toGrid(place), (NEAR * live.ratio) / live.view.scale, one => states[one] === 1);
  };
  const down = event => {
    if (event.button) return;
    canvas.current.setPointerCapture(event.pointerId);
    cancelAnimationFrame(live.hover);
    const place = at(event);
    live.down = { place, last: place, moved: false };
    live.path = event.shiftKey || lasso ? [place] : null;
    onHover(-1);
  };
  const move = event => {
    const place = at(event), { down: held } = live;
    if (!held) {
      cancelAnimationFrame(live.hover);
      live.hover = requestAnimationFrame(() => onHover(nearest(place), ...place));
      return;
    }
    held.moved ||= Math.hypot(place[0] - held.place[0], place[1] - held.place[1]) > 4;
    if (live.path) { live.path.push(place); trace(); } else if (held.moved) pan(place[0] - held.last[0], place[1] - held.last[1]);
    held.last = place;
  };
  const up = event => {
    const { down: held, path } = live;
    live.down = live.path = null;
    if (!held) return;
    if (path && path.length > 2) onRegion(fewer(path).map(toGrid));
    else if (!held.moved && event.type === 'pointerup') { const found = nearest(at(event)); if (found >= 0) onPick(found); }
    trace();
  };
  return html`<div class="mapview" ref=${frame}><canvas key=${plain} ref=${canvas} class=${lasso ? 'lasso' : ''} tabindex="0" role="img" aria-label=${label}
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up} onPointerLeave=${() => onHover(-1)}></canvas>
    <svg class="outline" aria-hidden="true"><polygon ref=${outline} points="" /></svg></div>`;
}
