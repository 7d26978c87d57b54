// Windows for tags and for named selections.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { asked, data, useData } from './api.js';
import { counted, Problem, Window } from './parts.js';

/** Returns a function that calls `onClose` while this window is open: an answer may come later. */
function useClosing(onClose) {
  const open = useRef(true);
  useEffect(() => () => { open.current = false; }, []);
  return () => { if (open.current) onClose(); };
}

/** Give `items` a tag, or take it away; `onDone(words)` is called after a change. */
export function TagWindow({ dataset, items, onDone, onClose }) {
  const { data: known } = useData(dataset, 'tags');
  const [error, setError] = useState(null), [tag, setTag] = useState(''), close = useClosing(onClose);
  const change = async (field, name) => {
    if (!name.trim()) return;
    try {
      const done = await data(dataset, 'tags', {}, { body: { items, [field]: [name.trim()] } });
      close();
      onDone(done.changed ? `${counted(done.changed, 'item')} ${field === 'add' ? 'got' : 'lost'} the tag ${name.trim()}` : 'No tag has changed');
    } catch (fault) { setError(fault); }
  };
  return html`<${Window} title="Tags" onClose=${onClose}><form class="picker" onSubmit=${event => { event.preventDefault(); change('add', tag); }}>
    <h2>Tags of ${counted(items.length, 'item')}</h2>
    <label>Tag <input data-first type="text" list="known-tags" maxlength="64" autocomplete="off" value=${tag} onInput=${event => setTag(event.target.value)} /></label>
    <datalist id="known-tags">${Object.keys(known?.tags ?? {}).map(name => html`<option value=${name} />`)}</datalist>
    ${error && html`<${Problem} error=${error} />`}
    <p class="row"><button class="main" type="submit">Add</button><button type="button" onClick=${() => change('remove', tag)}>Remove</button><button type="button" onClick=${onClose}>Cancel</button></p>
    ${known && Object.keys(known.tags).length > 0 && html`<p class="soft">In use: ${Object.entries(known.tags).slice(0, 20).map(([name, number]) => `${name} (${number})`).join(', ')}</p>`}</form><//>`;
}

/** Keep the chosen items, or all items of the filter, as a named selection. */
export function SelectWindow({ dataset, query, items, total, onDone, onClose }) {
  const { data: known } = useData(dataset, 'selections');
  const [error, setError] = useState(null), close = useClosing(onClose), [name, setName] = useState(''), [chosen, setChosen] = useState(items.length > 0);
  const save = async event => {
    event.preventDefault();
    try {
      const done = await data(dataset, 'selections', chosen ? {} : asked(query), { body: { name: name.trim(), items: chosen ? items : [] } });
      close();
      onDone(`${counted(done.items, 'item')} in the selection ${done.name}`);
    } catch (fault) { setError(fault); }
  };
  const old = known?.selections.find(one => one.name === name.trim());
  return html`<${Window} title="Save a selection" onClose=${onClose}><form class="picker" onSubmit=${save}>
    <h2>Save a selection</h2>
    <label>Name <input data-first type="text" list="known-selections" maxlength="64" required autocomplete="off" spellcheck=${false} value=${name} onInput=${event => setName(event.target.value)} /></label>
    <datalist id="known-selections">${(known?.selections ?? []).map(one => html`<option value=${one.name} />`)}</datalist>
    <fieldset><legend class="soft">Items</legend>
      <label><input type="radio" name="which" checked=${chosen} disabled=${!items.length} onChange=${() => setChosen(true)} /> ${counted(items.length, 'chosen item')}</label>
      <label><input type="radio" name="which" checked=${!chosen} onChange=${() => setChosen(false)} /> ${counted(total ?? 0, 'item')} of the filter</label></fieldset>
    ${old && html`<p class="soft" role="status">This replaces a selection of ${counted(old.items, 'item')}.</p>`}
    ${error && html`<${Problem} error=${error} />`}
    <p class="row"><button class="main" type="submit">Save</button><button type="button" onClick=${onClose}>Cancel</button></p></form><//>`;
}
