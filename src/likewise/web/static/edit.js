// Correct the values of one item: its label by keys, other columns as texts, and its tags.
import { html, useEffect, useState } from './vendor/preact.js';
import { Change, Conflict, Drawer } from './drawer.js';
import { labelKeys, remember, useEdits } from './edits.js';
import { Icon, Problem, shown, useKeys } from './parts.js';
import { LabelPicker } from './picker.js';
import { styled } from './sheet.js';
import { TagWindow } from './tagging.js';

await styled('curate.css');

const KINDS = ['text', 'number'];

/** The columns of `item` that may be corrected; `texts` are their values as the server compares them. `renew` asks for the newest version, `again` for the item. */
export function Editor({ dataset, id, item, texts, schema, fresh, renew, again }) {
  const edits = useEdits(dataset, fresh);
  const [open, setOpen] = useState(null);
  useEffect(() => { edits.published = renew; }, [edits, renew]);
  const columns = (edits.facts?.columns ?? []).filter(name => KINDS.includes(schema.find(one => one.name === name)?.kind));
  const now = column => edits.now(id, column, texts[column] ?? null);
  const set = async (column, value) => {
    setOpen(null);
    const done = await edits.correct({ [column]: { [id]: value } }, { [column]: { [id]: now(column) } }, { words: `${column}: ${shown(value)}` });
    if (done && column === 'label' && value !== null) remember(dataset, value);
  };
  const keys = labelKeys(dataset);
  const keyed = event => { const value = keys[Number(event.key) - 1]; if (value === undefined || value === null) return false; set('label', value); return true; };
  useKeys([
    [['1', '9'], 'give the label of a number key (1 to 9)', keyed],
    [['2', '3', '4', '5', '6', '7', '8'], '', keyed],
    [['l'], 'choose a label', () => setOpen('label')],
    [['t'], 'tags', () => setOpen(':tags')],
    [['z'], 'undo the last correction', () => edits.undo()],
    [['p'], 'pending corrections', () => edits.tell({ drawer: true, error: null })],
  ]);
  if (!edits.facts) return edits.error ? html`<${Problem} error=${edits.error} />` : null;
  const change = column => edits.changes.get(id)?.get(column);
  return html`<section class="card edit"><h2>Correct</h2>
    <dl class="columns">${columns.map(name => html`<dt>${name}</dt><dd key=${name}>${open === name && name !== 'label' ? html`<${Field} name=${name} value=${now(name)} onSave=${value => set(name, value)} onClose=${() => setOpen(null)} />`
    : html`<span class="cut">${change(name) ? html`<${Change} ...${change(name)} />` : shown(item[name])}</span><button class="plain" aria-label=${`Correct ${name}`} onClick=${() => setOpen(name)}><${Icon} name="pen" /></button>`}</dd>`)}
      <dt>tags</dt><dd><span class="cut">${item.tags?.length ? item.tags.join(', ') : 'none'}</span><button class="plain" aria-label="Change the tags" onClick=${() => setOpen(':tags')}><${Icon} name="pen" /></button></dd></dl>
    ${item.box && html`<p class="soft">A box names the pixels of the item: correct it in the source.</p>`}
    ${edits.error && html`<${Problem} error=${edits.error} />`}
    <p class="row"><span class="soft" role="status">${edits.status}</span><span class="end row">${edits.stack.length > 0 && html`<button aria-label="Undo the last correction" onClick=${() => edits.undo()}>Undo</button>`}
      <button id="pending" onClick=${() => edits.tell({ drawer: true, error: null })}>Pending <span class="number">${edits.waiting}</span></button></span></p>
    ${edits.conflict && html`<${Conflict} edits=${edits} />`}
    ${edits.drawer && html`<${Drawer} dataset=${dataset} edits=${edits} onClose=${() => edits.tell({ drawer: false })} />`}
    ${open === 'label' && html`<${LabelPicker} dataset=${dataset} about=${id} onChoose=${value => set('label', value)} onClose=${() => setOpen(null)} />`}
    ${open === ':tags' && html`<${TagWindow} dataset=${dataset} items=${[id]} onDone=${words => { edits.tell({ status: words }); again(); }} onClose=${() => setOpen(null)} />`}
  </section>`;
}

/** One value as a text; Enter saves it, Escape leaves it. An empty text is no value. */
function Field({ name, value, onSave, onClose }) {
  const [text, setText] = useState(value ?? '');
  const key = event => { if (event.key === 'Escape' && !event.isComposing) { event.preventDefault(); onClose(); } };
  return html`<form class="row" onSubmit=${event => { event.preventDefault(); onSave(text === '' ? null : text); }}>
    <input ref=${element => element && !element.dataset.seen && (element.dataset.seen = '1', element.focus())} type="text" aria-label=${`New value of ${name}`} spellcheck=${name === 'text'} value=${text} onInput=${event => setText(event.target.value)} onKeyDown=${key} />
    <button type="submit">Save</button></form>`;
}
