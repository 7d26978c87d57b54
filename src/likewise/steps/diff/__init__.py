"""Compare two versions of a data set, reading only columns whose digests differ."""

from collections.abc import Iterator
from contextlib import suppress

import polars as pl

from likewise.catalogue import run_results
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.errors import (
    DataError,
    MissingArtefactError,
    UnknownNameError,
    VersionError,
)
from likewise.formats.paths import StrPath
from likewise.steps.diff.curated_rows import counts, curated_changes
from likewise.steps.diff.difference import Difference
from likewise.steps.diff.drift import drift
from likewise.steps.diff.metric_change import MetricChange
from likewise.storage import artefacts, versions
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

KINDS = {
    "label": "relabelled",
    "text": "relabelled",
    "split": "moved",
    "subset": "moved",
    "role": "moved",
    "box": "box",
    "sha256": "image",
}
"""Column -> kind of its changes; the kind for any other column is ``changed``."""

_FOLLOWING = (
    "image_id",
    "content",
    "width",
    "height",
    "format",
    "mode",
    "orientation",
    "nbytes",
)
"""Columns that follow from an item's id, box or image."""

CHANGES = {
    "change": pl.String,
    "item_id": pl.String,
    "column": pl.String,
    "was": pl.String,
    "now": pl.String,
    "iou": pl.Float64,
}


def diff(
    dataset: str, old: str, new: str | None = None, *, workspace: StrPath | None = None
) -> Difference:
    """Compare ``dataset`` at the git revision ``old`` with ``new``.

    Columns with equal digests are not read. An item with a new id but the same pixels and box
    counts as renamed, not as removed and added: in many layouts a label is corrected by
    moving a file. Vectors of a model are compared only if its passport differs; the same
    model gives the same vector for the same pixels.

    Args:
        dataset: name of the data set.
        old: a git revision: a tag, a branch, ``HEAD~1`` ...
        new: another revision; by default the workspace.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set or revision.
        MissingArtefactError: the data set is not published in one of the revisions.

    Example:
        >>> likewise.diff("emoji", "v1", "v2")
        Difference(emoji: v1 → v2; 24 items → 23 items;
                   1 removed, 1 renamed, 1 relabelled, 1 moved)
    """
    _refuse_revision(open_workspace(workspace), dataset, old)
    sides = [open_workspace(workspace, rev=rev, dataset=dataset) for rev in (old, new)]
    digests = [_digests(ws, dataset, rev) for ws, rev in zip(sides, (old, new), strict=True)]
    columns = _columns(*digests)
    before, after = (Dataset(ws, dataset) for ws in sides)
    vectors = [name for name in columns if name in before.models and name in after.models]
    curated = curated_changes(sides[0], sides[1], dataset)
    return Difference(
        dataset,
        old,
        new or "workspace",
        (digests[0].rows, digests[1].rows),
        columns,
        _changes(before, after, columns),
        [drifted for name in vectors if (drifted := drift(before, after, name))],
        list(_metrics(sides[0], sides[1], dataset)),
        (before, after),
        counts(curated),
        curated,
    )


def _refuse_revision(ws: Workspace, dataset: str, old: str) -> None:
    """Refuse a revision as the name of the data set, as in `likewise diff v1 v2`."""
    known = ws.params.datasets
    if dataset in known:
        return
    with suppress(UnknownNameError, VersionError):
        versions.resolve(ws.root, dataset)
        name = next(iter(known), "DATASET")
        raise DataError(
            f"{dataset!r} is a revision; write the data set before it: "
            f"likewise diff {name} {dataset} {old}"
        )


def _digests(ws: Workspace, dataset: str, rev: str | None) -> Digests:
    ws.dataset(dataset)
    path = ws.published_digests(dataset)
    if not path.is_file():
        what = f"{dataset!r} is not published in {rev or 'the workspace'}"
        raise MissingArtefactError(what, artefacts.published(ws, dataset).command)
    return Digests.from_yaml(read_yaml(path), path.name)


def _columns(old: Digests, new: Digests) -> dict[str, str]:
    changes = {name: "changed" for name in new.columns if name in old.columns}
    changes |= {name: "added" for name in new.columns if name not in old.columns}
    changes |= {name: "removed" for name in old.columns if name not in new.columns}
    return {n: how for n, how in changes.items() if old.columns.get(n) != new.columns.get(n)}


