"""Open a catalogue: its data sets as frames, vectors, images and search."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import polars as pl

from likewise import commits, tables, versions
from likewise.config import Card
from likewise.errors import (
    DataError,
    MissingArtefactError,
    UnknownNameError,
    bounded,
    hint,
)
from likewise.imaging.reader import ImageReader, LabelledImages
from likewise.imaging.transforms.chain import Chain
from likewise.steps.flagged import flagged, unflagged
from likewise.steps.searcher import Searcher, search_in
from likewise.steps.steady import steady, steady_pair
from likewise.workspace import Workspace

if TYPE_CHECKING:
    import lance
    import numpy as np
    import numpy.typing as npt
    from PIL import Image


def open_workspace(
    workspace: Path | None = None,
    *,
    rev: str | None = None,
    repo: str | None = None,
    dataset: str = "",
) -> Workspace:
    """The workspace around ``workspace`` (by default the current folder), whole.

    Args:
        workspace: a folder in the catalogue.
        rev: a git revision to read it at, instead of what is checked out.
        repo: the URL or folder of another catalogue's git repository, to be read instead.
        dataset: whose release ``rev`` may name by its number alone: 1.2.

    Raises:
        MissingArtefactError: there is none.
        UnknownNameError: no such revision; the nearest names.
        VersionError: ``repo`` cannot be cloned.
    """
    if repo is not None:
        return versions.at(versions.clone(repo, _caches(workspace)), rev or "HEAD", dataset)
    ws = Workspace.find(workspace)
    commits.recover(ws)
    return ws if rev is None else versions.at(ws, rev, dataset)


def _caches(workspace: Path | None) -> Path:
    """Where clones of others' repositories are kept: in the catalogue one stands in, if any."""
    try:
        return versions.scratch(Workspace.find(workspace))
    except MissingArtefactError:
        return versions.scratch(Workspace(Path.home()))


class Dataset:
    """One published data set of a catalogue, as it was when it was opened.

    It reads links to the tables' files, not the workspace, so a ``dvc checkout`` or a new
    version beside it changes nothing in what it returns.
    """

    def __init__(self, ws: Workspace, name: str) -> None:
        """Name the data set and hold on to its present tables; nothing is read yet."""
        self.name = name
        self._ws = ws
        self._searchers: dict[tuple[str, str, bool], Searcher] = {}
        versions.prune(ws)
        self._steady = steady_pair(ws, ws.published(name), ws.table(name, "images"))

    @property
    def card(self) -> Card:
        """What the data set is."""
        return self._ws.card(self.name)

    @cached_property
    def table(self) -> "lance.LanceDataset":
        """The published table.

        Raises:
            MissingArtefactError: it was not published yet.
        """
        path = self._path(self._ws.published(self.name))
        verb = "view" if self.name in self._ws.params.views else "publish"
        return tables.open_table(path, f"dvc repro {verb}@{self.name}")

    def frame(self, without: Collection[str] = ()) -> pl.LazyFrame:
        """The published table as a lazy frame: items, image facts, a vector column a model.

        ``without`` names flags of the last check: items that have one of them are left out.

        Raises:
            UnknownNameError: no such flag.
            MissingArtefactError: there are flags to leave out, and no check was made.
        """
        frame = pl.scan_lance(self.table).drop(self.absent)
        return unflagged(frame, flagged(self._ws, self.name, without)) if without else frame

    @cached_property
    def items(self) -> pl.DataFrame:
        """Every column but the vectors, a row an item, in canonical order."""
        return tables.read(self.table, tables.metadata_columns(self.table))

    @property
    def models(self) -> list[str]:
        """The models whose vectors the table holds."""
        return tables.vector_columns(self.table)

    def vectors(self, model: str) -> "npt.NDArray[np.floating[Any]]":
        """The vectors of ``model``: (items, dimensions), in canonical order, as stored.

        Raises:
            MissingArtefactError: params.yaml has that model, the published table not yet.
            UnknownNameError: no such model has embedded the data set.
        """
        self.need_model(model)
        return tables.read_vectors(self.table, model)

    def need_model(self, model: str) -> None:
        """Refuse a model whose vectors the table does not hold; see ``vectors``."""
        if model in self.models:
            self._need_vectors(model)
            return
        if model in self._ws.params.models_of(self.name):
            what = f"no vectors of {self.name!r} by {model!r} are published"
            raise MissingArtefactError(what, f"dvc repro publish@{self.name}")
        raise UnknownNameError("model", model, self.models, f"the vectors of {self.name}")

    @property
    def absent(self) -> list[str]:
        """Models whose vectors are not here yet, after a pull of other columns."""
        return tables.absent(self.table, self._path(self._ws.published(self.name)))

    def _need_vectors(self, model: str) -> None:
        """Fetch the vectors of ``model`` where they are not here."""
        output = self._ws.published(self.name)
        path = self._path(output)
        files = tables.files_of(self.table, [model])
        lacking = tuple(file for file in files if not (path / file).exists())
        if lacking:
            known = versions.files_of(self._ws, output)
            versions.complete(self._ws, output, [f for f in known if f.startswith(lacking)])

    @overload
    def images(self, ids: Sequence[str]) -> "list[Image.Image]": ...
    @overload
    def images(self, ids: Sequence[str], *, encoded: Literal[True]) -> list[bytes]: ...
    def images(
        self, ids: Sequence[str], *, encoded: bool = False
    ) -> "list[Image.Image] | list[bytes]":
        """The images of the items or images ``ids``: RGB pictures, or their bytes unchanged.

        Raises:
            DataError: an id that the data set does not have.
        """
        reader = self.reader(ids)
        data = reader.encoded(range(len(ids)))
        return data if encoded else list(map(reader.decode, range(len(ids)), data))

    def torch(
        self, transform: "Callable[[Image.Image], Any] | str | None" = None
    ) -> LabelledImages:
        """A map-style data set of (``transform(image)``, class index) that workers can open.

        ``classes`` lists the labels; an item without one has the index -1. A ``transform`` may
        be the name of one in params.yaml.

        Raises:
            UnknownNameError: params.yaml has no such transform.
        """
        reader = self.reader(self.items["item_id"].to_list())
        change = self.transform(transform) if isinstance(transform, str) else transform
        return LabelledImages(reader, self.items["label"].to_list(), change)

    def transform(self, name: str) -> Chain:
        """The transform ``name`` of params.yaml.

        Raises:
            UnknownNameError: there is none of that name.
        """
        known = self._ws.params.transforms
        if name not in known:
            raise UnknownNameError("transform", name, known, "params.yaml")
        return Chain(known[name], f"params.yaml: transforms.{name}")

    def search(self, **query: Any) -> pl.DataFrame:
        """The nearest items to a query; the arguments of ``likewise.search``, but the first."""
        return search_in(self, **query)

    def searcher(self, model: str, index: str, *, fresh: bool = True) -> "Searcher":
        """What answers queries to ``model``'s vectors by ``index``; built once, then kept.

        An index that is not ``fresh`` may be one of earlier items, completed by exact search.
        """
        key = (model, index, fresh)
        self.need_model(model)
        if key not in self._searchers:
            self._searchers[key] = Searcher.build(self, self._ws, model, index, fresh=fresh)
        return self._searchers[key]

    def _path(self, table: Path) -> Path:
        """Where the files of ``table`` stay as they are, the same at every call."""
        if table not in self._steady:
            self._steady[table] = steady(self._ws, table)
        return self._steady[table]

    @property
    def _images_path(self) -> Path:
        return self._path(self._ws.table(self.name, "images"))

    @cached_property
    def _row_of_image(self) -> dict[str, int]:
        images = tables.open_table(self._images_path, f"dvc repro ingest@{self.name}")
        names = tables.read(images, ["image_id"])["image_id"]
        return {name: row for row, name in enumerate(names)}

    def reader(self, ids: Sequence[str]) -> ImageReader:
        """What reads the images, or the boxes of them, that ``ids`` are; processes can take it.

        Raises:
            DataError: an id that the data set does not have.
        """
        places = {i: (image, box) for i, image, box in self._places.iter_rows()}
        wanted = [places.get(i, (i, None)) for i in ids]
        absent = [image for image, _ in wanted if image not in self._row_of_image]
        if absent and places.keys() >= set(ids):
            what = f"the images of {self.name} are of another version, without "
            raise MissingArtefactError(what + bounded(absent, len(absent)), "dvc checkout")
        if absent:
            what = f"{self.name} has no item {bounded(absent, len(absent))}"
            raise DataError(f"{what}; {hint(absent[0], places)}")
        rows = [self._row_of_image[image] for image, _ in wanted]
        self._need_pixels(rows)
        return ImageReader(self._images_path, rows, [box for _, box in wanted])

    def _need_pixels(self, rows: Sequence[int]) -> None:
        """Fetch the packs of pixels that hold ``rows`` of the images, where some are absent."""
        path = self._images_path
        images = tables.open_table(path, f"dvc repro ingest@{self.name}")
        packs = tables.packs(images, "image", rows)
        absent = [pack for pack in packs if not (path / pack).exists()]
        if absent:
            versions.complete(self._ws, self._ws.table(self.name, "images"), absent)

    @property
    def _places(self) -> pl.DataFrame:
        return self.items.select("item_id", "image_id", "box")


