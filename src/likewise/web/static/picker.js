// Choose a label: the labels most like what one writes, and a question before a new one.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { data } from './api.js';
import { count, Window } from './parts.js';

/** `onChoose(label)` gets the label, null for none. `about` says of what. */
export function LabelPicker({ dataset, about, onChoose, onClose }) {
  const [like, setLike] = useState(''), [found, setFound] = useState({ labels: [], exact: true }), [at, setAt] = useState(0), [fresh, setFresh] = useState(null);
  const hurry = useRef(false);
  useEffect(() => {
    const control = new AbortController();
    const timer = setTimeout(() => data(dataset, 'labels', { like: like.trim() }, { signal: control.signal }).then(answer => { setFound({ ...answer, like: like.trim() }); setAt(0); }, () => {}), like ? 80 : 0);
    return () => { clearTimeout(timer); control.abort(); };
  }, [like]);
  const text = like.trim(), current = found.like === text;
  const options = [
    ...found.labels.map(one => ({ key: one.value, label: one.value, words: one.text !== one.value ? one.text : null, note: count(one.count) })),
    ...(text && current && !found.exact ? [{ key: ':new', label: text, fresh: true }] : []),
    ...(text ? [] : [{ key: ':none', label: null }]),
  ];
  const choose = option => {
    if (!option) return;
    if (option.fresh) setFresh(option.label); else { onClose(); onChoose(option.label); }
  };
  const key = event => {
    if (event.isComposing) return;  // Enter ends a word of an input method
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt(now => Math.max(0, Math.min(options.length - 1, now + step)));
    else if (event.key === 'Enter') { if (current) choose(options[at]); else hurry.current = true; } else return;
    event.preventDefault();
  };
  // Enter before the answer: only the very label that was written is chosen unseen.
  useEffect(() => {
    if (!current || !hurry.current) return;
    hurry.current = false;
    if (options[0]?.label === text && !options[0].fresh) choose(options[0]);
  }, [found]);
  if (fresh !== null) return html`<${NewLabel} label=${fresh} nearest=${found.labels[0]?.value ?? null} onChoose=${label => { onClose(); onChoose(label); }} onClose=${onClose} />`;
  return html`<${Window} title=${`Label of ${about}`} onClose=${onClose}><div class="picker"><h2>Label of ${about}</h2>
    <input data-first type="text" role="combobox" aria-label="Label" aria-expanded=${options.length > 0} aria-controls=${options.length ? 'labels' : undefined} aria-autocomplete="list" aria-activedescendant=${options.length ? `label-${at}` : undefined}
      autocomplete="off" spellcheck=${false} placeholder="Write some letters of it" value=${like} onInput=${event => setLike(event.target.value)} onKeyDown=${key} />
    ${options.length > 0 && html`<ul id="labels" role="listbox" aria-label="Labels" aria-busy=${!current}>${options.map((one, place) => html`<li key=${one.key} id=${`label-${place}`} role="option" aria-selected=${place === at} onClick=${() => choose(one)}>
      ${one.fresh ? html`<span>New label <strong>${one.label}</strong></span>` : one.label === null ? html`<span class="soft">no label</span>` : html`<span class="cut">${one.label}${one.words && html`<span class="soft"> ${one.words}</span>`}</span><span class="soft number">${one.note}</span>`}</li>`)}</ul>`}
    ${!options.length && html`<p class="soft" role="status">no such label</p>`}
    <p class="row"><button onClick=${onClose}>Cancel</button></p></div><//>`;
}

/** The question before a label that no item has yet: it may be a typing error. */
function NewLabel({ label, nearest, onChoose, onClose }) {
  return html`<${Window} title="New label" onClose=${onClose}><div class="picker"><h2>New label</h2>
    <p>No item has the label <strong>${label}</strong> yet.${nearest !== null && html` The nearest label is <strong>${nearest}</strong>.`}</p>
    <p class="row"><button onClick=${() => onChoose(label)}>Add the label ${label}</button>${nearest !== null && html`<button class="main" data-first onClick=${() => onChoose(nearest)}>Use ${nearest}</button>`}<button data-first=${nearest === null ? '' : undefined} onClick=${onClose}>Cancel</button></p></div><//>`;
}
