// What is pending: every correction with its undo, publishing with its log, and the line for git.
import { html } from './vendor/preact.js';
import { Command, count, counted, Empty, Problem, score, shown, Window } from './parts.js';
import { address } from './store.js';

const MOST = 100;

/** A value that is replaced by another one. */
export const Change = ({ published, corrected }) => html`<span class="change"><s>${shown(published)}</s> <span aria-hidden="true">→</span><span class="hidden"> becomes </span> <strong>${shown(corrected)}</strong></span>`;

export function Drawer({ dataset, edits, onClose }) {
  const items = [...edits.changes].slice(0, MOST), { facts, job } = edits;
  const busy = job && !['done', 'failed'].includes(job.state);
  return html`<${Window} title="Pending corrections" onClose=${onClose}><div class="drawer">
    <div class="row"><h2>Pending corrections</h2><span class="soft" role="status">${counted(edits.changes.size, 'item')}</span><button class="end" data-first onClick=${onClose}>Close</button></div>
    ${!items.length && html`<${Empty}>Everything is published.<//>`}
    <ul class="changes">${items.map(([item, columns]) => html`<li key=${item}>${facts?.thumbs[item] ? html`<img src=${facts.thumbs[item].replace('/256.jpg', '/64.jpg')} alt="" />` : html`<i></i>`}
      <a class="cut" href=${address(['d', dataset, 'i', item])} onClick=${onClose}>${item}</a>
      <span class="values">${[...columns].map(([column, change]) => html`<span><span class="soft">${column}</span> <${Change} ...${change} /></span>`)}</span>
      <button aria-label=${`Undo the correction of ${item}`} onClick=${() => edits.restore(item)}>Undo</button></li>`)}</ul>
    ${edits.changes.size > MOST && html`<p class="soft">and ${count(edits.changes.size - MOST)} more items</p>`}
    ${facts?.unknown.length > 0 && html`<p class="soft">${counted(facts.unknown.length, 'corrected item')} not in the data set: ${facts.unknown.slice(0, 5).join(', ')}</p>`}
    ${edits.error && html`<${Problem} error=${edits.error} />`}
    <div class="row"><button class="main" disabled=${busy || !items.length} onClick=${() => edits.publish()}>Publish</button>
      <span class="soft">writes the table and scores the runs of it; trains no model</span></div>
    ${facts && html`<${Command} text=${facts.command} name="the command that publishes" />`}
    ${job && html`<${Log} job=${job} busy=${busy} />`}
    ${facts?.corrections > 0 || job?.state === 'done' ? html`<h3>Keep it in git</h3><${Command} text=${facts?.commit ?? ''} name="the line for git" />` : ''}
  </div><//>`;
}

/** The log of publishing, and the numbers of runs before and after. */
function Log({ job, busy }) {
  return html`<section aria-label="Publishing"><p class=${busy ? 'busy' : ''} role="status">${busy ? 'Publishing ' : job.state === 'done' ? 'Published.' : ''}</p>
    <pre class="log" tabindex="0" role="log" aria-label="Log">${job.lines.join('\n')}</pre>
    ${job.error && html`<${Problem} error=${{ message: job.error.what, next: job.error.next }} />`}
    ${job.result?.runs.length > 0 && html`<div class="scroll" tabindex="0" role="group" aria-label="Numbers of runs"><table><thead><tr><th scope="col">run</th><th scope="col">metric</th><th scope="col" class="number">before</th><th scope="col" class="number">now</th></tr></thead>
      <tbody>${job.result.runs.map(one => html`<tr><th scope="row"><a href=${address(['reports', one.run])}>${one.run}</a></th><td>${one.metric}</td><td class="number">${score(one.before)}</td><td class="number">${score(one.after)}</td></tr>`)}</tbody></table></div>`}</section>`;
}

/** Another writer was faster: both values of every item, and which of them stays. */
export function Conflict({ edits }) {
  const { changes, values } = edits.conflict;
  return html`<${Window} title="Somebody else changed this" onClose=${() => edits.conflict && edits.settle(false)}><div class="drawer"><h2>Somebody else changed this</h2>
    <p>Nothing was changed. Choose which values stay.</p>
    <div class="scroll" tabindex="0" role="group" aria-label="Both values"><table><thead><tr><th scope="col">item</th><th scope="col">column</th><th scope="col">you saw</th><th scope="col">now there</th><th scope="col">yours</th></tr></thead>
      <tbody>${changes.slice(0, MOST).map(one => html`<tr><th scope="row">${one.item_id}</th><td>${one.column}</td><td>${shown(one.expected)}</td><td><strong>${shown(one.present)}</strong></td><td><strong>${shown(values[one.column]?.[one.item_id])}</strong></td></tr>`)}</tbody></table></div>
    <p class="row"><button data-first onClick=${() => edits.settle(false)}>Keep the values that are there</button><button onClick=${() => edits.settle(true)}>Use mine</button></p></div><//>`;
}
