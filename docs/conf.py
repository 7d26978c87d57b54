"""Settings of Sphinx for the documentation site: `make docs` builds it into build/docs.

The pages are the Markdown files of this folder, which are also read on the host of the
repository. Links there lead to files of the repository; here they become links to pages.
Nothing is fetched: the theme has its own styles and scripts, and uses the system's fonts.
"""

import os
import re
from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "DECISIONS.md": "project/decisions.md",
    "SECURITY.md": "project/reporting.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "samples/README.md": "project/samples.md",
}
"""File of the repository -> the page of this site with its text; README has its own page."""

project = "Likewise"
author = "The authors of Likewise"
project_copyright = author
release = metadata.version("likewise")
version = release
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_*"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
myst_enable_extensions = ["html_image"]

html_theme = "furo"
html_title = "Likewise"
html_static_path = ["_static"]
html_css_files = ["likewise.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_show_search_summary = False  # a browser reads no other file from a page that is a file
html_use_index = True

copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = [("Raises", "params_style")]
python_maximum_signature_line_length = 70

_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_DEFINED = re.compile(r"^(\[[^\]]+\]): (\S+)$", re.MULTILINE)
_FENCED = re.compile(r"^(```+).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_COPIED = re.compile(r"<!-- text of (\S+) -->")


def _target(address: str, folder: Path) -> str | None:
    """Return the address of a link in this site; None if it leads to a file without a page."""
    if re.match(r"[a-z]+:|#|/", address):
        return address
    path, mark, anchor = address.partition("#")
    file = Path(os.path.normpath(folder / path))
    if not file.is_relative_to(ROOT) or not file.exists():
        return address  # a dead link, which Sphinx reports
    name = file.relative_to(ROOT).as_posix()
    if name in PAGES:
        return f"/{PAGES[name]}{mark}{anchor}"
    return f"/{name.removeprefix('docs/')}{mark}{anchor}" if name.startswith("docs/") else None


def _linked(text: str, folder: Path) -> str:
    """Return the text of a file in ``folder`` with the links of this site."""

    def link(match: re.Match[str]) -> str:
        address = _target(match[2], folder)
        return match[1] if address is None else f"[{match[1]}]({address})"

    def definition(match: re.Match[str]) -> str:
        return f"{match[1]}: {_target(match[2], folder) or match[2]}"

    parts, end = [], 0
    for code in _FENCED.finditer(text):
        parts += [_DEFINED.sub(definition, _LINK.sub(link, text[end : code.start()])), code[0]]
        end = code.end()
    return "".join([*parts, _DEFINED.sub(definition, _LINK.sub(link, text[end:]))])


def _read(app: Sphinx, name: str, content: list[str]) -> None:
    """Replace the text of a page, and the addresses of its links."""
    folder = Path(app.srcdir, name).parent
    if copied := _COPIED.match(content[0]):
        file = ROOT / copied[1]
        content[0] = _linked(file.read_text(encoding="utf-8"), file.parent)
    else:
        content[0] = _linked(content[0], folder)


def setup(app: Sphinx) -> None:
    """Register the reader of pages."""
    app.connect("source-read", _read)
