"""The pictures of a page: a picture that is shown several times is embedded once."""

import re
from collections import Counter

_PLACED = re.compile(r'<img src="picture:(\d+)" alt="([^"]*)">')
"""A place of a picture, as the macro ``picture`` writes it.

No text of a page matches, because the templates escape ``<``.
"""


class SharedPictures:
    """Numbers the pictures of one page, and embeds them when the page is complete.

    A picture that is shown once is an ``img``. A picture that is shown several times is an SVG
    ``image`` at the end of the page, and every place refers to it by ``use``. Neither needs a
    script.
    """

    def __init__(self) -> None:
        """Start with a page without pictures."""
        self._numbers: dict[str, int] = {}

    def number(self, url: str) -> int:
        """Return the number of a picture, given as a ``data:`` URL."""
        return self._numbers.setdefault(url, len(self._numbers))

    def embed(self, page: str) -> str:
        """Return a page with its pictures."""
        urls = list(self._numbers)
        uses = Counter(int(number) for number, _ in _PLACED.findall(page))

        def shown(place: re.Match[str]) -> str:
            number, alt = int(place[1]), place[2]
            if uses[number] == 1:
                return f'<img src="{urls[number]}" alt="{alt}">'
            return f'<svg role="img" aria-label="{alt}"><use href="#picture-{number}"/></svg>'

        shared = [_image(number, urls[number]) for number, times in uses.items() if times > 1]
        if shared:
            body, end, rest = page.rpartition("</body>")
            page = f"{body}{_definitions(shared)}{end}{rest}"
        return _PLACED.sub(shown, page)


def _definitions(images: list[str]) -> str:
    lines = "\n".join(images)
    return f'<svg class="hidden" aria-hidden="true"><defs>\n{lines}\n</defs></svg>\n'


def _image(number: int, url: str) -> str:
    """Return a picture that fits into each place that refers to it."""
    return f'<image id="picture-{number}" width="100%" height="100%" href="{url}"/>'
