"""The names of the entries of params.yaml, and their faults."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from likewise.storage.config.params import MODEL_SECTIONS, VIEW_SECTIONS


class Fault(NamedTuple):
    """A fault of an entry: its section, its name, and the text, which begins with its place."""

    section: str
    name: str
    text: str


@dataclass(frozen=True)
class Names:
    """The names of all entries of a params.yaml, also of those with faults.

    Attributes:
        datasets: names of data sets.
        views: names of views.
        models: names of the models of all sections.
        indexes: names of indexes.
        checks: data sets with a check.
        vectors: (data set, model) -> section and name of the entry of its vectors.
    """

    datasets: Collection[str]
    views: Collection[str]
    models: Collection[str]
    indexes: Collection[str]
    checks: Collection[str]
    vectors: Mapping[tuple[str, str], tuple[str, str]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Names":
        """Return the names in the document of a params.yaml."""

        def names(*sections: str) -> list[str]:
            return [name for key in sections for name in map(str, document.get(key) or ())]

        entries = [
            (section, str(name), entry)
            for section in ("embeddings", "imported")
            for name, entry in (document.get(section) or {}).items()
            if isinstance(entry, dict)
        ]
        pairs: dict[tuple[str, str], tuple[str, str]] = {}
        for section, name, entry in entries:
            pair = (str(entry.get("dataset")), str(entry.get("model")))
            pairs.setdefault(pair, (section, name))
        made = [
            str(entry.get("model")) for section, _, entry in entries if section != "embeddings"
        ]
        return cls(
            names("datasets"),
            names(*VIEW_SECTIONS),
            [*names(*MODEL_SECTIONS), *made],
            names("indexes"),
            names("checks"),
            pairs,
        )

    def models_of(self, dataset: str) -> list[str]:
        """Return the models that embed a data set."""
        return [model for of, model in self.vectors if of == dataset]
