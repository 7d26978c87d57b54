"""List the data sets that are known by name."""

from dataclasses import dataclass

from likewise.sources.known_datasets import KNOWN_DATASETS


@dataclass(frozen=True)
class Offer:
    """A data set that is known by name: what it is, its terms, whether it can be fetched."""

    name: str
    title: str
    licence: str
    public: bool


def downloads() -> list[Offer]:
    """The data sets that are known by name, those that can be fetched first."""
    offers = [Offer(n, d.title, d.licence, bool(d.parts)) for n, d in KNOWN_DATASETS.items()]
    return sorted(offers, key=lambda offer: (not offer.public, offer.name))
