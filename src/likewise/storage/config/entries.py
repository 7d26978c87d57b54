"""The entries of the sections of params.yaml that are not recipes."""

from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from likewise.registry import Part
from likewise.storage.config.card import Entry

PROTOCOL_OPTIONS = ("min_images_per_class", "names", "templates")
"""Options of protocols, which are fields of a run."""


class DatasetEntry(Part):
    """The paths of a data set on this machine.

    Attributes:
        path: folder or archive of the images; relative to the catalogue, or absolute.
        annotations: folder, archive or file of their annotations; it equals ``path`` if both
            are in one place.
    """

    path: str = Field(min_length=1)
    annotations: str = Field(min_length=1)


class EmbeddingEntry(Part):
    """A model that embeds a data set, and the storage of its vectors.

    Attributes:
        dataset: the data set.
        model: a model of params.yaml; for imported vectors, a name for them.
        dtype: number format of the stored vectors; float16 halves their size.
        ann: kind and options of an ANN index in the published table, as those of the index
            ``lance``; empty for none.
    """

    dataset: str
    model: str
    dtype: Literal["float32", "float16"] = "float32"
    ann: Entry = Field(default_factory=dict)


class ImportEntry(EmbeddingEntry):
    """Vectors of a data set that were made elsewhere: their files and their storage.

    Attributes:
        file: file of the vectors.
        ids: file of the ids of the vectors; it equals ``file`` if they are in it, or if the
            vectors have the canonical order of the items.
        origin: description of the model that made them, for people.
        key: vectors are stored by content; with ``item``, items of one content may have
            different vectors.
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
        label_model: a model that embeds the data set, for the flag ``suspect``: labels of the
            source that the neighbours contradict; see ``likewise suspects``.
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
    label_model: str | None = None
    index: str = "exact"
    against: tuple[str, ...] | None = None


class MapEntry(Part):
    """The places of the contents of a data set on a plane, by the vectors of a model.

    Attributes:
        dataset: name of the data set.
        model: name of a model that embeds it.
        method: pca, tsne or umap.
        sample: maximum number of contents that tsne and umap fit.
        neighbours: neighbours of each content that tsne and umap compare; by default 90 for
            tsne (three times the perplexity) and 15 for umap.
        min_dist: smallest distance of neighbours on the plane (umap).
        place_rest: place contents outside the sample between their nearest neighbours in it.
    """

    dataset: str
    model: str
    method: Literal["pca", "tsne", "umap"] = "pca"
    sample: int = Field(default=5_000, ge=4)
    neighbours: int | None = Field(default=None, ge=2)
    min_dist: float = Field(default=0.1, ge=0, lt=1)
    place_rest: bool = True


class ThumbsEntry(Part):
    """The small pictures of a data set, which a clone without the pixels shows.

    Attributes:
        side: maximum edge length in pixels; 192 takes about 7 kB per picture.
    """

    side: int = Field(192, ge=32, le=512)


class View(Part):
    """A data set without the items that have certain flags.

    Attributes:
        of: the data set.
        without: names of flags, such as ``near_duplicate`` or ``leak``.
    """

    of: str
    without: tuple[str, ...] = Field(min_length=1)


class FilteredView(Part):
    """The items of a data set that meet a condition.

    Attributes:
        of: the data set.
        where: an SQL condition on the published columns, such as ``width > 500``.
    """

    of: str
    where: str = Field(min_length=1)


class SelectedView(Part):
    """The items of a selection of a data set.

    Attributes:
        of: the data set.
        selection: the name of the selection; ``likewise selections`` lists them.
    """

    of: str
    selection: str = Field(min_length=1)


class Run(Part):
    """One evaluation: data set x model x index x protocol.

    ``min_images_per_class``, ``names`` and ``templates`` are options of the protocol.

    Attributes:
        dataset: a data set, or a view.
        model: the model whose vectors are ranked.
        index: ``exact``, or an index of params.yaml.
        protocol: the definition of the score; ``likewise kinds protocols`` lists them.
        min_images_per_class: protocols of CompCars: classes with fewer images are masked.
        names: ``zero-shot``: the names of the classes, by label; or ``label`` or ``text`` to
            use only the label or the text of the items.
        templates: protocols that compare items with texts: sentences in which ``{}`` stands
            for the text; by default those of the model.
        by: a column of the items; the metrics are reported for each of its values, too.
        rerank: kind and options of a re-ranker; the metrics are reported without and with it.
    """

    dataset: str
    model: str
    index: str
    protocol: str
    min_images_per_class: int | None = Field(default=None, ge=1)
    names: dict[str, str] | Literal["label", "text"] | None = None
    templates: tuple[str, ...] | None = None
    by: str | None = Field(default=None, min_length=1)
    rerank: Entry | None = None

    @field_validator("rerank", mode="before")
    @classmethod
    def _options(cls, value: Any) -> Any:
        """Refuse a name: DVC repeats a run when its own entry changes, and no other entry."""
        if isinstance(value, str):
            raise PydanticCustomError(
                "options",
                "expected the kind and the options of a re-ranker, not a name; to use an entry "
                "of rerankers, write an anchor there (&name) and an alias here (*name)",
            )
        return value

    def recorded(self) -> dict[str, Any]:
        """Return the options that are set, as reports record them."""
        return self.model_dump(mode="json", exclude_none=True)

    def protocol_entry(self) -> dict[str, Any]:
        """Return the kind and the options of the protocol."""
        options = self.model_dump(include={*PROTOCOL_OPTIONS}, exclude_none=True)
        return {"kind": self.protocol, **options}
