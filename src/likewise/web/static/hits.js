// Hits of a search as tiles: rank, score, label; more like one, less like one.
import { html, useRef } from './vendor/preact.js';
import { Icon, number, Tile, useKeys } from './parts.js';
import { address, place, setQuery } from './store.js';

/** Roles of the hits, and their words. */
export const ROLES = [['gallery', 'gallery items'], ['query', 'query items'], ['any', 'all items']];

/** Add an item to the examples (`id`) or to what the hits must be far from (`unlike`). */
function add(name, id) {
  const other = name === 'id' ? 'unlike' : 'id';
  const { query } = place();
  const now = query.getAll(name).filter(one => one !== id);
  setQuery({ [name]: [...now, id], [other]: query.getAll(other).filter(one => one !== id), offset: null });
}

export function Hits({ hits, dataset, query, onLook, liking = true, roles = false }) {
  const list = useRef();
  const links = () => [...list.current?.querySelectorAll('a.tile') ?? []];
  const here = () => links().indexOf(document.activeElement);
  const move = by => {
    const all = links(), now = here();
    all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + by))]?.focus();
  };
  const wide = () => {
    const all = links();
    return Math.max(1, all.findIndex(one => one.offsetTop > all[0].offsetTop || one.closest('li').offsetTop > all[0].closest('li').offsetTop));
  };
  const on = action => () => { const hit = hits[here()]; return hit ? action(hit) : false; };
  useKeys([
    [['ArrowLeft', 'ArrowRight'], 'previous, next hit', event => move(event.key === 'ArrowLeft' ? -1 : 1)],
    [['ArrowUp', 'ArrowDown'], 'a row up, down', event => (here() < 0 ? false : move(event.key === 'ArrowUp' ? -wide() : wide()))],
    ...(onLook ? [[['Space'], 'look at it', on(onLook)]] : []),
    ...(liking ? [[['m'], 'more like this hit', on(hit => add('id', hit.item_id))], [['M'], 'less like this hit', on(hit => add('unlike', hit.item_id))]] : []),
  ]);
  const version = { v: query.get('v'), rev: query.get('rev') };
  return html`<ol class="hits" ref=${list} aria-label="Hits">${hits.map(hit => html`<li key=${`${hit.dataset} ${hit.item_id}`} value=${hit.rank}>
    <${Tile} href=${address(['d', hit.dataset, 'i', hit.item_id], hit.dataset === dataset ? version : {})} thumb=${hit.thumb} label=${hit.label} text=${hit.text} name=${hit.item_id} dot=${hit.same} note=${number(hit.score)} />
    <span class="rank number">${hit.rank}${roles && hit.role && html` <span class="role">${hit.role}</span>`}</span>
    ${liking && hit.dataset === dataset && html`<span class="likes"><button title="More like this (m)" aria-label=${`More like ${hit.item_id}`} onClick=${() => add('id', hit.item_id)}><${Icon} name="plus" /></button><button title="Less like this (M)" aria-label=${`Less like ${hit.item_id}`} onClick=${() => add('unlike', hit.item_id)}><${Icon} name="minus" /></button></span>`}</li>`)}</ol>`;
}
