// The frame of every page, and which page an address opens.
import { html, render, useEffect, useErrorBoundary, useRef, useState } from './vendor/preact.js';
import { carry, Failure, get, jobs, pinned, post, unpin, useGet } from './api.js';
import { Choice, Empty, Help, Later, Problem, useKeys } from './parts.js';
import { address, go, ROOT, setQuery, start, usePlace } from './store.js';

/** The pages; the module of a page is fetched when it is first opened. */
const PAGES = {
  home: () => import('./home.js').then(found => found.Home),
  browse: () => import('./browse.js').then(found => found.Browse),
  item: () => import('./item.js').then(found => found.Item),
  search: () => import('./search.js').then(found => found.SearchPage),
  sketch: () => import('./sketch.js').then(found => found.Sketch),
  compare: () => import('./compare.js').then(found => found.Compare),
  report: () => import('./report.js').then(found => found.ReportPage),
  review: () => import('./review.js').then(found => found.Review),
  map: () => import('./map.js').then(found => found.MapPage),
  versions: () => import('./versions.js').then(found => found.Versions),
  diff: () => import('./diff.js').then(found => found.Diff),
  training: () => import('./training.js').then(found => found.Training),
  leaderboard: () => import('./leaderboard.js').then(found => found.Leaderboard),
  suspects: () => import('./suspects.js').then(found => found.SuspectsPage),
  unknown: () => Promise.resolve(Unknown),
};

/** The page of an address: its name and what it needs. */
function route(parts) {
  const [first, dataset, second] = parts;
  if (!first) return { page: 'home', tab: 'home' };
  if (first === 'd' && dataset && !second) return { page: 'browse', dataset, tab: 'browse' };
  if (first === 'd' && second === 'i' && parts.length > 3) return { page: 'item', dataset, id: parts.slice(3).join('/'), tab: 'browse' };
  if (first === 'd' && ['review', 'map', 'versions', 'diff'].includes(second) && parts.length === 3) return { page: second, dataset, tab: second === 'diff' ? 'versions' : second };
  if (['training', 'leaderboard'].includes(first) && parts.length === 1) return { page: first, tab: 'leaderboard' };
  if (first === 'd' && ['search', 'sketch', 'suspects'].includes(second) && parts.length === 3) return { page: second, dataset, tab: second === 'suspects' ? 'browse' : second };
  if (first === 'compare' && parts.length === 3) return { page: 'compare', runs: [parts[1], parts[2]], tab: 'compare' };
  if (first === 'reports' && parts.length === 2) return { page: 'report', run: parts[1], tab: 'compare' };
  return { page: 'unknown' };
}

function Unknown() {
  return html`<div class="body"><${Empty}>There is no page at this address. <a href=${address([])}>All data sets</a><//></div>`;
}

function App() {
  const { parts, query } = usePlace();
  const found = route(parts);
  const sets = useGet('/api/sets', { rev: query.get('rev') });
  const [fresh, setFresh] = useState(0);
  const dataset = found.dataset ?? setOfRun(sets.data, found.runs?.[0] ?? found.run);
  const news = useNews(dataset, query);
  const [help, setHelp] = useState(false);
  const main = useRef();
  const frame = {
    fresh, sets: sets.data,
    title: text => { document.title = `${text} · Likewise`; },
    renew: () => {
      unpin(dataset ?? '');
      setQuery({ v: null }, { replace: true, quiet: true });
      setFresh(value => value + 1);
    },
  };
  usePageFocus(parts.join('/'), main);
  useKeys([
    [['/'], 'search by words', () => document.getElementById('words')?.focus()],
    [['?'], 'this list', () => setHelp(true)],
  ]);
  useEffect(() => carry(dataset), [dataset]);
  return html`<a class="skip" href="#main" data-plain>Skip to the content</a>
    <${Top} found=${found} dataset=${dataset} query=${query} sets=${sets.data} onHelp=${() => setHelp(true)} />
    ${news && html`<div class="notice" role="status"><span>A newer version of ${dataset} is here. This page still shows the one that it opened.</span><button onClick=${frame.renew}>Show the new version</button></div>`}
    <main id="main" ref=${main} tabindex="-1"><${Guarded} key=${parts.slice(0, 3).join('/')}><${Later} load=${PAGES[found.page]} key=${`${parts.join('/')} ${fresh}`} ...${found} dataset=${dataset} query=${query} frame=${frame} sets=${sets} /><//></main>
    ${help && html`<${Help} onClose=${() => setHelp(false)} />`}`;
}

/** A fault of one page leaves the frame usable. */
function Guarded({ children }) {
  const [error, reset] = useErrorBoundary();
  return error ? html`<${Problem} error=${new Failure({ what: `The page has a fault: ${error.message}` }, 0)} again=${reset} />` : children;
}

/** The data set of a run, by name. */
function setOfRun(sets, run) {
  const name = run?.split('@')[0];
  return sets?.sets.find(set => set.runs.some(one => one.run === name))?.name ?? null;
}

