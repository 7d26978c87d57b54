"""Tags of items: ``catalog/<dataset>/tags.csv``, a text that git merges tag by tag.

A row gives one item one tag. No stage depends on the file, so a tag runs nothing again;
``catalogue.curated_table`` adds the tags when a data set is opened.
"""

import re
from typing import NamedTuple

from likewise.catalogue.keyed_text import KeyedText
from likewise.storage.workspace import Workspace

COLUMN = "tags"
"""The column of the tags of an item."""

_TAG = re.compile(r"[^\W_](?:[\w .:/+-]{0,62}[\w.:/+-])?")


class ItemTag(NamedTuple):
    """An item and one of its tags."""

    item_id: str
    tag: str


Tags = dict[ItemTag, tuple[()]]


def tag_fault(tag: str) -> str:
    """Return the reason why ``tag`` is not valid, or ""."""
    if _TAG.fullmatch(tag):
        return ""
    return (
        f"{tag[:80]!r} is not a tag: use 1 to 64 letters, digits, blanks and . : / + - _, and "
        "begin with a letter or digit"
    )


def _tagged() -> tuple[()]:
    return ()


def _fault(key: ItemTag, value: tuple[()]) -> str:
    del value
    return tag_fault(key.tag)


def _describe(key: ItemTag) -> str:
    return f"the tag {key.tag!r} of {key.item_id!r}"


FILE = KeyedText(("item_id", "tag"), ItemTag, _tagged, 2, _describe, _fault)
"""The format of the file."""


def read_tags(ws: Workspace, dataset: str) -> Tags:
    """Return the tags of a data set, or of the data set of a view.

    Raises:
        DataError: the file cannot be parsed; the line is named.
    """
    return FILE.read(ws.tags(ws.params.base(dataset)))
