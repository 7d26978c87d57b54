"""List the known public data sets."""

from dataclasses import dataclass, field
from typing import Any

from likewise.sources.known import KnownDataset, KnownLayout, known_datasets


@dataclass(frozen=True)
class Offer:
    """A known data set.

    Attributes:
        name: name to download it by, and to add it by (``add --source``).
        title: its title.
        licence: its terms, in one line.
        verified: True if all its files have a published checksum.
        public: True if ``likewise.download`` can fetch it.
        summary: one sentence about its contents.
        homepage: address of its official page.
        citation: how its authors want to be cited.
        forbids: purposes of exports that its terms do not allow: commercial, sharing.
        kinds: kinds of source that read its layouts.
        counts: published counts: images, items, labels, splits, roles, subsets.
        protocols: protocols of the runs that ``add`` writes.
        own_protocols: True if its declaration states them; else those of its kind of source.
        files: names of the files to download.
        by_hand: how to obtain it, if it cannot be downloaded.
        layout: its official files, as a short listing.
        forms: for each layout that is read, the files by which it is recognised, and a note.
        sources: origins of these facts.
        aliases: former names.
    """

    name: str
    title: str
    licence: str
    verified: bool
    public: bool
    summary: str = ""
    homepage: str = ""
    citation: str = ""
    forbids: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    protocols: list[str] = field(default_factory=list)
    own_protocols: bool = True
    files: list[str] = field(default_factory=list)
    by_hand: str = ""
    layout: str = ""
    forms: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


def downloads() -> list[Offer]:
    """List the known data sets, sorted by name, those that can be downloaded first.

    Example:
        >>> offers = {offer.name: offer for offer in likewise.downloads()}
        >>> offers["food-101"].public, offers["in-shop"].public
        (True, False)
        >>> offers["cub-200-2011"].counts["splits"]
        {'train': 5864, 'test': 5924}
    """
    offers = [_offer(name, known) for name, known in known_datasets().items()]
    return sorted(offers, key=lambda offer: (not offer.public, offer.name))


def _offer(name: str, known: KnownDataset) -> Offer:
    return Offer(
        name,
        known.title,
        known.terms,
        bool(known.download) and all(file.digest for file in known.download),
        bool(known.download),
        known.summary,
        known.homepage,
        known.citation,
        list(known.licence.forbids),
        known.kinds,
        known.counts.model_dump(exclude_defaults=True),
        list(known.protocols or ()),
        known.protocols is not None,
        [file.name for file in known.download],
        known.by_hand,
        known.layout,
        [_form(layout) for layout in known.layouts],
        [f"{fact.what}: {fact.source}" for fact in known.facts],
        list(known.aliases),
    )


def _form(layout: KnownLayout) -> str:
    """Return the files of a layout, and its note."""
    forms = [", ".join(names) for names in (layout.files, layout.packed) if names]
    return " or ".join(forms) + (f": {layout.note}" if layout.note else "")
