// Review: flags and findings one after the other, and a verdict on each by a key.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { get, post, useGet } from './api.js';
import { Pair } from './pair.js';
import { Choice, Command, count, Empty, Icon, Problem, useKeys } from './parts.js';
import { styled } from './sheet.js';
import { setQuery } from './store.js';

await styled('pages.css');

const VERDICTS = [['kept', 'a', 'Kept', 'right, but the item stays as it is'], ['dropped', 'd', 'Dropped', 'right, leave the item out'], ['wrong', 'w', 'Wrong', 'a mistake of the check']];
const SHOW = [['open', 'open'], ['judged', 'judged'], ['all', 'all']];
const PAGE = 50;
const OVERLAP = 5;

const READ_ONLY = document.body.dataset.readOnly !== undefined;

export function Review({ dataset, query, frame }) {
  const flag = query.get('flag') ?? '', show = query.get('show') ?? 'open';
  const path = `/api/d/${encodeURIComponent(dataset)}/review`;
  const { data, error } = useGet(path, { flag, show, limit: PAGE });
  const held = useRef({ data: null, number: 0 });
  useEffect(() => frame.title(`${dataset}: review`), [dataset]);
  if (error) return html`<div class="body"><h1>Review</h1><${Problem} error=${error} /></div>`;
  if (!data) return html`<div class="body"><h1>Review</h1><p class="soft busy"></p></div>`;
  if (held.current.data !== data) held.current = { data, number: held.current.number + 1 };
  return html`<${Queue} key=${held.current.number} dataset=${dataset} first=${data} path=${path} flag=${data.flag ?? ''} show=${data.show} readOnly=${READ_ONLY} />`;
}

