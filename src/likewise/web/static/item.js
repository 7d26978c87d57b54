// One item: its picture, its columns, and where else it plays a part.
import { html, useEffect, useState } from './vendor/preact.js';
import { data as ask, useAnswer, useData } from './api.js';
import { Picture } from './boxes.js';
import { Choice, Command, CopyAs, count, counted, Icon, Later, number, Problem, score, shown, Tile, useKeys } from './parts.js';
import { address, go, result } from './store.js';

const HIDDEN = new Set(['content', 'text']);
const editor = () => import('./edit.js').then(found => found.Editor);
const WRITES = document.body.dataset.readOnly === undefined;

export function Item({ dataset, id, query, frame }) {
  const version = { v: query.get('v'), rev: query.get('rev') };
  const [again, setAgain] = useState(0);
  const { data, error } = useData(dataset, `item/${encodeURIComponent(id)}`, version, again);
  const near = useNear(dataset, id, query, data);
  const [lit, setLit] = useState(null);
  useEffect(() => frame.title(`${id}: ${dataset}`), [id]);
  const open = one => one && go(one, { replace: true });
  useKeys([
    [['j', 'ArrowRight'], 'next item', () => open(near.next)],
    [['k', 'ArrowLeft'], 'previous item', () => open(near.previous)],
    [['u'], 'back to the result', () => go(near.back)],
  ]);
  if (error) return html`<div class="body"><h1>${id}</h1><${Problem} error=${error} /></div>`;
  if (!data) return html`<div class="body"><h1>${id}</h1><p class="busy soft"></p></div>`;
  const { item } = data, name = item.label ?? id;
  const boxes = data.boxes.map(one => ({ ...one, href: one.self ? null : address(['d', dataset, 'i', one.item_id], version) }));
  const like = address(['d', dataset, 'search'], { ...version, id });
  const crop = box => go(address(['d', dataset, 'search'], { ...version, crop: id, box: box.join(',') }));
  return html`<div class="body"><div class="row itemhead"><div class="row steps">
        <a class="button" href=${near.back}><${Icon} name="left" /><span>${dataset}</span></a>
        <${Step} href=${near.previous} name="left" text="Previous item" /><${Step} href=${near.next} name="right" text="Next item" />
        ${near.total !== null && html`<span class="soft number">${count(near.at + 1)} of ${count(near.total)}</span>`}</div>
      <div class="row end">${data.models.length > 0 && html`<a class="button main" href=${like}><${Icon} name="search" /><span>Search like this</span></a>
        <a class="button" href=${address(['d', dataset, 'sketch'], { ...version, target: id })}><${Icon} name="pen" /><span>Draw it</span></a>`}<${CopyAs} copy=${data.copy} v=${data.v} /></div></div>
    <h1>${name}${item.text && item.text !== item.label ? html`<span class="soft"> ${item.text}</span>` : ''}</h1><p class="soft mono">${id}</p>
    <div class="item"><div>
        ${data.missing ? html`<div class="problem empty">${data.missing.small && html`<img src=${data.picture.thumb} alt=${name} />`}<p>${data.missing.what}</p>${data.missing.next && html`<${Command} text=${data.missing.next} />`}</div>`
    : html`<${Picture} key=${id} picture=${data.picture} boxes=${boxes} alt=${name} lit=${lit} onLit=${setLit} onCrop=${data.models.length ? crop : null} />`}
        <${Neighbours} dataset=${dataset} id=${id} version=${version} models=${data.models} />
        <${Context} dataset=${dataset} id=${id} version=${version} /></div>
      <div class="facts"><${Columns} item=${item} schema=${data.schema} licence=${data.licence} dataset=${dataset} version=${version} />
        ${WRITES && !version.rev && html`<${Later} load=${editor} key=${`edit ${id}`} dataset=${dataset} id=${id} item=${item} texts=${data.texts} schema=${data.schema} fresh=${frame.fresh} renew=${frame.renew} again=${() => setAgain(count => count + 1)} />`}
        ${boxes.length > 1 && html`<section class="card"><h2>Boxes in this picture</h2><ul class="boxlist">${boxes.map(one => html`<li class=${lit === one.item_id ? 'lit' : ''} onMouseEnter=${() => setLit(one.item_id)} onMouseLeave=${() => setLit(null)}>
          ${one.href ? html`<a href=${one.href}>${one.label ?? one.item_id}</a>` : html`<strong>${one.label ?? one.item_id}</strong>`}<span class="soft number">${one.box.map(value => Math.round(value)).join(', ')}</span></li>`)}</ul></section>`}
        <${Why} dataset=${dataset} version=${version} models=${data.models} /></div></div></div>`;
}

