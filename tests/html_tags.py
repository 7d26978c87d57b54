"""HTML pages as trees of elements, for tests of their structure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

BAD = "<script>alert('x')</script>\"><img src=x onerror=y>"
"""Text that runs code and loads a file if a page does not escape it."""

_VOID = {"br", "img", "input", "link", "meta"}


@dataclass
class Element:
    """An element of a page: its tag, attributes, children and own text."""

    tag: str
    attributes: dict[str, str]
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text of the element and its descendants, in one line."""
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(parts).split())

    def all(self, tag: str = "", kind: str = "") -> "list[Element]":
        """Descendants of a tag, or of a class, in order."""
        return [
            one
            for one in self._descendants()
            if tag in ("", one.tag)
            and (not kind or kind in one.attributes.get("class", "").split())
        ]

    def one(self, tag: str = "", kind: str = "") -> "Element":
        """The only such descendant."""
        (found,) = self.all(tag, kind)
        return found

    def _descendants(self) -> "Iterator[Element]":
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child._descendants()


def parse(page: str) -> Element:
    """The tree of ``page``; fails where tags are not closed in order."""
    open_elements = [Element("", {})]

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            made = Element(tag, {name: value or "" for name, value in attrs})
            open_elements[-1].children.append(made)
            if tag not in _VOID:
                open_elements.append(made)

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            made = Element(tag, {name: value or "" for name, value in attrs})
            open_elements[-1].children.append(made)

        def handle_endtag(self, tag: str) -> None:
            assert open_elements.pop().tag == tag

        def handle_data(self, data: str) -> None:
            open_elements[-1].children.append(data)

    reader = Reader()
    reader.feed(page)
    reader.close()
    (root,) = open_elements
    return root


def tags(page: str) -> list[tuple[str, list[str]]]:
    """Return every tag of ``page`` with the names of its attributes, in order."""
    found: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, [name for name, _ in attrs]))

    Reader().feed(page)
    return found


def sound_page(text: str) -> Element:
    """The tree of a whole page, checked: offline, safe, and readable by a screen reader."""
    page = parse(text)
    for one in page.all():
        assert one.tag not in ("script", "iframe", "object", "link", "base", "form"), one
        assert not [name for name in one.attributes if name.startswith("on")], one
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert re.match(r"$|data:image/|#", one.attributes.get(name, "")), one
        assert not re.search(r"url\((?!#)", one.attributes.get("style", "")), one
    styles = " ".join(style.text for style in page.all("style"))
    assert not re.search(r"url\(|@import", styles)
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("title").text
    assert page.one("h1").text
    assert page.one("main").text
    metas = {meta.attributes.get("name"): meta.attributes for meta in page.all("meta")}
    assert metas["viewport"]["content"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"]["content"] == "light dark"
    assert "prefers-color-scheme: dark" in text
    _check_pictures(page)
    for table in page.all("table"):
        assert table.one("caption").text
        heads = [one for one in table.all("th") if one.attributes.get("aria-hidden") != "true"]
        assert {one.attributes["scope"] for one in heads} <= {"col", "row"}
    for plot in page.all(kind="plot"):
        assert plot.attributes["role"] == "img"
        assert plot.attributes["aria-label"]
    for region in page.all(kind="scroll"):
        assert region.attributes["tabindex"] == "0"
        assert region.attributes["aria-label"]
    ids = [one.attributes["id"] for one in page.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    for cell in page.all("td"):
        if re.fullmatch(r"[-+]?[\d.,]{1,12}( to [-+]?[\d.,]{1,12})?", cell.text):
            classes = cell.attributes.get("class", "").split()
            assert cell.all(kind="number") or "number" in classes, cell
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)
    return page


def _check_pictures(page: Element) -> None:
    """Check that every picture has a text, and that a shared picture is on the page."""
    assert all(image.attributes["alt"] for image in page.all("img"))
    drawn = [svg.attributes for svg in page.all("svg")]
    assert all(one["aria-label"] for one in drawn if one.get("role") == "img")
    shared = {f"#{one.attributes['id']}" for one in page.all("image") if "id" in one.attributes}
    for place in page.all("svg"):
        if place.attributes.get("role") == "img":
            assert {one.attributes["href"] for one in place.all("use")} <= shared
