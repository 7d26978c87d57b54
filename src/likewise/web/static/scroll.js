// Geometry of a grid of up to millions of tiles. Browsers cut a scroll box at 2^24 to 2^25 px,
// so the box is at most CAP high; the true offset is `box offset * scale`.
import { useCallback, useEffect, useRef, useState } from './vendor/preact.js';

const CAP = 8e6;
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
function scaleOf(real, box, view) {
  return real > box ? (real - view) / (box - view) : 1;
}

/**
 * Offset and size of a view over `plan` (see `layout`). The wheel, keys and touch move the true
 * offset; only dragging the bar of the browser is scaled. Returns {y, box, width, height, ref, to}.
 */
export function useScroll(plan) {
  const element = useRef(null);
  const live = useRef({ y: 0, own: -1, plan, scale: 1 });
  const [state, setState] = useState({ y: 0, box: 0, width: 0, height: 0 });
  const now = live.current;
  now.plan = plan;
  now.scale = scaleOf(plan.real, plan.box, state.height || 1);

  const show = useCallback(() => {
    const { clientWidth: width, clientHeight: height, scrollTop: box } = element.current;
    const y = now.y;
    setState(before => (before.y === y && before.box === box && before.width === width && before.height === height
      ? before : { y, box, width, height }));
  }, []);

  const to = useCallback(y => {
    const view = element.current;
    if (!view) return;
    now.y = Math.max(0, Math.min(now.plan.real - view.clientHeight, y));
    now.scale = scaleOf(now.plan.real, now.plan.box, view.clientHeight);
    view.scrollTop = now.y / now.scale;
    now.own = view.scrollTop;
    if (now.scale === 1) now.y = view.scrollTop;
    show();
  }, []);

  useEffect(() => {
    const view = element.current;
    const scrolled = () => {
      if (view.scrollTop !== now.own) now.y = view.scrollTop * now.scale;
      now.own = -1;
      show();
    };
    const wheel = event => {
      if (now.scale === 1 || event.ctrlKey || !event.deltaY) return;
      event.preventDefault();
      to(now.y + event.deltaY * (event.deltaMode === 1 ? 20 : 1));
    };
    const stop = swipes(view, () => now.scale !== 1, by => to(now.y + by));
    const resized = new ResizeObserver(show);
    view.addEventListener('scroll', scrolled, { passive: true });
    view.addEventListener('wheel', wheel, { passive: false });
    resized.observe(view);
    show();
    return () => { stop(); resized.disconnect(); };
  }, []);

  return { ...state, ref: element, to, scaled: now.scale !== 1 };
}

/** Move by touch where the browser's own scrolling is scaled; the move slows down after a flick. */
function swipes(view, active, move) {
  let last = null, speed = 0, frame = 0;
  const start = event => {
    cancelAnimationFrame(frame);
    last = active() && event.touches.length === 1 ? { y: event.touches[0].clientY, time: event.timeStamp } : null;
    speed = 0;
  };
  const drag = event => {
    if (!last) return;
    const y = event.touches[0].clientY, by = last.y - y;
    speed = by / Math.max(1, event.timeStamp - last.time);
    last = { y, time: event.timeStamp };
    move(by);
  };
  const end = () => {
    const glide = () => {
      if (Math.abs(speed) < 0.05) return;
      move(speed * 16);
      speed *= 0.95;
      frame = requestAnimationFrame(glide);
    };
    if (last && !matchMedia('(prefers-reduced-motion: reduce)').matches) glide();
    last = null;
  };
  view.addEventListener('touchstart', start, { passive: true });
  view.addEventListener('touchmove', drag, { passive: true });
  view.addEventListener('touchend', end, { passive: true });
  return () => cancelAnimationFrame(frame);
}
