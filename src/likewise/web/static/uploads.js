// Pictures of the user: from a file, the clipboard, or dropped on the page. The server gets bytes only.
import { data, Failure } from './api.js';
import { address, go, place, search } from './store.js';

const SENT = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const MOST = 16 * 1024 * 1024;

/** Addresses of the pictures that this page has sent, by their sha256. */
export const pictures = new Map();

/** Answers that came with an upload, so that the page need not ask twice. */
export const answers = new Map();

const listeners = new Set();
let now = { busy: false, error: null };

/** Tell `listener` whether a picture is on its way. */
export function onUpload(listener) {
  listeners.add(listener);
  listener(now);
  return () => listeners.delete(listener);
}

function tell(state) {
  now = state;
  for (const listener of listeners) listener(now);
}

/** The picture as one of the formats that the server reads, and not too large. */
async function readable(blob) {
  if (SENT.includes(blob.type) && blob.size <= MOST) return blob;
  let bitmap;
  try { bitmap = await createImageBitmap(blob); } catch {
    throw new Failure({ what: `The browser cannot read this file as a picture: ${blob.name ?? blob.type ?? 'unknown type'}.` }, 0);
  }
  const scale = Math.min(1, 2048 / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
}

/** Options of a search that stay when a picture is added. */
function kept() {
  const { query } = place();
  const names = ['v', 'rev', 'where', 'model', 'index', 'role', 'per_label', 'k', 'sets', 'id', 'unlike', 'upload', 'text', 'combine'];
  const searching = place().parts[2] === 'search';
  return new URLSearchParams([...query].filter(([name]) => (searching && names.includes(name)) || ['v', 'rev', 'where', 'model'].includes(name) || name.startsWith('f.')));
}

/** Search by a picture; pictures that are in the query already stay in it. */
export async function send(dataset, blob) {
  tell({ busy: true, error: null });
  try {
    const sent = await readable(blob), query = kept(), before = query.getAll('upload');
    const answer = await data(dataset, 'search', query, { body: sent });
    const uploads = answer.query.uploads.map(one => one.upload);
    for (const upload of uploads) if (!before.includes(upload)) pictures.set(upload, URL.createObjectURL(sent));
    query.delete('upload');
    uploads.forEach(upload => query.append('upload', upload));
    answers.clear();
    answers.set(search(query), answer);
    tell({ busy: false, error: null });
    go(address(['d', dataset, 'search'], query));
  } catch (error) {
    tell({ busy: false, error });
    if (place().parts[2] !== 'search') go(address(['d', dataset, 'search'], kept()));
  }
}

const imageOf = list => [...list ?? []].find(file => file.type.startsWith('image/'));

/** Search by pictures that are pasted or dropped anywhere on a page of `dataset`. */
export function carry(dataset) {
  if (!dataset) return undefined;
  const paste = event => {
    const file = imageOf(event.clipboardData?.files);
    if (!file) return;
    event.preventDefault();
    send(dataset, file);
  };
  const over = event => { if ([...event.dataTransfer.types].includes('Files')) event.preventDefault(); };
  const drop = event => {
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    send(dataset, file);
  };
  addEventListener('paste', paste);
  addEventListener('dragover', over);
  addEventListener('drop', drop);
  return () => { removeEventListener('paste', paste); removeEventListener('dragover', over); removeEventListener('drop', drop); };
}
