"""The pages of items: pictures as files, tiles grouped by label."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from likewise.catalogue.dataset import Dataset
from likewise.pages.written import write_page

TILES = 200
"""Number of items of a page."""

_FACTS = ("text", "subset", "split", "role", "licence")
_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}
_BATCH = 64


@dataclass(frozen=True)
class PlacedItem:
    """An item on a page.

    Attributes:
        name: its id.
        label: its label.
        facts: further values.
        anchor: the name of its place on the page.
        file: the file of its picture, relative to the site; "" without one.
        page: the address of its place; "" for an item of no page.
    """

    name: str
    label: str | None = None
    facts: Sequence[str] = ()
    anchor: str = ""
    file: str = ""
    page: str = ""


@dataclass
class LabelGroup:
    """The items of one label on a page."""

    name: str | None
    anchor: str
    tiles: list[PlacedItem] = field(default_factory=list)


@dataclass
class ItemPage:
    """A page of items."""

    file: str
    groups: list[LabelGroup] = field(default_factory=list)


@dataclass(frozen=True)
class LabelLink:
    """A label, its number of items, and the place of the first."""

    name: str
    items: int
    file: str
    anchor: str


def placed_items(
    opened: Dataset, items: pl.DataFrame, folder: Path, side: int
) -> tuple[list[PlacedItem], int]:
    """Write the pictures of ``items`` into ``folder``.

    Equal pictures are one file, whose name is a hash of its bytes.

    Returns:
        The items, by label and then in canonical order; and the number without a picture.
    """
    ordered = items.sort("label", nulls_last=True, maintain_order=True)
    folder.mkdir()
    known = [name for name in _FACTS if name in items.columns]
    absent, placed = 0, list[PlacedItem]()
    for part in ordered.iter_slices(_BATCH):
        positions = opened.positions(part["item_id"].to_list()).tolist()
        pictures = opened.thumbnails(positions, side)
        for row, picture in zip(part.iter_rows(named=True), pictures, strict=True):
            file = ""
            if picture.data:
                name = hashlib.sha256(picture.data).hexdigest()[:32]
                file = f"{folder.name}/{name}.{_SUFFIXES[picture.media_type]}"
                if not (folder.parent / file).exists():
                    write_page(folder.parent / file, picture.data)
            absent += not file
            number = len(placed)
            facts = [str(row[name]) for name in known if row[name] is not None]
            anchor = f"item-{number + 1}"
            page = f"{_page_file(number // TILES)}#{anchor}"
            one = PlacedItem(row["item_id"], row["label"], facts, anchor, file, page)
            placed.append(one)
    return placed, absent


def item_pages(placed: Sequence[PlacedItem]) -> list[ItemPage]:
    """Distribute the items over pages, grouped by label."""
    pages: list[ItemPage] = []
    numbers: dict[str | None, int] = {}
    for number, item in enumerate(placed):
        if number % TILES == 0:
            pages.append(ItemPage(_page_file(number // TILES)))
        groups = pages[-1].groups
        if not groups or groups[-1].name != item.label:
            anchor = f"label-{numbers.setdefault(item.label, len(numbers) + 1)}"
            groups.append(LabelGroup(item.label, anchor))
        groups[-1].tiles.append(item)
    return pages


def labels_of(pages: Sequence[ItemPage]) -> list[LabelLink]:
    """Return the labels with links to their first items, in the order of the pages."""
    links: dict[str | None, LabelLink] = {}
    for page in pages:
        for group in page.groups:
            first = LabelLink(group.name or "no label", 0, page.file, group.anchor)
            known = links.get(group.name, first)
            links[group.name] = replace(known, items=known.items + len(group.tiles))
    return list(links.values())


def _page_file(number: int) -> str:
    return f"items-{number + 1:04}.html"
