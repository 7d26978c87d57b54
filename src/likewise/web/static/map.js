// Map: all items on a plane by the vectors of a model; a region of it is a filter of the grid.
import { html, useEffect, useMemo, useRef, useState } from './vendor/preact.js';
import { asked, data as ask, Failure, pinned, useAnswer, useData } from './api.js';
import { Chips, Facets } from './facets.js';
import { MapView } from './map_view.js';
import { Choice, count, counted, Empty, Icon, number, Problem, Tile, useKeys } from './parts.js';
import { styled } from './sheet.js';
import { address, go, place, result, ROOT, search, setQuery } from './store.js';

await styled('pages.css');

const COLOURS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b', '#e377c2', '#bcbd22', '#17becf', '#aec7e8', '#ffbb78', '#98df8a', '#ff9896', '#c5b0d5', '#c49c94', '#f7b6d2', '#dbdb8d', '#9edae5'];
const SCALE = ['#482878', '#3e4989', '#31688e', '#26828e', '#1f9e89', '#35b779', '#6ece58', '#b5de2b'];
const OTHER = 255, LEVELS = 254;
const TILES = 60;

const channels = text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));

/** A colour of the scale at a share from 0 to 1. */
function shade(share) {
  const place = share * (SCALE.length - 1), at = Math.min(SCALE.length - 2, Math.floor(place));
  const [low, high] = [channels(SCALE[at]), channels(SCALE[at + 1])];
  return low.map((value, channel) => Math.round(value + (high[channel] - value) * (place - at)));
}

/** RGBA of the codes 0 to 255, of hidden points, and of the paper. */
function paletteOf(legend, dark) {
  const rows = new Uint8Array(258 * 4).fill(255);
  const set = (code, colour) => rows.set(colour, code * 4);
  for (let code = 0; code < OTHER; code++) set(code, legend.kind === 'scale' ? shade(code / (LEVELS - 1)) : channels(COLOURS[code % COLOURS.length]));
  set(OTHER, dark ? [116, 121, 130] : [138, 141, 148]);
  set(256, dark ? [47, 50, 54] : [223, 223, 220]);
  set(257, dark ? [19, 20, 22] : [246, 246, 244]);
  return rows;
}

/** The bytes of an answer about a data set, in the version that the page shows. */
async function bytes(dataset, path, query, signal) {
  const here = place().query, named = new URLSearchParams(search(query)), rev = here.get('rev');
  for (const [name, value] of [['v', here.get('v') ?? pinned(dataset, rev)], ['rev', rev]]) if (value) named.set(name, value);
  const answer = await fetch(`${ROOT}/api/d/${encodeURIComponent(dataset)}/${path}?${named}`, { signal });
  if (!answer.ok) throw new Failure(await answer.json().catch(() => ({})), answer.status);
  return answer.arrayBuffer();
}

const filtering = query => [...query.keys()].some(name => name.startsWith('f.') || name === 'where' || name === 'region');
const rowsOnly = query => asked(query, ['size', 'at', 'group', 'from', 'sort', 'map', 'by']);

export function MapPage({ dataset, query, frame }) {
  const { data, error } = useData(dataset, 'map', {}, frame.fresh);
  useEffect(() => frame.title(`${dataset}: map`), [dataset]);
  if (error) return html`<div class="body"><h1>Map</h1><${Problem} error=${error} again=${frame.renew} /></div>`;
  if (!data) return html`<div class="body"><h1>Map</h1><p class="soft busy"></p></div>`;
  const made = data.maps.filter(one => one.made), name = query.get('map') ?? made[0]?.name;
  if (!made.length) {
    const next = data.maps[0]?.command ?? null, model = data.models[0] ?? 'MODEL';
    return html`<div class="body"><h1>Map</h1><${Empty} next=${next}>${next ? 'The map of params.yaml was not made yet.' : `params.yaml has no map of this data set. Add to its section maps: ${dataset}-${model}: {dataset: ${dataset}, model: ${model}, method: tsne}`}<//></div>`;
  }
  return html`<${Plane} key=${`${dataset} ${name} ${data.v}`} dataset=${dataset} query=${query} name=${name} maps=${made} facts=${data} />`;
}

