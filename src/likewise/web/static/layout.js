// Geometry of a grid of up to millions of tiles. Browsers cut a scroll box at 2^24 to 2^25 px,
// so the box is at most CAP high; the true offset is `box offset * scale`.

export const CAP = 8e6;
const HEAD = 40;

/**
 * Place `total` tiles in rows. `groups` ([{value, count}]) begin new rows under a heading.
 * Positions are pixels of the true height, which can be above any limit of the browser.
 */
export function layout({ total, columns, height, groups = null }) {
  const parts = groups ?? [{ value: null, count: total }];
  const head = groups ? HEAD : 0;
  const tops = new Float64Array(parts.length + 1);
  const firsts = new Float64Array(parts.length + 1);
  parts.forEach((part, at) => {
    tops[at + 1] = tops[at] + head + Math.ceil(part.count / columns) * height;
    firsts[at + 1] = firsts[at] + part.count;
  });
  const real = tops[parts.length];
  const find = (list, value) => {
    let low = 0, high = parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (list[middle] <= value) low = middle; else high = middle - 1;
    }
    return low;
  };

  /** Rows and headings that meet [from, to): {top, first, count} or {top, head, size}. */
  function rows(from, to) {
    const shown = [];
    for (let at = find(tops, Math.max(0, from)); at < parts.length && tops[at] < to; at++) {
      const start = tops[at] + head;
      if (head && start > from) shown.push({ top: tops[at], head: parts[at].value, text: parts[at].text ?? null, size: parts[at].count });
      const last = Math.min(Math.ceil(parts[at].count / columns) - 1, Math.floor((to - start) / height));
      for (let row = Math.max(0, Math.floor((from - start) / height)); row <= last; row++) {
        const first = firsts[at] + row * columns;
        shown.push({ top: start + row * height, first, count: Math.min(columns, firsts[at + 1] - first) });
      }
    }
    return shown;
  }

  /** Top of the row that holds the tile `index`. */
  function top(index) {
    const at = find(firsts, Math.min(index, Math.max(0, total - 1)));
    return tops[at] + head + Math.floor((index - firsts[at]) / columns) * height;
  }

  /** First tile of the row at an offset. */
  function index(offset) {
    const at = find(tops, Math.max(0, Math.min(offset, real - 1)));
    const row = Math.max(0, Math.floor((offset - tops[at] - head) / height));
    return Math.min(firsts[at] + row * columns, Math.max(0, firsts[at + 1] - 1));
  }

  /** The tile above or below `index`, in the same column if it can be. */
  function beyond(index, rowsDown) {
    let at = find(firsts, index);
    let row = Math.floor((index - firsts[at]) / columns), left = rowsDown;
    const column = (index - firsts[at]) % columns;
    for (; left > 0; left--) {
      if ((row + 1) * columns < parts[at].count) row++;
      else if (at + 1 < parts.length) { at++; row = 0; } else break;
    }
    for (; left < 0; left++) {
      if (row > 0) row--;
      else if (at > 0) { at--; row = Math.ceil(parts[at].count / columns) - 1; } else break;
    }
    return firsts[at] + Math.min(row * columns + column, parts[at].count - 1);
  }

  return { real, box: Math.min(real, CAP), rows, top, index, beyond, columns, height, total };
}

/** Pixels of true offset per pixel of the scroll box; 1 for all but very many tiles. */
export function scaleOf(real, box, view) {
  return real > box ? (real - view) / (box - view) : 1;
}
