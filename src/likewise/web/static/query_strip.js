// What is searched for: keywords, texts, examples, pictures and parts of pictures.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { pictures, send, useData } from './api.js';
import { Picture } from './boxes.js';
import { Choice, Icon, Window } from './parts.js';
import { address, place, setQuery } from './store.js';

export function QueryStrip({ dataset, query, answer, set, busy }) {
  const file = useRef();
  const [cropped, setCropped] = useState(null);
  const [text = '', ...texts] = query.getAll('text');
  const models = set?.text_models ?? [];
  const words = ['keywords', 'text', 'not_text'].map(name => query.getAll(name).join()).join('|');
  const submit = event => {
    event.preventDefault();
    const given = new FormData(event.target), typed = given.get('text')?.trim() ?? '';
    const less = event.submitter?.name === 'less';
    const described = typed ? { model: models.includes(query.get('model')) ? query.get('model') : null } : { text_weight: null };
    setQuery({ keywords: given.get('keywords').trim(), offset: null, ...(less ? { not_text: [...query.getAll('not_text'), typed] } : { text: [typed, ...texts] }), ...described });
  };
  const examples = parts(query, answer);
  const several = [query.getAll('id').length + query.getAll('upload').length, query.getAll('text').length].some(one => one > 1);
  const sketch = address(['d', dataset, 'sketch'], { v: query.get('v'), rev: query.get('rev') });
  return html`<div class="asked" role="group" aria-label="Query">
    <form role="search" key=${words} onSubmit=${submit}><input id="words" name="keywords" type="search" aria-label="Keywords" placeholder="Keywords" defaultValue=${query.get('keywords') ?? ''} autocomplete="off" />
      ${models.length > 0 && html`<input name="text" type="search" aria-label="Description of an image" placeholder="Describe an image" defaultValue=${text} autocomplete="off" />`}
      <button aria-label="Search"><${Icon} name="search" /></button>
      ${models.length > 0 && positive(query) && html`<button name="less" aria-label="Less like this description" title="Less like this description"><${Icon} name="minus" /></button>`}</form>
    ${set?.models.length > 0 && html`<button onClick=${() => file.current.click()}><${Icon} name="picture" /><span>Add a picture</span></button>
      <input ref=${file} class="hidden" type="file" accept="image/*" tabindex="-1" aria-label="Picture to search by" onChange=${event => event.target.files[0] && send(dataset, event.target.files[0])} />
      <a class="button" href=${sketch}><${Icon} name="pen" /><span>Draw</span></a>`}
    <ul class="examples">${examples.map(one => html`<li key=${one.key} class=${one.less ? 'example less' : 'example'}>
      <span class="mat">${one.url ? html`<img src=${one.url} alt="" />` : html`<${Icon} name=${one.words ? 'pen' : 'picture'} />`}</span>
      <span class="soft cut">${one.less ? 'less like ' : one.box ? 'part of ' : ''}${one.name}</span>
      ${one.crop && html`<button class="plain" aria-label=${`Choose a part of ${one.name}`} onClick=${() => setCropped(one)}><${Icon} name="crop" /></button>`}
      <button class="plain" aria-label=${`Remove ${one.name}`} onClick=${one.drop}><${Icon} name="close" /></button></li>`)}</ul>
    ${several && html`<${Choice} name="Combine examples" text="Combine" value=${query.get('combine') ?? 'mean'} options=${['mean', ['max', 'nearest']]} onChange=${combine => setQuery({ combine, offset: null })} />`}
    ${text && pictured(query) && html`<${Choice} name="Weight of the description" text="Description" value=${query.get('text_weight') ?? '0.5'} options=${[['0.25', '25 %'], ['0.5', '50 %'], ['0.75', '75 %']]} onChange=${text_weight => setQuery({ text_weight, offset: null })} />`}
    ${busy && html`<span class="busy" role="status" aria-label="Searching"></span>`}
    ${cropped && html`<${CropWindow} dataset=${dataset} one=${cropped} onClose=${() => setCropped(null)} />`}</div>`;
}

const pictured = query => ['id', 'upload', 'crop'].some(name => query.get(name));
const positive = query => pictured(query) || Boolean(query.get('text'));

/** The examples of a query as [{key, name, url, drop, crop}]. */
function parts(query, answer) {
  const known = new Map((answer?.query.thumbs ?? []).map(one => [one.item_id, one]));
  const without = (name, value) => () => {
    const kept = place().query.getAll(name).filter(one => one !== value);
    setQuery({ [name]: kept, offset: null, text_weight: null, ...(['crop', 'upload'].includes(name) ? { box: null } : {}) });
  };
  const words = (name, value) => ({ key: `${name} ${value}`, name: `“${value}”`, words: true, less: name === 'not_text', drop: without(name, value) });
  const item = (name, id) => ({ key: `${name} ${id}`, name: known.get(id)?.text ?? known.get(id)?.label ?? id, id, url: known.get(id)?.thumb, less: name === 'unlike', drop: without(name, id) });
  const single = query.getAll('id').length === 1 && !query.get('upload') && !query.get('unlike');
  const alone = query.getAll('upload').length === 1 && !query.get('id');
  return [
    ...query.getAll('id').map(id => ({ ...item('id', id), crop: single && { id } })),
    ...(query.get('crop') ? [{ ...item('crop', query.get('crop')), box: query.get('box'), crop: { id: query.get('crop') } }] : []),
    ...query.getAll('upload').map(upload => ({ key: upload, name: 'your picture', url: pictures.get(upload), box: alone && query.get('box'), crop: alone && pictures.has(upload) && { upload }, drop: without('upload', upload) })),
    ...query.getAll('text').slice(1).map(one => words('text', one)),
    ...query.getAll('unlike').map(id => item('unlike', id)),
    ...query.getAll('not_text').map(one => words('not_text', one)),
  ];
}

/** Choose a part of an example. */
function CropWindow({ dataset, one, onClose }) {
  const { id, upload } = one.crop;
  const { data } = useData(id ? dataset : null, `item/${encodeURIComponent(id ?? '')}`);
  const own = useSize(upload ? one.url : null);
  const picture = data?.picture ?? own;
  const crop = box => {
    onClose();
    setQuery({ box: box.join(','), offset: null, ...(id ? { crop: id, id: null } : {}) });
  };
  return html`<${Window} title="Choose a part" onClose=${onClose}><div class="look"><div class="row"><h2>Choose a part</h2><span class="soft">Drag over the picture, or use the arrow keys.</span><button class="end" onClick=${onClose}>Close</button></div>
    ${picture && html`<${Picture} picture=${picture} alt=${one.name} cropping=${true} onCrop=${crop} />`}</div><//>`;
}

/** A picture of this page with its size as the browser shows it. */
function useSize(url) {
  const [picture, setPicture] = useState(null);
  useEffect(() => {
    if (!url) return;
    const image = new Image();
    image.onload = () => setPicture({ url, width: image.naturalWidth, height: image.naturalHeight, orientation: 1 });
    image.src = url;
  }, [url]);
  return picture;
}
