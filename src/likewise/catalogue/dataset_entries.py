"""Rename or remove a data set in params.yaml, with all entries that refer to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.comments import CommentedMap

from likewise.catalogue.params_editor import remove_keys, rename_key
from likewise.errors import DataError, bounded
from likewise.storage.config import FITTED_SECTIONS, VIEW_SECTIONS, Params, training_data

_REFERENCES = {
    "embeddings": "dataset",
    "imported": "dataset",
    "trained": "data",
    "pretrained": "data",
    "distilled": "data",
    "aligned": "data",
    "adapted": "data",
    "mixed": "data",
    "views": "of",
    "filtered": "of",
    "selected": "of",
    "maps": "dataset",
    "runs": "dataset",
}
"""Section of params.yaml -> the field of its entries that names a data set."""

_NAMED_AFTER = ("embeddings", "imported", "runs")
"""Sections whose keys ``add`` forms from the name of the data set, such as ``birds-lite0``."""


@dataclass(frozen=True)
class Renaming:
    """The new name of a data set, and of the entries that are named after it.

    Attributes:
        old: the old name.
        new: the new name.
        keys: section -> old key -> new key.
    """

    old: str
    new: str
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, params: Params, old: str, new: str) -> "Renaming":
        """Find the entries that are named after the data set ``old``.

        Raises:
            DataError: an entry has the new key of another one.
        """
        keys: dict[str, dict[str, str]] = {
            section: {old: new} for section in ("datasets", "checks", "thumbs")
        }
        for section in _NAMED_AFTER:
            entries = getattr(params, section)
            renamed = {
                key: f"{new}{key.removeprefix(old)}"
                for key, entry in entries.items()
                if entry.dataset == old and key.startswith(f"{old}-")
            }
            taken = sorted(set(renamed.values()) & (entries.keys() - renamed.keys()))
            if taken:
                listed = bounded(taken, len(taken))
                raise DataError(
                    f"params.yaml: {section} has {listed} already; rename that entry first"
                )
            keys[section] = renamed
        return cls(old, new, keys)

    def key(self, section: str, key: str) -> str:
        """Return the new key of an entry."""
        return self.keys.get(section, {}).get(key, key)

    def change(self, section: str, entry: Any) -> None:
        """Replace the old name in an entry, in place."""
        if not isinstance(entry, dict):
            return
        reference = _REFERENCES.get(section)
        if reference and entry.get(reference) == self.old:
            entry[reference] = self.new
        data = entry.get("data") if reference == "data" else None
        if isinstance(data, list):
            data[:] = [self.new if name == self.old else name for name in data]
        against = entry.get("against") if section == "checks" else None
        if isinstance(against, list):
            against[:] = [self.new if name == self.old else name for name in against]

    def apply(self, document: CommentedMap) -> None:
        """Rename the data set in the document of a params.yaml; comments stay."""
        for section, entries in document.items():
            if isinstance(entries, CommentedMap):
                for key in list(entries):
                    self.change(section, entries[key])
                    rename_key(entries, key, self.key(section, key))


def learners(params: Params, dataset: str) -> list[tuple[str, str]]:
    """Return the models that learn from a data set, each with its section of params.yaml."""
    return [
        (section, name)
        for section in FITTED_SECTIONS
        for name, entry in getattr(params, section).items()
        if dataset in training_data(entry)
    ]


def entries_of(params: Params, dataset: str) -> dict[str, list[str]]:
    """Return the entries that exist only for a data set or view: section -> keys.

    Raises:
        DataError: a model learns from the data set.
    """
    models = [".".join(model) for model in learners(params, dataset)]
    if models:
        listed = bounded(models, len(models))
        raise DataError(
            f"{dataset!r} is the training data of {listed}; remove these models from "
            "params.yaml or give them other data first; nothing was changed"
        )
    views = {
        section: [n for n, v in getattr(params, section).items() if dataset in (n, v.of)]
        for section in VIEW_SECTIONS
    }
    gone = {dataset, *(name for names in views.values() for name in names)}
    return {
        "datasets": [name for name in params.datasets if name == dataset],
        "checks": [name for name in params.checks if name == dataset],
        "thumbs": [name for name in params.thumbs if name == dataset],
        **views,
        "embeddings": [k for k, entry in params.embeddings.items() if entry.dataset == dataset],
        "imported": [k for k, entry in params.imported.items() if entry.dataset == dataset],
        "maps": [k for k, entry in params.maps.items() if entry.dataset == dataset],
        "runs": [k for k, entry in params.runs.items() if entry.dataset in gone],
    }


def remove_entries(
    document: CommentedMap, dataset: str, entries: Mapping[str, list[str]]
) -> None:
    """Remove ``entries`` from a params.yaml, and comparisons with ``dataset``."""
    for section, keys in entries.items():
        if keys:
            remove_keys(document, section, keys)
    for check in (document.get("checks") or {}).values():
        against = check.get("against") if isinstance(check, dict) else None
        if isinstance(against, list) and dataset in against:
            against.remove(dataset)
