"""List the known public data sets."""

from dataclasses import dataclass

from likewise.sources.known_datasets import KNOWN_DATASETS


@dataclass(frozen=True)
class Offer:
    """A known data set.

    Attributes:
        name: name to download it by.
        title: its title.
        licence: its terms, in one line.
        verified: True if all its files have a published checksum.
        public: True if ``likewise.download`` can fetch it.
    """

    name: str
    title: str
    licence: str
    verified: bool
    public: bool


def downloads() -> list[Offer]:
    """List the known data sets, sorted by name, those that can be downloaded first.

    Example:
        >>> [offer.name for offer in likewise.downloads() if offer.public][:3]
        ['food101', 'gpr1200', 'inat2021']
    """
    offers = [
        Offer(
            name,
            known.title,
            known.licence,
            bool(known.parts) and all(part.wanted.digest for part in known.parts),
            bool(known.parts),
        )
        for name, known in KNOWN_DATASETS.items()
    ]
    return sorted(offers, key=lambda offer: (not offer.public, offer.name))
