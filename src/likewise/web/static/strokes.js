// Strokes on a canvas: lists of points, so that they can be undone, mirrored and drawn again.

export const SIDE = 512;

/** Draw all strokes, black on white. */
export function paint(canvas, strokes) {
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, SIDE, SIDE);
  pen.strokeStyle = pen.fillStyle = '#000';
  pen.lineCap = pen.lineJoin = 'round';
  for (const stroke of strokes) {
    pen.lineWidth = stroke.width;
    pen.beginPath();
    stroke.points.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (stroke.points.length === 1) pen.lineTo(stroke.points[0][0] + 0.01, stroke.points[0][1]);
    pen.stroke();
  }
}

/** The strokes seen in a mirror. */
export const mirrored = strokes => strokes.map(stroke => ({ ...stroke, points: stroke.points.map(([x, y]) => [SIDE - x, y]) }));

/** The picture as a PNG. */
export const png = canvas => new Promise(done => canvas.toBlob(done, 'image/png'));

/** A point of a pointer event in pixels of the canvas. */
export function pointOf(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
}
