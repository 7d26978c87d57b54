// The first page: all data sets of the catalogue.
import { html, useEffect, useState } from './vendor/preact.js';
import { Choice, Command, counted, Empty, Problem, score } from './parts.js';
import { address } from './store.js';

export function Home({ sets, query, frame }) {
  useEffect(() => frame.title(sets.data?.catalogue ?? 'Data sets'), [sets.data]);
  if (sets.error) return html`<div class="body"><h1>Data sets</h1><${Problem} error=${sets.error} /></div>`;
  if (!sets.data) return html`<div class="body"><h1>Data sets</h1><p class="soft busy"></p></div>`;
  const found = sets.data.sets, items = found.reduce((sum, set) => sum + (set.items ?? 0), 0);
  return html`<div class="body"><div class="row lead"><h1>${sets.data.catalogue}</h1>
      <p class="soft">${counted(found.length, 'data set')}, ${counted(items, 'item')}</p><span class="row end"><a href=${address(['leaderboard'])}>Results of all runs</a><a href=${address(['training'])}>Training</a></span></div>
    ${!found.length && html`<${Empty} next="likewise add NAME --source folder --path DIRECTORY">This catalogue has no data sets. Add one:<//>`}
    <ul class="sets">${found.map(set => html`<${SetCard} key=${set.name} set=${set} rev=${query.get('rev')} />`)}</ul></div>`;
}

function SetCard({ set, rev }) {
  const href = address(['d', set.name], { rev });
  const thumbs = set.thumbs ?? set.thumb ?? [];
  const ready = set.state === 'published';
  const facts = [set.items !== null && counted(set.items, 'item'), set.licence, set.view_of && `view of ${set.view_of}`].filter(Boolean);
  return html`<li class="card set"><h2>${ready ? html`<a href=${href}>${set.name}</a>` : set.name}</h2>
    <p class="soft cut" title=${set.title}>${set.title}</p>
    ${thumbs.length > 0 && html`<a class="four" href=${href} tabindex="-1" aria-hidden="true">${thumbs.slice(0, 4).map(thumb => html`<span class="mat"><img src=${thumb} alt="" decoding="async" /></span>`)}</a>`}
    <p class="facts">${facts.map(fact => html`<span class="chip">${fact}</span>`)}${set.models.map(model => html`<span class="chip">model ${model}</span>`)}</p>
    ${(!ready || set.next) && html`<p class="soft">${ready ? 'Some results are not made yet, or not of the present inputs.' : set.state === 'added' ? 'Not ingested yet.' : 'Not published yet.'}</p>`}
    ${set.next && html`<${Command} text=${set.next} name=${`next command of ${set.name}`} />`}
    ${set.runs.length > 0 && html`<${Runs} set=${set} />`}</li>`;
}

function Runs({ set }) {
  const groups = new Map();
  for (const run of set.runs) groups.set(run.protocol, [...groups.get(run.protocol) ?? [], run]);
  return html`<div class="runs">${[...groups].map(([protocol, runs]) => html`<table><caption class="soft">${protocol}</caption>
    <tbody>${runs.map(run => html`<tr><th scope="row" class="cut"><${RunName} run=${run} /></th>${run.metric ? html`<td class="soft">${run.metric}</td><td class="number">${score(run.value)}</td>` : html`<td class="soft number" colspan="2">not evaluated</td>`}</tr>`)}</tbody></table>
    ${done(runs).length > 1 && html`<${Pair} runs=${done(runs)} />`}`)}</div>`;
}

const done = runs => runs.filter(run => run.metric);

function RunName({ run }) {
  return run.metric ? html`<a href=${address(['reports', run.run])}>${run.run}</a>` : run.run;
}

/** Choose two runs to compare. */
function Pair({ runs }) {
  const names = runs.map(run => run.run);
  const [a, setA] = useState(names[0]), [b, setB] = useState(names[1]);
  return html`<div class="row"><${Choice} name="First run" options=${names} value=${a} onChange=${setA} /><${Choice} name="Second run" options=${names} value=${b} onChange=${setB} />
    <a class="button" href=${address(['compare', a, b])}>Compare</a></div>`;
}
