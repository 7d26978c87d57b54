// Filter the items of this site by words and by the values of columns. Texts never become HTML.
(() => {
  'use strict';
  const PAGE = 200;
  const find = id => document.getElementById(id);
  const lists = [...document.querySelectorAll('select[data-column]')];
  const texts = SITE.items.map(item => [item.name, ...item.values.filter(Boolean), ...item.facts].join('\n').toLowerCase());
  let found = [], shown = 0;

  for (const list of lists) {
    const column = Number(list.dataset.column);
    const values = [...new Set(SITE.items.map(item => item.values[column]))];
    values.sort((one, other) => (one === null) - (other === null) || String(one).localeCompare(String(other), 'en', { numeric: true }));
    for (const value of values) list.append(new Option(value === null ? 'no value' : value, value === null ? '\0' : value));
  }

  function element(name, text, className = '') {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function tile(item) {
    const line = element('li'), figure = element('figure'), mat = element('div', '', 'mat'), caption = element('figcaption');
    if (item.file) {
      const picture = element('img');
      picture.src = item.file;
      picture.alt = item.name;
      picture.loading = 'lazy';
      mat.append(picture);
    } else mat.append(element('span', 'no picture'));
    const link = element('a', item.name), name = element('div', '', 'name');
    link.href = item.page;
    name.append(link);
    caption.append(name, ...[...new Set([item.values[0], ...item.facts])].filter(Boolean).map(fact => element('div', fact)));
    figure.append(mat, caption);
    line.append(figure);
    return line;
  }

  function more() {
    find('tiles').append(...found.slice(shown, shown + PAGE).map(at => tile(SITE.items[at])));
    shown = Math.min(found.length, shown + PAGE);
    find('more').hidden = shown >= found.length;
  }

  function filter() {
    const words = find('words').value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = lists.filter(list => list.value).map(list => [Number(list.dataset.column), list.value === '\0' ? null : list.value]);
    found = [...SITE.items.keys()].filter(at => words.every(word => texts[at].includes(word)) && wanted.every(([column, value]) => SITE.items[at].values[column] === value));
    find('tiles').replaceChildren();
    shown = 0;
    find('count').textContent = `${found.length.toLocaleString('en')} of ${SITE.items.length.toLocaleString('en')} items`;
    more();
  }

  find('filter').addEventListener('submit', event => event.preventDefault());
  find('filter').addEventListener('input', filter);
  find('more').addEventListener('click', more);
  filter();
})();
