"""The card of a data set: ``catalog/<dataset>.yaml``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, NonNegativeInt

from likewise.errors import ConfigError
from likewise.formats.yaml_documents import read_yaml
from likewise.registry import Part, check

Entry = dict[str, Any]
"""``{kind: <registered name>, **options}``; the class of the kind validates the options."""


def training_data(entry: Mapping[str, Any]) -> list[str]:
    """Return the data sets that the entry of a model learns from; a frozen model has none."""
    data = entry.get("data")
    if data is None:
        return []
    return [str(name) for name in data] if isinstance(data, list | tuple) else [str(data)]


def training_items(entry: Mapping[str, Any]) -> str:
    """Say which items of these data sets the model learns from."""
    split = entry.get("split")
    return f"the split {split}" if split else "all items"


class Licence(Part):
    """The terms of use of the images.

    Attributes:
        spdx: identifier of the licence in the list of SPDX; NOASSERTION if none is known.
        terms: the terms in words.
        forbids: purposes that the terms do not allow; exports for them are refused.
    """

    spdx: str = "NOASSERTION"
    terms: str = ""
    forbids: tuple[Literal["commercial", "sharing"], ...] = ()


class ExpectedCounts(Part):
    """The published counts of a complete data set; null: not published.

    A difference is a finding of ingest.

    Attributes:
        images: number of images.
        items: number of items.
        labels: number of different labels.
        splits: number of items of each split.
        roles: number of items of each role.
        subsets: number of items of each subset.
    """

    images: NonNegativeInt | None = None
    items: NonNegativeInt | None = None
    labels: NonNegativeInt | None = None
    splits: dict[str, NonNegativeInt] = Field(default_factory=dict)
    roles: dict[str, NonNegativeInt] = Field(default_factory=dict)
    subsets: dict[str, NonNegativeInt] = Field(default_factory=dict)


class Card(Part):
    """The description of a data set: ``catalog/<dataset>.yaml``.

    Attributes:
        title: title for people.
        source: kind of the layout and its options; ``likewise kinds sources`` lists them. A
            card of a public data set has all options, so that a later change of the
            declaration has no effect.
        licence: the terms of use of the images.
        citation: how to cite the data set.
        homepage: address of its authors' page.
        known: name of the public data set whose declaration the card was written from.
        counts: the published counts of the complete data set.
        faults: known faults of the published data.
    """

    title: str
    source: Entry
    licence: Licence = Licence()
    citation: str = ""
    homepage: str = ""
    known: str = ""
    counts: ExpectedCounts = ExpectedCounts()
    faults: tuple[str, ...] = ()

    @property
    def public_names(self) -> tuple[str, ...]:
        """Names of the public data set that the card declares, by ``known`` or its source."""
        kind = self.source.get("kind")
        return tuple(filter(None, (self.known, kind if isinstance(kind, str) else "")))


def read_card(path: Path) -> Card:
    """Return the validated content of a card.

    Raises:
        ConfigError: lists every fault of the file, one line each; or there is no such file.
    """
    try:
        document = read_yaml(path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise ConfigError(f"{path}: {error.strerror}; give the path of a card") from error
    return check(Card, document or {}, path.name)


def card_options(card: Card | None, kind: str | None) -> Entry:
    """Return kind and options of the source of ``card``; ``kind`` alone without a card.

    Raises:
        ConfigError: the source of the card is of another kind.
    """
    if card is None:
        return {"kind": kind}
    stated = card.source.get("kind")
    if kind not in (None, stated):
        raise ConfigError(f"the source of the card is of the kind {stated!r}, not {kind!r}")
    return dict(card.source)