function Step({ href, name, text }) {
  return href ? html`<a class="button" href=${href} aria-label=${text} title=${text} data-replace><${Icon} name=${name} /></a>`
    : html`<button disabled aria-label=${text}><${Icon} name=${name} /></button>`;
}

/** Previous and next item: of the result that one came from, else of the set. */
function useNear(dataset, id, query, item) {
  const at = query.has('from') ? Number(query.get('from')) : null;
  const own = result(query), version = { v: query.get('v'), rev: query.get('rev') };
  const { data } = useAnswer(at === null ? null : `${dataset} ${own} ${at}`, signal => {
    const asked = new URLSearchParams(own);
    asked.set('offset', Math.max(0, at - 1));
    asked.set('limit', 3);
    return ask(dataset, 'page', asked, { signal });
  });
  const back = new URLSearchParams(own);
  if (at) back.set('at', at);
  const home = address(['d', dataset], back);
  const ids = data?.columns.item_id ?? [], here = at === 0 ? 0 : 1;
  if (at !== null && ids[here] === id) {
    const link = place => { const next = new URLSearchParams(own); next.set('from', place); return next; };
    const to = (other, place) => (other === undefined ? null : address(['d', dataset, 'i', other], link(place)));
    return { previous: here ? to(ids[0], at - 1) : null, next: to(ids[here + 1], at + 1), back: home, at, total: data.total };
  }
  const plain = other => (other ? address(['d', dataset, 'i', other], version) : null);
  const known = at === null || data;  // an old address may name another place
  return { previous: known ? plain(item?.previous) : null, next: known ? plain(item?.next) : null, back: home, at: null, total: null };
}

/** The columns of the item; a value is a link to all items with it. */
function Columns({ item, schema, licence, dataset, version }) {
  const kinds = new Map(schema.map(one => [one.name, one]));
  const names = Object.keys(item).filter(name => !HIDDEN.has(name) && item[name] !== null);
  const value = name => (kinds.get(name)?.kind === 'text' && !['item_id', 'image_id', 'sha256', 'path'].includes(name)
    ? html`<a href=${address(['d', dataset], { ...version, [`f.${name}`]: item[name] })}>${shown(item[name])}</a>` : shown(item[name]));
  return html`<section class="card"><h2>Columns</h2><dl class="columns">${names.map(name => html`<dt title=${kinds.get(name)?.meaning}>${name}</dt><dd>${value(name)}${unit(kinds.get(name))}</dd>`)}
    ${licence?.spdx && html`<dt>licence</dt><dd>${licence.spdx}${licence.terms ? html`<span class="soft"> ${licence.terms}</span>` : ''}</dd>`}</dl></section>`;
}

const unit = column => (column?.unit && column.unit !== '1' ? html`<span class="soft"> ${column.unit}</span>` : '');

/** The nearest items by one of the models. */
function Neighbours({ dataset, id, version, models }) {
  const [model, setModel] = useState(models[0] ?? null);
  const { data, error, busy } = useData(model ? dataset : null, 'search', { ...version, id, model, k: 12 });
  if (!model) return null;
  return html`<section class="card"><div class="row"><h2>Nearest neighbours</h2>
      ${models.length > 1 ? html`<${Choice} name="Model" value=${model} options=${models} onChange=${setModel} />` : html`<span class="soft">${model}</span>`}
      ${busy && html`<span class="busy" role="status" aria-label="Searching"></span>`}<a class="end" href=${address(['d', dataset, 'search'], { ...version, id, model })}>More</a></div>
    ${error && html`<${Problem} error=${error} />`}
    ${data && html`<ul class="strip">${data.hits.map(hit => html`<li><${Tile} href=${address(['d', hit.dataset, 'i', hit.item_id], version)} thumb=${hit.thumb} label=${hit.label} text=${hit.text} name=${hit.item_id} note=${number(hit.score)} dot=${hit.same} /></li>`)}</ul>`}</section>`;
}

