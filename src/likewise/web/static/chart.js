// A chart of curves as SVG: axes, lines, marks, and the values at the pointer.
import { html, useRef, useState } from './vendor/preact.js';
import { count } from './parts.js';

const WIDE = 640, HIGH = 260, LEFT = 56, RIGHT = 12, TOP = 10, BOTTOM = 30;

/** About five round numbers of a range. */
function ticks(low, high) {
  if (!(high > low)) return [low];
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(times => times * power).find(one => one >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(Math.abs(value) < step / 1e6 ? 0 : value);
  return found;
}

const short = value => (Math.abs(value) >= 1e4 || (value && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(Number(value.toPrecision(4))));

/** `lines` [{name, step, value, kept}]: `kept` is the step at which the weights were kept. */
export function Chart({ title, lines }) {
  const box = useRef(), [place, setPlace] = useState(null);
  const steps = lines.flatMap(line => line.step), values = lines.flatMap(line => line.value).filter(value => value !== null);
  if (!values.length) return html`<figure class="chart card"><h2>${title}</h2><p class="soft">No values yet.</p></figure>`;
  const range = list => list.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
  const [first, last] = range(steps), [least, most] = range(values);
  const pad = (most - least || Math.abs(most) || 1) * 0.05, low = least - pad, high = most + pad;
  const x = step => LEFT + ((step - first) / (last - first || 1)) * (WIDE - LEFT - RIGHT);
  const y = value => HIGH - BOTTOM - ((value - low) / (high - low)) * (HIGH - TOP - BOTTOM);
  const path = line => line.step.map((step, at) => (line.value[at] === null ? '' : `${at && line.value[at - 1] !== null ? 'L' : 'M'}${x(step).toFixed(1)} ${y(line.value[at]).toFixed(1)}`)).join('');
  const move = event => {
    const edge = box.current.getBoundingClientRect();
    const at = ((event.clientX - edge.left) / edge.width) * WIDE;
    setPlace(at < LEFT || at > WIDE - RIGHT ? null : first + ((at - LEFT) / (WIDE - LEFT - RIGHT)) * (last - first));
  };
  const near = line => line.step.reduce((best, step, at) => (Math.abs(step - place) < Math.abs(line.step[best] - place) ? at : best), 0);
  const summary = lines.map(line => `${line.name}: ${short(line.value.at(-1) ?? NaN)} at step ${count(line.step.at(-1))}`).join('; ');
  return html`<figure class="chart card"><h2>${title}</h2>
    <svg viewBox=${`0 0 ${WIDE} ${HIGH}`} role="img" aria-label=${`${title}. ${summary}`} ref=${box} onPointerMove=${move} onPointerLeave=${() => setPlace(null)}>
      ${ticks(low, high).map(value => html`<g class="tick"><line x1=${LEFT} x2=${WIDE - RIGHT} y1=${y(value)} y2=${y(value)} /><text x=${LEFT - 6} y=${y(value) + 4} text-anchor="end">${short(value)}</text></g>`)}
      ${ticks(first, last).map(step => html`<text class="step" x=${x(step)} y=${HIGH - 10} text-anchor="middle">${short(step)}</text>`)}
      ${lines.map((line, at) => html`<g class=${`line c${at % 8}`}><path d=${path(line)} />${line.step.length === 1 && line.value[0] !== null && html`<circle cx=${x(line.step[0])} cy=${y(line.value[0])} r="3" />`}
        ${line.kept !== null && line.kept !== undefined && html`<g class="kept"><line x1=${x(line.kept)} x2=${x(line.kept)} y1=${TOP} y2=${HIGH - BOTTOM} /><title>weights kept at step ${count(line.kept)}</title></g>`}</g>`)}
      ${place !== null && html`<line class="cursor" x1=${x(place)} x2=${x(place)} y1=${TOP} y2=${HIGH - BOTTOM} />`}</svg>
    <figcaption class="row">${lines.map((line, at) => {
    const here = place === null ? line.step.length - 1 : near(line);
    return html`<span class="row"><i class=${`swatch c${at % 8}`}></i><span>${line.name}</span><span class="number">${line.value[here] === null ? '–' : short(line.value[here])}</span><span class="soft number">step ${count(line.step[here])}</span></span>`;
  })}</figcaption></figure>`;
}
