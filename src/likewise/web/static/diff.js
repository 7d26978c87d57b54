// Difference of two versions: numbers, metrics, and every changed item with its pictures.
import { html, useEffect } from './vendor/preact.js';
import { useGet } from './api.js';
import { CopyAs, count, counted, Empty, Icon, number, Problem, score, shown, Tile } from './parts.js';
import { styled } from './sheet.js';
import { address, setQuery } from './store.js';

await styled('pages.css');

const LIMIT = 24;
const MEANINGS = { added: 'only in the new version', removed: 'only in the old version', renamed: 'same pixels and box, another id', relabelled: 'another label or text', moved: 'another split, subset or role', box: 'another box', image: 'another image file', changed: 'another value' };

export function Diff({ dataset, query, frame }) {
  const a = query.get('a'), b = query.get('b'), change = query.get('change'), offset = Number(query.get('offset')) || 0;
  const { data, error } = useGet(`/api/d/${encodeURIComponent(dataset)}/diff`, { a, b, change, offset, limit: LIMIT });
  useEffect(() => frame.title(`${dataset}: ${a} to ${b ?? 'the checkout'}`), [dataset, a, b]);
  const head = html`<div class="row lead"><a class="button" href=${address(['d', dataset, 'versions'])}><${Icon} name="left" /><span>Versions</span></a><h1>${dataset}: ${a} to ${b ?? 'the checkout'}</h1>${data && html`<span class="end"><${CopyAs} copy=${data.copy} /></span>`}</div>`;
  if (error) return html`<div class="body">${head}<${Problem} error=${error} /></div>`;
  if (!data) return html`<div class="body">${head}<p class="soft busy" role="status">Comparing </p></div>`;
  const to = place => setQuery({ offset: place || null });
  const equal = !Object.keys(data.counts).length && !Object.keys(data.columns).length && !Object.keys(data.curated).length && !data.metrics.length && !data.drift.length;
  return html`<div class="body diffed">${head}
    <p>${counted(data.items[0], 'item')} in <a href=${address(['d', dataset], { rev: a })}>${a}</a>, ${counted(data.items[1], 'item')} in <a href=${address(['d', dataset], { rev: b })}>${b ?? 'the checkout'}</a>.</p>
    ${equal ? html`<${Empty}>The versions are equal.<//>` : html`<${Numbers} data=${data} />`}
    ${Object.keys(data.counts).length > 0 && html`<div class="row sides" role="group" aria-label="Kind of change"><button aria-pressed=${!change} onClick=${() => setQuery({ change: null, offset: null })}>All</button>
      ${Object.entries(data.counts).map(([kind, items]) => html`<button title=${MEANINGS[kind]} aria-pressed=${change === kind} onClick=${() => setQuery({ change: kind, offset: null })}>${kind} <span class="number soft">${count(items)}</span></button>`)}</div>`}
    <ol class="changes">${data.changed.map(one => html`<${Changed} key=${one.item_id} one=${one} dataset=${dataset} a=${a} b=${b} />`)}</ol>
    ${data.total > data.changed.length && html`<nav class="pages row" aria-label="Pages of items"><button disabled=${!offset} onClick=${() => to(Math.max(0, offset - LIMIT))}><${Icon} name="left" /><span>Previous</span></button>
      <span class="number soft">${count(offset + 1)} to ${count(offset + data.changed.length)} of ${count(data.total)}</span>
      <button disabled=${offset + data.changed.length >= data.total} onClick=${() => to(offset + LIMIT)}><span>Next</span><${Icon} name="right" /></button></nav>`}</div>`;
}

/** Columns, texts of people, metrics and vectors that differ. */
function Numbers({ data }) {
  const columns = Object.entries(data.columns), curated = Object.entries(data.curated);
  const table = (name, heads, rows) => rows.length > 0 && html`<section class="card"><h2>${name}</h2><div class="scroll" role="group" tabindex="0" aria-label=${name}><table><thead><tr>${heads.map(head => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map(cell => html`<td class="number">${cell}</td>`)}</tr>`)}</tbody></table></div></section>`;
  return html`<div class="cards">${table('Columns', ['column', 'change'], columns)}
    ${table('Tags, verdicts and selections', ['file', 'rows added', 'rows removed'], curated.map(([name, [added, removed]]) => [name, count(added), count(removed)]))}
    ${data.curated_rows.length > 0 && table('Changed rows of these files', ['file', 'change', 'item', 'value'], data.curated_rows.map(row => [row.file, row.change, row.item_id, row.value]))}
    ${table('Metrics of runs', ['run', 'metric', 'old', 'new'], data.metrics.map(one => [one.run, one.metric, score(one.was), score(one.now)]))}
    ${table('Drift of the vectors', ['model', 'items', 'mean cosine', 'overlap of neighbours'], data.drift.map(one => [one.model, count(one.items), one.cosine ? number(one.cosine[0]) : '–', number(one.overlap)]))}</div>`;
}

/** One changed item: its picture in both versions, and its values. */
function Changed({ one, dataset, a, b }) {
  const side = (found, rev, word) => found && html`<figure><${Tile} href=${address(['d', dataset, 'i', found.item_id ?? one.item_id], { rev })} thumb=${found.thumb} label=${found.label} text=${found.text} name=${found.item_id ?? one.item_id} /><figcaption class="soft">${word}</figcaption></figure>`;
  return html`<li class="card changed"><div class="both">${side(one.first, a, 'old')}${side(one.second, b, 'new')}</div>
    <div><h2 class="cut">${one.item_id}</h2><dl class="columns">${one.changes.map(row => html`<dt>${row.column ?? row.change}</dt><dd>${row.column ? html`<span class="was">${shown(row.was)}</span> → <strong>${shown(row.now)}</strong>${row.iou !== null && html` <span class="soft number">IoU ${number(row.iou, 2)}</span>`}` : MEANINGS[row.change]}</dd>`)}</dl></div></li>`;
}
