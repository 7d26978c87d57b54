"""One published data set: its frame, vectors, images and search."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import numpy as np
import polars as pl

from likewise.catalogue.absent_vectors import fetch_vectors
from likewise.catalogue.curated_table import link_new_files, with_curated
from likewise.catalogue.dataset_html import summary_html
from likewise.catalogue.flags import drop_flagged, read_flagged
from likewise.catalogue.item import Item
from likewise.catalogue.item_images import ItemImages
from likewise.catalogue.item_maps import ItemMaps
from likewise.catalogue.item_thumbnails import ItemThumbnails
from likewise.catalogue.published_items import PublishedItems
from likewise.catalogue.snapshots import snapshot, snapshot_pair
from likewise.catalogue.text_models import made_text_models, text_models_of
from likewise.errors import LikewiseError, MissingArtefactError, UnknownNameError
from likewise.formats.array_types import Int32Array
from likewise.formats.counted_nouns import counted
from likewise.imaging.image_reader import ImageReader, LabelledImages
from likewise.imaging.transforms.chain import Chain
from likewise.pages import notebook
from likewise.retrieval.browsing.rows_at import check_positions
from likewise.retrieval.hits import Hits
from likewise.retrieval.search_options import SearchOptions
from likewise.retrieval.search_query import Query
from likewise.retrieval.searcher import Searcher
from likewise.retrieval.single import search_dataset
from likewise.storage import artefacts, tables, versions
from likewise.storage.config import Card
from likewise.storage.workspace import Workspace

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL import Image


class Dataset(ItemThumbnails, ItemMaps, PublishedItems):
    """One published data set of a catalogue, as it was when it was opened.

    ``len(dataset)`` is the number of items, ``dataset[item_id]`` one ``Item``, and
    ``item_id in dataset`` is True if the item exists; ``for item_id in dataset`` iterates over
    the ids.

    It reads a snapshot of the tables, so a ``dvc checkout`` or a new version does not change
    its content.
    """

    def __init__(self, ws: Workspace, name: str) -> None:
        """Take a snapshot of the data set's tables; nothing is read yet."""
        self.name = name
        self._ws = ws
        self._searchers: dict[tuple[str, str, bool], Searcher] = {}
        self._present: set[str] = set()
        versions.remove_unused_views(ws)
        self._snapshots = snapshot_pair(ws, ws.published(name), ws.table(name, "images"))

    @property
    def card(self) -> Card:
        """Card of the data set: title, licence, citation."""
        return self._ws.card(self.name)

    @cached_property
    def table(self) -> tables.Table:
        """The published table: columns, rows, scans and indices.

        ``lance.dataset(dataset.table.path)`` gives Lance's own object.

        Raises:
            MissingArtefactError: the data set was not published yet.
        """
        path = with_curated(self._ws, self.name, self.published)
        return tables.open_table(path, artefacts.published(self._ws, self.name).command)

    @property
    def published(self) -> Path:
        """The folder of the snapshot of the published table without tags and selections."""
        return self._path(self._ws.published(self.name))

    def frame(self, without: Collection[str] = ()) -> pl.LazyFrame:
        """Return the published table as a lazy frame, with one vector column per model.

        Args:
            without: flags of the last check; items with one of them are left out.

        Raises:
            UnknownNameError: no such flag.
            MissingArtefactError: ``without`` names flags, but the data set was not checked.
        """
        frame = self.table.frame().drop(self.absent)
        return (
            drop_flagged(frame, read_flagged(self._ws, self.name, without))
            if without
            else frame
        )

    @cached_property
    def items(self) -> pl.DataFrame:
        """All columns except the vectors, one row per item, in canonical order."""
        return self.table.read(self.table.metadata_columns)

    def __getitem__(self, item_id: str) -> Item:
        """Return the item ``item_id``.

        Raises:
            UnknownNameError: no such item; the error lists similar ids.
        """
        (position,) = self.positions([item_id]).tolist()
        return Item(self, position, self.rows([position]).row(0, named=True))

    def __repr__(self) -> str:
        try:
            models = ", ".join(self.models) or "none"
            return f"Dataset({self.name!r}, {counted(len(self), 'item')}, models: {models})"
        except LikewiseError:
            return f"Dataset({self.name!r}, not published)"

    def _repr_html_(self) -> str:
        try:
            return summary_html(self.table, self.name, self.card)
        except LikewiseError as error:
            return notebook.paragraph(str(error))

    @property
    def models(self) -> list[str]:
        """The models whose vectors the table holds."""
        return self.table.vector_columns

    @property
    def text_models(self) -> list[str]:
        """The models of ``models`` that have a text tower, for a search by text."""
        return text_models_of(self.table, self.name)

    def other_text_models(self) -> list[str]:
        """Return the models of the catalogue with a text tower that are not in ``models``."""
        return [name for name in made_text_models(self._ws) if name not in self.models]

    def vectors(self, model: str) -> "npt.NDArray[np.floating[Any]]":
        """Return the vectors (items, dimensions) of ``model`` as stored, in canonical order.

        Raises:
            MissingArtefactError: the vectors of that model are not published yet.
            UnknownNameError: params.yaml has no such model for the data set.
        """
        self.need_model(model)
        return self.table.vectors(model)

    def need_model(self, model: str) -> None:
        """Refuse a model without vectors in the table; see ``vectors``."""
        if model in self.models:
            self._need_vectors(model)
            return
        if model in self._ws.params.models_of(self.name):
            what = f"no vectors of {self.name!r} by {model!r} are published"
            raise MissingArtefactError(what, artefacts.published(self._ws, self.name).command)
        raise UnknownNameError("model", model, self.models, f"the vectors of {self.name}")

    @property
    def absent(self) -> list[str]:
        """Models whose vectors were not pulled yet."""
        return self.table.missing_vectors()

    def _need_vectors(self, model: str) -> None:
        """Fetch the vectors of ``model`` if they were not pulled."""
        if model not in self._present:
            output, table = self._ws.published(self.name), self.table
            fetch_vectors(self._ws, output, tables.open_table(self.published), model)
            link_new_files(self.published, table.path)
            self._present.add(model)

    @overload
    def images(self, ids: Sequence[str]) -> "list[Image.Image]": ...
    @overload
    def images(self, ids: Sequence[str], *, encoded: Literal[True]) -> list[bytes]: ...
    def images(
        self, ids: Sequence[str], *, encoded: bool = False
    ) -> "list[Image.Image] | list[bytes]":
        """Return the images of the items or images ``ids`` as RGB pictures or unchanged bytes.

        Raises:
            DataError: the data set does not have one of the ids.
        """
        reader = self.reader(ids)
        return reader.encoded(range(len(ids))) if encoded else reader.decoded()

    def images_at(self, positions: Sequence[int] | Int32Array) -> "list[Image.Image]":
        """Return the images of the items at ``positions`` as RGB pictures; see ``rows``."""
        return self._pictures.reader_at(check_positions(positions, len(self))).decoded()

    def reader(self, ids: Sequence[str]) -> ImageReader:
        """Return a picklable reader of the images, or boxes, of the items or images ``ids``.

        Raises:
            DataError: the data set does not have one of the ids.
            MissingArtefactError: the images are of another version.
        """
        return self._pictures.reader(ids)

    def torch(
        self, transform: "Callable[[Image.Image], Any] | str | None" = None
    ) -> LabelledImages:
        """Return a map-style data set of (``transform(image)``, class index) for data loaders.

        The attribute ``classes`` lists the labels; an item without a label has the index -1.
        ``transform`` is a function or the name of a transform in params.yaml.

        Raises:
            UnknownNameError: params.yaml has no such transform.
        """
        reader = self._pictures.reader_at(np.arange(len(self), dtype=np.int32))
        change = self.transform(transform) if isinstance(transform, str) else transform
        return LabelledImages(reader, self.table.read(["label"])["label"].to_list(), change)

    def transform(self, name: str) -> Chain:
        """Return the transform ``name`` of params.yaml.

        Raises:
            UnknownNameError: no such transform.
        """
        known = self._ws.params.transforms
        if name not in known:
            raise UnknownNameError("transform", name, known, "params.yaml")
        return Chain(known[name], f"params.yaml: transforms.{name}")

    def search(self, **options: Unpack[SearchOptions]) -> Hits:
        """Return the items nearest to a query; the options are those of ``likewise.search``.

        Raises:
            UnknownOptionError: no such option; the error lists similar ones.
        """
        return search_dataset(self, Query.from_options(options))

    def warm(
        self,
        columns: Sequence[str] = (),
        *,
        model: str | None = None,
        index: str = "exact",
        encoder: bool = False,
        text: bool = False,
    ) -> None:
        """Read what later calls need, for example in a background thread of a page.

        These are the positions of items by id and, on request, the codes of columns for
        ``browse``, and the vectors or index and the model for ``search``.

        Args:
            columns: columns that will be filters or facets.
            model: model whose vectors will be searched.
            index: index of params.yaml.
            encoder: load the model too, for queries by picture.
            text: load its text tower too, for queries by text.

        Raises:
            UnknownNameError: there is no such column, model or index.
            MissingArtefactError: the data set was not published, or the model is missing.
            DataError: ``text``, but the model has no text tower.
        """
        self._ids.warm()
        self._pages.warm(columns)
        if model is not None:
            self.searcher(model, index, fresh=False).warm(encoder=encoder, text=text)

    def searcher(self, model: str, index: str, *, fresh: bool = True) -> "Searcher":
        """Return the searcher over the vectors of ``model`` by ``index``; it is cached.

        If ``fresh`` is False, an index of earlier items may be completed by exact search.
        """
        key = (model, index, fresh)
        if key not in self._searchers:
            self.need_model(model)
            self._searchers[key] = Searcher.build(self, self._ws, model, index, fresh=fresh)
        return self._searchers[key]

    @cached_property
    def _pictures(self) -> ItemImages:
        images = self._ws.table(self.name, "images")
        return ItemImages(self._ws, self.name, self.table, self._ids, self._path(images))

    def _path(self, table: Path) -> Path:
        """Return the folder of the snapshot of ``table``."""
        if table not in self._snapshots:
            self._snapshots[table] = snapshot(self._ws, table)
        return self._snapshots[table]
