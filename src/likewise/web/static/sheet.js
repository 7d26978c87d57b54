// Styles that only some pages need: fetched with the module of the page.
import { ROOT } from './store.js';

const fetched = new Map();

/** Fetch a style sheet once; the promise ends when it is used, or cannot be fetched. */
export function styled(name) {
  if (!fetched.has(name)) {
    fetched.set(name, new Promise(resolve => {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = `${ROOT}/static/${name}`;
      link.onload = link.onerror = resolve;
      document.head.append(link);
    }));
  }
  return fetched.get(name);
}