function Plane({ dataset, query, name, maps, facts }) {
  const by = query.get('by') ?? facts.columns[0], view = useRef(), [lasso, setLasso] = useState(false), [open, setOpen] = useState(false);
  const dark = useDark(), shownOnly = filtering(query), rows = rowsOnly(query);
  const bounds = useData(dataset, `map/${encodeURIComponent(name)}/bounds`);
  const points = useAnswer(`${dataset} ${name}`, async signal => new Uint16Array(await bytes(dataset, `map/${encodeURIComponent(name)}/points`, {}, signal)));
  const codes = useAnswer(`${dataset} ${by}`, async signal => new Uint8Array(await bytes(dataset, 'colours', { by }, signal)));
  const legend = useData(dataset, 'legend', { by });
  const chosen = useAnswer(shownOnly ? `${dataset} ${rows}` : null, async signal => new Int32Array(await bytes(dataset, 'positions', rows, signal)));
  const busy = shownOnly && chosen.busy, calm = useCalm(rows, busy);
  const states = useMemo(() => {
    if (!shownOnly) return new Uint8Array(facts.items).fill(1);
    if (!chosen.data) return null;
    const marks = new Uint8Array(facts.items);
    for (const position of chosen.data) marks[position] = 1;
    return marks;
  }, [shownOnly, chosen.data]);
  const kept = useRef(null);
  kept.current = states ?? kept.current;
  const palette = useMemo(() => legend.data && paletteOf(legend.data, dark), [legend.data, dark]);
  const layers = { points: points.data, codes: codes.data, states: kept.current, palette };
  const setRegion = corners => {
    if (!bounds.data) return;
    const { x, y, extent, grid } = bounds.data;
    const numbers = corners.flatMap(([gx, gy]) => [x + (gx * extent) / grid, y + (gy * extent) / grid]);
    setQuery({ region: `${name}:${numbers.map(value => Number(value.toPrecision(6))).join(',')}` });
  };
  const clear = () => setQuery({ region: null });
  const error = points.error ?? codes.error ?? bounds.error ?? legend.error ?? chosen.error;
  const total = shownOnly ? chosen.data?.length ?? null : facts.items;
  useKeys([
    [['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'], 'move the map', event => view.current?.pan(...{ ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key])],
    [['+', '-'], 'larger, smaller', event => view.current?.zoom(event.key === '+' ? 1.4 : 1 / 1.4)],
    [['0'], 'the whole map', () => view.current?.fit()],
    [['v'], 'select what is in view', () => setRegion(view.current.inView())],
    [['r'], 'draw a region (with the mouse: hold Shift)', () => setLasso(!lasso)],
    [['Escape'], 'clear the region', () => { setLasso(false); clear(); }],
  ]);
  const pick = async position => {
    const here = location.href, item = await ask(dataset, 'at', { p: position }).catch(() => null);
    if (item && location.href === here) go(address(['d', dataset, 'i', item.item_id], result(query)));
  };
  const model = maps.find(one => one.name === name)?.model;
  return html`<div class=${open ? 'browse open' : 'browse'}><aside class="side" aria-label="Filter"><button class="close plain" onClick=${() => setOpen(false)}><${Icon} name="close" /><span>Close</span></button>
      ${calm && html`<${Facets} dataset=${dataset} query=${calm} schema=${facts.schema} />`}</aside>
    <section class="stage" aria-label="Map"><h1 class="hidden">Map of ${dataset}</h1>
      <div class="tools" role="group" aria-label="Display"><button class="opener" aria-expanded=${open} onClick=${() => setOpen(!open)}><${Icon} name="filter" /><span>Filter</span></button>
        <span class="count number" id="total" role="status">${total === null ? '…' : counted(total, 'item')}${total !== null && total !== facts.items ? html`<span class="soft"> of ${count(facts.items)}</span>` : ''}</span>
        <${Choice} name="Map" text="Map" value=${name} options=${maps.map(one => [one.name, `${one.name} (${one.model}, ${one.method})`])} onChange=${map => setQuery({ map, region: null })} />
        <${Choice} name="Colour by" text="Colour" value=${by} options=${facts.columns} onChange=${column => setQuery({ by: column }, { replace: true })} />
        <button aria-pressed=${lasso} disabled=${!bounds.data} onClick=${() => setLasso(!lasso)}><${Icon} name="pen" /><span>Region</span></button><button disabled=${!bounds.data} onClick=${() => setRegion(view.current.inView())}>Select the view</button><button onClick=${() => view.current?.fit()}>Whole map</button>
        ${shownOnly && html`<a class="button main end" href=${address(['d', dataset], result(query))}>Show in Browse</a>`}</div>
      <${Chips} query=${query} />
      ${error && html`<${Problem} error=${error} />`}
      <div class="mapfield"><${Canvas} view=${view} dataset=${dataset} layers=${layers} query=${query} name=${name} bounds=${bounds.data} busy=${busy} lasso=${lasso} onRegion=${corners => { setLasso(false); setRegion(corners); }} onPick=${pick} label=${`Map of ${count(bounds.data?.placed ?? facts.items)} items by ${model}`} />
        ${legend.data && html`<${Legend} legend=${legend.data} query=${query} />`}</div>
      ${bounds.data && bounds.data.placed < facts.items && html`<p class="soft note">${counted(facts.items - bounds.data.placed, 'item')} without a place on this map.</p>`}
      ${shownOnly && calm && html`<${Strip} dataset=${dataset} rows=${calm} query=${query} total=${total} />`}
    </section></div>`;
}

