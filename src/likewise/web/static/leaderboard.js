// Leaderboard: all models on all data sets, one board per protocol.
import { html, useEffect } from './vendor/preact.js';
import { useGet } from './api.js';
import { count, Empty, number, Problem } from './parts.js';
import { styled } from './sheet.js';
import { address, setQuery } from './store.js';

await styled('pages.css');

export function Leaderboard({ query, frame }) {
  const published = query.get('published') === 'yes';
  const { data, error } = useGet('/api/leaderboard', { published: published ? 'yes' : null });
  useEffect(() => frame.title('Results of all runs'), []);
  return html`<div class="body leaderboard"><div class="row lead"><h1>Results of all runs</h1><a href=${address(['training'])}>Training</a>
      <label class="end"><input type="checkbox" checked=${published} onChange=${() => setQuery({ published: published ? null : 'yes' }, { replace: true })} /> Published numbers</label></div>
    ${error && html`<${Problem} error=${error} />`}
    ${!data && !error && html`<p class="soft busy"></p>`}
    ${data && !data.boards.length && html`<${Empty} next="dvc repro">${data.note ?? 'No run was evaluated yet.'}<//>`}
    ${data?.boards.map(board => html`<${Board} key=${board.title} board=${board} />`)}
    ${data?.left_out.map(line => html`<p class="soft">not shown: ${line}</p>`)}</div>`;
}

function Board({ board }) {
  const several = board.datasets.length > 1, fixed = value => value.toFixed(board.decimals);
  const dims = board.entries.some(one => one.dim !== null), speeds = board.entries.some(one => one.images_per_s !== null);
  const best = name => board.entries.find(one => one.cells[name] && one.cells[name].best === null && one.cells[name].is_best)?.cells[name].run;
  return html`<section class="card board"><h2>${board.title}</h2><div class="scroll" role="group" tabindex="0" aria-label=${board.title}><table>
    <thead><tr><th scope="col">model</th>${board.datasets.map(name => html`<th scope="col" class="number"><a href=${address(['d', name])}>${name}</a></th>`)}${several && html`<th scope="col" class="number">mean rank</th>`}${dims && html`<th scope="col" class="number">dimensions</th>`}${speeds && html`<th scope="col" class="number">images/s</th>`}</tr></thead>
    <tbody>${board.entries.map(entry => html`<tr><th scope="row">${entry.name}</th>${board.datasets.map(name => html`<td class="number"><${Cell} cell=${entry.cells[name]} best=${best(name)} fixed=${fixed} /></td>`)}
      ${several && html`<td class="number">${number(entry.mean_rank, 2)}</td>`}${dims && html`<td class="number">${entry.dim === null ? '' : count(entry.dim)}</td>`}${speeds && html`<td class="number">${number(entry.images_per_s, 1)}</td>`}</tr>`)}
    ${board.published.map(row => html`<tr class="soft"><th scope="row">${row.model} <span class="soft">(${row.title})</span></th>${board.datasets.map(name => html`<td class="number">${row.values[name] === undefined ? '' : fixed(row.values[name])}</td>`)}${several && html`<td></td>`}${dims && html`<td></td>`}${speeds && html`<td></td>`}</tr>`)}</tbody></table></div>
    <p class="soft">95 % confidence intervals. Bold: the best run of a data set, and all runs that the paired test cannot distinguish from it (=; p > 0.05, Holm).</p>
    ${[...board.sources, ...board.notes].map(note => html`<p class="soft">${note}</p>`)}</section>`;
}

/** A result: value, interval, rank; the paired test is a link to the comparison with the best. */
function Cell({ cell, best, fixed }) {
  if (!cell) return '';
  const value = html`<a href=${address(['reports', cell.run])}>${fixed(cell.value)}</a>`;
  return html`${cell.is_best ? html`<strong>${value}</strong>` : value}${cell.best?.tie ? ' =' : ''}
    <span class="under soft">${cell.low === null || cell.high === null ? '' : `${fixed(cell.low)} to ${fixed(cell.high)}`}</span>
    ${cell.best && best && html`<span class="under soft">rank ${number(cell.rank, 1)}, <a href=${address(['compare', cell.run, best])}>p ${cell.best.p_holm < 0.001 ? '< 0.001' : cell.best.p_holm.toFixed(3)}</a></span>`}`;
}
