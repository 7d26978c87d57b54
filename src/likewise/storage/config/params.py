"""params.yaml: what to make, and with what; where data sets lie on this machine."""

from typing import Literal

from pydantic import Field

from likewise.errors import UnknownNameError
from likewise.registry import Part
from likewise.storage.config.card import Entry

MODEL_SECTIONS = ("models", "trained", "pretrained", "distilled")
"""The sections of params.yaml that name models."""

MODEL_VERBS = {
    "models": "load",
    "trained": "train",
    "pretrained": "train",
    "distilled": "train",
}
"""The sections of params.yaml that name models, and the verb that makes each."""


class DatasetEntry(Part):
    """Where a data set lies on this machine.

    ``path`` is a folder or archive of images; ``annotations`` is the folder, archive or file
    that explains them, the same as ``path`` when they lie together.
    """

    path: str
    annotations: str


class EmbeddingEntry(Part):
    """Which model embeds which data set, and how the vectors are stored and indexed.

    ``ann`` holds the options of the ANN index in the published table; see ``indexes.lance``.
    """

    dataset: str
    model: str
    dtype: Literal["float32", "float16"] = "float32"
    ann: Entry = Field(default_factory=dict)


class Check(Part):
    """By what an image of a data set is flagged; a bound that is null flags nothing.

    The defaults are those of FISSP's filters, and ``near`` is measured (see DECISIONS.md).

    Attributes:
        min_bytes: files of fewer bytes are ``few_bytes``.
        min_side: images with a side of fewer pixels are ``small``.
        min_brightness: images of a lower mean grey value (0 to 1) are ``dark``.
        max_brightness: ... of a higher one are ``bright``.
        min_sharpness: images of a smaller variance of the Laplacian are ``blurred``.
        near: hashes that differ in at most so many of 256 bits are of near duplicates.
        model: a model that embeds the data set, for the flags by its vectors.
        similar: items of at least this cosine with an earlier one are ``similar``.
        max_outlier: items whose mean absolute z-score is greater are ``outlier``.
        index: how similar items are looked for; exact, or an index of params.yaml.
        against: the data sets in which copies are leaks; null: all others that are checked.
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
    """A data set ``of`` the catalogue ``without`` what has one of these flags."""

    of: str
    without: tuple[str, ...] = Field(min_length=1)


class Run(Part):
    """One evaluation: data set x model x index x protocol."""

    dataset: str
    model: str
    index: str
    protocol: str


class Params(Part):
    """params.yaml: what to make, and with what."""

    seed: int = Field(default=0, ge=0)
    datasets: dict[str, DatasetEntry] = Field(default_factory=dict)
    models: dict[str, Entry] = Field(default_factory=dict)
    trained: dict[str, Entry] = Field(default_factory=dict)
    pretrained: dict[str, Entry] = Field(default_factory=dict)
    distilled: dict[str, Entry] = Field(default_factory=dict)
    embeddings: dict[str, EmbeddingEntry] = Field(default_factory=dict)
    indexes: dict[str, Entry] = Field(default_factory=dict)
    checks: dict[str, Check] = Field(default_factory=dict)
    views: dict[str, View] = Field(default_factory=dict)
    runs: dict[str, Run] = Field(default_factory=dict)
    transforms: dict[str, tuple[Entry, ...]] = Field(default_factory=dict)
    exports: dict[str, Entry] = Field(default_factory=dict)
    public_remotes: tuple[str, ...] = ()

    def recipes(self) -> dict[str, Entry]:
        """Every model of every section, and its recipe."""
        return {n: e for section in MODEL_SECTIONS for n, e in getattr(self, section).items()}

    def section(self, model: str) -> str:
        """The section of params.yaml that names ``model``.

        Raises:
            UnknownNameError: none does.
        """
        for section in MODEL_SECTIONS:
            if model in getattr(self, section):
                return section
        raise UnknownNameError("model", model, self.recipes(), "params.yaml")

    def models_of(self, dataset: str) -> list[str]:
        """The models that embed ``dataset``, or that which it is a view of, in file order."""
        base = self.base(dataset)
        return [e.model for e in self.embeddings.values() if e.dataset == base]

    def base(self, dataset: str) -> str:
        """The data set that ``dataset`` is a view of, or is itself."""
        return self.views[dataset].of if dataset in self.views else dataset

    def embedding(self, dataset: str, model: str) -> str:
        """The name of the entry that says how ``model`` embeds ``dataset``.

        Raises:
            UnknownNameError: there is none.
        """
        for name, entry in self.embeddings.items():
            if (entry.dataset, entry.model) == (dataset, model):
                return name
        where = f"the embeddings of {dataset} in params.yaml"
        raise UnknownNameError("model", model, self.models_of(dataset), where)
