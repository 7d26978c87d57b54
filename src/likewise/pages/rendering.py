"""Render the HTML templates. Every text is escaped, and every character of it is visible."""

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from likewise.pages.shared_pictures import SharedPictures
from likewise.pages.svg import BLUE, INK, SOFT

if TYPE_CHECKING:
    import jinja2

_MAX_LENGTH = 120
"""Number of characters of an id or a value that a page shows; its tooltip has all of them."""

_MAX_DECIMALS = 6
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NUMBER = re.compile(r"[-+]?[\d.,]{1,12}( %)?")
_TAG = re.compile(r"<[^>]*>")
_REFERENCE = re.compile(r"""(\bid="|href="#|url\(#)""")
_COLOURS = {INK: "var(--ink)", SOFT: "var(--soft)", BLUE: "var(--blue)"}


def render(template: str, **values: Any) -> str:
    """Render the HTML template of that name with some values; each picture is embedded once."""
    pictures = SharedPictures()
    page = _environment().get_template(template).render(**values, pictures=pictures)
    return pictures.embed(page)


def visible(text: str) -> str:
    """Replace characters that are invisible or illegal in HTML by U+FFFD.

    These are control characters, lone surrogates, and characters that change the direction of
    the text. Spaces, tabs and line breaks stay.
    """
    return _HIDDEN.sub("\ufffd", text)


def shortened(text: str, length: int = _MAX_LENGTH) -> str:
    """Replace the middle of a long text by an ellipsis; the result has at most ``length``."""
    if len(text) <= length:
        return text
    end = (length - 1) // 2
    return f"{text[: length - 1 - end]}…{text[-end:]}"


def same_digits(values: Sequence[float | None], significant: int = 6) -> list[str]:
    """Format numbers with equal decimals; None becomes an empty text.

    Args:
        values: the numbers of a column or a row.
        significant: significant digits that each value needs. The number of decimals is the
            largest that a value needs then, at most 6.
    """
    texts = [f"{value:.{significant}g}" for value in values if value is not None]
    needed = [len(text.partition(".")[2]) for text in texts if "e" not in text]
    decimals = min(max(needed, default=0), _MAX_DECIMALS)
    return ["" if value is None else f"{value:,.{decimals}f}" for value in values]


def inline_svg(svg: str, name: str) -> str:
    """Prepare a figure for a page: its ids start with ``name``, its colours follow the page.

    Several figures on one page have no id in common then.
    """
    return _TAG.sub(lambda tag: _for_page(tag[0], name), svg)


def _for_page(tag: str, name: str) -> str:
    for colour, variable in _COLOURS.items():
        tag = tag.replace(colour, variable)
    return _REFERENCE.sub(rf"\g<1>{name}-", tag)


def _finalize(value: object) -> object:
    return visible(value) if type(value) is str else value


@functools.cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("likewise.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["number_text"] = lambda value: bool(_NUMBER.fullmatch(str(value)))
    environment.filters["shortened"] = shortened
    environment.filters["thousands"] = "{:,}".format
    environment.filters["score"] = "{:.4f}".format
    return environment
