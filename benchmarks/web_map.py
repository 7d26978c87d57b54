"""The part of web.py that draws a map in a real browser, and the bare draw of its points."""

import os
import shutil
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from measure import Table

import likewise
from likewise.storage import tables
from likewise.storage.schema import MAPS

PARAMS = """\
models: {flat: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}}
embeddings: {made-flat: {dataset: made, model: flat}}
maps: {plane: {dataset: made, model: flat}}
"""

WINDOW = {"width": 1400, "height": 900}
ROUNDS = 3
MOST_FIRST_S, MOST_REGION_S = 1.0, 0.2

DRAW = """async ([count, width, height]) => {
  const random = new Uint16Array(2 * count);
  for (let at = 0; at < random.length; at++) random[at] = Math.random() * 65534;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  document.body.append(canvas);
  const gl = canvas.getContext('webgl2', { antialias: false, alpha: false });
  if (!gl) return null;
  const begin = performance.now();
  const program = gl.createProgram();
  const vertex = `#version 300 es
    layout(location = 0) in vec2 place; layout(location = 1) in uint code; flat out vec4 colour;
    void main() { colour = vec4(float(code) / 255.0, 0.4, 0.6, 1.0); gl_PointSize = 1.5;
      gl_Position = vec4(place / 32767.0 - 1.0, 0.0, 1.0); }`;
  const fragment = `#version 300 es
    precision mediump float; flat in vec4 colour; out vec4 pixel;
    void main() { pixel = colour; }`;
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, random, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.UNSIGNED_SHORT, false, 4, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Uint8Array(count).fill(9), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribIPointer(1, 1, gl.UNSIGNED_BYTE, 1, 0);
  gl.clear(gl.COLOR_BUFFER_BIT);
  gl.drawArrays(gl.POINTS, 0, count);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  return (performance.now() - begin) / 1000;
}"""
"""Upload and draw points once, and wait until they are drawn; seconds, null without WebGL."""

WATCH = """() => {
  const total = document.getElementById('total'), before = total.textContent;
  window.region = new Promise(resolve => addEventListener('pointerup', () => {
    const begin = performance.now();
    new MutationObserver(() => {
      const now = total.textContent;
      if (now === before || now.startsWith('…')) return;
      resolve((performance.now() - begin) / 1000);
    }).observe(total, { subtree: true, childList: true, characterData: true });
  }, { once: true, capture: true }));
}"""
"""Measure the time from the end of a region until its number of items is shown; seconds."""


def measure_map(table: Table, root: Path, rows: int) -> None:
    """Add the rows of the first frame and of a region of a map of one size."""
    size = f"{rows:,} points"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        table.note(f"{size}: map", "skipped: no playwright")
        return
    command = shutil.which("chromium") or shutil.which("google-chrome")
    if command is None:
        table.note(f"{size}: map", "skipped: no browser")
        return
    _write_map(root, rows)
    with likewise.serve(workspace=root, port=0) as server, sync_playwright() as play:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = play.chromium.launch(executable_path=command, args=arguments)
        address = f"{server.url.rstrip('/')}/d/made/map"
        seen = [_round(browser, address, rows) for _ in range(ROUNDS + 1)]
        browser.close()
    ours, peer, region = (median(values) for values in zip(*seen[1:], strict=True))
    what = f"{size}: map, from the address to the first frame"
    table.below(what, ours, MOST_FIRST_S, peer=peer)
    what = f"{size}: region of the map until its number"
    table.below(what, region, MOST_REGION_S, peer=peer)


def _round(browser: Any, address: str, rows: int) -> tuple[float, float, float]:
    """Return the seconds of the first frame, of the bare draw, and of a region."""
    context = browser.new_context(viewport=WINDOW)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    canvas = page.locator("canvas[data-drawn]")
    canvas.wait_for()
    page.locator(".side .facet").first.wait_for()
    mark = "() => performance.getEntriesByName('map-first-frame')[0].startTime / 1000"
    first = page.evaluate(mark)
    box = canvas.bounding_box()
    region = _region(page, box)
    bare = context.new_page().evaluate(DRAW, [rows, box["width"], box["height"]])
    context.close()
    return first, bare, region


def _write_map(root: Path, rows: int) -> None:
    """Add a map to the catalogue: eight clusters of normal distribution."""
    params = root / "params.yaml"
    params.write_text(params.read_text("utf-8") + PARAMS, "utf-8")
    rng = np.random.default_rng(0)
    places = rng.normal(size=(rows, 2)) + 6 * rng.normal(size=(8, 2))[np.arange(rows) % 8]
    contents = pl.Series(np.arange(rows)).cast(pl.String).str.zfill(64)
    frame = pl.DataFrame(
        {
            "content": contents,
            "x": places[:, 0].astype(np.float32),
            "y": places[:, 1].astype(np.float32),
            "fitted": True,
        }
    )
    tables.write_frame(root / "catalog" / "made" / "maps" / "plane.lance", MAPS, frame)


def _region(page: Any, box: dict[str, float]) -> float:
    """Draw a region of 40 corners around the middle; return the seconds until its number."""
    angles = np.linspace(0, 2 * np.pi, 41)
    x = box["x"] + box["width"] / 2 + 0.25 * box["height"] * np.cos(angles)
    y = box["y"] + box["height"] / 2 + 0.25 * box["height"] * np.sin(angles)
    page.keyboard.down("Shift")
    page.mouse.move(float(x[0]), float(y[0]))
    page.mouse.down()
    for one, other in zip(x[1:], y[1:], strict=True):
        page.mouse.move(float(one), float(other))
    page.evaluate(WATCH)
    page.mouse.up()
    page.keyboard.up("Shift")
    seconds: float = page.evaluate("() => window.region")
    return seconds
