"""The sections of params.yaml, and the card of a data set."""

from likewise.registry import Part
from likewise.steps.kinds.kind import Kind
from likewise.steps.kinds.own_kinds import class_kind
from likewise.storage.config import (
    Card,
    Check,
    DatasetEntry,
    EmbeddingEntry,
    FilteredView,
    ImportEntry,
    MapEntry,
    Params,
    Run,
    SelectedView,
    ThumbsEntry,
    View,
)

SECTIONS: dict[str, type[Part]] = {
    "card": Card,
    "checks": Check,
    "datasets": DatasetEntry,
    "embeddings": EmbeddingEntry,
    "filtered": FilteredView,
    "imported": ImportEntry,
    "maps": MapEntry,
    "params": Params,
    "runs": Run,
    "selected": SelectedView,
    "thumbs": ThumbsEntry,
    "views": View,
}
"""Name -> the class of the whole file (``card``, ``params``), or of an entry of the section."""


def section_kind(name: str) -> Kind:
    """Describe a section of params.yaml, or one of the two files."""
    return class_kind(name, SECTIONS[name])