/** The filter a moment later: points and their number come first, then counts and pictures. */
function useCalm(rows, busy) {
  const [calm, setCalm] = useState(null);
  useEffect(() => {
    if (busy) return undefined;
    const timer = setTimeout(() => setCalm(rows), 150);
    return () => clearTimeout(timer);
  }, [rows.toString(), busy]);
  return calm;
}

/** True where the page is dark. */
function useDark() {
  const wish = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), []), [dark, setDark] = useState(wish.matches);
  useEffect(() => {
    const change = () => setDark(wish.matches);
    wish.addEventListener('change', change);
    return () => wish.removeEventListener('change', change);
  }, []);
  return dark;
}

/** The canvas, and the item under the pointer. */
function Canvas({ view, dataset, layers, query, name, bounds, ...rest }) {
  const [near, setNear] = useState(null), known = useRef(new Map()), wanted = useRef(-1);
  const region = useMemo(() => {
    const [map, listed = ''] = (query.get('region') ?? '').split(':');
    if (map !== name || !bounds) return null;
    const numbers = listed.split(',').map(Number);
    const scale = bounds.grid / bounds.extent;
    return Array.from({ length: numbers.length / 2 }, (_, at) => [(numbers[2 * at] - bounds.x) * scale, (numbers[2 * at + 1] - bounds.y) * scale]);
  }, [query.get('region'), name, bounds]);
  const hover = async (position, x, y) => {
    wanted.current = position;
    if (position < 0) { setNear(null); return; }
    if (!known.current.has(position)) {
      const item = await ask(dataset, 'at', { p: position }).catch(() => null);
      if (known.current.size > 500) known.current.clear();
      if (item) known.current.set(position, item);
    }
    if (wanted.current === position && known.current.has(position)) setNear({ item: known.current.get(position), x, y });
  };
  const item = near?.item;
  return html`<div class="mapbox"><${MapView} control=${view} layers=${layers} span=${bounds?.span} region=${region} onHover=${hover} ...${rest} />
    ${item && html`<div class="hovered" style=${{ transform: `translate(${near.x + 14}px, ${near.y + 14}px)` }}><span class="mat"><img src=${item.thumb} alt="" /></span><span class="cut">${item.text ?? item.label ?? 'no label'}</span><span class="soft cut">${item.item_id}</span></div>`}</div>`;
}

/** The meaning of the colours; a value is a filter. */
function Legend({ legend, query }) {
  if (legend.kind === 'scale') {
    const shades = Array.from({ length: 12 }, (_, at) => `rgb(${shade(at / 11).join(' ')})`);
    return html`<div class="legend" role="group" aria-label="Colours"><h2>${legend.by}</h2><div class="scale" style=${{ background: `linear-gradient(90deg, ${shades.join(', ')})` }}></div><div class="ends number"><span>${number(legend.low)}</span><span>${number(legend.high)}</span></div></div>`;
  }
  const name = `f.${legend.by}`, now = query.getAll(name);
  const toggle = value => setQuery({ [name]: now.includes(value) ? now.filter(one => one !== value) : [...now, value] });
  return html`<div class="legend" role="group" aria-label="Colours"><h2>${legend.by}</h2><ul>${legend.values.map((one, code) => html`<li key=${one.value}><button class="value" aria-pressed=${now.includes(String(one.value))} onClick=${() => toggle(String(one.value))}><i class="swatch" style=${{ background: COLOURS[code] }}></i><span class="cut">${one.text ?? one.value}</span><span class="number">${count(one.count)}</span></button></li>`)}</ul>
    ${legend.others + legend.missing > 0 && html`<p class="soft"><i class="swatch"></i> ${legend.others > 0 ? counted(legend.others, 'other value') : 'no value'}</p>`}</div>`;
}

/** The first items that are selected on the map. */
function Strip({ dataset, rows, query, total }) {
  const asks = new URLSearchParams(rows);
  asks.set('limit', TILES);
  const { data, error } = useData(dataset, 'page', asks);
  if (error) return html`<${Problem} error=${error} />`;
  if (!data) return null;
  const { item_id: ids, label, text } = data.columns;
  return html`<section class="chosen" aria-label="Selected items"><ul class="strip" tabindex="0" aria-label="Selected items">${ids.map((id, at) => html`<li key=${id}><${Tile} href=${address(['d', dataset, 'i', id], result(query))} thumb=${data.thumbs[at]} label=${label[at]} text=${text?.[at] ?? null} name=${id} small /></li>`)}</ul>
    ${total > ids.length && html`<p class="soft note">The first ${count(ids.length)} of ${counted(total, 'item')}.</p>`}</section>`;
}
