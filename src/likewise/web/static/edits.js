// Corrections of this tab: what is pending, undo, conflicts with others, and publishing.
import { useEffect, useState } from './vendor/preact.js';
import { data, get } from './api.js';
import { count } from './parts.js';
import { keep, kept } from './store.js';

/** True if this server has no route that writes. */
export const readOnly = document.body.dataset.readOnly !== undefined;

const sessions = new Map();
const MOST_UNDO = 200;
const ENDED = ['done', 'failed'];
const pause = ms => new Promise(resolve => { setTimeout(resolve, ms); });

/** What was seen, with the values that are present instead. */
function over(expect, changes) {
  const seen = structuredClone(expect);
  for (const one of changes) seen[one.column][one.item_id] = one.present;
  return seen;
}

/** What was seen, with the values that were written here since. */
function since(expect, written) {
  const seen = structuredClone(expect);
  for (const after of written) {
    for (const [column, values] of Object.entries(after)) {
      for (const [item, value] of Object.entries(values)) if (seen[column] && item in seen[column]) seen[column][item] = value;
    }
  }
  return seen;
}

/** The corrections of one data set. `changes` is a Map: item -> column -> {published, corrected}. */
class Session {
  constructor(dataset) {
    Object.assign(this, { dataset, changes: new Map(), facts: null, stack: [], line: Promise.resolve(), conflict: null, error: null, status: '', job: null, drawer: false, turn: 0, loads: 0, written: [], renews: false });
    this.listeners = new Set();
    this.published = () => {};
  }

  tell(state = {}) {
    Object.assign(this, state);
    this.turn += 1;
    for (const listener of [...this.listeners]) listener();
    if (!this.renews || this.drawer) return;
    this.renews = false; // the page begins again, but not below a window with the log of publishing
    this.published();
  }

  /** The number of items with corrections, once they are known. */
  get waiting() { return this.facts ? count(this.changes.size) : '…'; }

  /** Read the corrections that are not published yet. */
  async load() {
    this.loads += 1;
    const { loads } = this, written = this.written.length;
    try {
      const facts = await data(this.dataset, 'pending');
      if (loads !== this.loads) return; // a later answer follows
      if (written !== this.written.length) { this.tell({ facts }); return; } // it may be older than what was written; it is read again
      const changes = new Map();
      for (const [item, column, published, corrected] of facts.rows) {
        if (!changes.has(item)) changes.set(item, new Map());
        changes.get(item).set(column, { published, corrected });
      }
      this.tell({ facts, changes });
    } catch (error) { if (loads === this.loads) this.tell({ error }); }
  }

  /** The present value of an item, if `value` is the published one. */
  now(item, column, value) {
    const change = this.changes.get(item)?.get(column);
    return change ? change.corrected : value;
  }

  /** Write one after the other, in the order of the keys. */
  inTurn(work) {
    const done = this.line.then(work);
    this.line = done.catch(() => {});
    return done;
  }

  /** Set `values` {column: {item: value}} where `expect` is what was seen. True if it was done. */
  correct(values, expect, options = {}) {
    const number = this.written.length;
    return this.inTurn(() => this.write(values, since(expect, this.written.slice(number)), options));
  }

  async write(values, expect, { words = '', undo = false } = {}) {
    const items = [...new Set(Object.values(values).flatMap(Object.keys))];
    this.tell({ error: null });
    try {
      const done = await data(this.dataset, 'corrections', {}, { body: { items, values, expect } });
      this.written.push(done.after);
      this.show(done);
      if (!undo && done.changed) this.stack = [...this.stack, { values: done.before, expect: done.after }].slice(-MOST_UNDO);
      this.tell({ status: words });
      this.later();
      return true;
    } catch (error) {
      const changes = error.body?.changes;
      if (changes?.every(one => values[one.column]?.[one.item_id] === one.present)) return this.write(values, over(expect, changes), { words, undo });
      if (changes) this.tell({ conflict: { values, expect, words, undo, changes, what: error.message } });
      else this.tell({ error });
      return false;
    }
  }