function Queue({ dataset, first, path, flag, show, readOnly }) {
  const [doubts, setDoubts] = useState(first.doubts), [at, setAt] = useState(0), [end, setEnd] = useState(first.total <= first.doubts.length);
  const [numbers, setNumbers] = useState({ open: first.open, judged: first.judged });
  const [note, setNote] = useState(null), [error, setError] = useState(null), [conflict, setConflict] = useState(null), [changed, setChanged] = useState(false);
  const field = useRef(), busy = useRef(false), loading = useRef(false), last = useRef(null);
  const doubt = doubts[at] ?? null;
  const text = note ?? doubt?.note ?? '';
  const go = to => { setNote(null); setError(null); setConflict(null); setAt(Math.max(0, Math.min(doubts.length, to))); };

  /** Load further doubts before the list ends; those with a verdict have left the open ones, and one may leave while they are asked for. */
  useEffect(() => {
    if (end || at < doubts.length - 5 || loading.current) return;
    loading.current = true;
    const known = new Set(doubts.map(one => one.id));
    const left = show === 'open' ? doubts.filter(one => one.verdict === null).length : doubts.length;
    get(path, { flag, show, offset: Math.max(0, left - OVERLAP), limit: PAGE }).then(more => {
      const fresh = more.doubts.filter(one => !known.has(one.id));
      setDoubts(before => [...before, ...fresh]);
      setEnd(!fresh.length);
    }, setError).finally(() => { loading.current = false; });
  }, [at, doubts.length, end]);

  const replace = (id, values) => setDoubts(before => before.map(one => (one.id === id ? { ...one, ...values } : one)));
  const judge = async (one, verdict, words, seen = one) => {
    if (readOnly || busy.current) return false;
    busy.current = true;
    setError(null);
    try {
      const done = await post(`${path}s`, { ids: [one.id], verdict, note: verdict ? words : '', expect: seen.verdict ?? 'none', expect_note: seen.note ?? '' });
      last.current = { id: one.id, verdict: one.verdict, note: one.note };
      replace(one.id, { verdict, note: verdict ? words || null : null });
      setNumbers({ open: done.open, judged: done.judged });
      setConflict(null);
      setChanged(true);
      return true;
    } catch (fault) {
      const changes = fault.status === 409 && fault.body.changes;
      const now = name => { const change = changes.find(other => other.column === name); return change ? change.present : seen[name]; };
      if (changes) setConflict({ one, verdict, words: verdict ? words || null : null, present: { verdict: now('verdict'), note: now('note') } });
      else setError(fault);
      return false;
    } finally { busy.current = false; }
  };
  const decide = async verdict => { if (doubt && await judge(doubt, verdict, text)) go(at + 1); };
  const undo = async () => {
    const before = last.current;
    const one = before && doubts.find(other => other.id === before.id);
    if (!one || !(await judge(one, before.verdict, before.note ?? ''))) return;
    last.current = null;
    go(doubts.indexOf(one));
  };
  useKeys([
    ...VERDICTS.map(([name, key, , meaning]) => [[key], `${name}: ${meaning}`, () => decide(name)]),
    [['n'], 'write a note', () => field.current?.focus()],
    [['z'], 'undo the last verdict', undo],
    [['j', 'ArrowRight'], 'next', () => go(at + 1)],
    [['k', 'ArrowLeft'], 'previous', () => go(at - 1)],
  ]);
  const writing = event => {
    if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.preventDefault();
    if (event.key === 'Escape') setNote(null);
    else if (doubt.verdict) judge(doubt, doubt.verdict, text);
    event.target.blur();
  };
  const all = numbers.open + numbers.judged;
  return html`<div class="body review"><div class="row lead"><h1>Review</h1>
      <span class="row" role="status"><progress max=${all || 1} value=${numbers.judged} aria-label="Judged"></progress><span class="number">${count(numbers.judged)} of ${count(all)} judged</span></span>
      <span class="row end"><${Choice} name="Flag or check" text="Flag" value=${flag} options=${[['', 'all'], ...first.names.map(one => [one.name, `${one.name} (${count(one.open)} open)`])]} onChange=${name => setQuery({ flag: name })} />
        <${Choice} name="Show" text="Show" value=${show} options=${SHOW} onChange=${name => setQuery({ show: name })} /></span></div>
    ${error && html`<${Problem} error=${error} />`}
    ${conflict && html`<${Conflict} conflict=${conflict} keep=${() => { replace(conflict.one.id, conflict.present); setNote(null); setConflict(null); }} write=${() => judge(conflict.one, conflict.verdict, conflict.words ?? '', conflict.present)} />`}
    ${!all ? html`<${Empty} next=${`dvc repro check@${first.base}`}>This data set has no flags and no findings. Its checks may not have run yet.<//>`
    : !doubt ? html`<${Empty}>${doubts.length ? 'This was the last one of the list.' : 'Nothing of this kind is left.'} ${at > 0 && html`<button onClick=${() => go(at - 1)}>Back to the previous one</button>`}<//>`
    : html`<section class="card doubt" aria-label="Flag or finding">
      <div class="row"><h2>${doubt.name}</h2><span class="soft">${doubt.detail}</span><span class="end number soft">${count(at + 1)} of ${count(Math.max(first.total, doubts.length))}</span></div>
      ${doubt.first || doubt.second ? html`<${Pair} first=${doubt.first} second=${doubt.other ? doubt.second : null} />` : html`<p class="mono">${doubt.path}${doubt.other ? ` · ${doubt.other}` : ''}</p>`}
      <div class="row verdicts"><span class="row" role="group" aria-label="Verdict">${VERDICTS.map(([name, key, word, meaning]) => html`<button aria-pressed=${doubt.verdict === name} title=${meaning} disabled=${readOnly} onClick=${() => decide(name)}>${word} <kbd>${key}</kbd></button>`)}</span>
        <label class="grow"><span class="soft">Note <kbd>n</kbd></span><input type="text" id="note" maxlength="500" ref=${field} disabled=${readOnly} value=${text} onInput=${event => setNote(event.target.value)} onKeyDown=${writing} /></label>
        <span class="row end"><button disabled=${!at} aria-label="Previous" onClick=${() => go(at - 1)}><${Icon} name="left" /></button><button aria-label="Next" onClick=${() => go(at + 1)}><${Icon} name="right" /></button></span></div>
      ${doubt.verdict && html`<p class="soft">Verdict: <strong>${doubt.verdict}</strong>${doubt.note ? `, ${doubt.note}` : ''} <button class="plain" disabled=${readOnly} onClick=${() => judge(doubt, null, '')}>Withdraw</button></p>`}
    </section>`}
    ${readOnly && html`<p class="soft">This server is read-only: verdicts can be given on one that was started by <code>likewise serve</code>.</p>`}
    ${changed && html`<section class="card"><h2>Keep the verdicts</h2><p class="soft">They are rows of ${first.file}. Git keeps them:</p><${Command} text=${`git add ${first.file} && git commit -m "Review ${first.base}"`} /></section>`}</div>`;
}

/** A verdict that someone else has given meanwhile. */
function Conflict({ conflict, keep, write }) {
  const { one, verdict, words, present } = conflict;
  const told = (name, note) => (note ? `${name ?? 'none'}, ${note}` : name ?? 'none');
  return html`<div class="problem" role="alert"><p>Somebody else has judged ${one.name} of ${one.path} meanwhile.</p>
    <dl class="columns"><dt>their verdict</dt><dd>${told(present.verdict, present.note)}</dd><dt>yours</dt><dd>${told(verdict, words)}</dd></dl>
    <div class="row"><button onClick=${keep}>Keep theirs</button><button onClick=${write}>Write mine</button></div></div>`;
}
