// Requests to the server that sent this page, and to no other.
import { useEffect, useRef, useState } from './vendor/preact.js';
import { place, ROOT, search } from './store.js';

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

const pins = new Map();

/** The version of a data set that this page shows; every request names it. */
export const pinned = (dataset, rev = null) => pins.get(`${dataset}@${rev ?? ''}`) ?? null;

/** Ask for the newest version of a data set from now. */
export function unpin(dataset) {
  for (const name of [...pins.keys()]) if (name.startsWith(`${dataset}@`)) pins.delete(name);
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
  const found = body === undefined ? await get(route, named, signal) : await post(route, body, named, signal);
  if (found.v && !linked && !pins.has(key)) pins.set(key, found.v);
  return found;
}

/** `ask(signal)` again whenever `key` changes: {data, error, busy}. The old data stays meanwhile. */
export function useAnswer(key, ask) {
  const [state, setState] = useState({ data: null, error: null, busy: true, key: null });
  const latest = useRef();
  useEffect(() => {
    if (key === null) { setState({ data: null, error: null, busy: false, key }); return undefined; }
    const control = new AbortController();
    latest.current = control;
    setState(before => ({ ...before, busy: true }));
    ask(control.signal).then(
      data => latest.current === control && setState({ data, error: null, busy: false, key }),
      error => error.name !== 'AbortError' && latest.current === control
        && setState({ data: null, error, busy: false, key }),
    );
    return () => control.abort();
  }, [key]);
  return state;
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