/** A newer version of the data set, when the server named one. */
function useNews(dataset, query) {
  const [mark, setMark] = useState(null);
  const held = useRef(), named = useRef(new Map());
  held.current = { dataset, query };
  const compare = () => {
    const now = held.current, newest = named.current.get(now.dataset)?.v;
    const mine = now.query.get('v') ?? pinned(now.dataset, null);
    setMark(newest && mine && newest !== mine && !now.query.get('rev') ? newest : null);
  };
  const name = (of, v, at) => {
    if (v && at >= (named.current.get(of)?.at ?? 0)) named.current.set(of, { v, at });
    compare();
  };
  useEffect(compare, [dataset, query.get('v'), query.get('rev')]);
  useEffect(() => {
    let source = null, later = null;
    const listen = () => {
      clearTimeout(later);
      if (document.hidden) { source?.close(); source = null; return; }
      if (source && source.readyState !== EventSource.CLOSED) return;
      source = new EventSource(`${ROOT}/events`);
      source.addEventListener('version', event => {
        const found = JSON.parse(event.data);
        name(found.dataset, found.v, performance.now());
      });
      source.addEventListener('job', event => {
        const job = JSON.parse(event.data);
        jobs.set(job.id, job);
        dispatchEvent(new CustomEvent('job', { detail: job }));
      });
      source.onerror = event => { if (event.target.readyState === EventSource.CLOSED) later = setTimeout(listen, 3000); };
    };
    const pin = ({ detail: { dataset: of, v, asked: at } }) => name(of, v, at);
    listen();
    addEventListener('pinned', pin);
    document.addEventListener('visibilitychange', listen);
    return () => {
      removeEventListener('pinned', pin);
      document.removeEventListener('visibilitychange', listen);
      clearTimeout(later);
      source?.close();
    };
  }, []);
  return mark;
}

/** After a link, the focus is at the content, as after a load. */
function usePageFocus(path, main) {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    scrollTo(0, 0);
    main.current.focus({ preventScroll: true });
  }, [path]);
}

function Top({ found, dataset, query, sets, onHelp }) {
  const set = sets?.sets.find(one => one.name === dataset);
  const keep = { rev: query.get('rev'), v: query.get('v') };
  const pair = set ? comparable(set) : null;
  const search = event => {
    event.preventDefault();
    const given = new FormData(event.target), words = given.get('words').trim();
    if (words) go(address(['d', dataset, 'search'], { ...keep, [given.get('by') ?? 'keywords']: words }));
  };
  const tab = (name, text, href) => html`<a href=${href} aria-current=${found.tab === name ? 'page' : undefined}>${text}</a>`;
  return html`<header class="top"><a class="brand" href=${address([])} aria-label="Likewise: all data sets"><img src=${`${ROOT}/static/favicon.svg`} alt="" /><span>Likewise</span></a>
    ${dataset && sets && html`<${Choice} name="Data set" value=${dataset} options=${sets.sets.map(one => one.name)} onChange=${name => go(address(['d', name]))} />`}
    ${dataset && html`<nav class="tabs" aria-label="Pages of the data set">
      ${tab('browse', 'Browse', address(['d', dataset], keep))}${tab('search', 'Search', address(['d', dataset, 'search'], keep))}${tab('sketch', 'Draw', address(['d', dataset, 'sketch'], keep))}
      ${pair && tab('compare', 'Compare', address(['compare', ...pair]))}${tab('review', 'Review', address(['d', dataset, 'review']))}${tab('map', 'Map', address(['d', dataset, 'map'], keep))}${tab('versions', 'Versions', address(['d', dataset, 'versions']))}</nav>`}
    ${dataset && found.tab !== 'search' && html`<form role="search" onSubmit=${search}><input id="words" name="words" type="search" aria-label="Search by words, or paste a picture" placeholder="Search words, or paste a picture" autocomplete="off" />
      ${set?.text_models.length > 0 && html`<select name="by" aria-label="Kind of words"><option value="keywords">keywords</option><option value="text">description</option></select>`}</form>`}
    <span class="end">${query.get('rev') && html`<span class="chip">${query.get('rev')}</span>`}<button class="plain" aria-label="Keys" title="Keys (?)" onClick=${onHelp}>?</button></span></header>`;
}

/** Two evaluated runs of one protocol, or null. */
function comparable(set) {
  const done = set.runs.filter(run => run.value !== null && run.value !== undefined);
  for (const one of done) {
    const other = done.find(run => run.run !== one.run && run.protocol === one.protocol);
    if (other) return [one.run, other.run];
  }
  return null;
}

/** A token in the address, of a server that others can reach, becomes a cookie. */
async function enter() {
  const token = /^#token=(.+)$/.exec(location.hash)?.[1];
  if (!token) return;
  history.replaceState(null, '', location.pathname + location.search);
  await post('/api/session', { token }).catch(() => {});
}

start();
await enter();
render(html`<${App} />`, document.getElementById('app'));
