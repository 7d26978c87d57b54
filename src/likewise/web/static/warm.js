// Vectors, index and model are made ready when a page that needs them opens; progress is shown.
import { html, useEffect, useState } from './vendor/preact.js';
import { jobs, post } from './api.js';

/** The progress of the job that makes a search ready; nothing once it is done. */
export function Warm({ dataset, model, index = 'exact', encoder = false, text = false }) {
  const [job, setJob] = useState(null);
  useEffect(() => {
    if (!model) return undefined;
    let id = null, ended = false;
    const heard = event => { if (event.detail.id === id && !ended) setJob(event.detail); };
    addEventListener('job', heard);
    post('/api/jobs', { kind: 'warm', dataset, model, index, encoder, text }).then(answer => {
      id = answer.id;
      if (!ended) setJob(jobs.get(id) ?? null); // its events may have come first
    }).catch(() => {});
    return () => { ended = true; removeEventListener('job', heard); };
  }, [dataset, model, index, encoder, text]);
  if (!job || job.state === 'done') return null;
  if (job.state === 'failed') return html`<p class="soft" role="status">${job.error?.what}</p>`;
  return html`<p class="soft warm" role="status"><progress max="1" value=${job.done ?? undefined} aria-label="Getting ready"></progress> ${job.text || `Reading ${model}`}</p>`;
}
