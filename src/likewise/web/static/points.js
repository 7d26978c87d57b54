// Painters of a million points: WebGL2 with one draw call, or a plain canvas where there is none.
// A point is two uint16 (x and y; 65535 is no place), the code of its colour, and its state.

export const HIDDEN = 0, SHOWN = 1;
const NOWHERE = 65535;

const VERTEX = `#version 300 es
layout(location = 0) in vec2 place;
layout(location = 1) in uint code;
layout(location = 2) in uint state;
uniform vec4 view;
uniform float size;
uniform sampler2D palette;
flat out vec4 colour;
void main() {
  bool on = state == 1u;
  colour = on ? texelFetch(palette, ivec2(int(code), 0), 0) : texelFetch(palette, ivec2(0, 1), 0);
  gl_PointSize = on ? size : max(1.0, size - 1.0);
  gl_Position = place.x > 65534.5 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(place * view.xy + view.zw, on ? 0.0 : 0.5, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
flat in vec4 colour;
out vec4 pixel;
void main() { pixel = colour; }`;

/** What both painters draw. `points` is a Uint16Array, `codes` and `states` are Uint8Arrays. */
class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.number = 0;
  }

  /** Draw every `step`-th point; a point is at (x + its x * scale, y - its y * scale) in pixels. */
  draw() { throw new Error('not a painter'); }
}

class WebglPainter extends Painter {
  constructor(canvas) {
    super(canvas);
    this.kind = 'webgl';
    this.gl = canvas.getContext('webgl2', { antialias: false, alpha: false, stencil: false, powerPreference: 'high-performance' });
    if (!this.gl) throw new Error('no WebGL2');
    this.build();
  }

  build() {
    const { gl } = this, program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || 'no program');
    gl.useProgram(program);
    this.at = Object.fromEntries(['view', 'size', 'palette'].map(name => [name, gl.getUniformLocation(program, name)]));
    this.buffers = [0, 1, 2].map(() => gl.createBuffer());
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    gl.enable(gl.DEPTH_TEST);
  }

  fill(number, array) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[number]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
  }

  points(array) { this.number = array.length / 2; this.fill(0, array); }

  codes(array) { this.fill(1, array); }

  states(array) { this.fill(2, array); }

  /** `colours` is a Uint8Array of 256 x RGBA, then that of hidden points and of the paper. */
  palette(colours) {
    const { gl } = this, rows = new Uint8Array(2 * 256 * 4);
    rows.set(colours.subarray(0, 1024));
    rows.set(colours.subarray(1024, 1028), 1024);
    this.paper = [...colours.subarray(1028, 1031)].map(value => value / 255);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 2, 0, gl.RGBA, gl.UNSIGNED_BYTE, rows);
  }

  draw({ x, y, scale, size }, step = 1) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...this.paper, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    [[0, 2, gl.UNSIGNED_SHORT, 4], [1, 1, gl.UNSIGNED_BYTE, 1], [2, 1, gl.UNSIGNED_BYTE, 1]].forEach(([number, parts, type, bytes]) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[number]);
      gl.enableVertexAttribArray(number);
      if (number) gl.vertexAttribIPointer(number, parts, type, bytes * step, 0);
      else gl.vertexAttribPointer(number, parts, type, false, bytes * step, 0);
    });
    const wide = 2 / canvas.width, high = 2 / canvas.height;
    gl.uniform4f(this.at.view, scale * wide, scale * high, x * wide - 1, 1 - y * high);
    gl.uniform1f(this.at.size, size);
    gl.uniform1i(this.at.palette, 0);
    gl.drawArrays(gl.POINTS, 0, Math.ceil(this.number / step));
  }

  /** Call `then` when the last frame is drawn. */
  finish(then) {
    const { gl } = this, fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const look = () => (gl.isContextLost() || gl.clientWaitSync(fence, 0, 0) !== gl.TIMEOUT_EXPIRED ? then() : setTimeout(look, 4));
    look();
  }
}

class CanvasPainter extends Painter {
  constructor(canvas) {
    super(canvas);
    this.kind = 'canvas';
    this.context = canvas.getContext('2d', { alpha: false });
  }

  points(array) { this.number = array.length / 2; this.places = array; }

  codes(array) { this.code = array; }

  states(array) { this.state = array; }

  palette(colours) { this.colours = new Uint32Array(colours.buffer.slice(0), 0, 258); }

  draw({ x, y, scale, size }, step = 1) {
    const { width, height } = this.canvas;
    if (!width || !height) return;
    const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
    const { places, code, state, colours, number } = this;
    pixels.fill(colours[257]);
    for (const turn of [HIDDEN, SHOWN]) {
      const side = Math.max(1, Math.round(turn ? size : size - 1)), back = side >> 1;
      for (let at = 0; at < number; at += step) {
        if (state[at] !== turn || places[2 * at] === NOWHERE) continue;
        const left = Math.round(places[2 * at] * scale + x) - back, top = Math.round(y - places[2 * at + 1] * scale) - back;
        if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
        const colour = turn ? colours[code[at]] : colours[256];
        for (let row = 0; row < side; row++) {
          const begin = (top + row) * width + left;
          for (let column = 0; column < side; column++) pixels[begin + column] = colour;
        }
      }
    }
    this.context.putImageData(image, 0, 0);
  }

  finish(then) { then(); }
}

/** The painter of a canvas, which it keeps: WebGL where there is any. */
export function painter(canvas, plain = false) {
  if (!plain) {
    try { return new WebglPainter(canvas); } catch { /* no WebGL, or only an older one */ }
  }
  return new CanvasPainter(canvas);
}

/** An index of points by cells of a grid, to find the nearest one. */
export class Nearest {
  constructor(points) {
    const number = points.length / 2, cells = new Uint32Array(257 * 256 + 2);
    this.points = points;
    for (let at = 0; at < number; at++) cells[this.cell(points[2 * at], points[2 * at + 1]) + 1] += 1;
    for (let cell = 1; cell < cells.length; cell++) cells[cell] += cells[cell - 1];
    this.starts = cells.slice();
    this.order = new Uint32Array(number);
    for (let at = 0; at < number; at++) this.order[cells[this.cell(points[2 * at], points[2 * at + 1])]++] = at;
  }

  /** Points without a place are in the cells of row 256. */
  cell(x, y) { return x === NOWHERE ? 256 * 256 : (y >> 8) * 256 + (x >> 8); }

  /** The nearest point within `most` of (x, y) for which `accepts(position)`; -1 for none. */
  find(x, y, most, accepts) {
    const low = value => Math.max(0, Math.min(255, Math.floor((value - most) / 256)));
    const high = value => Math.max(0, Math.min(255, Math.floor((value + most) / 256)));
    let best = -1, least = most * most;
    for (let row = low(y); row <= high(y); row++) {
      for (let column = low(x); column <= high(x); column++) {
        const cell = row * 256 + column;
        for (let at = this.starts[cell]; at < this.starts[cell + 1]; at++) {
          const one = this.order[at], dx = this.points[2 * one] - x, dy = this.points[2 * one + 1] - y;
          if (dx * dx + dy * dy <= least && accepts(one)) { least = dx * dx + dy * dy; best = one; }
        }
      }
    }
    return best;
  }
}
