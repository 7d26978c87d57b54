// The report of a run, in a frame that runs no script.
import { html, useEffect } from './vendor/preact.js';
import { get, useAnswer } from './api.js';
import { Problem } from './parts.js';
import { ROOT } from './store.js';

export function ReportPage({ run, frame }) {
  const path = `/report/${encodeURIComponent(run)}.html`;
  const { data, error } = useAnswer(path, async signal => {
    const head = await fetch(ROOT + path, { method: 'HEAD', signal });
    return head.ok || get(path, {}, signal);
  });
  useEffect(() => frame.title(`Report of ${run}`), [run]);
  return html`<div class="reported"><div class="tools"><h1>${run}</h1>${data && html`<a href=${ROOT + path} data-plain>Open the report alone</a>`}</div>
    ${error && html`<${Problem} error=${error} />`}
    ${data && html`<iframe sandbox="" src=${ROOT + path} title=${`Report of ${run}`}></iframe>`}</div>`;
}