class Catalogue:
    """A catalogue: its data sets by name."""

    def __init__(self, ws: Workspace) -> None:
        """Stand on a workspace."""
        self._ws = ws

    def __getitem__(self, name: str) -> Dataset:
        """The data set ``name``.

        Raises:
            UnknownNameError: there is none of that name.
        """
        self._ws.known(name)
        return Dataset(self._ws, name)

    def __iter__(self) -> Iterator[str]:
        """The names of the data sets and views, sorted."""
        return iter(sorted([*self._ws.params.datasets, *self._ws.params.views]))

    def __len__(self) -> int:
        """How many data sets and views there are."""
        return len(self._ws.params.datasets) + len(self._ws.params.views)


@overload
def open_catalogue(
    name: None = None,
    *,
    rev: str | None = None,
    repo: str | None = None,
    workspace: Path | None = None,
) -> Catalogue: ...
@overload
def open_catalogue(
    name: str,
    *,
    rev: str | None = None,
    repo: str | None = None,
    workspace: Path | None = None,
) -> Dataset: ...
def open_catalogue(
    name: str | None = None,
    *,
    rev: str | None = None,
    repo: str | None = None,
    workspace: Path | None = None,
) -> Catalogue | Dataset:
    """The catalogue around ``workspace`` (by default the current folder), or a data set of it.

    Args:
        name: a data set; without it, all of them by name.
        rev: a git revision: a tag, a branch, ``HEAD~1`` ... Its cards, params and tables are
            opened beside the checked-out ones, without a copy; what this machine lacks comes
            from the DVC remote, and pixels only when images are asked for.
        repo: another catalogue's git repository, by URL or folder; its last commit where
            ``rev`` says no other.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.
        UnknownNameError: it has no data set ``name``, or git no revision ``rev``.
        VersionError: the repository cannot be cloned, or the remote not be read.
    """
    catalogue = Catalogue(open_workspace(workspace, rev=rev, repo=repo, dataset=name or ""))
    return catalogue if name is None else catalogue[name]
