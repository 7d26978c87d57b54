// The bar of corrections over the grid: labels by keys, tags, selections, undo, what is pending.
import { html, useEffect, useState } from './vendor/preact.js';
import { Conflict, Drawer } from './drawer.js';
import { labelKeys, remember, same, useEdits } from './edits.js';
import { counted, Icon, Problem, shown, useKeys } from './parts.js';
import { LabelPicker } from './picker.js';
import { styled } from './sheet.js';
import { address, result } from './store.js';
import { SelectWindow, TagWindow } from './tagging.js';

await styled('curate.css');

/**
 * `selected` is a Map of the chosen items: id -> published label; `tile()` the row at the cursor.
 * `show(edits)` gets the corrections, which the tiles show; `renew()` asks for the newest version;
 * `clear(items)` ends their choice; `again()` asks for counts again.
 */
export function Curate({ dataset, query, fresh, total, models, selected, tile, clear, show, renew, again }) {
  const edits = useEdits(dataset, fresh);
  const [open, setOpen] = useState(null);
  useEffect(() => { edits.published = renew; }, [edits, renew]);
  useEffect(() => show(edits), [edits, edits.turn]);
  const targets = () => {
    if (selected.size) return selected;
    const row = tile();
    return new Map(row ? [[row.item_id, row.label]] : []);
  };
  const label = async (value, items = targets()) => {
    if (!items.size) return;
    const seen = Object.fromEntries([...items].map(([item, published]) => [item, edits.now(item, 'label', published)]));
    const done = await edits.correct(same('label', [...items.keys()], value), { label: seen }, { words: `${counted(items.size, 'item')}: ${shown(value)}` });
    if (value !== null) remember(dataset, value);
    if (done) clear(items);
  };
  const ask = name => () => { const items = targets(); if (items.size || name === 'select') setOpen({ name, items }); };
  const drawer = () => edits.tell({ drawer: true, error: null });
  const keys = labelKeys(dataset);
  useKeys([
    [['1', '9'], 'give the label of a number key (1 to 9)', event => keyed(event)],
    [['2', '3', '4', '5', '6', '7', '8'], '', event => keyed(event)],
    [['l'], 'choose a label', ask('label')],
    [['t'], 'tags', ask('tag')],
    [['s'], 'save a selection', ask('select')],
    [['z'], 'undo the last correction', () => edits.undo()],
    [['p'], 'pending corrections', drawer],
  ]);
  const keyed = event => { const value = keys[Number(event.key) - 1]; if (value === undefined || value === null) return false; label(value); return true; };
  const done = words => { edits.tell({ status: words }); again(); };
  const suspects = address(['d', dataset, 'suspects'], result(query));
  return html`<div class="curate" role="group" aria-label="Corrections">
    <button onClick=${ask('label')}><span>Label</span><kbd>l</kbd></button>
    ${keys.map((value, at) => value !== null && html`<button class="slot" key=${at} title=${`Label ${value}`} onClick=${() => label(value)}><kbd>${at + 1}</kbd><span class="cut">${value}</span></button>`)}
    <button onClick=${ask('tag')}><span>Tag</span><kbd>t</kbd></button>
    <button onClick=${ask('select')}><span>Save selection</span><kbd>s</kbd></button>
    ${models > 0 && html`<a class="button" href=${suspects}>Likely wrong labels</a>`}
    <span class="end row"><span class="soft" role="status">${edits.status}</span>
      ${edits.stack.length > 0 && html`<button aria-label="Undo the last correction" onClick=${() => edits.undo()}><${Icon} name="undo" /><span>Undo</span></button>`}
      <button id="pending" class=${edits.changes.size ? 'main' : ''} onClick=${drawer}>Pending <span class="number">${edits.waiting}</span></button></span>
    ${edits.error && !edits.drawer && html`<${Problem} error=${edits.error} />`}
    <${Windows} dataset=${dataset} query=${query} edits=${edits} open=${open} close=${() => setOpen(null)} label=${label} done=${done} total=${total} />
  </div>`;
}

/** The window that is open, if one is. */
function Windows({ dataset, query, edits, open, close, label, done, total }) {
  const items = open ? [...open.items.keys()] : [];
  if (edits.conflict) return html`<${Conflict} edits=${edits} />`;
  if (edits.drawer) return html`<${Drawer} dataset=${dataset} edits=${edits} onClose=${() => edits.tell({ drawer: false })} />`;
  if (open?.name === 'label') return html`<${LabelPicker} dataset=${dataset} about=${items.length === 1 ? items[0] : counted(items.length, 'item')} onChoose=${value => label(value, open.items)} onClose=${close} />`;
  if (open?.name === 'tag') return html`<${TagWindow} dataset=${dataset} items=${items} onDone=${done} onClose=${close} />`;
  if (open?.name === 'select') return html`<${SelectWindow} dataset=${dataset} query=${query} items=${items} total=${total} onDone=${done} onClose=${close} />`;
  return null;
}
