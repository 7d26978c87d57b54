"""Write items, runs and a comparison as a folder of static pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from likewise.catalogue import takedowns
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.export_selection import selection as chosen_for_export
from likewise.catalogue.licence_gate import check_licences
from likewise.errors import DataError, bounded
from likewise.exports.base import Selection
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.formats.spreadsheet_text import mark_texts
from likewise.pages.rendering import render
from likewise.pages.written import write_page
from likewise.retrieval.selection_filter import with_selection
from likewise.steps.compare import compare as compare_runs
from likewise.steps.site.find_page import write_find_page
from likewise.steps.site.map_pages import check_maps, write_maps
from likewise.steps.site.number_pages import RunSummary, comparison_page, run_page, run_summary
from likewise.steps.site.site_items import PlacedItem, item_pages, labels_of, placed_items
from likewise.storage import tables
from likewise.storage.workspace import Workspace

MOST_ITEMS = 20_000
"""Largest number of items of a site; their pictures are about 250 MB."""

SIDE = 256
"""Maximum edge length of a picture in pixels."""

_COLUMNS = ("item_id", "image_id", "label", "text", "subset", "split", "role", "licence")


@dataclass(frozen=True)
class StaticSite:
    """The result of ``site``.

    Attributes:
        folder: the folder that was written; open ``index.html`` in it.
        dataset: name of the data set.
        items: number of items.
        without_picture: number of items whose picture is not on this machine or unreadable.
        files: number of files.
        nbytes: their total size in bytes.
        notes: remarks, for example on licences.
    """

    folder: Path
    dataset: str
    items: int
    without_picture: int
    files: int
    nbytes: int
    notes: list[str] = field(default_factory=list)


def site(  # noqa: PLR0913 (options of a site, keyword only)
    folder: StrPath,
    dataset: str,
    *,
    selection: str | None = None,
    where: str | None = None,
    runs: Sequence[str] = (),
    compare: Sequence[str] = (),
    maps: Sequence[str] = (),
    workspace: StrPath | None = None,
) -> StaticSite:
    """Write a read-only page of items, runs and a comparison into the new folder ``folder``.

    The folder needs no server and no network: open its ``index.html``, or put it on any web
    server. ``find.html`` filters the items by words and columns, by a script of the folder.
    Pictures are small, at most 256 pixels. The pages show the chosen items only, also among
    the queries of a comparison. The same catalogue gives the same bytes.

    Args:
        folder: a folder that does not exist, or is empty.
        dataset: name of the data set or view.
        selection: name of a selection; only its items are on the pages.
        where: an SQL condition that items must meet.
        runs: runs of the data set whose numbers are shown.
        compare: two runs that are compared query by query.
        maps: maps of the data set, on which the chosen items are drawn.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: a licence forbids sharing, an item was taken down, there are no items or
            more than 20,000, a run or map has another data set, or the folder is not empty.
        UnknownNameError: there is no such data set, selection, run or map.
        MissingArtefactError: the data set is not published, a run was not evaluated, or a map
            was not made.

    Example:
        >>> made = likewise.site("paper", "emoji", where="label = '0'", runs=["emoji-tiny"])
        >>> made.items, sorted(path.name for path in made.folder.iterdir())
        (5, ['find.html', 'find.js', 'index.html', 'items-0001.html', 'items.csv', 'items.js',
             'pictures', 'run-emoji-tiny.html'])
    """
    ws = open_workspace(workspace)
    ws.check_known(dataset)
    target = Path(folder)
    atomic.need_new_folder(target)
    _check_runs(ws, dataset, runs, compare)
    check_maps(ws, dataset, maps)
    opened = Dataset(ws, dataset)
    _check_number(opened, where, selection)
    chosen = chosen_for_export(opened, where, selection_name=selection, pixels=False)
    _check_takedowns(ws, dataset, chosen)
    notes = check_licences(chosen, "sharing", changed=True)
    with atomic.new_folder(target) as part:
        filters = {"selection": selection, "where": where}
        placed, absent = placed_items(opened, chosen.items, part / "pictures", SIDE)
        links = {
            "runs": _write_runs(ws, part, runs),
            "comparison": _write_comparison(ws, part, compare, placed),
            "maps": write_maps(ws, opened, chosen.items, part, maps),
        }
        write_find_page(part, chosen.card.title, chosen.items, placed)
        _write_items(opened, chosen, part, placed, {**filters, **links})
    sizes = [path.stat().st_size for path in target.rglob("*") if path.is_file()]
    if absent:
        notes.append(
            f"{counted(absent, 'item', 'has', 'have')} no picture here; run: likewise pull "
            f"{dataset}"
        )
    return StaticSite(target, dataset, len(chosen.items), absent, len(sizes), sum(sizes), notes)


def _check_runs(
    ws: Workspace, dataset: str, runs: Sequence[str], compare: Sequence[str]
) -> None:
    """Refuse runs of other data sets, and other than two runs to compare."""
    for option, names in (("runs", runs), ("compare", compare)):
        if isinstance(names, str):
            raise DataError(f"{option} is the text {names!r:.80}; give a list of runs")
    if len(compare) not in {0, 2}:
        raise DataError(f"{counted(len(compare), 'run', 'is', 'are')} compared; give two")
    for run in dict.fromkeys((*runs, *compare)):
        of = ws.run(run).dataset
        if ws.params.base(of) != ws.params.base(dataset):
            raise DataError(f"run {run!r} evaluates {of!r}, not {dataset!r}")


def _check_number(opened: Dataset, where: str | None, selection: str | None) -> None:
    """Refuse too many items before any of them is read."""
    number = len(opened)
    if with_selection(where, selection, opened.table) is not None:
        number = opened.browse(where=where, selection=selection, limit=0).total
    if number > MOST_ITEMS:
        raise DataError(
            f"{counted(number, 'item')}; a site has at most {MOST_ITEMS:,}; choose some with a "
            "selection or where"
        )


def _check_takedowns(ws: Workspace, dataset: str, chosen: Selection) -> None:
    """Refuse items that are recorded as taken down, but still published."""
    base = ws.params.base(dataset)
    record = takedowns.read(ws.forgotten(base))
    hashes = pl.Series(sorted(record.hashes), dtype=pl.String).implode()
    gone = chosen.items.filter(pl.col("content").str.head(64).is_in(hashes))["item_id"]
    if len(gone):
        raise DataError(
            f"{counted(len(gone), 'item', 'was', 'were')} taken down, but not yet removed: "
            f"{bounded(gone, len(gone))}; run: likewise forget {base}"
        )


def _write_runs(ws: Workspace, part: Path, runs: Sequence[str]) -> list[RunSummary]:
    """Write a page for each run, and return the lines of the overview."""
    for run in runs:
        write_page(part / f"run-{run}.html", run_page(ws, run))
    return [run_summary(ws, run) for run in runs]


def _write_comparison(
    ws: Workspace, part: Path, runs: Sequence[str], placed: Sequence[PlacedItem]
) -> dict[str, str] | None:
    """Write the page of the comparison of two runs; return its link, or None without runs."""
    if not runs:
        return None
    compared = compare_runs(*runs, workspace=ws.root)
    write_page(part / "comparison.html", comparison_page(compared, placed))
    return {"file": "comparison.html", "title": f"{runs[0]}, {runs[1]}"}


def _write_items(
    opened: Dataset,
    chosen: Selection,
    part: Path,
    placed: Sequence[PlacedItem],
    shown: Mapping[str, Any],
) -> None:
    """Write the overview, the pages of items and their table."""
    title, pages = chosen.card.title, item_pages(placed)
    files = [page.file for page in pages]
    for number, page in enumerate(pages, 1):
        text = render(
            "site_items.html", title=title, number=number, files=files, groups=page.groups
        )
        write_page(part / page.file, text)
    columns = [name for name in _COLUMNS if name in chosen.items.columns]
    table = mark_texts(chosen.items.select(columns).lazy()).collect().write_csv()
    write_page(part / "items.csv", table)
    index = render(
        "site_index.html",
        title=title,
        dataset=chosen.dataset,
        items=len(chosen.items),
        total=len(opened),
        facts=_facts(opened, chosen),
        labels=labels_of(pages),
        **shown,
    )
    write_page(part / "index.html", index)


def _facts(opened: Dataset, chosen: Selection) -> list[tuple[str, str]]:
    """Return what the card states, and the version of the table."""
    card = chosen.card
    version = tables.manifest_hash(opened.published)[:16]
    rows = [
        ("licence", f"{card.licence.spdx} {card.licence.terms}".strip()),
        ("citation", card.citation),
        ("homepage", card.homepage),
        *(("known fault", fault) for fault in card.faults),
        ("version", version),
    ]
    return [(name, value) for name, value in rows if value]
