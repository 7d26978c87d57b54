// Keys of the page. A page names its keys once: the list under `?` is made of the same table.
import { useLayoutEffect, useRef } from './vendor/preact.js';

const tables = [];

/** The name of a key press: `Shift+ArrowDown`, `/`, `x`. */
export function keyName(event) {
  const shift = event.shiftKey && event.key.length > 1 ? 'Shift+' : '';
  return shift + (event.key === ' ' ? 'Space' : event.key);
}

const writing = element => element?.closest?.('input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]');

function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (writing(event.target) || event.target.closest?.('dialog, [popover], [data-own-keys]')) return;
  const name = keyName(event);
  const pressing = event.target.closest?.('button, summary') && ['Enter', 'Space'].includes(name);
  if (pressing) return;
  for (const table of [...tables].reverse()) {
    const entry = table.current.find(([names]) => names.includes(name));
    if (entry) {
      if (entry[2](event) !== false) event.preventDefault();
      return;
    }
  }
}

/** Answer keys while a component is shown: [[names, meaning, action], ...]. */
export function useKeys(entries) {
  const table = useRef(entries);
  table.current = entries;
  useLayoutEffect(() => {
    tables.push(table);
    if (tables.length === 1) addEventListener('keydown', press);
    return () => {
      tables.splice(tables.indexOf(table), 1);
      if (!tables.length) removeEventListener('keydown', press);
    };
  }, []);
}

/** The keys that now have a meaning: [[names, meaning], ...]. */
export function meanings() {
  return tables.flatMap(table => table.current).filter(([, meaning]) => meaning).map(([names, meaning]) => [names, meaning]);
}
