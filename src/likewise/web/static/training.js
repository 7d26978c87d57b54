// Training: learning curves of models over each other; a running training is read again.
import { html, useEffect, useState } from './vendor/preact.js';
import { useGet } from './api.js';
import { Chart } from './chart.js';
import { count, Empty, number, Problem } from './parts.js';
import { styled } from './sheet.js';
import { address, setQuery } from './store.js';

await styled('pages.css');

const SECONDS = 2;
const FIRST = ['train/loss', 'train/epoch_loss'];

export function Training({ query, frame }) {
  const models = query.getAll('model'), [again, setAgain] = useState(0);
  const { data, error } = useGet('/api/training', { model: models, again: again || null });
  const running = data?.trainings.some(one => one.state === 'running');
  useEffect(() => frame.title('Training'), []);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setTimeout(() => document.hidden || setAgain(before => before + 1), SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [running, data]);
  useEffect(() => {
    const look = () => document.hidden || setAgain(before => before + 1);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  if (error) return html`<div class="body"><h1>Training</h1><${Problem} error=${error} again=${() => setQuery({ model: null })} /></div>`;
  if (!data) return html`<div class="body"><h1>Training</h1><p class="soft busy"></p></div>`;
  const toggle = name => setQuery({ model: models.includes(name) ? models.filter(one => one !== name) : [...models, name] }, { replace: true });
  const other = event => {
    event.preventDefault();
    const name = new FormData(event.target).get('other').trim();
    if (name && !models.includes(name)) setQuery({ model: [...models, name] });
    event.target.reset();
  };
  const { trainings } = data, named = trainings.map(one => ({ ...one, title: one.key ? `${one.name} (${one.state}, ${one.key.slice(0, 6)})` : one.name }));
  const metrics = [...new Set(trainings.flatMap(one => one.curves.map(curve => curve.metric)))].filter(metric => metric !== 'epoch');
  metrics.sort((one, two) => place(one) - place(two) || one.localeCompare(two));
  const lines = metric => named.flatMap(one => one.curves.filter(curve => curve.metric === metric).map(curve => ({ name: one.title, step: curve.step, value: curve.value, kept: one.kept_step })));
  return html`<div class="body training"><div class="row lead"><h1>Training</h1><a href=${address(['leaderboard'])}>Results of all runs</a></div>
    ${!data.known.length ? html`<${Empty} next="likewise add-model NAME --kind metric --data DATASET">No model of params.yaml learns. Add one:<//>` : html`
    <div class="row choosing" role="group" aria-label="Models">${data.known.map(name => html`<button aria-pressed=${models.includes(name)} onClick=${() => toggle(name)}>${name}</button>`)}
      ${models.filter(name => !data.known.includes(name)).map(name => html`<button aria-pressed="true" onClick=${() => toggle(name)}>${name}</button>`)}
      <form class="row" onSubmit=${other}><input type="text" name="other" aria-label="Model at a revision" placeholder="MODEL@REV" autocomplete="off" /><button>Add</button></form></div>
    ${!trainings.length && html`<${Empty} next=${`dvc repro train@${models[0] ?? data.known[0]}`}>No training of ${models.length ? 'these models' : 'a model'} has begun.<//>`}
    ${named.length > 0 && html`<${Facts} trainings=${named} />`}
    <div class="charts">${metrics.map(metric => html`<${Chart} key=${metric} title=${metric} lines=${lines(metric)} />`)}</div>
    ${named.some(one => one.kept_step !== null) && html`<p class="soft">A dashed line is the end of the epoch whose weights are kept.</p>`}
    ${data.left_out > 0 && html`<p class="soft">${count(data.left_out)} further trainings are not drawn; choose models.</p>`}`}</div>`;
}

const place = metric => (FIRST.includes(metric) ? FIRST.indexOf(metric) : FIRST.length);

function Facts({ trainings }) {
  return html`<section class="card"><div class="scroll" role="group" tabindex="0" aria-label="Trainings"><table><thead><tr><th scope="col">training</th><th scope="col">state</th><th scope="col" class="number">kept epoch</th><th scope="col" class="number">epochs</th><th scope="col" class="number">last loss</th><th scope="col" class="number">hours</th><th scope="col" class="number">images/s</th><th scope="col">device</th></tr></thead>
    <tbody>${trainings.map(one => html`<tr><th scope="row">${one.title}</th><td>${one.state === 'running' ? html`<span class="busy" role="status">running </span>` : one.state}</td><td class="number">${one.kept_epoch ?? '–'}</td><td class="number">${number(one.last.epoch)}</td><td class="number">${number(one.last['train/loss'], 4)}</td><td class="number">${number(one.facts.hours, 2)}</td><td class="number">${number(one.facts.images_per_second, 1)}</td><td>${one.facts.device ?? ''}</td></tr>`)}</tbody></table></div></section>`;
}
