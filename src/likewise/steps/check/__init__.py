"""Flag doubtful images and items of a data set; views can exclude them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.counting import frequencies
from likewise.catalogue.doubts import FLAG, without_judged
from likewise.errors import LikewiseError, UnknownNameError
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.pages.written import write_page
from likewise.sources import SOURCES
from likewise.steps.check.copy_flags import check_against, check_copies, check_splits
from likewise.steps.check.file_flags import BOUNDS, check_files
from likewise.steps.check.flag_rows import table
from likewise.steps.check.flags_page import SHOWN, flagged_pictures
from likewise.steps.check.label_flags import check_labels
from likewise.steps.check.vector_flags import check_vectors
from likewise.storage import artefacts, journal, tables, timings, versions
from likewise.storage.config import Check, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.schema import FLAGS
from likewise.storage.workspace import Workspace

_FACTS = ("image_id", "sha256", "nbytes", "width", "height")
_MEASURES = ("sha256", "brightness", "sharpness", "phash", "fault")


@dataclass(frozen=True)
class Checked:
    """Result of a check: number of images, and counts of every flag.

    Attributes:
        dataset: name of the data set.
        images: number of images.
        flagged: number of images with a flag of their own or on one of their items.
        flags: flag -> number of images or items with it, in descending order.
        leaks: other data set -> number of images that are also in it.
        unmeasured: other data sets that were not compared, because they have no measures yet.
        judged: number of flags that are not counted because they have a verdict.
        usual: flag of more than half of the images -> the option of ``checks`` with its bound,
            which probably does not suit the data set.
    """

    dataset: str
    images: int
    flagged: int
    ws: Workspace = field(repr=False, compare=False)
    flags: dict[str, int] = field(default_factory=dict)
    leaks: dict[str, int] = field(default_factory=dict)
    unmeasured: list[str] = field(default_factory=list)
    judged: int = 0
    usual: dict[str, str] = field(default_factory=dict)
    all_flags: bool = field(default=False, repr=False, compare=False)

    def to_html(self, path: StrPath, *, most: int = SHOWN) -> None:
        """Write a page with the pictures of the flagged items, each next to its near copy.

        The page is self-contained: it needs no other file and no network.

        Args:
            path: the file to write.
            most: maximum number of items per flag.

        Raises:
            MissingArtefactError: the images are not on this machine.
            DataError: the file cannot be written.
        """
        write_page(path, flagged_pictures(self.ws, self.dataset, most, judged=self.all_flags))

    def _repr_html_(self) -> str:
        title = f"{self.dataset}: {self.flagged:,} of {self.images:,} images are flagged"
        parts = [
            notebook.heading(title),
            notebook.table(("flag", "number"), self.flags.items()),
        ]
        if self.leaks:
            parts.append(notebook.table(("also in", "images"), self.leaks.items()))
        return "".join(parts)


def check(dataset: str, *, judged: bool = False, workspace: StrPath | None = None) -> Checked:
    """Flag the doubtful images of ``dataset`` by the bounds in params.yaml (``checks``).

    Of two copies in a data set the later one is flagged. An image of a test split is flagged
    if the training split has a copy of it, and any image if another checked data set has one.
    Other data sets without measures are left out, unless ``against`` names them. No image is
    deleted. If the flags are those of the last check, its files stay unchanged. The table has
    all flags; the result counts those that ``review`` did not judge.

    Args:
        dataset: a data set with an entry in ``checks`` of params.yaml.
        judged: also count flags that have a verdict, and show them on the page.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: ``checks`` of params.yaml has no such data set.
        MissingArtefactError: the data set, or one that ``against`` names, was not measured.

    Example:
        With ``checks: {emoji: {min_side: 100, min_bytes: 3000}}`` in params.yaml:

        >>> measured = likewise.measure("emoji")
        >>> checked = likewise.check("emoji")
        >>> checked.images, checked.flagged, checked.flags
        (23, 6, {'few_bytes': 6})
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    if dataset not in ws.params.checks:
        ws.params.refuse_broken(dataset, ("checks",))
        raise UnknownNameError("data set", dataset, ws.params.checks, "params.yaml: checks")
    clock = timings.Clock(ws, f"check-{dataset}")
    bounds = _bounds(ws, dataset)
    images = _images(ws, dataset)
    others = _others(ws, dataset, bounds)
    unmeasured = [] if bounds.against else [o for o in others if not _is_measured(ws, o)]
    compared = [other for other in others if other not in unmeasured]
    flagged = table(list(_flags(ws, dataset, images, bounds, compared)))
    with journal.exclusive_job(ws, f"check-{dataset}"):
        staging = journal.Staging(ws, f"check-{dataset}")
        digests = tables.write_frame(staging.path(ws.table(dataset, "flags")), FLAGS, flagged)
        if digests != _present_digests(ws, dataset):
            atomic.write_text(staging.path(ws.flag_digests(dataset)), digests.to_yaml())
            staging.commit()
        staging.discard()
    clock.record(len(images))
    return _summary(ws, dataset, len(images), flagged, unmeasured, judged=judged)


