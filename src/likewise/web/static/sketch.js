// Draw: a sketch finds photos while one draws.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { data as ask, useData } from './api.js';
import { Hits, ROLES } from './hits.js';
import { Choice, CopyAs, count, Empty, Icon, number, Problem, Tile, useKeys } from './parts.js';
import { address, setQuery } from './store.js';
import { mirrored, paint, png, pointOf, SIDE } from './strokes.js';
import { Warm } from './warm.js';

const WAIT = 300;
const STEP = 8;

/** The model of the best run on sketches, else the first one. */
function bestModel(set) {
  const runs = set.runs.filter(run => run.protocol.startsWith('sbir') && run.value !== null);
  runs.sort((one, other) => other.value - one.value);
  return runs[0]?.model ?? set.models[0] ?? null;
}

export function Sketch({ dataset, query, frame, sets }) {
  const set = sets.data?.sets.find(one => one.name === dataset);
  const model = query.get('model') ?? (set ? bestModel(set) : null);
  const target = query.get('target'), role = query.get('role') ?? 'gallery';
  const [strokes, setStrokes] = useState([]), [undone, setUndone] = useState([]), [pen, setPen] = useState(6);
  const canvas = useRef();
  const answer = useHits({ dataset, canvas, strokes, query: { v: query.get('v'), rev: query.get('rev'), model, target, role, k: query.get('k') ?? 30 } });
  const photo = useData(target ? dataset : null, `item/${encodeURIComponent(target ?? '')}`, { v: query.get('v'), rev: query.get('rev') }).data;
  useEffect(() => frame.title(`${dataset}: draw`), [dataset]);
  useEffect(() => paint(canvas.current, strokes), [strokes]);
  const put = next => { setStrokes(next); setUndone([]); };
  const undo = () => { if (strokes.length) { setUndone([...undone, strokes.at(-1)]); setStrokes(strokes.slice(0, -1)); } };
  const redo = () => { if (undone.length) { setStrokes([...strokes, undone.at(-1)]); setUndone(undone.slice(0, -1)); } };
  useKeys([
    [['z'], 'undo a stroke', undo], [['Z'], 'redo a stroke', redo], [['c'], 'clear the canvas', () => put([])],
    [['h'], 'mirror', () => put(mirrored(strokes))],
    [['[', ']'], 'thinner, thicker pen', event => setPen(Math.max(2, Math.min(12, pen + (event.key === '[' ? -2 : 2))))],
  ]);
  const models = set?.models ?? [];
  if (set && !models.length) return html`<div class="body"><h1>Draw</h1><${Empty} next=${set.next ?? `likewise embed ${dataset} MODEL`}>This data set has no vectors yet.<//></div>`;
  const tool = (name, text, action, off) => html`<button aria-label=${text} title=${text} disabled=${off} onClick=${action}><${Icon} name=${name} /></button>`;
  return html`<div class="body"><h1 class="hidden">Draw in ${dataset}</h1><div class="draw"><section class="desk" aria-label="Sketch">
      <div class="paper"><${Paper} canvas=${canvas} pen=${pen} add=${stroke => put([...strokes, stroke])} strokes=${strokes} />
        ${target && photo && html`<img class="trace" src=${photo.picture.thumb} alt="" hidden=${query.get('trace') !== '1'} />`}</div>
      <div class="row">${tool('undo', 'Undo (z)', undo, !strokes.length)}${tool('redo', 'Redo (Z)', redo, !undone.length)}${tool('mirror', 'Mirror (h)', () => put(mirrored(strokes)), !strokes.length)}${tool('bin', 'Clear (c)', () => put([]), !strokes.length)}
        <label><span class="soft">Pen</span><input type="range" aria-label="Width of the pen" min="2" max="12" step="1" value=${pen} onInput=${event => setPen(Number(event.target.value))} /><span class="number soft">${pen} px</span></label></div>
      <div class="row">${models.length > 1 && html`<${Choice} name="Model" text="Model" value=${model} options=${models} onChange=${name => setQuery({ model: name })} />`}
        ${(answer.data?.role.left_out || query.get('role')) && html`<${Choice} name="Role of the hits" text="Hits are" value=${role} options=${ROLES} onChange=${name => setQuery({ role: name })} />`}
        ${target && html`<label><input type="checkbox" checked=${query.get('trace') === '1'} onChange=${event => setQuery({ trace: event.target.checked ? 1 : null }, { replace: true })} />Show the picture under the drawing</label>`}</div>
      <div class="eyes">${answer.data?.eye && html`<figure><img class="eye" src=${answer.data.eye} alt="The drawing as the model gets it" /><figcaption class="soft">What ${answer.data.model} sees</figcaption></figure>`}
        ${target && html`<${Target} photo=${photo} answer=${answer.data} dataset=${dataset} />`}</div>
      <${Warm} dataset=${dataset} model=${model} encoder=${true} /></section>
    <section class="live" aria-label="Hits" aria-busy=${answer.busy}>
      <div class="row"><span class="soft number" role="status" data-made>${answer.data ? `${answer.data.hits.length} hits, ${answer.data.model}, ${Math.round(answer.data.ms.total)} ms` : ''}</span>${answer.busy && html`<span class="busy"></span>`}
        <span class="end row">${strokes.length > 0 && answer.data && html`<button onClick=${() => save(canvas.current, dataset)}>Save PNG</button>`}<${CopyAs} copy=${answer.data?.copy} /></span></div>
      ${answer.error && html`<${Problem} error=${answer.error} />`}
      ${!strokes.length && html`<${Empty}>Draw something: hits appear while you draw. By keyboard: focus the canvas, arrow keys move the pen, Space puts it down and lifts it.<//>`}
      ${answer.data && html`<${Hits} hits=${answer.data.hits} dataset=${dataset} query=${query} liking=${false} roles=${role === 'any'} />`}</section></div></div>`;
}

/** The picture that one draws: its rank counts down. */
function Target({ photo, answer, dataset }) {
  const found = answer?.target;
  const rank = !found ? 'draw it' : found.rank === null ? `below ${count(found.of)}` : `rank ${number(found.rank)}`;
  return html`<figure><div class="aim">${photo && html`<${Tile} href=${address(['d', dataset, 'i', photo.item.item_id])} thumb=${photo.picture.thumb} label=${photo.item.label} name=${photo.item.item_id} />`}</div><figcaption><strong class="number" role="status" data-rank>${rank}</strong></figcaption></figure>`;
}

async function save(canvas, dataset) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await png(canvas));
  link.download = `sketch-${dataset}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Hits of the drawing, a moment after the last stroke. Old hits stay until new ones are here. */
function useHits({ dataset, canvas, strokes, query }) {
  const [state, setState] = useState({ data: null, error: null, busy: false });
  const control = useRef(null);
  const key = JSON.stringify(query);
  useEffect(() => {
    control.current?.abort();
    if (!strokes.length || !query.model) { setState({ data: null, error: null, busy: false }); return undefined; }
    const mine = new AbortController();
    control.current = mine;
    const timer = setTimeout(async () => {
      setState(before => ({ ...before, busy: true }));
      try {
        const data = await ask(dataset, 'sketch', query, { signal: mine.signal, body: await png(canvas.current) });
        if (control.current === mine) setState({ data, error: null, busy: false });
      } catch (error) {
        if (control.current === mine && error.name !== 'AbortError') setState({ data: null, error, busy: false });
      }
    }, WAIT);
    return () => { clearTimeout(timer); mine.abort(); };
  }, [strokes, key, dataset]);
  return state;
}

/** The canvas: a pointer or the arrow keys draw. */
function Paper({ canvas, pen, add, strokes }) {
  const live = useRef({ points: null, place: [SIDE / 2, SIDE / 2], down: false }).current;
  const [spot, setSpot] = useState(null);
  const draw = () => paint(canvas.current, [...strokes, { width: pen, points: live.points }]);
  const end = () => {
    const { points } = live;
    live.points = null;
    if (points) add({ width: pen, points });
  };
  const down = event => {
    if (event.button) return;
    canvas.current.setPointerCapture(event.pointerId);
    live.points = [pointOf(canvas.current, event)];
    draw();
  };
  const move = event => {
    if (!live.points || live.down) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) live.points.push(pointOf(canvas.current, one));
    draw();
  };
  const key = event => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      live.place = live.place.map((one, axis) => Math.max(0, Math.min(SIDE, one + way[axis] * STEP * (event.shiftKey ? 4 : 1))));
      if (live.down) { live.points.push(live.place); draw(); }
    } else if (event.key === ' ') {
      live.down = !live.down;
      if (live.down) { live.points = [live.place]; draw(); } else end();
    } else return;
    event.preventDefault();
    event.stopPropagation();
    setSpot([...live.place]);
  };
  const at = spot && { left: `${(spot[0] / SIDE) * 100}%`, top: `${(spot[1] / SIDE) * 100}%` };
  return html`<canvas ref=${canvas} width=${SIDE} height=${SIDE} tabindex="0" role="img" aria-label="Canvas. Arrow keys move the pen, Space puts it down and lifts it." data-own-canvas
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${() => !live.down && end()} onPointerCancel=${() => !live.down && end()} onKeyDown=${key} onBlur=${() => { if (live.down) { live.down = false; end(); } setSpot(null); }}></canvas>
    ${at && html`<i class=${live.down ? 'spot down' : 'spot'} style=${at}></i>`}`;
}
