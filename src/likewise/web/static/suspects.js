// The queue of likely wrong labels: one item at a time, next to its nearest neighbours.
import { html, useEffect, useMemo, useRef, useState } from './vendor/preact.js';
import { asked, data as ask, get, useData } from './api.js';
import { Change, Conflict, Drawer } from './drawer.js';
import { labelKeys, readOnly, remember, useEdits } from './edits.js';
import { Choice, count, counted, Empty, number, Problem, shown, Tile, useKeys } from './parts.js';
import { LabelPicker } from './picker.js';
import { styled } from './sheet.js';
import { address, go, result, setQuery } from './store.js';

await styled('curate.css');

const SHOWN = 200;
const pause = ms => new Promise(resolve => { setTimeout(resolve, ms); });

export function SuspectsPage({ dataset, query, frame }) {
  const models = frame.sets?.sets.find(one => one.name === dataset)?.models ?? [];
  const model = query.get('model') ?? models[0] ?? null;
  const [found, setFound] = useState(0), edits = useEdits(dataset, frame.fresh);
  const wanted = useMemo(() => { const next = asked(query, ['at', 'group', 'size', 'from', 'sort']); next.set('model', model ?? ''); next.set('limit', SHOWN); return next; }, [String(query), model]);
  const { data, error } = useData(model ? dataset : null, 'suspects', wanted, found);
  const work = useSearch(dataset, model, data?.compared === false, () => setFound(value => value + 1));
  const newest = () => { setQuery({ rev: null }, { quiet: true }); frame.renew(); };
  useEffect(() => { edits.published = frame.renew; }, [edits, frame.renew]);
  useEffect(() => frame.title(`${dataset}: likely wrong labels`), [dataset]);
  return html`<div class="body"><div class="row itemhead"><a class="button" href=${address(['d', dataset], result(query))}>${dataset}</a>
      ${models.length > 1 ? html`<${Choice} name="Model" value=${model} options=${models} onChange=${name => setQuery({ model: name, at: null })} />` : html`<span class="soft">${model}</span>`}
      <span class="end row">${data && html`<button onClick=${work.start} disabled=${work.text !== null}>Compare again</button>`}</span></div>
    <h1>Likely wrong labels</h1>
    ${!model && frame.sets && html`<${Empty} next=${`likewise embed ${dataset} MODEL`}>No vectors of this data set are published, so labels cannot be compared with them.<//>`}
    ${work.text !== null && html`<p class="busy soft" role="status">${work.text} </p>`}
    ${work.error && html`<${Problem} error=${work.error} />`}
    ${error && html`<${Problem} error=${error} />`}
    ${data?.compared === false && work.ended && html`<${Empty}>Labels are compared in the newest version only, and this page shows another one. <button onClick=${newest}>Show the newest version</button><//>`}
    ${data?.compared && (data.total ? html`<${Queue} key=${`${dataset} ${wanted} ${found}`} dataset=${dataset} edits=${edits} queue=${data} />` : html`<${Empty}>The vectors of ${model} contradict no label of these items.<//>`)}
    ${edits.conflict && html`<${Conflict} edits=${edits} />`}
    ${edits.drawer && html`<${Drawer} dataset=${dataset} edits=${edits} onClose=${() => edits.tell({ drawer: false })} />`}</div>`;
}

/** The job that compares labels with vectors: begun at the first look, and by `start`. */
function useSearch(dataset, model, missing, done) {
  const begun = useRef(null);
  const [state, setState] = useState({ text: null, error: null, ended: false });
  const start = async () => {
    setState({ text: 'Comparing labels with vectors', error: null, ended: false });
    try {
      const { id } = await ask(dataset, 'suspects', {}, { body: { model } });
      for (;;) {
        const { job } = await get(`/api/jobs/${id}/log`);
        if (job.state === 'failed') { setState({ text: null, error: { message: job.error.what, next: job.error.next } }); return; }
        if (job.state === 'done') break;
        await pause(250);
      }
      setState({ text: null, error: null, ended: true });
      done();
    } catch (fault) { setState({ text: null, error: fault }); }
  };
  useEffect(() => {
    if (!missing || begun.current === model) return;
    begun.current = model;
    start();
  }, [missing, model]);
  return { ...state, start };
}

function Queue({ dataset, edits, queue }) {
  const { suspects, pictures } = queue;
  const [place, setAt] = useState(0), [open, setOpen] = useState(false), busy = useRef(false);
  const at = Math.min(place, suspects.length - 1), one = suspects[at], item = one.item_id;
  const change = edits.changes.get(item)?.get('label');
  const move = by => setAt(now => Math.max(0, Math.min(suspects.length - 1, now + by)));
  const label = async value => {
    if (readOnly || busy.current) return;
    busy.current = true;
    const done = await edits.correct({ label: { [item]: value } }, { label: { [item]: edits.now(item, 'label', item in pictures ? pictures[item].label : one.label) } }, { words: `${item}: ${shown(value)}` });
    busy.current = false;
    if (value !== null) remember(dataset, value);
    if (done) move(1);
  };
  const keys = labelKeys(dataset);
  const keyed = event => { const value = keys[Number(event.key) - 1]; if (value === undefined || value === null) return false; label(value); return true; };
  useKeys([
    [['j', 'ArrowRight'], 'next: the label is right', () => move(1)],
    [['k', 'ArrowLeft'], 'previous', () => move(-1)],
    [['o'], 'open the item', () => go(address(['d', dataset, 'i', item]))],
    ...(readOnly ? [] : [
      [['y'], 'the suggested label is right', () => label(one.suggested)],
      [['1', '9'], 'give the label of a number key (1 to 9)', keyed], [['2', '3', '4', '5', '6', '7', '8'], '', keyed],
      [['l'], 'choose a label', () => setOpen(true)],
      [['z'], 'undo the last correction', () => edits.undo()],
      [['p'], 'pending corrections', () => edits.tell({ drawer: true, error: null })]]),
  ]);
  const corrected = suspects.filter(other => edits.changes.get(other.item_id)?.has('label')).length;
  const picture = id => pictures[id] ?? { thumb: null, label: null, text: null };
  return html`<p class="row" role="status"><strong class="number">${count(at + 1)} of ${count(queue.total)}</strong><span class="soft">${counted(corrected, 'label')} corrected${queue.total > suspects.length ? `, the first ${count(suspects.length)} are listed` : ''}</span><span class="soft">${edits.status}</span></p>
    <div class="suspect"><figure><a href=${address(['d', dataset, 'i', item])} class="mat">${picture(item).thumb && html`<img src=${picture(item).thumb} alt=${`Picture of ${item}`} />`}</a><figcaption class="soft cut">${item}</figcaption></figure>
      <div><h2>${change ? html`<${Change} ...${change} />` : html`${shown(one.label)}${words(picture(item))}`}</h2>
        <p>Its neighbours vote for <strong>${shown(one.suggested)}</strong>. <span class="soft">Quality of the label: ${number(one.quality)}</span></p>
        ${!readOnly && html`<p class="row"><button class="main" onClick=${() => label(one.suggested)}><span>It is ${shown(one.suggested)}</span><kbd>y</kbd></button><button onClick=${() => move(1)}><span>The label is right</span><kbd>j</kbd></button><button onClick=${() => setOpen(true)}><span>Another label</span><kbd>l</kbd></button>
          ${keys.map((value, slot) => value !== null && html`<button class="slot" key=${slot} onClick=${() => label(value)}><kbd>${slot + 1}</kbd><span class="cut">${value}</span></button>`)}
          <button id="pending" onClick=${() => edits.tell({ drawer: true, error: null })}>Pending <span class="number">${edits.waiting}</span></button>
          ${edits.stack.length > 0 && html`<button aria-label="Undo the last correction" onClick=${() => edits.undo()}><span>Undo</span><kbd>z</kbd></button>`}</p>`}
        ${edits.error && html`<${Problem} error=${edits.error} />`}
        <h3>Nearest neighbours</h3><ul class="strip">${one.neighbours.map(near => html`<li><${Tile} href=${address(['d', dataset, 'i', near.item_id])} thumb=${picture(near.item_id).thumb} label=${near.label} text=${picture(near.item_id).label === near.label ? picture(near.item_id).text : null} name=${near.item_id} note=${number(near.cosine)} dot=${near.label === one.suggested} /></li>`)}</ul></div></div>
    <h2>The queue</h2><ol class="strip queue" aria-label="Queue">${suspects.map((other, number) => html`<li key=${other.item_id} aria-current=${number === at ? 'true' : undefined}><button onClick=${() => setAt(number)} aria-label=${`${number + 1}: ${other.item_id}`}>${picture(other.item_id).thumb && html`<img src=${picture(other.item_id).thumb.replace('/256.jpg', '/64.jpg')} alt="" loading="lazy" />`}${edits.changes.get(other.item_id)?.has('label') && html`<span class="hidden">corrected</span><span aria-hidden="true">✓</span>`}</button></li>`)}</ol>
    ${open && html`<${LabelPicker} dataset=${dataset} about=${item} onChoose=${label} onClose=${() => setOpen(false)} />`}`;
}

const words = ({ text, label }) => (text && text !== label ? html`<span class="soft"> ${text}</span>` : '');
