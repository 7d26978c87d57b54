// Requests to the server that sent this page, and to no other; and the pictures of the user: from
// a file, the clipboard, or dropped on the page. The server gets bytes only.
import { useEffect, useRef, useState } from './vendor/preact.js';
import { address, go, place, ROOT, search } from './store.js';

/** An answer that is an error: `message` (what), `next` (a command) and `kind`. */
export class Failure extends Error {
  constructor(body, status) {
    super(body.what ?? `The server answered ${status}.`);
    this.kind = body.kind ?? 'error';
    this.next = body.next ?? null;
    this.body = body;
    this.status = status;
  }
}

const pins = new Map(), turns = new Map();

/** The version of a data set that this page shows; every request names it. */
export const pinned = (dataset, rev = null) => pins.get(`${dataset}@${rev ?? ''}`) ?? null;

/** Ask for the newest version of a data set from now. */
export function unpin(dataset) {
  turns.set(dataset, (turns.get(dataset) ?? 0) + 1);
  for (const name of [...pins.keys()]) if (name.startsWith(`${dataset}@`)) pins.delete(name);
  dispatchEvent(new CustomEvent('pinned', { detail: { dataset } }));
}

async function answer(response) {
  const text = await response.text();
  let body = {};
  try { body = JSON.parse(text); } catch { body = { what: text.slice(0, 200) || response.statusText }; }
  if (!response.ok) throw new Failure(body, response.status);
  return body;
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(ROOT + path, { credentials: 'same-origin', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Failure({ kind: 'offline', what: 'The server does not answer. It may have been stopped.', next: 'likewise serve' }, 0);
  }
  return answer(response);
}

/** The JSON at `path`. */
export function get(path, query = {}, signal = undefined) {
  const text = search(query);
  return request(path + (text ? `?${text}` : ''), { signal });
}

/** Post JSON, or the bytes of an image (a Blob). */
export function post(path, body, query = {}, signal = undefined) {
  const text = search(query);
  const blob = body instanceof Blob;
  return request(path + (text ? `?${text}` : ''), {
    method: 'POST', signal,
    body: blob ? body : JSON.stringify(body),
    headers: { 'content-type': blob ? body.type || 'application/octet-stream' : 'application/json' },
  });
}

const PAGE_ONLY = ['size', 'at', 'group', 'from'];

/** What the server must know of the query of a page: no size of tiles, no place. */
export function asked(query, without = PAGE_ONLY) {
  const next = new URLSearchParams(query);
  for (const name of without) next.delete(name);
  return next;
}

/** Ask for a part of a data set in the version that this page shows. */
export async function data(dataset, path, query = {}, { signal, body } = {}) {
  const named = new URLSearchParams(search(query)), here = place();
  for (const name of ['v', 'rev']) {
    const value = here.query.get(name);
    if (value && here.parts[1] === dataset && !named.has('v') && !named.has('rev')) named.set(name, value);
  }
  const key = `${dataset}@${named.get('rev') ?? ''}`, linked = named.has('v');
  if (!linked && pins.has(key)) named.set('v', pins.get(key));
  const route = `/api/d/${encodeURIComponent(dataset)}/${path}`;
  const begun = performance.now(), turn = turns.get(dataset);
  const found = body === undefined ? await get(route, named, signal) : await post(route, body, named, signal);
  const writes = body !== undefined && !(body instanceof Blob);
  if (!found.v || linked || writes) return found;
  const other = pins.has(key) && pins.get(key) !== found.v && !named.has('v'); // a checkout came between two first answers
  // The newest version may also have been asked for meanwhile.
  if (other || turns.get(dataset) !== turn) return data(dataset, path, query, { signal, body });
  if (!pins.has(key)) {
    pins.set(key, found.v);
    dispatchEvent(new CustomEvent('pinned', { detail: { dataset, v: named.has('rev') ? null : found.v, asked: begun } }));
  }
  return found;
}

/** `ask(signal)` again whenever `key` changes: {data, error, busy}. The old data stays meanwhile. */
export function useAnswer(key, ask) {
  const [state, setState] = useState({ data: null, error: null, busy: false, key: null });
  const latest = useRef();
  useEffect(() => {
    if (key === null) { setState({ data: null, error: null, busy: false, key }); return undefined; }
    const control = new AbortController();
    latest.current = control;
    ask(control.signal).then(
      data => latest.current === control && setState({ data, error: null, busy: false, key }),
      error => error.name !== 'AbortError' && latest.current === control
        && setState({ data: null, error, busy: false, key }),
    );
    return () => control.abort();
  }, [key]);
  if (state.key === key) return state;
  return key === null ? { data: null, error: null, busy: false } : { ...state, busy: true }; // before the first effect, too
}

/** GET `path` again whenever path or query changes. A null path asks nothing. */
export function useGet(path, query = {}) {
  return useAnswer(path === null ? null : `${path}?${search(query)}`, signal => get(path, query, signal));
}

/** Ask for a part of a data set again whenever the query changes. A null path asks nothing. */
export function useData(dataset, path, query = {}, again = 0) {
  const key = path === null || !dataset ? null : `${dataset} ${path} ${search(query)} ${again}`;
  return useAnswer(key, signal => data(dataset, path, query, { signal }));
}

const SENT = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const MOST = 16 * 1024 * 1024;

/** Addresses of the pictures that this page has sent, by their sha256. */
export const pictures = new Map();

/** Answers that came with an upload, so that the page need not ask twice. */
export const answers = new Map();

/** The last state of every job of the server that its events have named, by id. */
export const jobs = new Map();

const listeners = new Set();
let now = { busy: false, error: null, at: null }, line = Promise.resolve();

/** Tell `listener` whether a picture is on its way; an error belongs to the page at the address `at`. */
export function onUpload(listener) {
  listeners.add(listener);
  listener(now);
  return () => listeners.delete(listener);
}

function tell(state) {
  now = state;
  for (const listener of listeners) listener(now);
}

/** The picture as one of the formats that the server reads, and not too large. */
async function readable(blob) {
  if (SENT.includes(blob.type) && blob.size <= MOST) return blob;
  let bitmap;
  try { bitmap = await createImageBitmap(blob); } catch {
    throw new Failure({ what: `The browser cannot read this file as a picture: ${blob.name ?? blob.type ?? 'unknown type'}.` }, 0);
  }
  const scale = Math.min(1, 2048 / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
}

/** Options of a search that stay when a picture is added. */
function kept() {
  const { query } = place();
  const names = ['v', 'rev', 'where', 'model', 'index', 'role', 'per_label', 'k', 'query_role', 'id', 'unlike', 'upload', 'text', 'not_text', 'text_weight', 'template', 'keywords', 'combine'];
  const searching = place().parts[2] === 'search';
  return new URLSearchParams([...query].filter(([name]) => (searching && names.includes(name)) || ['v', 'rev', 'where', 'model'].includes(name) || name.startsWith('f.')));
}

/** Search by a picture; pictures that are in the query already, and those sent before it, stay in it. */
export function send(dataset, blob) {
  line = line.then(() => sendOne(dataset, blob));
  return line;
}

async function sendOne(dataset, blob) {
  tell({ busy: true, error: null, at: null });
  try {
    const sent = await readable(blob), query = kept(), before = query.getAll('upload');
    const answer = await data(dataset, 'search', query, { body: sent });
    const uploads = answer.query.uploads.map(one => one.upload);
    for (const upload of uploads) if (!before.includes(upload)) pictures.set(upload, URL.createObjectURL(sent));
    query.delete('upload');
    uploads.forEach(upload => query.append('upload', upload));
    answers.clear();
    answers.set(search(query), answer);
    tell({ busy: false, error: null, at: null });
    go(address(['d', dataset, 'search'], query));
  } catch (error) {
    if (place().parts[2] !== 'search') go(address(['d', dataset, 'search'], kept()));
    tell({ busy: false, error, at: location.href });
  }
}

const imageOf = list => [...list ?? []].find(file => file.type.startsWith('image/'));

/** Search by pictures that are pasted or dropped anywhere on a page of `dataset`. */
export function carry(dataset) {
  if (!dataset) return undefined;
  const paste = event => {
    const file = imageOf(event.clipboardData?.files);
    if (!file) return;
    event.preventDefault();
    send(dataset, file);
  };
  const over = event => { if ([...event.dataTransfer.types].includes('Files')) event.preventDefault(); };
  const drop = event => {
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    send(dataset, file);
  };
  addEventListener('paste', paste);
  addEventListener('dragover', over);
  addEventListener('drop', drop);
  return () => { removeEventListener('paste', paste); removeEventListener('dragover', over); removeEventListener('drop', drop); };
}
