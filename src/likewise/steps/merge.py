"""Merge another branch: corrections value by value, dvc.lock stage by stage, items by id."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from likewise.catalogue import corrections
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.clean_checkout import need_clean
from likewise.catalogue.corrections import Clash, Corrections, Key, Value
from likewise.catalogue.merge_driver import DRIVER, Side, clash_line, merge_texts, register
from likewise.errors import DataError, VersionError, bounded
from likewise.formats.paths import StrPath
from likewise.storage import tables, versions
from likewise.storage.workspace import Workspace

Clashes = dict[str, dict[Key, Clash]]
"""Data set -> the values that both sides changed."""


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    ``commit`` is the new one ("" where there was nothing to merge), ``settled`` counts values
    that both sides had changed, and ``carried`` those that the other branch's source says
    otherwise, which are corrections now. ``notes`` say what no merge can bring.
    """

    commit: str
    settled: int
    carried: int
    notes: list[str]


def merge(
    branch: str, *, prefer: Side | None = None, workspace: StrPath | None = None
) -> Merged:
    """Merge ``branch`` into what is checked out, as ``git merge`` with git's merge driver.

    Corrections of both sides are kept. Where both re-read their source, items of both are
    compared by id with those of the common ancestor, and what only the other side relabelled
    becomes a correction here. Images and vectors follow by content: ``likewise pull``, then
    ``dvc repro --allow-missing`` make again what hangs on both sides.

    Args:
        branch: a branch, tag or commit.
        prefer: whose value is taken where both changed one; without it nothing is merged then.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: uncommitted changes, or conflicts, which are listed; nothing is changed.
        UnknownNameError: there is no such branch.
        VersionError: git cannot merge.
    """
    ws = open_workspace(workspace)
    other = versions.resolve(ws.root, branch)
    ancestor = versions.run_git(ws.root, "merge-base", "HEAD", other).strip()
    if ancestor == other:
        return Merged("", 0, 0, [])
    need_clean(ws)
    if ancestor == versions.resolve(ws.root, "HEAD"):
        versions.run_git(ws.root, "merge", "--quiet", "--ff-only", other)
        return Merged(other, 0, 0, [])
    carried, clashes, notes = _items(ws, ancestor, other)
    _refuse(clashes if prefer is None else {})
    settled = _git_merge(ws, other, prefer)
    for dataset, rows in carried.items():
        wins = {k: v for k, v in clashes.get(dataset, {}).items() if prefer == "theirs"}
        _carry(ws, dataset, {**rows, **{key: pair[1] for key, pair in wins.items()}})
    message = f"Merge {branch}"
    versions.run_git(ws.root, "commit", "--quiet", "--no-verify", "--message", message)
    commit = versions.resolve(ws.root, "HEAD")
    count = sum(map(len, carried.values()))
    return Merged(commit, settled + sum(map(len, clashes.values())), count, notes)


def _git_merge(ws: Workspace, other: str, prefer: Side | None) -> int:
    """Merge without a commit; how many values both sides had changed.

    Raises:
        DataError: conflicts, which are listed; the merge is taken back.
    """
    register(ws)
    option = f"--{prefer} " if prefer else ""
    driver = f"'{sys.executable}' -m likewise merge-file {option}{DRIVER.partition(' ')[2]}"
    words = ("-c", f"merge.likewise.driver={driver}", "merge", "--no-commit", "--no-ff", other)
    clashes = _corrections_of_both(ws, other)
    try:
        versions.run_git(ws.root, *words)
    except VersionError as error:
        unmerged = versions.run_git(ws.root, "diff", "--name-only", "--diff-filter=U").split()
        if not unmerged:
            raise
        versions.run_git(ws.root, "merge", "--abort")
        _refuse(clashes)
        named = bounded(unmerged, len(unmerged))
        raise DataError(
            f"both sides changed the same lines of {named}; nothing was merged; "
            "merge those by hand: git merge"
        ) from error
    return sum(map(len, clashes.values()))


def _corrections_of_both(ws: Workspace, other: str) -> Clashes:
    """Data set -> the values that both sides corrected differently."""
    ancestor = versions.run_git(ws.root, "merge-base", "HEAD", other).strip()
    found = {}
    for dataset in ws.params.datasets:
        path = ws.relative(ws.corrections(dataset))
        texts = [versions.text_at(ws.root, rev, path) for rev in (ancestor, "HEAD", other)]
        conflicts = merge_texts([text or "" for text in texts], path)[1]
        if conflicts:
            found[dataset] = conflicts
    return found


def _items(
    ws: Workspace, ancestor: str, other: str
) -> tuple[dict[str, Corrections], Clashes, list[str]]:
    """Of data sets whose source both sides read again: what theirs says otherwise.

    Returns, by data set, what only they changed and what both did; and notes on items that
    only they have or lack.
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
) -> tuple[Corrections, dict[Key, Clash]]:
    """What only theirs changed, and what both did differently, of the items of all three."""
    carried: Corrections = {}
    clashes: dict[Key, Clash] = {}
    shared = [n for n in base.columns if n in ours.columns and n in theirs.columns][1:]
    joined = base.join(ours, on="item_id", suffix=" ours").join(
        theirs, on="item_id", suffix=" theirs"
    )
    for column in shared:
        was, mine, other = pl.col(column), pl.col(f"{column} ours"), pl.col(f"{column} theirs")
        rows = joined.filter(other.ne_missing(was) & other.ne_missing(mine))
        for item, before, here, there in rows.select("item_id", was, mine, other).iter_rows():
            if before == here:
                carried[Key(item, column)] = Value(there, here)
            else:
                clashes[Key(item, column)] = (Value(here, before), Value(there, here))
    return carried, clashes


def _membership(
    dataset: str, base: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame
) -> list[str]:
    kinds = {
        "items": [set(side["item_id"]) for side in (base, ours, theirs)],
        "columns": [set(side.columns) for side in (base, ours, theirs)],
    }
    said = []
    for noun, (before, here, there) in kinds.items():
        for what, names in (
            ("has", there - before - here),
            ("no more has", (before & here) - there),
        ):
            if names:
                named = bounded(sorted(names), len(names), 3)
                said.append(
                    f"{dataset}: only the other side's source {what} {len(names):,} {noun} "
                    f"({named}); ingest from a source that both agree on"
                )
    return said


def _carry(ws: Workspace, dataset: str, rows: Mapping[Key, Value | None]) -> None:
    path = ws.corrections(dataset)
    known = corrections.read(path)
    added = {key: value for key, value in rows.items() if value and key not in known}
    if added:
        corrections.write(path, {**known, **added})
        versions.run_git(ws.root, "add", "--", ws.relative(path))


def _refuse(clashes: Clashes) -> None:
    lines = [
        f"{dataset}: {clash_line(key, pair)}"
        for dataset, conflicts in clashes.items()
        for key, pair in conflicts.items()
    ]
    if lines:
        listed = "; ".join(lines[:10]) + (f" and {len(lines) - 10:,} more" * (len(lines) > 10))
        raise DataError(
            f"{len(lines):,} values are changed on both sides: {listed}; nothing was merged; "
            "choose a side: --ours or --theirs"
        )
