// Search: by items, pictures, parts of pictures, texts and keywords, under the filter of Browse.
import { html, useEffect, useState } from './vendor/preact.js';
import { answers, data as ask, onUpload, useAnswer, useData } from './api.js';
import { Chips, Facets } from './facets.js';
import { Hits, ROLES } from './hits.js';
import { Look } from './look.js';
import { Choice, Copy, CopyAs, count, counted, Empty, Icon, number, Problem, useKeys } from './parts.js';
import { QueryStrip } from './query_strip.js';
import { address, search, setQuery } from './store.js';
import { Warm } from './warm.js';

const ASKED = ['id', 'unlike', 'text', 'not_text', 'keywords', 'upload', 'crop'];

export function SearchPage({ dataset, query, frame, sets }) {
  const set = sets.data?.sets.find(one => one.name === dataset);
  const any = ASKED.some(name => query.get(name));
  const key = any ? `${dataset} ${search(query)} ${frame.fresh}` : null;
  const { data, error, busy } = useAnswer(key, signal => {
    const ready = answers.get(search(query));
    return ready ? Promise.resolve(ready) : ask(dataset, 'search', query, { signal });
  });
  const spoken = byText(query), model = query.get('model') ?? (spoken ? set?.text_models : set?.models)?.[0];
  const schema = useData(dataset, 'page', { v: query.get('v'), rev: query.get('rev'), limit: 1 }).data?.schema;
  const [upload, setUpload] = useState({ busy: false, error: null, at: null });
  const [open, setOpen] = useState(false), [looked, setLooked] = useState(null);
  useEffect(() => onUpload(setUpload), []);
  useEffect(() => frame.title(`${dataset}: search`), [dataset]);
  useKeys([[['f'], 'write a filter', () => { setOpen(true); document.getElementById('where')?.focus(); }]]);
  const problem = error?.status === 422 && query.get('where') ? error : null;
  const unsent = upload.at === location.href ? upload.error : null, failed = unsent ?? (problem ? null : error);
  return html`<div class=${open ? 'browse free open' : 'browse free'}>
    <aside class="side" aria-label="Filter"><button class="close plain" onClick=${() => setOpen(false)}><${Icon} name="close" /><span>Close</span></button>
      <${Facets} dataset=${dataset} query=${plain(query)} schema=${schema} problem=${problem} /></aside>
    <section class="stage" aria-label="Search"><h1 class="hidden">Search in ${dataset}</h1>
      <${QueryStrip} dataset=${dataset} query=${query} answer=${data} set=${set} busy=${busy || upload.busy} />
      <${Options} query=${query} set=${set} answer=${data} open=${open} onFilter=${() => setOpen(!open)} />
      <${Chips} query=${query} />
      <${Warm} dataset=${dataset} model=${model} index=${query.get('index') ?? 'exact'} encoder=${Boolean(query.get('upload') || query.get('crop'))} text=${Boolean(spoken && set?.text_models.includes(model))} />
      ${failed && html`<${Problem} error=${failed} again=${unsent ? null : frame.renew} />`}
      ${set && !set.models.length && html`<${Empty} next=${set.next ?? `likewise embed ${dataset} MODEL`}>This data set has no vectors yet: only keywords can be searched.<//>`}
      ${!any && !failed && html`<${Empty}>Write ${set?.text_models.length ? 'keywords or a description' : 'keywords'}, choose or paste a picture, or drop one on this page. On every item there is also “Search like this”.<//>`}
      ${data && !failed && html`<${Found} data=${data} query=${query} dataset=${dataset} onLook=${setLooked} />`}
    </section>
    ${looked && html`<${Look} dataset=${looked.dataset} id=${looked.item_id} href=${address(['d', looked.dataset, 'i', looked.item_id])} onClose=${() => setLooked(null)} />`}
  </div>`;
}

/** The filter only: the facets count the data set, not the hits. */
const plain = query => new URLSearchParams([...query].filter(([name]) => name.startsWith('f.') || ['where', 'v', 'rev'].includes(name)));

/** True if the query has texts for the text tower of a model. */
const byText = query => Boolean(query.get('text') || query.get('not_text'));

/** Model, index, role, hits per label and number of hits; and how the answer was made. */
function Options({ query, set, answer, open, onFilter }) {
  const choice = (name, text, values, fallback) => html`<${Choice} name=${text} text=${text} value=${query.get(name) ?? fallback} options=${values} onChange=${value => setQuery({ [name]: value, offset: null })} />`;
  const models = (byText(query) ? set?.text_models : set?.models) ?? [], indexes = set?.indexes ?? [];
  const pictured = query.get('upload') || query.get('crop');
  return html`<div class="tools" role="group" aria-label="Options of the search">
    <button class="opener" aria-expanded=${open} onClick=${onFilter}><${Icon} name="filter" /><span>Filter</span></button>
    ${models.length > 1 && choice('model', 'Model', models, answer?.model ?? models[0])}
    ${indexes.length > 1 && choice('index', 'Index', indexes, 'exact')}
    ${(answer?.role.left_out || query.get('role')) && choice('role', 'Hits are', ROLES, 'gallery')}
    ${choice('per_label', 'Per label', [['', 'all'], 1, 2, 3, 5, 10], '')}
    ${answer?.by_role && pictured && choice('query_role', 'Picture is', [['query', 'a sketch'], ['gallery', 'a photograph']], 'query')}
    ${choice('k', 'Hits', [20, 60, 120, 200], 60)}
    <span class="soft number" role="status" data-made>${answer && made(answer)}</span><span class="end"><${CopyAs} copy=${answer?.copy} v=${answer?.v} /></span></div>`;
}

/** `lite0, exact, 12 ms`; an approximate index also names its recall. */
function made(answer) {
  const recall = answer.exact ? null : answer.recall === null ? 'recall unknown' : `recall ${number(answer.recall, 2)}`;
  return [answer.model, answer.query.keywords && 'keywords', answer.model && answer.index, answer.model && recall, `${number(Math.round(answer.ms.total))} ms`].filter(Boolean).join(', ');
}

/** The items that are not compared because of their role. */
function LeftOut({ role }) {
  if (!role.left_out?.items) return null;
  return html`<p class="note row soft"><span>Hits are items with the role ${role.of} or without a role; ${counted(role.left_out.items, 'item')} with the role ${role.left_out.role} ${role.left_out.items === 1 ? 'is' : 'are'} left out.</span><button onClick=${() => setQuery({ role: 'any', offset: null })}>Search all items</button></p>`;
}

function Found({ data, query, dataset, onLook }) {
  const to = offset => setQuery({ offset: offset || null });
  return html`<${LeftOut} role=${data.role} />
    ${!data.hits.length && html`<${Empty}>${data.offset ? 'There are no more hits.' : 'No item meets the filter and the query.'}<//>`}
    <${Hits} key=${search(query)} hits=${data.hits} dataset=${dataset} query=${query} onLook=${onLook} roles=${data.role.of === 'any'} />
    ${(data.more || data.offset > 0) && html`<nav class="pages row" aria-label="Pages of hits">
      <button disabled=${!data.offset} onClick=${() => to(Math.max(0, data.offset - data.k))}><${Icon} name="left" /><span>Previous</span></button>
      <span class="number soft">${count(data.offset + 1)} to ${count(data.offset + data.hits.length)}</span>
      <button disabled=${!data.more} onClick=${() => to(data.offset + data.k)}><span>Next</span><${Icon} name="right" /></button>
      <${Copy} text=${data.hits.map(hit => hit.item_id).join('\n')} label="Copy ids" /></nav>`}`;
}
