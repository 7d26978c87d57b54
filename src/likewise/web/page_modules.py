"""The modules that a page needs, so that the browser fetches them at once."""

import re
from functools import cache
from importlib import resources

_IMPORT = re.compile(r"^import .* from '\./([^']+)';$", re.MULTILINE)

FIRST = "app.js"
"""The module that the shell loads; it fetches that of the page."""

MOST_FILES = 12
"""Largest number of files of a first load: shell, style, icon and modules."""


@cache
def page_modules(page: str) -> tuple[str, ...]:
    """Return the modules of ``page`` and those that they import, without ``FIRST``.

    Args:
        page: name of a page, such as ``browse``; "" for the frame alone.
    """
    modules: dict[str, None] = {}
    waiting = [FIRST, *([f"{page}.js"] if page else [])]
    while waiting:
        module = waiting.pop(0)
        if module not in modules:
            modules[module] = None
            waiting += _IMPORT.findall(_text(module))
    return tuple(sorted(modules.keys() - {FIRST}))


def _text(module: str) -> str:
    folder = resources.files("likewise.web").joinpath("static")
    return folder.joinpath(module).read_text("utf-8")
