"""Merge a branch: what people write by value, dvc.lock by stage, items by id."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from likewise.catalogue import corrections, stopped_merge
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.clean_checkout import need_clean
from likewise.catalogue.corrections import Conflict, Corrections, Key, Value
from likewise.catalogue.merge_driver import (
    DRIVER,
    Side,
    curated_format,
    describe_conflict,
    merge_curated,
    merge_texts,
    register_driver,
    write_attributes,
)
from likewise.errors import DataError, VersionError, bounded
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.storage import journal, tables, under_way, versions
from likewise.storage.workspace import Workspace

Clashes = dict[str, dict[Key, Conflict]]
"""Data set -> values changed on both sides."""


@dataclass(frozen=True)
class Merged:
    """The result of a merge.

    Attributes:
        commit: hash of the new commit; "" if there was nothing to merge.
        settled: number of values that both sides had changed.
        carried: number of values that only the other branch's source changed; they are
            corrections now.
        notes: differences that a merge cannot transfer, such as items that only one side has.
    """

    commit: str
    settled: int
    carried: int
    notes: list[str]


def merge(
    branch: str, *, prefer: Side | None = None, workspace: StrPath | None = None
) -> Merged:
    """Merge ``branch`` into the checkout with ``git merge`` and git's merge driver.

    Corrections, tags, verdicts and selections of both sides are kept. If both sides ingested
    their source again, the items of both are compared by id with those of the common ancestor;
    a value that only the other side changed becomes a correction here. Run ``likewise pull``
    for images and vectors, then ``dvc repro --allow-missing`` for everything that depends on
    both sides.

    Args:
        branch: a branch, tag or commit.
        prefer: side whose value is kept if both sides changed it, ``ours`` or ``theirs``;
            without it, such a conflict stops the merge.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: there are uncommitted changes or conflicts, which are listed; nothing is
            changed.
        UnknownNameError: there is no such branch.
        VersionError: git cannot merge.

    Example:
        The branch ``relabelled`` corrects the label of one drawing.

        >>> from pathlib import Path
        >>> likewise.merge("relabelled").settled
        0
        >>> print(Path("catalog/emoji/corrections.csv").read_text())
        item_id,column,value,was
        0_znoto.jpg,label,1000,0
        0_znoto.jpg,text,baby,house
    """
    ws = open_workspace(workspace)
    ws.check_params()
    other = versions.resolve(ws.root, branch)
    with journal.exclusive_job(ws, stopped_merge.JOB):
        stopped_merge.undo(ws)
        return _merge(ws, branch, other, prefer)


def _merge(ws: Workspace, branch: str, other: str, prefer: Side | None) -> Merged:
    ancestor = versions.run_git(ws.root, "merge-base", "HEAD", other).strip()
    if ancestor == other:
        return Merged("", 0, 0, [])
    need_clean(ws)
    head = versions.resolve(ws.root, "HEAD")
    if ancestor == head:
        under_way.begin(ws, stopped_merge.JOB, head=head, other=other, branch=branch)
        under_way.run_git(ws, stopped_merge.JOB, "merge", "--quiet", "--ff-only", other)
        under_way.end(ws, stopped_merge.JOB)
        return Merged(other, 0, 0, [])
    carried, clashes, notes = _items(ws, ancestor, other)
    _refuse(clashes if prefer is None else {})
    under_way.begin(ws, stopped_merge.JOB, head=head, other=other, branch=branch)
    settled = _git_merge(ws, other, prefer)
    for dataset, rows in carried.items():
        wins = {k: v for k, v in clashes.get(dataset, {}).items() if prefer == "theirs"}
        _carry(ws, dataset, {**rows, **{key: pair[1] for key, pair in wins.items()}})
    message = f"Merge {branch}"
    words = ("commit", "--quiet", "--no-verify", "--message", message)
    under_way.run_git(ws, stopped_merge.JOB, *words)
    commit = versions.resolve(ws.root, "HEAD")
    under_way.end(ws, stopped_merge.JOB)
    count = sum(map(len, carried.values()))
    return Merged(commit, settled + sum(map(len, clashes.values())), count, notes)


def _git_merge(ws: Workspace, other: str, prefer: Side | None) -> int:
    """Merge without a commit, and return the number of values that both sides had changed.

    Raises:
        DataError: there are conflicts, which are listed; the merge is undone.
    """
    register_driver(ws)
    option = f"--{prefer} " if prefer else ""
    driver = f"'{sys.executable}' -P -m likewise merge-file {option}{DRIVER.partition(' ')[2]}"
    settings = {
        "merge.likewise.driver": driver,
        "core.attributesFile": str(write_attributes(ws)),
    }
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    words = (*options, "merge", "--no-commit", "--no-ff", other)
    clashes, lines = _corrections_of_both(ws, other), _curated_of_both(ws, other)
    try:
        under_way.run_git(ws, stopped_merge.JOB, *words)
    except VersionError as error:
        unmerged = versions.run_git(ws.root, "diff", "--name-only", "--diff-filter=U").split()
        if not unmerged:
            raise
        under_way.run_git(ws, stopped_merge.JOB, "merge", "--abort")
        under_way.end(ws, stopped_merge.JOB)
        _refuse(clashes, lines)
        paths = bounded(unmerged, len(unmerged))
        raise DataError(
            f"both sides changed the same lines of {paths}; nothing was merged; merge these "
            "files by hand: git merge"
        ) from error
    return sum(map(len, clashes.values())) + len(lines)


def _curated_of_both(ws: Workspace, other: str) -> list[str]:
    """Return a line for each tag, verdict or item that both sides changed differently."""
    ancestor = versions.run_git(ws.root, "merge-base", "HEAD", other).strip()
    lines = []
    for dataset in ws.params.datasets:
        for file in ws.records(dataset):
            path = ws.relative(file)
            if form := curated_format(path):
                texts = [versions.text_at(ws.root, r, path) for r in (ancestor, "HEAD", other)]
                given = [text or "" for text in texts]
                conflicts = merge_curated(form, given, path, None)[1]
                lines += [f"{dataset}: {line}" for line in conflicts]
    return lines


def _corrections_of_both(ws: Workspace, other: str) -> Clashes:
    """Find the values that both sides corrected differently, per data set."""
    ancestor = versions.run_git(ws.root, "merge-base", "HEAD", other).strip()
    by_dataset = {}
    for dataset in ws.params.datasets:
        path = ws.relative(ws.corrections(dataset))
        texts = [versions.text_at(ws.root, rev, path) for rev in (ancestor, "HEAD", other)]
        conflicts = merge_texts([text or "" for text in texts], path)[1]
        if conflicts:
            by_dataset[dataset] = conflicts
    return by_dataset


def _items(
    ws: Workspace, ancestor: str, other: str
) -> tuple[dict[str, Corrections], Clashes, list[str]]:
    """Compare the items of data sets whose source both sides ingested again.

    Returns:
        Per data set, the values that only the other side changed, and those that both changed;
        and notes on items that only the other side has or lacks.
    """
    carried: dict[str, Corrections] = {}
    clashes: Clashes = {}
    notes: list[str] = []
    for dataset in ws.params.datasets:
        path = ws.relative(ws.digests(dataset, "items"))
        texts = [versions.text_at(ws.root, rev, path) for rev in (ancestor, "HEAD", other)]
        if None in texts or len(set(texts)) < 3:
            continue
        sides = [
            _read(versions.workspace_at(ws, rev), dataset) for rev in (ancestor, "HEAD", other)
        ]
        rows, both = _three_ways(*sides)
        carried[dataset] = rows
        if both:
            clashes[dataset] = both
        notes += _membership(dataset, *sides)
    return carried, clashes, notes


def _read(ws: Workspace, dataset: str) -> pl.DataFrame:
    path = versions.locate(ws, ws.table(dataset, "items"))
    table = tables.open_table(path, "likewise pull")
    columns = [n for n in table.metadata_columns if n not in corrections.FIXED[1:]]
    return table.read(columns).with_columns(pl.exclude("item_id").cast(pl.String))


def _three_ways(
    base: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame
) -> tuple[Corrections, dict[Key, Conflict]]:
    """Compare the common items: values that only the other branch changed, and conflicts."""
    carried: Corrections = {}
    clashes: dict[Key, Conflict] = {}
    shared = [n for n in base.columns if n in ours.columns and n in theirs.columns][1:]
    joined = base.join(ours, on="item_id", suffix=" ours").join(
        theirs, on="item_id", suffix=" theirs"
    )
    for column in shared:
        was, mine, other = pl.col(column), pl.col(f"{column} ours"), pl.col(f"{column} theirs")
        rows = joined.filter(other.ne_missing(was) & other.ne_missing(mine))
        for item, before, here, value in rows.select("item_id", was, mine, other).iter_rows():
            if before == here:
                carried[Key(item, column)] = Value(value, here)
            else:
                clashes[Key(item, column)] = (Value(here, before), Value(value, here))
    return carried, clashes


def _membership(
    dataset: str, base: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame
) -> list[str]:
    kinds = {
        "item": [set(side["item_id"]) for side in (base, ours, theirs)],
        "column": [set(side.columns) for side in (base, ours, theirs)],
    }
    notes = []
    for noun, (before, here, other) in kinds.items():
        for what, names in (
            ("has", other - before - here),
            ("no longer has", (before & here) - other),
        ):
            if names:
                examples = bounded(sorted(names), len(names), 3)
                notes.append(
                    f"{dataset}: only the other side's source {what} "
                    f"{counted(len(names), noun)} ({examples}); ingest from a source that "
                    "both agree on"
                )
    return notes


def _carry(ws: Workspace, dataset: str, rows: Mapping[Key, Value | None]) -> None:
    path = ws.corrections(dataset)
    known = corrections.read(path)
    added = {key: value for key, value in rows.items() if value and key not in known}
    if added:
        corrections.write(path, {**known, **added})
        under_way.run_git(ws, stopped_merge.JOB, "add", "--", ws.relative(path))


def _refuse(clashes: Clashes, others: Sequence[str] = ()) -> None:
    lines = [
        f"{dataset}: {describe_conflict(key, pair)}"
        for dataset, conflicts in clashes.items()
        for key, pair in conflicts.items()
    ]
    lines += others
    if lines:
        listed = "; ".join(lines[:10]) + (f" and {len(lines) - 10:,} more" * (len(lines) > 10))
        raise DataError(
            f"{counted(len(lines), 'value')} changed on both sides: {listed}; nothing was "
            "merged; choose a side: --ours or --theirs"
        )
