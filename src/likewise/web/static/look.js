// A quick look at an item, over the page.
import { html } from './vendor/preact.js';
import { useData } from './api.js';
import { Picture } from './boxes.js';
import { Problem, Window } from './parts.js';

export function Look({ dataset, id, href, onClose }) {
  const { data, error } = useData(dataset, `item/${encodeURIComponent(id)}`);
  return html`<${Window} title=${id} onClose=${onClose}><div class="look">
    <div class="row"><h2 class="cut">${data?.item.text ?? data?.item.label ?? id}</h2><span class="soft cut">${id}</span><a class="button end" href=${href} onClick=${onClose}>Open</a><button data-first onClick=${onClose}>Close</button></div>
    ${error && html`<${Problem} error=${error} />`}
    ${data && html`<${Picture} picture=${data.picture} boxes=${data.boxes} alt=${data.item.label ?? id} />`}
  </div><//>`;
}
