"""The tags of an HTML page, for tests that check what text can become."""

from html.parser import HTMLParser

BAD = "<script>alert('x')</script>\"><img src=x onerror=y>"
"""Text that runs, and fetches, where a page does not escape it."""


def tags(page: str) -> list[tuple[str, list[str]]]:
    """Every tag of ``page`` with the names of its attributes, in order."""
    found: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, [name for name, _ in attrs]))

    Reader().feed(page)
    return found
