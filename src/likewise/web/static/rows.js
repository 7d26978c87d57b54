// The rows of a result, fetched in pages of 100 around what is seen, and forgotten when far away.
import { data } from './api.js';

const PAGE = 100;
const KEPT = 60;
const AT_ONCE = 3;

export class Rows {
  /** Rows of `dataset` under `query`; `changed` is called when an answer has come. */
  constructor(dataset, query, changed) {
    this.dataset = dataset;
    this.query = query;
    this.changed = changed;
    this.pages = new Map();
    this.running = new Map();
    this.wanted = [];
    this.total = null;
    this.first = null;
    this.error = null;
  }

  /** The row at `index`: a mapping, or null while it is on its way. */
  at(index) {
    const answer = this.pages.get(Math.floor(index / PAGE));
    const at = index % PAGE;
    if (!answer || at >= answer.rows.length) return null;
    const columns = answer.columns;
    return { item_id: columns.item_id[at], label: columns.label[at], text: columns.text?.[at] ?? null, thumb: answer.thumbs[at], columns, at };
  }

  /** Fetch the pages of the rows [from, to), and give up others that are on their way. */
  need(from, to) {
    const wanted = [];
    for (let page = Math.max(0, Math.floor(from / PAGE)); page * PAGE < Math.max(to, 1); page++) {
      if (page * PAGE < Math.max(1, this.total ?? Infinity)) wanted.push(page);
      if (this.total === null) break;
    }
    for (const [page, control] of this.running) if (!wanted.includes(page)) control.abort();
    this.wanted = wanted.filter(page => !this.pages.has(page) && !this.running.has(page));
    this.fill();
  }

  fill() {
    while (this.wanted.length && this.running.size < AT_ONCE) this.fetch(this.wanted.shift());
  }

  async fetch(page) {
    const control = new AbortController();
    this.running.set(page, control);
    const query = new URLSearchParams(this.query);
    query.set('offset', page * PAGE);
    query.set('limit', PAGE);
    try {
      const answer = await data(this.dataset, 'page', query, { signal: control.signal });
      this.pages.set(page, answer);
      this.total = answer.total;
      if (!this.first || answer.offset < this.first.offset) this.first = answer;
      this.error = null;
      if (this.pages.size > KEPT) this.forget(page);
    } catch (error) {
      if (error.name !== 'AbortError') this.error = error;
    } finally {
      if (this.running.get(page) === control) this.running.delete(page);
    }
    if (!this.closed) { this.changed(); this.fill(); }
  }

  forget(near) {
    const far = [...this.pages.keys()].sort((one, other) => Math.abs(other - near) - Math.abs(one - near));
    this.pages.delete(far[0]);
  }

  close() {
    this.closed = true;
    for (const control of this.running.values()) control.abort();
  }
}
