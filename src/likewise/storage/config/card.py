"""What a data set is: ``catalog/<dataset>.yaml``."""

from pathlib import Path
from typing import Any

from likewise.formats.yaml_documents import read_yaml
from likewise.registry import Part, check

Entry = dict[str, Any]
"""``{kind: <registered name>, **options}``; the part's own class checks the options."""


class Licence(Part):
    """Under which terms the images may be used."""

    spdx: str = "NOASSERTION"
    terms: str = ""


class Card(Part):
    """What a data set is: ``catalog/<dataset>.yaml``."""

    title: str
    source: Entry
    licence: Licence = Licence()
    citation: str = ""
    faults: tuple[str, ...] = ()


def read_card(path: Path) -> Card:
    """The checked content of a card.

    Raises:
        ConfigError: every fault of the file, a line each.
    """
    return check(Card, read_yaml(path) or {}, path.name)