  /** Show an answer at once: the values before and after. */
  show({ before, after }) {
    for (const [column, values] of Object.entries(after)) {
      for (const [item, corrected] of Object.entries(values)) {
        const columns = this.changes.get(item) ?? new Map();
        const published = columns.has(column) ? columns.get(column).published : before[column][item];
        if (published === corrected) columns.delete(column); else columns.set(column, { published, corrected });
        if (columns.size) this.changes.set(item, columns); else this.changes.delete(item);
      }
    }
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), 500);
  }

  /** Undo the last correction of this tab. */
  undo() { return this.inTurn(() => this.undoLast()); }

  async undoLast() {
    const last = this.stack.at(-1);
    if (this.conflict) return;
    if (!last) { this.tell({ status: 'Nothing to undo' }); return; }
    if (await this.write(last.values, last.expect, { words: 'Undone', undo: true })) this.tell({ stack: this.stack.filter(one => one !== last) });
  }

  /** Give an item its published values back. */
  restore(item) {
    const columns = [...this.changes.get(item) ?? []];
    const part = name => Object.fromEntries(columns.map(([column, change]) => [column, { [item]: change[name] }]));
    return this.correct(part('published'), part('corrected'), { words: `${item}: as published` });
  }

  /** End a conflict: repeat the change over the values that are there now, or leave them. */
  async settle(mine) {
    const { values, expect, words, undo, changes } = this.conflict;
    this.tell({ conflict: null });
    if (!mine) { this.tell({ status: 'The other values stay', stack: undo ? this.stack.slice(0, -1) : this.stack }); await this.load(); return; }
    const done = await this.correct(values, over(expect, changes), { words, undo });
    if (done && undo) this.tell({ stack: this.stack.slice(0, -1) });
  }

  /** Start the stages that depend on the corrections, and follow their log. */
  async publish() {
    try {
      const { id } = await data(this.dataset, 'publish', {}, { body: {} });
      await this.follow(id);
    } catch (error) { this.tell({ job: { state: 'failed', lines: [], error: { what: error.message, next: error.next } } }); }
  }

  async follow(id) {
    let lines = [], after = 0, answer;
    do {
      answer = await get(`/api/jobs/${id}/log`, { after });
      lines = [...lines, ...answer.lines];
      after = answer.next;
      this.tell({ job: { ...answer.job, lines } });
      if (!ENDED.includes(answer.job.state)) await pause(300);
    } while (!ENDED.includes(answer.job.state));
    await this.load();
    if (answer.job.state === 'done') this.tell({ renews: true });
  }
}

/** The corrections of a data set; the component is drawn again when they change. */
export function useEdits(dataset, fresh = 0) {
  const [, redraw] = useState(0);
  if (!sessions.has(dataset)) sessions.set(dataset, new Session(dataset));
  const session = sessions.get(dataset);
  useEffect(() => {
    const listener = () => redraw(count => count + 1);
    session.listeners.add(listener);
    return () => session.listeners.delete(listener);
  }, [session]);
  useEffect(() => { session.status = ''; session.load(); }, [session, fresh]);
  return session;
}

/** One value for many items: {column: {item: value}}. `items` are ids. */
export const same = (column, items, value) => ({ [column]: Object.fromEntries(items.map(item => [item, value])) });

// The labels of the number keys. A key keeps its label until nine others were used after it.

const KEYS = 9;

/** The labels of the keys 1 to 9: an array with gaps (null). */
export const labelKeys = dataset => kept(`labels.${dataset}`, []).map(one => one?.label ?? null);

/** Give a label a key: its own, a free one, or the one that was not used for the longest time. */
export function remember(dataset, label) {
  const slots = kept(`labels.${dataset}`, []);
  let at = slots.findIndex(one => one?.label === label);
  if (at < 0) at = slots.length < KEYS ? slots.length : slots.reduce((oldest, one, place) => (one.used < slots[oldest].used ? place : oldest), 0);
  slots[at] = { label, used: Date.now() };
  keep(`labels.${dataset}`, slots);
}
