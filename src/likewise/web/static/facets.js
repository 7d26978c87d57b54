// The filter: counts of every column under the filter of the others, and a condition in SQL.
import { html, useLayoutEffect, useState } from './vendor/preact.js';
import { asked, useData } from './api.js';
import { count, counted, Icon, number, shown } from './parts.js';
import { go, place } from './store.js';

const FEW = 8;
const MANY = 200;

/** Go to the same page with other filters, from its first row. */
function filterBy(change) {
  const query = place().query;
  change(query);
  query.delete('at');
  query.delete('offset');
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ''));
}

/** Replace all values of one name. */
function setValues(query, name, values) {
  query.delete(name);
  for (const value of values) query.append(name, value);
}

function toggle(column, value) {
  const name = `f.${column}`, text = value === null ? '' : String(value);
  filterBy(query => {
    const now = query.getAll(name);
    setValues(query, name, now.includes(text) ? now.filter(one => one !== text) : [...now, text]);
  });
}

/** The filters of an address: [{name, value, text}]. */
export function filters(query) {
  const named = [...query].filter(([name, value]) => name.startsWith('f.') || (['where', 'region'].includes(name) && value));
  return named.map(([name, value]) => ({ name, value, text: name === 'where' ? value : name === 'region' ? `a region of the map ${value.split(':')[0]}` : words(name.slice(2), value) }));
}

/** The two ends of a range as texts; an open end is ''. */
const ends = value => { const at = (value ?? '').indexOf('..'); return at < 0 ? ['', ''] : [value.slice(0, at), value.slice(at + 2)]; };

function words(column, value) {
  const range = /^([^.]*(?:\.\d+)?)\.\.(.*)$/.exec(value);
  if (!range) return `${column}: ${value === '' ? 'none' : value}`;
  if (!range[1]) return `${column} up to ${range[2]}`;
  return range[2] ? `${column} ${range[1]} to ${range[2]}` : `${column} from ${range[1]}`;
}

/** The filters that are on; each has a button that removes it. */
export function Chips({ query }) {
  const on = filters(query);
  if (!on.length) return null;
  const drop = one => filterBy(next => setValues(next, one.name, next.getAll(one.name).filter(value => value !== one.value)));
  const clear = () => filterBy(next => on.forEach(one => next.delete(one.name)));
  return html`<div class="chips" role="group" aria-label="Filters that are on">
    ${on.map(one => html`<span class="chip"><span class="cut">${one.text}</span><button aria-label=${`Remove the filter ${one.text}`} onClick=${() => drop(one)}><${Icon} name="close" /></button></span>`)}
    ${on.length > 1 && html`<button class="plain" onClick=${clear}>Clear all</button>`}</div>`;
}

/** The column of filters at the left. `schema` names the columns; `problem` is what is wrong with the condition. */
export function Facets({ dataset, query, schema, problem, again = 0 }) {
  const { data, error } = useData(dataset, 'facets', withFew(query), again);
  return html`<${Condition} query=${query} schema=${schema} problem=${problem} />
    ${error && !problem && html`<p class="wrong" role="alert">${error.message}</p>`}
    ${data?.facets.filter(facet => !constant(facet)).map(facet => (facet.kind === 'number'
    ? html`<${Numbers} key=${facet.column} facet=${facet} schema=${schema} query=${query} />`
    : html`<${Values} key=${facet.column} facet=${facet} dataset=${dataset} query=${query} />`))}
    ${data?.uncounted.length > 0 && html`<p class="soft">Too many different values to count: ${data.uncounted.join(', ')}. A condition filters them.</p>`}
    <${Constants} facets=${data?.facets.filter(constant) ?? []} />`;
}

/** True for a column with one value, which is no filter. */
function constant(facet) {
  if (facet.kind === 'number') return !facet.selected && (facet.min === facet.max);
  return facet.values.length < 2 && facet.distinct < 2 && !facet.values.some(one => one.selected);
}

/** Columns with the same value for all rows of the result. */
function Constants({ facets }) {
  const some = facets.filter(facet => (facet.kind === 'number' ? facet.min !== null : facet.values.length && facet.values[0].value !== null));
  if (!some.length) return null;
  return html`<div class="facet constants"><h3>The same for all</h3><dl class="columns">${some.map(facet => html`<dt>${facet.column}</dt><dd>${facet.kind === 'number' ? number(facet.min) : shown(facet.values[0].value)}</dd>`)}</dl></div>`;
}

function withFew(query) {
  const next = withoutOrder(query);
  next.set('top', FEW);
  return next;
}

const withoutOrder = query => asked(query, ['size', 'at', 'group', 'from', 'sort']);