/** The same content elsewhere, ranks in runs, findings, flags and history. */
function Context({ dataset, id, version }) {
  const { data, error } = useData(dataset, `context/${encodeURIComponent(id)}`, version);
  if (error) return html`<${Problem} error=${error} />`;
  if (!data) return html`<p class="busy soft" role="status">Reading runs, findings and history </p>`;
  const nothing = !data.same.length && !data.runs.length && !data.findings.length && !data.flags.length;
  return html`${data.same.length > 0 && html`<section class="card"><h2>The same content</h2><ul class="strip">${data.same.map(one => html`<li><${Tile} href=${address(['d', one.dataset, 'i', one.item_id])} thumb=${one.thumb} label=${one.label} name=${one.item_id} note=${one.dataset === dataset ? one.split : one.dataset} /></li>`)}</ul></section>`}
    ${data.runs.length > 0 && html`<section class="card"><h2>As a query of runs</h2><div class="scroll" tabindex="0" role="group" aria-label="Runs"><table><thead><tr><th scope="col">run</th><th scope="col">model</th><th scope="col" class="number">value</th><th scope="col" class="number">first right hit</th><th scope="col" class="number">relevant</th></tr></thead>
      <tbody>${data.runs.map(run => html`<tr><th scope="row"><a href=${address(['reports', run.run])}>${run.run}</a></th><td>${run.model}</td><td class="number">${score(run.value)}</td><td class="number">${run.first_hit ?? 'none'}</td><td class="number">${number(run.relevant)}</td></tr>`)}</tbody></table></div></section>`}
    ${(data.findings.length > 0 || data.flags.length > 0) && html`<section class="card"><h2>Findings and flags</h2><ul class="notes">
      ${data.flags.map(flag => html`<li><strong>${flag.flag}</strong>${flag.value !== null && flag.value !== undefined && html` <span class="number">${number(flag.value)}</span>`}${flag.other && html` <a href=${address(['d', flag.other_dataset ?? dataset, 'i', flag.other])}>${flag.other_dataset ? `${flag.other_dataset}: ` : ''}${flag.other}</a>`} <span class="soft">${flag.detail}</span></li>`)}
      ${data.findings.map(one => html`<li><strong>${one.check}</strong> <span class="soft">${one.path} ${one.detail}</span></li>`)}</ul></section>`}
    ${data.log.length > 0 && html`<section class="card"><h2>History</h2><ul class="notes">${data.log.map(one => html`<li><span class="mono">${one.names.join(', ') || one.commit.slice(0, 10)}</span> ${one.message} <span class="soft">${one.author}, ${String(one.date).slice(0, 10)}${one.items ? `, ${typeof one.items === 'number' ? counted(one.items, 'item') : one.items}` : ''}</span></li>`)}</ul></section>`}
    ${nothing && html`<p class="soft">No run has this item as a query, and no check has found anything about it.</p>`}
    ${data.notes.map(note => html`<${Note} note=${note} />`)}`;
}

/** A part of the item that could not be read, and the command that makes it. */
function Note({ note }) {
  const [what, next] = note.split('; run: ');
  return html`<div class="soft"><p>${what}${next ? ':' : ''}</p>${next && html`<${Command} text=${next} />`}</div>`;
}

/** The origin of the vectors. */
function Why({ dataset, version, models }) {
  const [open, setOpen] = useState(false), [model, setModel] = useState(models[0] ?? null);
  const { data, error } = useData(open ? dataset : null, 'why', { ...version, model });
  return html`<details class="card" onToggle=${event => setOpen(event.target.open)}><summary><h2>Origin</h2></summary>
    ${models.length > 1 && html`<${Choice} name="Model of the origin" value=${model} options=${models} onChange=${setModel} />`}
    ${error && html`<${Problem} error=${error} />`}
    ${data && html`<dl class="columns">${data.facts.map(fact => html`<dt>${fact.what}</dt><dd>${fact.value}${fact.remark && html`<span class="soft"> ${fact.remark}</span>`}</dd>`)}</dl>`}</details>`;
}
