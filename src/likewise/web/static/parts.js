// Small parts that every page uses: icons, numbers, lists, windows, and keys.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';

const PATHS = {
  copy: 'M9 9h10v11H9z M5 15V4h10', search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14z M16 16l4.5 4.5', close: 'M6 6l12 12 M18 6L6 18',
  left: 'M14 5l-7 7 7 7', right: 'M10 5l7 7-7 7', up: 'M5 14l7-7 7 7', down: 'M5 10l7 7 7-7', filter: 'M4 6h16 M7 12h10 M10 18h4',
  picture: 'M4 5h16v14H4z M4 16l5-5 4 4 3-3 4 4', crop: 'M7 3v14h14 M3 7h14v14', pen: 'M4 20l1-5L16 4l4 4L9 19z', undo: 'M8 5L4 9l4 4 M4 9h10a6 6 0 0 1 0 12h-3',
  redo: 'M16 5l4 4-4 4 M20 9H10a6 6 0 0 0 0 12h3', bin: 'M5 7h14 M10 4h4 M7 7l1 13h8l1-13', mirror: 'M12 4v16 M9 7L3 17h6z M15 7l6 10h-6z', plus: 'M12 5v14 M5 12h14', minus: 'M5 12h14',
};

/** A small drawing; the text next to it says what it means. */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}

/** An integer with separators. */
export const count = value => (value ?? 0).toLocaleString('en');

/** A number of a table: at most `digits` digits after the point; '–' where there is none. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return '–';
  return Number.isInteger(value) ? count(value) : value.toFixed(digits);
}

/** The value of a metric: rates with three digits, percentages with one. */
export const score = value => (value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(Math.abs(value) > 1.5 ? 1 : 3));

