// The state of the page is its address: links are ordinary links, and Back returns to the place.
import { useEffect, useState } from './vendor/preact.js';

/** Prefix of every address, for servers behind a proxy; '' by default. */
export const ROOT = document.body.dataset.root ?? '';

const listeners = new Set();
const leaving = new Set();

/** The current place: `parts` of the path, and `query` (URLSearchParams). */
export function place() {
  const path = location.pathname.slice(ROOT.length);
  return { path, parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(location.search) };
}

function decode(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

function changed() {
  for (const listener of [...listeners]) listener();
}

/** Go to an address. `replace` keeps the length of the history; `state` is kept with the entry. */
export function go(address, { replace = false, state = null, quiet = false } = {}) {
  if (replace) history.replaceState(state ?? history.state, '', address);
  else {
    for (const save of [...leaving]) save();
    history.pushState(state, '', address);
  }
  if (!quiet) changed();
}

/** Call `save` before the page is left by a link, so that Back finds the place again. */
export function onLeave(save) {
  leaving.add(save);
  return () => leaving.delete(save);
}

/** The address of a page. Empty values are left out. */
export function address(parts, query = {}) {
  const path = parts.map(encodeURIComponent).join('/');
  const text = search(query);
  return `${ROOT}/${path}${text ? `?${text}` : ''}`;
}

/** A query string of a mapping or of URLSearchParams. Lists repeat their name. */
export function search(query) {
  const pairs = new URLSearchParams();
  const entries = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  for (const [name, value] of entries) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '' && one !== false) pairs.append(name, String(one));
    }
  }
  return pairs.toString();
}

/** The query of the current place with some values changed. A null removes a name. */
export function changedQuery(changes, query = place().query) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') next.append(name, String(one));
    }
  }
  return next;
}

/** Change values of the query of the current place. */
export function setQuery(changes, options = {}) {
  const text = changedQuery(changes).toString();
  go(location.pathname + (text ? `?${text}` : ''), options);
}

/** The current place; the component is drawn again when it changes. */
export function usePlace() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = () => redraw(count => count + 1);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return place();
}

function follow(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.('a[href]');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.dataset.plain !== undefined) return;
  event.preventDefault();
  if (link.href !== location.href) go(link.href, { replace: link.dataset.replace !== undefined });
}

/** Follow links without loading the page again. */
export function start() {
  history.scrollRestoration = 'manual';
  addEventListener('click', follow);
  addEventListener('popstate', changed);
}

/** A value that this browser keeps, such as the size of the tiles; `fallback` where it cannot. */
export function kept(name, fallback) {
  try { return JSON.parse(localStorage.getItem(`likewise.${name}`)) ?? fallback; } catch { return fallback; }
}

/** Keep a value in this browser. */
export function keep(name, value) {
  try { localStorage.setItem(`likewise.${name}`, JSON.stringify(value)); } catch { /* storage is off */ }
}

const PASSED_ON = ['v', 'rev', 'where', 'region', 'sort'];

/** The part of a query that is a filter or an order: links to items carry it. */
export function result(query) {
  return new URLSearchParams([...query].filter(([name]) => name.startsWith('f.') || PASSED_ON.includes(name)));
}
