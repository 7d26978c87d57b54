"""The sections of params.yaml."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from pydantic import ByteSize, Field, PrivateAttr

from likewise.errors import ConfigError, UnknownNameError
from likewise.formats.memory import MEMORY, MIN_MEMORY
from likewise.registry import Part
from likewise.storage.config.card import Entry
from likewise.storage.config.entries import (
    Check,
    DatasetEntry,
    EmbeddingEntry,
    FilteredView,
    ImportEntry,
    MapEntry,
    Run,
    SelectedView,
    ThumbsEntry,
    View,
)

FITTED_SECTIONS = ("trained", "pretrained", "distilled", "aligned", "adapted", "mixed")
"""The sections of params.yaml that define models with an initial model and data."""

MODEL_SECTIONS = ("models", "functions", *FITTED_SECTIONS)
"""The sections of params.yaml that define models."""

VIEW_SECTIONS = ("views", "filtered", "selected")
"""The sections of params.yaml that define views."""

AnyView = View | FilteredView | SelectedView

MIXED = "mixed"
"""The section of models that learn from several data sets."""

MODEL_VERBS = {"models": "load", "functions": "load", **dict.fromkeys(FITTED_SECTIONS, "train")}
"""Section of params.yaml with models -> the command that creates them."""


class BrokenEntry(NamedTuple):
    """An entry that cannot be used.

    Attributes:
        section: its section of params.yaml.
        name: its name.
        faults: lines that describe its faults.
        written: its content.
        own: False if it only refers to a broken entry.
    """

    section: str
    name: str
    faults: tuple[str, ...]
    written: Any
    own: bool = True

    @property
    def dataset(self) -> str:
        """The data set that the entry names; "" if it names none."""
        value = self.written.get("dataset") if isinstance(self.written, dict) else None
        return value if isinstance(value, str) else ""


class Params(Part):
    """The content of params.yaml.

    Entries that cannot be used are in ``broken`` instead.

    Attributes:
        seed: seed of everything random, such as random weights and the order of training.
        memory: bytes that a command may use for vectors and tables, such as ``4GB``; results do
            not depend on it.
        datasets: data set -> its paths on this machine.
        models: frozen model -> its recipe.
        functions: function of your own that embeds images -> its recipe.
        trained: model that learns from labels or pairs -> its recipe.
        pretrained: model that learns from images only -> its recipe.
        distilled: model that learns from the vectors of another one -> its recipe.
        aligned: model that learns from texts -> its recipe.
        adapted: layers on the stored vectors of a model -> their recipe.
        mixed: model that learns from several data sets -> its recipe.
        embeddings: name -> data set and the model that embeds it.
        imported: name -> data set and the file of its vectors, made by another program.
        indexes: index -> its kind, a way to search.
        rerankers: re-ranker -> its kind, for ``likewise search --rerank``.
        checks: data set -> thresholds of its flags.
        maps: map -> data set, model and method that place its contents on a plane.
        thumbs: data set -> its small pictures, for clones without the pixels.
        views: view -> its data set, and the flags whose items are left out.
        filtered: view -> its data set, and the condition that its items meet.
        selected: view -> its data set, and the selection that has its items.
        runs: run -> data set, model, index and protocol of an evaluation.
        transforms: name -> steps that change an image when it is read, in order.
        exports: name -> a format of ``likewise export`` with its options.
        engines: name -> who computes the shards of large jobs (``likewise kinds engines``); no
            stage depends on it.
        public_remotes: DVC remotes that anyone can read; ``likewise push`` sends a data set
            there only if its licence allows sharing.
    """

    seed: int = Field(default=0, ge=0)
    memory: ByteSize = Field(default=ByteSize(MEMORY), ge=MIN_MEMORY)
    datasets: dict[str, DatasetEntry] = Field(default_factory=dict)
    models: dict[str, Entry] = Field(default_factory=dict)
    functions: dict[str, Entry] = Field(default_factory=dict)
    trained: dict[str, Entry] = Field(default_factory=dict)
    pretrained: dict[str, Entry] = Field(default_factory=dict)
    distilled: dict[str, Entry] = Field(default_factory=dict)
    aligned: dict[str, Entry] = Field(default_factory=dict)
    adapted: dict[str, Entry] = Field(default_factory=dict)
    mixed: dict[str, Entry] = Field(default_factory=dict)
    embeddings: dict[str, EmbeddingEntry] = Field(default_factory=dict)
    imported: dict[str, ImportEntry] = Field(default_factory=dict)
    indexes: dict[str, Entry] = Field(default_factory=dict)
    rerankers: dict[str, Entry] = Field(default_factory=dict)
    checks: dict[str, Check] = Field(default_factory=dict)
    views: dict[str, View] = Field(default_factory=dict)
    filtered: dict[str, FilteredView] = Field(default_factory=dict)
    selected: dict[str, SelectedView] = Field(default_factory=dict)
    thumbs: dict[str, ThumbsEntry] = Field(default_factory=dict)
    maps: dict[str, MapEntry] = Field(default_factory=dict)
    runs: dict[str, Run] = Field(default_factory=dict)
    transforms: dict[str, tuple[Entry, ...]] = Field(default_factory=dict)
    exports: dict[str, Entry] = Field(default_factory=dict)
    engines: dict[str, Entry] = Field(default_factory=dict)
    public_remotes: tuple[str, ...] = ()
    _broken: tuple[BrokenEntry, ...] = PrivateAttr(default=())

    @property
    def broken(self) -> tuple[BrokenEntry, ...]:
        """The entries that cannot be used, and those that refer to one of them."""
        return self._broken

    def without(self, broken: Collection[BrokenEntry]) -> "Params":
        """Return the content without broken entries, and record them."""
        gone = {(entry.section, entry.name) for entry in broken}
        sections = {
            section: {n: e for n, e in value.items() if (section, n) not in gone}
            for section, value in self
            if isinstance(value, dict)
        }
        rest = self.model_copy(update=sections)
        rest._broken = tuple(broken)  # noqa: SLF001 (a copy of this object)
        return rest

    def refuse_broken(self, name: str, sections: Iterable[str]) -> None:
        """Refuse an entry that is broken.

        Raises:
            ConfigError: an entry ``name`` of these sections is broken; the text has its faults.
        """
        for entry in self._broken:
            if entry.name == name and entry.section in sections:
                raise ConfigError("\n".join(entry.faults))

    def refuse_broken_of(self, dataset: str, *sections: str) -> None:
        """Refuse a data set with a broken entry in sections such as ``embeddings``.

        A broken entry that names no data set may belong to any.

        Raises:
            ConfigError: there is such an entry; the text has its faults.
        """
        for entry in self._broken:
            if entry.section in sections and entry.dataset in ("", dataset):
                raise ConfigError("\n".join(entry.faults))

    def recipes(self) -> dict[str, Entry]:
        """Return the recipes of the models of all sections, by name."""
        return {n: e for section in MODEL_SECTIONS for n, e in getattr(self, section).items()}

    def section(self, model: str) -> str:
        """Return the section of params.yaml that defines ``model``.

        Raises:
            UnknownNameError: there is no such model.
        """
        for section in MODEL_SECTIONS:
            if model in getattr(self, section):
                return section
        self.refuse_broken(model, MODEL_SECTIONS)
        raise UnknownNameError("model", model, self.recipes(), "params.yaml")

    def models_of(self, dataset: str) -> list[str]:
        """Return the models that embed ``dataset`` (of a view: its data set), in file order."""
        base = self.base(dataset)
        return [e.model for e in self.vector_entries().values() if e.dataset == base]

    def vector_entries(self) -> dict[str, EmbeddingEntry]:
        """Return the entries of vectors by name: computed ones, then imported ones."""
        return {**self.embeddings, **self.imported}

    @property
    def all_views(self) -> dict[str, AnyView]:
        """The views of all sections, by name."""
        return {**self.views, **self.filtered, **self.selected}

    def imported_models(self) -> list[str]:
        """Return the models whose vectors were made elsewhere."""
        return list(dict.fromkeys(entry.model for entry in self.imported.values()))

    def base(self, dataset: str) -> str:
        """Return the data set of the view ``dataset``, or ``dataset`` itself."""
        view = self.all_views.get(dataset)
        return dataset if view is None else view.of

    def embedding(self, dataset: str, model: str) -> str:
        """Return the name of the entry of the vectors of ``dataset`` by ``model``.

        Raises:
            UnknownNameError: no entry embeds ``dataset`` with ``model``.
        """
        for name, entry in self.vector_entries().items():
            if (entry.dataset, entry.model) == (dataset, model):
                return name
        self.refuse_broken_of(dataset, "embeddings", "imported")
        where = f"the embeddings of {dataset} in params.yaml"
        raise UnknownNameError("model", model, self.models_of(dataset), where)
