// Compare: two runs of one protocol, number by number and query by query.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { get, useAnswer } from './api.js';
import { Choice, CopyAs, count, Empty, Icon, Problem, score, Tile, useKeys } from './parts.js';
import { address, go, search, setQuery } from './store.js';

const SIDES = [['broken', 'Broken', 'right only in A'], ['fixed', 'Fixed', 'right only in B'], ['wrong', 'Both wrong', 'wrong in both'], ['right', 'Both right', 'right in both'], ['all', 'All', 'in both runs']];
const LIMIT = 20;

export function Compare({ runs, query, frame, sets }) {
  const [a, b] = runs;
  const side = query.get('side') ?? 'broken', sort = query.get('sort') ?? 'loss';
  const asked = { side, sort, subset: query.get('subset'), offset: query.get('offset'), limit: LIMIT };
  const { data, error, busy } = useAnswer(`${a} ${b} ${search(asked)}`, signal => get(`/api/compare/${encodeURIComponent(a)}/${encodeURIComponent(b)}`, asked, signal));
  useEffect(() => frame.title(`${a}, ${b}`), [a, b]);
  const offered = sets.data?.sets.flatMap(set => set.runs.filter(run => run.metric)) ?? [];
  const choose = (at, name) => go(address(['compare', ...(at ? [a, name] : [name, b])], { side: query.get('side') }));
  return html`<div class="body"><div class="row lead"><h1>Compare</h1><${RunChoice} letter="A" run=${a} runs=${alike(offered, b, a)} onChoose=${name => choose(0, name)} />
      <button aria-label="Exchange A and B" title="Exchange A and B" onClick=${() => go(address(['compare', b, a]))}>⇄</button><${RunChoice} letter="B" run=${b} runs=${alike(offered, a, b)} onChoose=${name => choose(1, name)} />
      ${busy && html`<span class="busy" role="status" aria-label="Comparing"></span>`}<span class="end"><${CopyAs} copy=${data?.copy} /></span></div>
    ${error && html`<${Problem} error=${error} again=${frame.renew} />`}
    ${data && html`<${Numbers} data=${data} /><${Queries} data=${data} side=${side} sort=${sort} query=${query} />`}</div>`;
}

/** Runs of the protocol of `other`, and `own` in any case. */
function alike(runs, other, own) {
  const protocol = runs.find(run => run.run === other.split('@')[0])?.protocol;
  const names = runs.filter(run => !protocol || run.protocol === protocol).map(run => run.run);
  return names.includes(own) ? names : [own, ...names];
}

function RunChoice({ letter, run, runs, onChoose }) {
  return html`<label><strong>${letter}</strong><${Choice} name=${`Run ${letter}`} value=${run} options=${runs} onChange=${onChoose} /></label>`;
}

const interval = range => (range ? html`<span class="soft number"> [${score(range[0])}, ${score(range[1])}]</span>` : '');
const signed = value => (value > 0 ? '+' : value < 0 ? '−' : '±') + score(Math.abs(value));
const probability = p => (p === null || p === undefined || Number.isNaN(p) ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3));

/** The values of both runs with intervals, and the differences with p; subsets corrected by Holm. */
function Numbers({ data }) {
  const line = row => html`<tr class=${row.p_holm !== null && row.p_holm < 0.05 ? 'clear' : ''}><th scope="row">${row.metric}</th>
    <td class="number">${score(row.first)}${interval(row.first_interval)}</td><td class="number">${score(row.second)}${interval(row.second_interval)}</td>
    <td class="number">${signed(row.difference.value)}${interval([row.difference.low, row.difference.high])}</td><td class="number">${probability(row.difference.p)}</td><td class="number">${row.p_holm === null ? '' : probability(row.p_holm)}</td></tr>`;
  const [main, ...rest] = data.metrics;
  return html`<section class="card numbers"><div class="scroll" role="group" tabindex="0" aria-label="Numbers"><table><caption class="hidden">Values of A and B with 95 % confidence intervals, difference and p</caption>
      <thead><tr><th scope="col">metric</th><th scope="col" class="number">A</th><th scope="col" class="number">B</th><th scope="col" class="number">B − A</th><th scope="col" class="number">p</th><th scope="col" class="number">p (Holm)</th></tr></thead>
      <tbody class="mainrow">${line(main)}</tbody><tbody>${rest.map(line)}</tbody></table></div>
    ${data.notes.map(note => html`<p class="soft">${note}</p>`)}
    <p class="row">${[['A', data.a], ['B', data.b]].map(([letter, run]) => html`<span class="soft"><strong>${letter}</strong> ${run.model}, ${run.index}${run.report ? html`, <a href=${address(['reports', run.run])}>report</a>` : ''}</span>`)}<span class="soft">protocol ${typeof data.a.protocol === 'string' ? data.a.protocol : data.a.protocol?.name}</span></p></section>`;
}