/** `2 items`, `1 item`. */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** A value of a table as text; a missing value has a word, not an empty place. */
export function shown(value) {
  if (value === null || value === undefined) return 'none';
  if (value === '') return 'empty';
  if (Array.isArray(value) && !value.length) return 'none';
  if (Array.isArray(value)) return value.map(one => (typeof one === 'number' ? String(Math.round(one * 100) / 100) : shown(one))).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A list to choose from. `options` are values or [value, text]; `text` is a visible name. */
export function Choice({ name, text = null, value, options, onChange, ...rest }) {
  const pairs = options.map(one => (Array.isArray(one) ? one : [one, one])), own = String(value ?? '');
  if (own && !pairs.some(([one]) => String(one) === own)) pairs.unshift([own, own]); // from an address
  const list = html`<select aria-label=${name} onChange=${event => onChange(event.target.value)} ...${rest}>${pairs.map(([one, word]) => html`<option key=${one} value=${one} selected=${String(one) === own}>${word}</option>`)}</select>`;
  return text ? html`<label><span class="soft">${text}</span>${list}</label>` : list;
}

/** A button that copies `text`. */
export function Copy({ text, label = 'Copy', name = label }) {
  const [done, setDone] = useState('');
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(''), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => navigator.clipboard?.writeText(text).then(() => setDone('Copied'), () => setDone('Select and copy')) ?? setDone('Select and copy');
  return html`<button class="plain" aria-label=${done ? `${name}: ${done}` : name} onClick=${copy}><${Icon} name="copy" /><span aria-live="polite">${done || label}</span></button>`;
}

/** A command with a button that copies it. */
export function Command({ text, name = 'command' }) {
  return html`<div class="command"><code>${text}</code><${Copy} text=${text} name=${`Copy ${name}`} /></div>`;
}

/** An error: what, and the command that comes next. */
export function Problem({ error, again = null }) {
  return html`<div class="problem" role="alert"><p>${error.message}</p>
    ${error.next && html`<${Command} text=${error.next} />`}
    ${again && html`<button onClick=${again}>Try again</button>`}</div>`;
}

/** What to do where there is nothing to show. */
export function Empty({ children, next = null }) {
  return html`<div class="problem empty" role="status"><p>${children}</p>${next && html`<${Command} text=${next} />`}</div>`;
}

const LANGUAGES = [['python', 'Python'], ['sql', 'SQL'], ['cli', 'Command line']];

/** The address of this page in the version `v`. */
function link(v) {
  const address = new URL(location.href);
  if (v && !address.searchParams.has('rev')) address.searchParams.set('v', v);
  return address.href;
}

/** The button `Copy as`: Python, SQL and command line that give what is shown, and the address. */
export function CopyAs({ copy, v = null }) {
  const box = useRef();
  const [open, setOpen] = useState(false);
  if (!copy) return null;
  const offered = LANGUAGES.filter(([key]) => copy[key]);
  return html`<button popovertarget="copy-as"><${Icon} name="copy" /><span>Copy as</span></button>
    <div class="pop" id="copy-as" popover="auto" role="dialog" aria-label="Copy as" ref=${box} onToggle=${event => setOpen(event.newState === 'open')}>
      ${offered.map(([key, name]) => html`<h3>${name}</h3><div class="command"><code data-copy=${key}>${copy[key]}</code><${Copy} text=${copy[key]} name=${`Copy ${name}`} /></div>`)}
      ${v && open && html`<h3>Address of this version</h3><div class="command"><code>${link(v)}</code><${Copy} text=${link(v)} name="Copy address" /></div>`}
      ${copy.why && html`<p class="soft">${copy.why}</p>`}<p class="soft">Each gives what this page shows.</p></div>`;
}

/** A component whose module is fetched when it is first shown; `load()` gives it. */
export function Later({ load, ...rest }) {
  const [fault, setFault] = useState(null), [, redraw] = useState(0);
  useEffect(() => {
    if (!loaded.has(load)) load().then(part => { loaded.set(load, part); redraw(count => count + 1); }, () => setFault({ message: 'A part of this page cannot be loaded: the server does not answer.' }));
  }, [load]);
  const part = loaded.get(load);
  if (fault) return html`<${Problem} error=${fault} />`;
  return part ? html`<${part} ...${rest} />` : null;
}

const loaded = new Map();

/** A modal window; Escape and a click outside close it. */
export function Window({ title, onClose, children }) {
  const box = useRef();
  useLayoutEffect(() => { box.current.showModal(); box.current.querySelector('[data-first]')?.focus(); }, []);
  const outside = event => event.target === box.current && box.current.close();
  return html`<dialog ref=${box} aria-label=${title} onClose=${onClose} onClick=${outside}><div class="inside">${children}</div></dialog>`;
}

/** A tile: picture, label and one more word. `size` chooses the file. */
export function Tile({ href, thumb, label, text = null, name, note = null, dot = null, on = false, small = false, change = null, ...rest }) {
  const file = small && thumb ? thumb.replace('/256.jpg', '/64.jpg') : thumb;
  const pending = change && `pending: ${shown(change.corrected)}`;
  const title = [text, label ?? 'no label', pending, name].filter(Boolean).join(' · ');
  const word = change ? html`<s>${shown(change.published)}</s> ${shown(change.corrected)}` : text ?? label ?? name;
  return html`<a class=${`tile${on ? ' on' : ''}${change ? ' changed' : ''}`} href=${href} title=${title} ...${rest}>
    <span class="mat">${file && html`<img src=${file} alt=${title} decoding="async" />`}</span>
    <span class="under">${dot !== null && html`<i class=${dot ? 'dot same' : 'dot'} title=${dot ? 'same label' : 'another label'}></i>`}
      <span class="cut">${word}</span>${note !== null && html`<span class="number">${note}</span>`}</span></a>`;
}

// Keys: a page names its keys once. The list under `?` is made of the same table.

const tables = [];

/** The name of a key press: `Shift+ArrowDown`, `/`, `x`. */
function keyName(event) {
  const shift = event.shiftKey && event.key.length > 1 ? 'Shift+' : '';
  return shift + (event.key === ' ' ? 'Space' : event.key);
}

const writing = element => element?.closest?.('input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]');

function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (writing(event.target) || event.target.closest?.('[popover], [data-own-keys]')) return;
  const name = keyName(event);
  // A window has all keys, also after its focus was lost with a button; Escape closes what is open.
  if (document.querySelector(name === 'Escape' ? 'dialog[open], :popover-open' : 'dialog[open]')) return;
  const pressing = event.target.closest?.('button, summary') && ['Enter', 'Space'].includes(name);
  if (pressing) return;
  for (const table of [...tables].reverse()) {
    const entry = table.current.find(([names]) => names.includes(name));
    if (entry) {
      if (entry[2](event) !== false) event.preventDefault();
      return;
    }
  }
}

/** Answer keys while a component is shown: [[names, meaning, action], ...]. */
export function useKeys(entries) {
  const table = useRef(entries);
  table.current = entries;
  useLayoutEffect(() => {
    tables.push(table);
    if (tables.length === 1) addEventListener('keydown', press);
    return () => {
      tables.splice(tables.indexOf(table), 1);
      if (!tables.length) removeEventListener('keydown', press);
    };
  }, []);
}

/** The keys that now have a meaning: [[names, meaning], ...]. */
function meanings() {
  return tables.flatMap(table => table.current).filter(([, meaning]) => meaning).map(([names, meaning]) => [names, meaning]);
}

const SIGNS = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓' };

export function Help({ onClose }) {
  return html`<${Window} title="Keys" onClose=${onClose}><h2>Keys</h2>
    <dl class="keys">${meanings().map(([names, meaning]) => html`<dt>${names.map((name, at) => html`${at ? ' ' : ''}<kbd>${SIGNS[name] ?? name}</kbd>`)}</dt><dd>${meaning}</dd>`)}</dl>
    <p class="row"><button data-first onClick=${onClose}>Close</button></p><//>`;
}
