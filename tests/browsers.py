"""A real browser that measures pages, if this machine has one."""

import html
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from html_tags import parse

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (1400, 390)
"""Widths in pixels at which pages are measured."""

_MEASURE = """
function lines(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const rects = [...range.getClientRects()].filter(rect => rect.width);
  return new Set(rects.map(rect => Math.round(rect.bottom))).size;
}
window.onload = () => {
  const measured = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, all = kind => [...page.querySelectorAll(kind)];
    return {
      page: frame.title,
      window: frame.contentWindow.innerWidth,
      width: page.documentElement.scrollWidth,
      numbers: all(".number").filter(one => !one.closest("thead")).length,
      broken: all(".number").filter(one => !one.closest("thead") && lines(one) > 1)
        .map(one => one.textContent),
      rows: all(".hits").map(row => new Set([...row.children].map(
        one => Math.round(one.getBoundingClientRect().top))).size),
      outside: all("img, svg, table, p, h1, h2, h3").filter(one =>
        !one.closest(".scroll") && one.getBoundingClientRect().right > frame.clientWidth + 1
      ).map(one => one.tagName),
    };
  });
  document.body.innerHTML = "<pre></pre>";
  document.querySelector("pre").textContent = JSON.stringify(measured);
};
"""


def browser() -> str | None:
    """The command of a browser of Chromium's family; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def screenshot(command: str, page: str, folder: Path, size: tuple[int, int]) -> Image.Image:
    """Return the pixels of a page in a window of ``size``."""
    file, picture = folder / "page.html", folder / "page.png"
    file.write_text(page, "utf-8")
    window = (f"--window-size={size[0]},{size[1]}", f"--screenshot={picture}")
    profile = f"--user-data-dir={folder / 'profile'}"
    call = [command, *_OPTIONS, profile, *window, file.as_uri()]
    subprocess.run(call, capture_output=True, timeout=60, check=True)
    with Image.open(picture) as image:
        return image.convert("RGB")


def measure(command: str, pages: Mapping[str, str], folder: Path) -> list[dict[str, Any]]:
    """Open every page at every width, in frames of one window.

    Returns:
        For each page and width: ``window`` and ``width`` of the page (pixels), the number of
        ``numbers`` and the texts of ``broken`` ones, the lines of each row of hits (``rows``),
        and the elements ``outside`` the window.
    """
    frames = "".join(
        f'<iframe title="{name}" srcdoc="{html.escape(page)}" '
        f'style="width:{width}px;height:900px;border:0"></iframe>'
        for name, page in pages.items()
        for width in WIDTHS
    )
    file = folder / "frames.html"
    file.write_text(f"<body>{frames}<script>{_MEASURE}</script></body>", "utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    call = [command, *_OPTIONS, profile, "--dump-dom", file.as_uri()]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=True)
    found: list[dict[str, Any]] = json.loads(parse(done.stdout).one("pre").text)
    return found