/** The values of a column, most frequent first, with a search among them. */
function Values({ facet, dataset, query }) {
  const [like, setLike] = useState(''), [all, setAll] = useState(false);
  const own = withoutOrder(query);
  own.set('of', facet.column);
  own.set('top', all ? MANY : like ? 30 : FEW);
  if (like) own.set('like', like);
  const more = useData(like || all ? dataset : null, 'facets', own);
  const shownFacet = (like || all) && more.data ? more.data.facets[0] ?? { ...facet, values: [] } : facet;
  const most = Math.max(1, ...shownFacet.values.map(one => one.count));
  const searchable = facet.distinct > FEW || like;
  return html`<details class="facet" open>
    <summary><span>${facet.column}</span><span class="soft number">${counted(facet.distinct, 'value')}</span></summary>
    ${searchable && html`<input type="search" placeholder="Find" aria-label=${`Find a value of ${facet.column}`} value=${like} onInput=${event => setLike(event.target.value)} />`}
    <div role="group" aria-label=${facet.column}>
    ${shownFacet.values.map(one => html`<button class="value" key=${String(one.value)} aria-pressed=${one.selected} data-value=${one.value ?? ''} onClick=${() => toggle(facet.column, one.value)}>
      <i class="bar" style=${{ width: `${(one.count / most) * 100}%` }}></i><span class="cut">${shown(one.value)}${one.text && one.text !== one.value ? html`<span class="soft"> ${one.text}</span>` : ''}</span><span class="number">${count(one.count)}</span></button>`)}</div>
    ${!shownFacet.values.length && html`<p class="soft">no such value</p>`}
    ${searchable && !like && facet.distinct > FEW && html`<button class="plain" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? 'Show fewer' : `Show ${facet.distinct > MANY ? `the first ${MANY}` : `all ${count(facet.distinct)}`}`}</button>`}
  </details>`;
}

/** A histogram of a column of numbers; a bar is a filter. */
function Numbers({ facet, schema, query }) {
  const name = `f.${facet.column}`, [low, high] = ends(query.get(name));
  const most = Math.max(1, ...facet.bins.map(bin => bin.count));
  const unit = schema?.find(one => one.name === facet.column)?.unit;
  const set = (from, to) => filterBy(next => setValues(next, name, from === '' && to === '' ? [] : [`${from}..${to}`]));
  const bound = (at, text) => set(...ends(place().query.get(name)).map((end, side) => (side === at ? text : end)));
  const on = bin => low !== '' && high !== '' && bin.low >= Number(low) && bin.high <= Number(high);
  return html`<details class="facet" open>
    <summary><span>${facet.column}</span><span class="soft">${unit && unit !== '1' ? unit : ''}</span></summary>
    ${facet.bins.length > 1 && html`<div class="bins" role="group" aria-label=${`Histogram of ${facet.column}`}>
      ${facet.bins.map(bin => {
    const text = `${number(bin.low)} to ${number(bin.high)}: ${count(bin.count)}`;
    return html`<button title=${text} aria-label=${text} aria-pressed=${on(bin)} onClick=${() => (on(bin) ? set('', '') : set(bin.low, bin.high))}><i style=${{ height: `${(bin.count / most) * 100}%` }}></i></button>`;
  })}</div>`}
    <div class="ends number"><span>${number(facet.min)}</span><span>${number(facet.max)}</span></div>
    <div class="range"><${Bound} name=${`${facet.column} from`} hint="from" value=${low} onSet=${text => bound(0, text)} />
      <span class="soft">to</span><${Bound} name=${`${facet.column} to`} hint="to" value=${high} onSet=${text => bound(1, text)} /></div>
    ${facet.nulls > 0 && html`<button class="value" aria-pressed=${query.getAll(name).includes('')} onClick=${() => toggle(facet.column, null)}><span>none</span><span class="number">${count(facet.nulls)}</span></button>`}
  </details>`;
}

/** One end of a range. What is being written stays, whatever answer comes. */
function Bound({ name, hint, value, onSet }) {
  const [text, setText] = useState(value);
  useLayoutEffect(() => setText(value), [value]);
  return html`<input type="text" inputmode="decimal" aria-label=${name} placeholder=${hint} value=${text} onInput=${event => setText(event.target.value)} onChange=${event => onSet(event.target.value.trim())} />`;
}

/** A condition in SQL; Enter applies it. */
function Condition({ query, schema, problem }) {
  const now = query.get('where') ?? '';
  const [text, setText] = useState(now);
  useLayoutEffect(() => setText(now), [now]);
  const apply = () => filterBy(next => setValues(next, 'where', text.trim() ? [text.trim()] : []));
  const key = event => {
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    apply();
  };
  const columns = schema?.filter(one => one.kind !== 'other') ?? [];
  return html`<form class="sql" onSubmit=${event => { event.preventDefault(); apply(); }}>
    <label for="where"><h2>Filter</h2></label>
    <textarea id="where" rows="2" spellcheck="false" autocapitalize="off" placeholder="label = 'cat' and width > 200" value=${text} aria-invalid=${Boolean(problem)} aria-describedby=${problem ? 'where-problem' : undefined}
      onInput=${event => setText(event.target.value)} onKeyDown=${key}></textarea>
    ${problem && html`<p class="wrong" id="where-problem" role="alert">${problem.message}</p>`}
    <div class="row"><button type="submit" disabled=${text.trim() === now}>Apply</button>
      ${columns.length > 0 && html`<details class="columns"><summary>Columns</summary><ul>${columns.map(one => html`<li><button type="button" class="plain" title=${one.meaning} onClick=${() => setText(before => `${before}${before && !before.endsWith(' ') ? ' ' : ''}${one.name}`)}><code>${one.name}</code></button><span class="soft"> ${one.kind}</span></li>`)}</ul></details>`}</div>
  </form>`;
}
