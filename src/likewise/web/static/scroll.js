// Scrolling over heights that no browser allows: the box is scaled, the true offset is exact.
import { useCallback, useEffect, useRef, useState } from './vendor/preact.js';
import { scaleOf } from './layout.js';

/**
 * Offset and size of a view over `plan` (see layout.js). The wheel, keys and touch move the true
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