function Queries({ data, side, sort, query }) {
  const list = useRef();
  const [at, setAt] = useState(-1);
  const rows = () => [...list.current?.querySelectorAll('.pair') ?? []];
  const step = by => {
    const all = rows();
    if (!all.length) return;
    const next = Math.max(0, Math.min(all.length - 1, at + by));
    setAt(next);
    all[next].focus({ preventScroll: true });
    all[next].scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  };
  useEffect(() => setAt(-1), [data]);
  const sides = SIDES.map(([name]) => name);
  const turn = by => setQuery({ side: sides[(sides.indexOf(side) + by + sides.length) % sides.length], offset: null }, { replace: true });
  useKeys([
    [['j', 'k'], 'next, previous query', event => step(event.key === 'j' ? 1 : -1)],
    [['ArrowLeft', 'ArrowRight'], 'previous, next side', event => turn(event.key === 'ArrowLeft' ? -1 : 1)],
    [['Enter'], 'open the query', event => { const link = event.target.classList?.contains('pair') && event.target.querySelector('a'); return link ? go(link.href) : false; }],
  ]);
  const total = Object.values(data.counts).reduce((sum, one) => sum + one, 0);
  const to = offset => setQuery({ offset: offset || null });
  return html`<section aria-label="Queries"><div class="row sides"><div class="row" role="group" aria-label="Side">${SIDES.map(([name, text, meaning]) => html`<button key=${name} title=${meaning} aria-pressed=${side === name} onClick=${() => setQuery({ side: name, offset: null })}>${text} <span class="number soft">${count(name === 'all' ? total : data.counts[name])}</span></button>`)}</div>
      ${data.subsets.length > 1 && html`<${Choice} name="Subset" text="Subset" value=${query.get('subset')} options=${[['', 'all'], ...data.subsets]} onChange=${subset => setQuery({ subset, offset: null })} />`}
      <${Choice} name="Sort by" text="Sort" value=${sort} options=${[['loss', 'largest loss'], ['gain', 'largest gain'], 'query']} onChange=${name => setQuery({ sort: name, offset: null })} /></div>
    ${!data.queries.length && html`<${Empty}>No query is ${SIDES.find(([name]) => name === side)?.[2] ?? 'here'}.<//>`}
    <ol class="pairs" ref=${list}>${data.queries.map((one, place) => html`<${QueryPair} key=${one.item_id} one=${one} dataset=${data.a.dataset} on=${place === at} onFocus=${() => setAt(place)} />`)}</ol>
    ${(data.offset > 0 || data.offset + data.queries.length < data.total) && html`<nav class="pages row" aria-label="Pages of queries"><button disabled=${!data.offset} onClick=${() => to(Math.max(0, data.offset - LIMIT))}><${Icon} name="left" /><span>Previous</span></button>
      <span class="number soft">${count(data.offset + 1)} to ${count(data.offset + data.queries.length)} of ${count(data.total)}</span>
      <button disabled=${data.offset + data.queries.length >= data.total} onClick=${() => to(data.offset + LIMIT)}><span>Next</span><${Icon} name="right" /></button></nav>`}</section>`;
}

/** One query: its picture, and the first hits of A and of B. */
function QueryPair({ one, dataset, on, onFocus }) {
  const href = id => address(['d', dataset, 'i', id]);
  const strip = (letter, value, first, hits) => html`<div class="side-hits"><p><strong>${letter}</strong> <span class="number">${score(value)}</span> <span class="soft number">${first === null ? 'no right hit' : `first right hit ${first}`}</span></p>
    <ol class="strip" tabindex="0" aria-label=${`First hits of ${letter} for ${one.item_id}`}>${hits.map(hit => html`<li><${Tile} href=${href(hit.item_id)} thumb=${hit.thumb} label=${hit.label} text=${hit.text} name=${hit.item_id} dot=${hit.relevant} /></li>`)}</ol></div>`;
  return html`<li class=${on ? 'pair card on' : 'pair card'} tabindex="-1" onFocus=${onFocus}><div class="asker"><${Tile} href=${href(one.item_id)} thumb=${one.thumb} label=${one.label} text=${one.text} name=${one.item_id} />
      <p class=${`delta number ${one.delta < 0 ? 'loss' : one.delta > 0 ? 'gain' : ''}`}>${signed(one.delta ?? 0)}</p>${one.subset && html`<p class="soft cut">${one.subset}</p>`}</div>
    <div>${strip('A', one.first, one.first_hit[0], one.hits[0])}${strip('B', one.second, one.first_hit[1], one.hits[1])}</div></li>`;
}
