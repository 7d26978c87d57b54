"""The sections of params.yaml."""

from collections.abc import Collection, Iterable
from typing import Any, Literal, NamedTuple

from pydantic import ByteSize, Field, PrivateAttr

from likewise.errors import ConfigError, UnknownNameError
from likewise.formats.memory import MEMORY, MIN_MEMORY
from likewise.registry import Part
from likewise.storage.config.card import Entry

FITTED_SECTIONS = ("trained", "pretrained", "distilled", "aligned", "mixed")
"""The sections of params.yaml that define models with an initial model and data."""

MODEL_SECTIONS = ("models", "functions", *FITTED_SECTIONS)
"""The sections of params.yaml that define models."""

MIXED = "mixed"
"""The section of models that learn from several data sets."""

MODEL_VERBS = {
    "models": "load",
    "functions": "load",
    "trained": "train",
    "pretrained": "train",
    "distilled": "train",
    "aligned": "train",
    "mixed": "train",
}
"""Section of params.yaml with models -> the command that creates them."""

PROTOCOL_OPTIONS = ("min_images_per_class", "names", "templates")
"""Options of protocols, which are fields of a run."""


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


class DatasetEntry(Part):
    """The paths of a data set on this machine.

    ``path`` is a folder or archive of images. ``annotations`` is the folder, archive or file of
    their annotations; it equals ``path`` if both are in one place.
    """

    path: str = Field(min_length=1)
    annotations: str = Field(min_length=1)


class EmbeddingEntry(Part):
    """A model that embeds a data set, and the storage of its vectors.

    ``ann`` holds the options of the ANN index in the published table; see ``indexes.lance``.
    """

    dataset: str
    model: str
    dtype: Literal["float32", "float16"] = "float32"
    ann: Entry = Field(default_factory=dict)


class ImportEntry(EmbeddingEntry):
    """Vectors of a data set that were made elsewhere: their files and their storage.

    ``ids`` is the file of the ids of the vectors; it equals ``file`` if they are in it, or if
    the vectors have the canonical order of the items. ``origin`` describes the model. With the
    key ``item``, items of one content may have different vectors.
    """

    file: str = Field(min_length=1)
    ids: str = Field(min_length=1)
    origin: str = ""
    key: Literal["content", "item"] = "content"


class Check(Part):
    """The thresholds of the flags of a data set; null turns a flag off.

    The defaults are those of FISSP's filters; ``near`` was measured (see DECISIONS.md). Some
    sources have other defaults: sketches have no ``max_brightness``.

    Attributes:
        min_bytes: files with fewer bytes are ``few_bytes``.
        min_side: images with a side of fewer pixels are ``small``.
        min_brightness: images with a lower mean grey value (0 to 1) are ``dark``.
        max_brightness: images with a higher one are ``bright``.
        min_sharpness: images with a smaller variance of the Laplacian are ``blurred``.
        near: maximum number of differing bits (of 256) of the hashes of near duplicates.
        model: a model that embeds the data set, for flags based on vectors.
        similar: items with at least this cosine to an earlier item are ``similar``.
        max_outlier: items with a greater mean absolute z-score are ``outlier``.
        index: the search for similar items: exact, or an index of params.yaml.
        against: the data sets to compare for leaks; null means all others with checks.
    """

    min_bytes: int | None = 1024
    min_side: int | None = 200
    min_brightness: float | None = 0.2
    max_brightness: float | None = 0.95
    min_sharpness: float | None = 100.0
    near: int = Field(15, ge=0, le=15)
    model: str | None = None
    similar: float | None = 0.97
    max_outlier: float | None = 3.0
    index: str = "exact"
    against: tuple[str, ...] | None = None


class View(Part):
    """The data set ``of`` without the items that have a flag of ``without``."""

    of: str
    without: tuple[str, ...] = Field(min_length=1)


class Run(Part):
    """One evaluation: data set x model x index x protocol.

    ``min_images_per_class`` is an option of the protocols of CompCars, ``names`` one of
    ``zero-shot``, and ``templates`` one of the protocols that compare items with texts; see
    there. ``by`` is a column of the items: the metrics are reported for each of its values,
    too.
    """

    dataset: str
    model: str
    index: str
    protocol: str
    min_images_per_class: int | None = Field(default=None, ge=1)
    names: dict[str, str] | Literal["label", "text"] | None = None
    templates: tuple[str, ...] | None = None
    by: str | None = Field(default=None, min_length=1)

    def recorded(self) -> dict[str, Any]:
        """Return the options that are set, as reports record them."""
        return self.model_dump(mode="json", exclude_none=True)

    def protocol_entry(self) -> dict[str, Any]:
        """Return the kind and the options of the protocol."""
        options = self.model_dump(include={*PROTOCOL_OPTIONS}, exclude_none=True)
        return {"kind": self.protocol, **options}


class Params(Part):
    """The content of params.yaml, without the broken entries.

    Attributes:
        memory: bytes that a command may use for vectors and tables, such as ``4GB``; results do
            not depend on it.
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
    mixed: dict[str, Entry] = Field(default_factory=dict)
    embeddings: dict[str, EmbeddingEntry] = Field(default_factory=dict)
    imported: dict[str, ImportEntry] = Field(default_factory=dict)
    indexes: dict[str, Entry] = Field(default_factory=dict)
    checks: dict[str, Check] = Field(default_factory=dict)
    views: dict[str, View] = Field(default_factory=dict)
    runs: dict[str, Run] = Field(default_factory=dict)
    transforms: dict[str, tuple[Entry, ...]] = Field(default_factory=dict)
    exports: dict[str, Entry] = Field(default_factory=dict)
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

    def imported_models(self) -> list[str]:
        """Return the models whose vectors were made elsewhere."""
        return list(dict.fromkeys(entry.model for entry in self.imported.values()))

    def base(self, dataset: str) -> str:
        """Return the data set of the view ``dataset``, or ``dataset`` itself."""
        return self.views[dataset].of if dataset in self.views else dataset

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
