// Versions: the commits that changed a data set; two of them are compared.
import { html, useEffect, useState } from './vendor/preact.js';
import { useGet } from './api.js';
import { Choice, count, counted, Empty, Problem } from './parts.js';
import { styled } from './sheet.js';
import { address } from './store.js';

await styled('pages.css');

const CHECKOUT = 'workspace';

export function Versions({ dataset, frame }) {
  const { data, error } = useGet(`/api/d/${encodeURIComponent(dataset)}/versions`);
  useEffect(() => frame.title(`${dataset}: versions`), [dataset]);
  if (error) return html`<div class="body"><h1>Versions</h1><${Problem} error=${error} /></div>`;
  if (!data) return html`<div class="body"><h1>Versions</h1><p class="soft busy"></p></div>`;
  return html`<div class="body versions"><div class="row lead"><h1>Versions of ${dataset}</h1><span class="soft">${counted(data.total, 'version')} in git</span></div>
    ${data.versions.length ? html`<${Table} dataset=${dataset} data=${data} />` : html`<${Empty} next="git add --all && git commit">${data.note ?? 'Git has no version of this data set yet.'}<//>`}</div>`;
}

/** The shortest name of a version: its first tag or branch, or its commit. */
const nameOf = one => one.names[0] ?? one.commit;

function Table({ dataset, data }) {
  const names = [CHECKOUT, ...data.versions.map(nameOf)];
  const [a, setA] = useState(names[2] ?? names[1]), [b, setB] = useState(CHECKOUT);
  return html`<section class="card"><div class="row"><strong>Compare</strong><${Choice} name="Old version" options=${names.slice(1)} value=${a} onChange=${setA} /><span class="soft">with</span><${Choice} name="New version" options=${names.map(name => [name, name === CHECKOUT ? 'the checkout' : name])} value=${b} onChange=${setB} />
      <a class="button main" href=${address(['d', dataset, 'diff'], { a, b: b === CHECKOUT ? null : b })}>Show the difference</a></div></section>
    <div class="scroll" role="group" tabindex="0" aria-label="Versions"><table><thead><tr><th scope="col">version</th><th scope="col">date</th><th scope="col" class="number">items</th><th scope="col">changed</th><th scope="col">message</th><th scope="col">author</th></tr></thead>
    <tbody><tr><th scope="row"><a href=${address(['d', dataset])}>the checkout</a></th><td></td><td class="number">${count(data.items)}</td><td></td><td class="soft">files of this folder</td><td></td></tr>
    ${data.versions.map(one => html`<tr key=${one.commit}><th scope="row">${one.items === null ? nameOf(one) : html`<a href=${address(['d', dataset], { rev: nameOf(one) })}>${nameOf(one)}</a>`} <span class="mono soft">${one.names.length ? one.commit : ''}</span></th><td class="number">${one.date}</td><td class="number">${one.items === null ? '–' : count(one.items)}</td><td>${one.columns.join(', ')}</td><td class="long">${one.message}</td><td>${one.author}</td></tr>`)}</tbody></table></div>
    ${data.total > data.versions.length && html`<p class="soft">The first ${count(data.versions.length)} of ${count(data.total)}.</p>`}`;
}