def _present_digests(ws: Workspace, dataset: str) -> Digests | None:
    """Return the digests of the flags in the checkout; None if they are missing or damaged.

    Another table of the same flags would have other files, which DVC takes for a change.
    """
    path, recorded = ws.table(dataset, "flags"), ws.flag_digests(dataset)
    try:
        digests = tables.open_table(path, "").digest(FLAGS)
        recorded_digests = Digests.from_yaml(read_yaml(recorded), recorded.name)
    except (LikewiseError, OSError, ValueError):
        return None
    return digests if digests == recorded_digests else None


def _bounds(ws: Workspace, dataset: str) -> Check:
    """Return the bounds of params.yaml; those not given there suit the kind of source."""
    given = ws.params.checks[dataset]
    kind = SOURCES.load(str(ws.card(dataset).source.get("kind")))
    return given.model_copy(
        update={k: v for k, v in kind.check_bounds.items() if k not in given.model_fields_set}
    )


def _flags(
    ws: Workspace,
    dataset: str,
    images: pl.DataFrame,
    bounds: Check,
    others: Sequence[str],
) -> Iterator[pl.DataFrame]:
    yield from check_files(images, bounds)
    yield from check_copies(images, bounds.near)
    yield from check_splits(images, bounds.near)
    for other in others:
        yield check_against(images, other, _hashes(ws, other), bounds.near)
    if bounds.model is not None:
        command = artefacts.embeddings(ws, dataset, bounds.model).command
        vectors = versions.locate(ws, ws.embeddings(dataset, bounds.model))
        entry = {"exact": {"kind": "exact"}, **ws.params.indexes}[bounds.index]
        items = _items(ws, dataset, "item_id", "image_id", "content")
        table = tables.open_table(vectors, command)
        keyed = items.with_columns(content=tables.vector_keys(table, items))
        yield from check_vectors(keyed, table, bounds, entry)
    if bounds.label_model is not None:
        vectors_made = artefacts.embeddings(ws, dataset, bounds.label_model)
        yield check_labels(
            _items(ws, dataset, "item_id", "image_id", "content", "label"),
            tables.open_table(versions.locate(ws, vectors_made.path), vectors_made.command),
            bounds.label_model,
            {"exact": {"kind": "exact"}, **ws.params.indexes}[bounds.index],
            ws.params.memory,
            vectors_made.command,
        )


def _images(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return facts, split and measures of every image, in canonical order."""
    command = artefacts.table(ws, dataset, "images").command
    images = tables.open_table(versions.locate(ws, ws.table(dataset, "images")), command)
    order = _items(ws, dataset, "image_id", "split").unique(
        "image_id", keep="first", maintain_order=True
    )
    facts = order.join(images.read(_FACTS), on="image_id", maintain_order="left")
    return facts.join(_measures(ws, dataset), on="sha256", maintain_order="left")


def _items(ws: Workspace, dataset: str, *columns: str) -> pl.DataFrame:
    command = artefacts.table(ws, dataset, "items").command
    path = versions.locate(ws, ws.table(dataset, "items"))
    return tables.open_table(path, command).read(columns)


def _measures(ws: Workspace, dataset: str) -> pl.DataFrame:
    command = artefacts.table(ws, dataset, "pixels").command
    path = versions.locate(ws, ws.table(dataset, "pixels"))
    return tables.open_table(path, command).read(_MEASURES)


def _others(ws: Workspace, dataset: str, bounds: Check) -> list[str]:
    """Return the data sets in which copies are searched, sorted.

    Raises:
        ConfigError: the check of a data set to compare is broken.
    """
    if bounds.against is None:
        for entry in ws.params.broken:
            ws.params.refuse_broken(entry.name, ("checks",))
    others = ws.params.checks if bounds.against is None else bounds.against
    return sorted(set(others) - {dataset})


def _is_measured(ws: Workspace, dataset: str) -> bool:
    return all(
        tables.exists(versions.locate(ws, ws.table(dataset, name)))
        for name in ("items", "pixels")
    )


def _hashes(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return image_id and phash of every distinct file of ``dataset``, in canonical order.

    The images table is not read: it may be large, or not be pulled.
    """
    items = _items(ws, dataset, "image_id", "content")
    files = items.select("image_id", sha256=pl.col("content").str.head(64))
    known = _measures(ws, dataset).select("sha256", "phash").drop_nulls()
    return files.unique("sha256", keep="first", maintain_order=True).join(
        known, on="sha256", maintain_order="left"
    )


def _summary(
    ws: Workspace,
    dataset: str,
    images: int,
    flagged: pl.DataFrame,
    unmeasured: list[str],
    *,
    judged: bool,
) -> Checked:
    """Count the flags; those with a verdict only if ``judged``."""
    number = 0
    if not judged:
        flagged, number = without_judged(ws, dataset, flagged, FLAG)
    counts = frequencies(flagged["flag"])
    return Checked(
        dataset,
        images,
        flagged["image_id"].n_unique(),
        ws,
        counts,
        frequencies(flagged["other_dataset"].drop_nulls()),
        unmeasured,
        number,
        {flag: BOUNDS[flag] for flag in counts if flag in BOUNDS and 2 * counts[flag] > images},
        judged,
    )
