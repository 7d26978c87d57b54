// The list of keys.
import { html } from './vendor/preact.js';
import { meanings } from './keys.js';
import { Window } from './parts.js';

const SIGNS = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓' };

export function Help({ onClose }) {
  return html`<${Window} title="Keys" onClose=${onClose}><h2>Keys</h2>
    <dl class="keys">${meanings().map(([names, meaning]) => html`<dt>${names.map((name, at) => html`${at ? ' ' : ''}<kbd>${SIGNS[name] ?? name}</kbd>`)}</dt><dd>${meaning}</dd>`)}</dl>
    <p class="row"><button data-first onClick=${onClose}>Close</button></p><//>`;
}