def _changes(before: Dataset, after: Dataset, columns: dict[str, str]) -> pl.DataFrame:
    differing = [name for name, how in columns.items() if how == "changed"]
    plain = [n for n in differing if n not in (*before.models, *after.models, *_FOLLOWING)]
    read = sorted({"item_id", "content", *plain})
    if not plain:
        return pl.DataFrame(schema=CHANGES)
    old, new = (side.table.read(read).with_row_index(":row") for side in (before, after))
    gone, come = (
        old.join(new, on="item_id", how="anti"),
        new.join(old, on="item_id", how="anti"),
    )
    pairs = old.join(new, on="item_id", suffix=" now").with_columns(
        pl.col("item_id").alias("item_id now")
    )
    renamed = (
        _once(gone)
        .join(_once(come), on="content", suffix=" now")
        .with_columns(pl.col("content").alias("content now"))
    )
    removed = gone.join(renamed, on="item_id", how="anti")
    added = come.join(renamed, left_on="item_id", right_on="item_id now", how="anti")
    both = pl.concat([pairs, renamed.select(pairs.columns)]).sort(":row now")
    parts = [_alone(removed, "removed"), _alone(added, "added")]
    parts += [_changed(both, name) for name in ("item_id", *plain) if name in read]
    return pl.concat(parts)


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose content is unique among them."""
    return rows.filter(pl.col("content").is_unique())


def _alone(rows: pl.DataFrame, change: str) -> pl.DataFrame:
    label = pl.col("label") if "label" in rows.columns else pl.lit(None, pl.String)
    values = {"was": label, "now": pl.lit(None, pl.String)}
    if change == "added":
        values = {"was": values["now"], "now": values["was"]}
    return rows.select(
        pl.lit(change).alias("change"),
        "item_id",
        pl.lit(None, pl.String).alias("column"),
        *(value.alias(name) for name, value in values.items()),
        pl.lit(None, pl.Float64).alias("iou"),
    )


def _changed(both: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows of ``both`` in which the column ``name`` differs."""
    was, now = pl.col(name), pl.col(f"{name} now")
    if isinstance(both.schema[name], pl.Array):
        was, now = was.arr.to_list(), now.arr.to_list()
    rows = both.filter(was.ne_missing(now))
    overlap = pl.lit(None, pl.Float64)
    if name == "box" and len(rows):
        overlap = pl.lit(pl.Series(list(_overlaps(rows)), dtype=pl.Float64))
    return rows.select(
        pl.lit("renamed" if name == "item_id" else KINDS.get(name, "changed")).alias("change"),
        pl.col("item_id now").alias("item_id"),
        pl.lit(name).alias("column"),
        _text(was, both.schema[name]).alias("was"),
        _text(now, both.schema[name]).alias("now"),
        overlap.alias("iou"),
    )


def _text(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Array):
        return "[" + value.cast(pl.List(pl.String)).list.join(", ") + "]"
    return value.cast(pl.String)


def _overlaps(rows: pl.DataFrame) -> Iterator[float | None]:
    """Yield the intersection over union of each row's boxes; None if one has no box."""
    for was, now in rows.select("box", "box now").iter_rows():
        if was is None or now is None:
            yield None
            continue
        width = min(was[2], now[2]) - max(was[0], now[0])
        height = min(was[3], now[3]) - max(was[1], now[1])
        shared = max(width, 0.0) * max(height, 0.0)
        areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (was, now))
        yield shared / (areas - shared)


def _metrics(old: Workspace, new: Workspace, dataset: str) -> Iterator[MetricChange]:
    """Yield the metrics that differ, of every run of the data set."""
    runs = {**old.params.runs, **new.params.runs}
    for run in [name for name, entry in runs.items() if entry.dataset == dataset]:
        before, after = (run_results.read_metrics(ws, run) or {} for ws in (old, new))
        for metric in dict.fromkeys((*before, *after)):
            if before.get(metric) != after.get(metric):
                yield MetricChange(run, metric, before.get(metric), after.get(metric))
