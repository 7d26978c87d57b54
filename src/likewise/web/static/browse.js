// Browse: the filter, and all items that meet it.
import { html, useEffect, useMemo, useRef, useState } from './vendor/preact.js';
import { asked, data, useData } from './api.js';
import { Chips, Facets } from './facets.js';
import { Grid } from './grid.js';
import { Choice, Copy, CopyAs, count, counted, Empty, Icon, Later, Problem, useKeys } from './parts.js';
import { address, keep, kept, onLeave, result, setQuery } from './store.js';

const PAGE = 100;
const KEPT_PAGES = 60;
const AT_ONCE = 3;

/** Items that a range with Shift selects at most. */
const MOST_RANGE = 1_000;

/** Items of a query by examples. */
const MOST_LIKED = 50;

const look = () => import('./look.js').then(found => found.Look);
const curate = () => import('./curate.js').then(found => found.Curate);

/** Columns whose change by a window of this page changes which rows pass. */
const CURATED = ['f.tags', 'f.selections', 'where'];

const SIZES = [56, 72, 96, 124, 148, 180, 220, 280, 360];

export function Browse({ dataset, query, frame }) {
  const [, redraw] = useState(0);
  const group = query.get('group'), sort = group ?? query.get('sort');
  const asks = ordered(asked(query), sort);
  const [again, setAgain] = useState(0), [edits, setEdits] = useState(null);
  const key = `${dataset} ${asks} ${frame.fresh} ${CURATED.some(name => query.has(name)) ? again : 0}`;
  const rows = useMemo(() => new Rows(dataset, asks, () => redraw(value => value + 1)), [key]);
  useEffect(() => () => rows.close(), [rows]);
  const groups = useData(group ? dataset : null, 'groups', withGroup(asks, group), frame.fresh);
  const marks = useData(dataset, 'scrubber', asks, frame.fresh);
  const [selected, setSelected] = useState(() => new Map()), [ranged, setRanged] = useState(null);
  const cursorRow = useRef(() => null), barred = useRef(false);
  if (rows.first) barred.current = true;  // the bar follows the first rows, and stays
  const [looked, setLooked] = useState(null);
  const [open, setOpen] = useState(false);
  const schema = useRef(null);
  schema.current = rows.first?.schema ?? schema.current;
  const size = Number(query.get('size')) || kept('size', innerWidth < 600 ? 96 : 148);
  const start = useMemo(() => Number(query.get('at')) || 0, [rows]);
  const place = usePlaceOf(start, rows);

  useEffect(() => frame.title(`${dataset}: browse`), [dataset]);
  useKeys([
    [['+', '-'], 'larger, smaller tiles', event => resize(size, event.key === '+' ? 1 : -1)],
    [['f'], 'write a filter', () => { setOpen(true); document.getElementById('where')?.focus(); }],
    [['Escape'], 'clear the selection', () => clear()],
  ]);
  const clear = () => { setSelected(new Map()); setRanged(null); };
  const without = items => { setSelected(before => new Map([...before].filter(([id]) => !items.has(id)))); setRanged(null); };
  const select = row => setSelected(before => {
    const next = new Map(before);
    if (!next.delete(row.item_id)) next.set(row.item_id, row.label);
    return next;
  });
  /** Select all items between two places; those that are not here are fetched. */
  const selectRange = async (from, to) => {
    const many = Math.abs(to - from) + 1;
    setRanged(many > PAGE ? 'The range is read…' : null);
    try {
      const range = await rows.between(from, to);
      if (rows.closed) return;
      setSelected(before => new Map([...before, ...range.map(one => [one.item_id, one.label])]));
      setRanged(many > range.length ? `Of the range of ${counted(many, 'item')}, the ${count(range.length)} next to its start are selected.` : null);
    } catch (error) { setRanged(`The range is not selected: ${error.message}`); }
  };
  const changeOf = id => edits?.changes.get(id)?.get('label') ?? null;
  const problem = rows.error?.status === 422 && query.get('where') ? rows.error : null;
  const hrefOf = (row, index) => address(['d', dataset, 'i', row.item_id], withPlace(result(query), index, sort));
  return html`<div class=${open ? 'browse open' : 'browse'}>
    <aside class="side" aria-label="Filter"><button class="close plain" onClick=${() => setOpen(false)}><${Icon} name="close" /><span>Close</span></button>
      <${Facets} dataset=${dataset} query=${query} schema=${schema.current} problem=${problem} again=${again} /></aside>
    <section class="stage" aria-label="Result">
      <h1 class="hidden">${dataset}</h1>
      <${Tools} rows=${rows} query=${query} size=${size} schema=${schema.current} onFilter=${() => setOpen(!open)} open=${open} />
      <${Chips} query=${query} />
      ${barred.current && WRITES && !query.get('rev') && html`<${Later} load=${curate} dataset=${dataset} query=${query} fresh=${frame.fresh} total=${rows.total} models=${modelsOf(frame.sets, dataset)} selected=${selected} clear=${without} tile=${() => cursorRow.current()}
        show=${now => setEdits({ changes: now.changes })} renew=${frame.renew} again=${() => setAgain(count => count + 1)} />`}
      ${rows.error && !rows.first && !problem && html`<${Problem} error=${rows.error} again=${frame.renew} />`}
      ${groups.error && html`<${Problem} error=${groups.error} />`}
      ${problem ? html`<${Empty}>The filter is not valid. ${problem.message}<//>` : rows.total === 0 ? html`<${Empty} next=${rows.first.items ? null : `likewise ingest ${dataset}`}>${rows.first.items ? 'No item meets the filter. Change or remove it.' : 'This data set has no items.'}<//>`
    : html`<${Grid} key=${key} rows=${rows} size=${size} groups=${group && groups.data ? groups.data.groups : null} marks=${marks.data?.marks ?? []} column=${marks.data?.column ?? 'label'}
        start=${start} hrefOf=${hrefOf} selected=${selected} onSelect=${select} onRange=${selectRange} cursorRow=${cursorRow} changeOf=${changeOf} onPlace=${place} onLook=${(row, index) => setLooked({ row, index })} />`}
      ${(selected.size > 0 || ranged) && html`<${Selection} dataset=${dataset} query=${query} ids=${[...selected.keys()]} note=${ranged} clear=${clear} />`}
    </section>
    ${looked && html`<${Later} load=${look} dataset=${dataset} id=${looked.row.item_id} href=${hrefOf(looked.row, looked.index)} onClose=${() => setLooked(null)} />`}
  </div>`;
}

/** False if this server has no route that writes. */
const WRITES = document.body.dataset.readOnly === undefined;

/** Number of models whose vectors the data set has. */
const modelsOf = (sets, dataset) => sets?.sets.find(one => one.name === dataset)?.models.length ?? 0;

const ordered = (query, sort) => { if (sort) query.set('sort', sort); return query; };
const withGroup = (query, group) => { const next = new URLSearchParams(query); next.set('group', group ?? ''); next.delete('sort'); return next; };
const withPlace = (query, index, sort) => { const next = new URLSearchParams(query); if (sort) next.set('sort', sort); next.set('from', index); return next; };

/** Write the first tile into the address when scrolling pauses, and before the page is left. */
function usePlaceOf(start, rows) {
  const live = useRef({ first: start, timer: 0 }).current;
  const write = () => {
    clearTimeout(live.timer);
    const query = new URLSearchParams(location.search);
    if ((Number(query.get('at')) || 0) !== live.first) setQuery({ at: live.first || null }, { replace: true, quiet: true });
  };
  useEffect(() => { live.first = start; }, [rows]);
  useEffect(() => {
    const stop = onLeave(write);
    return () => { clearTimeout(live.timer); stop(); };
  }, []);
  return first => {
    live.first = first;
    clearTimeout(live.timer);
    live.timer = setTimeout(write, 300);
  };
}

function resize(size, by) {
  const at = SIZES.findIndex(one => one >= size);
  const next = SIZES[Math.max(0, Math.min(SIZES.length - 1, (at < 0 ? SIZES.length - 1 : at) + by))];
  keep('size', next);
  setQuery({ size: next }, { replace: true });
}

/** Number of items, size of the tiles, order and groups. */
function Tools({ rows, query, size, schema, onFilter, open }) {
  const columns = schema?.filter(one => ['text', 'number'].includes(one.kind)) ?? [];
  const sort = query.get('sort') ?? '', column = sort.replace(/^-/, '');
  const total = rows.total, items = rows.first?.items;
  const setSort = (name, down) => setQuery({ sort: name ? (down ? '-' : '') + name : null, group: null, at: null });
  const at = Math.max(0, SIZES.findIndex(one => one >= size));
  return html`<div class="tools" role="group" aria-label="Display">
    <button class="opener" aria-expanded=${open} onClick=${onFilter}><${Icon} name="filter" /><span>Filter</span></button>
    <span class="count number" id="total" role="status">${total === null ? '…' : counted(total, 'item')}${items && total !== null && items !== total ? html`<span class="soft"> of ${count(items)}</span>` : ''}</span>
    <${Choice} name="Sort by" text="Sort" value=${query.get('group') ? '' : column} options=${[['', 'order of the set'], ...columns.map(one => one.name)]} onChange=${name => setSort(name, false)} />
    ${column && !query.get('group') && html`<button aria-label=${sort.startsWith('-') ? 'Descending; change to ascending' : 'Ascending; change to descending'} onClick=${() => setSort(column, !sort.startsWith('-'))}><${Icon} name=${sort.startsWith('-') ? 'down' : 'up'} /></button>`}
    <${Choice} name="Group by" text="Group" value=${query.get('group')} options=${[['', 'none'], ...columns.filter(one => one.kind === 'text').map(one => one.name)]} onChange=${name => setQuery({ group: name, sort: null, at: null })} />
    <label class="sizer"><span class="soft">Size</span><input type="range" aria-label="Size of the tiles" min="0" max=${SIZES.length - 1} value=${at} onInput=${event => resize(SIZES[event.target.value], 0)} /></label>
    <span class="end"><${CopyAs} copy=${rows.first?.copy} v=${rows.first?.v} /></span></div>`;
}

/** What one can do with the selected items. */
function Selection({ dataset, query, ids, note, clear }) {
  const href = address(['d', dataset, 'search'], { id: ids.slice(0, MOST_LIKED), v: query.get('v'), rev: query.get('rev') });
  return html`<div class="selection" role="group" aria-label="Selection"><strong class="number" role="status">${count(ids.length)} selected</strong>${note && html`<span role="status">${note}</span>`}
    <a class="button main" href=${href}>${ids.length > MOST_LIKED ? `Search like the first ${MOST_LIKED}` : 'Search like these'}</a><${Copy} text=${ids.join('\n')} label="Copy ids" /><button class="plain" onClick=${clear}>Clear</button></div>`;
}

/** The row at a place of a page: a mapping, or null. */
function rowOf(answer, at) {
  if (!answer || at >= answer.rows.length) return null;
  const columns = answer.columns;
  return { item_id: columns.item_id[at], label: columns.label[at], text: columns.text?.[at] ?? null, thumb: answer.thumbs[at], columns, at };
}

/** The rows of a result, fetched in pages around what is seen, and forgotten when far away. */
class Rows {
  /** Rows of `dataset` under `query`; `changed` is called when an answer has come. */
  constructor(dataset, query, changed) {
    this.dataset = dataset;
    this.query = query;
    this.changed = changed;
    this.pages = new Map();
    this.running = new Map();
    this.wanted = [];
    this.total = null;
    this.first = null;
    this.error = null;
  }

  /** The row at `index`: a mapping, or null while it is on its way. */
  at(index) { return rowOf(this.pages.get(Math.floor(index / PAGE)), index % PAGE); }

  /** The rows between two places, from the first place on and `MOST_RANGE` at most. */
  async between(from, to) {
    const way = Math.sign(to - from) || 1;
    const end = from + way * Math.min(Math.abs(to - from), MOST_RANGE - 1);
    const [low, high] = [Math.min(from, end), Math.max(from, end)];
    const rows = [];
    for (let page = Math.floor(low / PAGE); page * PAGE <= high; page++) {
      const answer = this.pages.get(page) ?? await data(this.dataset, 'page', this.asks(page));
      for (let at = Math.max(0, low - page * PAGE); at < PAGE && page * PAGE + at <= high; at++) {
        const row = rowOf(answer, at);
        if (row) rows.push(row);
      }
    }
    return rows;
  }

  /** The query of a page. */
  asks(page) {
    const query = new URLSearchParams(this.query);
    query.set('offset', page * PAGE);
    query.set('limit', PAGE);
    return query;
  }

  /** Fetch the pages of the rows [from, to), and give up others that are on their way. */
  need(from, to) {
    const wanted = [];
    for (let page = Math.max(0, Math.floor(from / PAGE)); page * PAGE < Math.max(to, 1); page++) {
      if (page * PAGE < Math.max(1, this.total ?? Infinity)) wanted.push(page);
      if (this.total === null) break;
    }
    for (const [page, control] of this.running) if (!wanted.includes(page)) control.abort();
    this.wanted = wanted.filter(page => !this.pages.has(page) && !this.running.has(page));
    this.fill();
  }

  fill() {
    while (this.wanted.length && this.running.size < AT_ONCE) this.fetch(this.wanted.shift());
  }

  async fetch(page) {
    const control = new AbortController();
    this.running.set(page, control);
    try {
      const answer = await data(this.dataset, 'page', this.asks(page), { signal: control.signal });
      this.pages.set(page, answer);
      this.total = answer.total;
      if (!this.first || answer.offset < this.first.offset) this.first = answer;
      this.error = null;
      if (this.pages.size > KEPT_PAGES) this.forget(page);
    } catch (error) {
      if (error.name !== 'AbortError') this.error = error;
    } finally {
      if (this.running.get(page) === control) this.running.delete(page);
    }
    if (!this.closed) { this.changed(); this.fill(); }
  }

  forget(near) {
    const far = [...this.pages.keys()].sort((one, other) => Math.abs(other - near) - Math.abs(one - near));
    this.pages.delete(far[0]);
  }

  close() {
    this.closed = true;
    for (const control of this.running.values()) control.abort();
  }
}
