"""Write a data set, or items of it, as a format that other programs read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.export_selection import selection
from likewise.errors import DataError, UnknownNameError
from likewise.exports import EXPORTS
from likewise.exports.base import Export, Fault, Selection
from likewise.exports.export_files import put
from likewise.exports.licences import licence_counts, licence_verdict
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.storage.config import Params, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

ABOUT = "export.yaml"
LICENCES = "licences.jsonl"
LEFT_OUT = "left_out.jsonl"


@dataclass(frozen=True)
class Exported:
    """What an export wrote, and what it left out: (id, check, detail) each.

    ``items`` and the ``images`` that they are in are those that are in it; ``files`` and
    ``nbytes`` count what lies in the folder.
    """

    dataset: str
    format: str
    folder: Path
    items: int
    images: int
    files: int = 0
    nbytes: int = 0
    left_out: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reasons(self) -> dict[str, int]:
        """How many were left out, by check."""
        return dict(sorted(Counter(check for _, check, _ in self.left_out).items()))


def export(  # noqa: PLR0913 (what to export, by keyword)
    dataset: str,
    format: str,
    to: StrPath,
    *,
    where: str | None = None,
    options: Mapping[str, Any] | None = None,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Exported:
    """Write the published items of ``dataset`` into the new folder ``to``, whole or not at all.

    Beside the format's own files stand ``export.yaml`` (what was exported, with which options,
    under which licence, digests of the columns, how much was left out), where items have
    licences of their own, ``licences.jsonl``, and, where any were left out, ``left_out.jsonl``.

    Args:
        dataset: its name.
        format: a name of params.yaml's ``exports``, or a kind: coco, imagenet-npz ...
        to: a folder that is not there yet, or is empty.
        where: SQL; only the items for which it holds. Texts stand in single quotes.
        options: the format's options, and ``purpose``: research, sharing or commercial.
        rev: a git revision, to export the data set as it was then.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set, format, transform or model.
        DataError: ``to`` holds something, the licence forbids it, the SQL is wrong, or the
            format cannot hold these items. Nothing is left of the export then.
    """
    ws = open_workspace(workspace, rev=rev, dataset=dataset)
    ws.dataset(dataset)
    entry = _entry(ws.params, format, options or {})
    part = EXPORTS.build(entry, f"export {format}")
    chosen = selection(Dataset(ws, dataset), where)
    notes = _gate(chosen, part)
    target = Path(to)
    with atomic.new_folder(target) as folder:
        faults = part.write(chosen, folder)
        items, images = _held(chosen, faults)
        done = Exported(dataset, format, target, items, images, left_out=faults, notes=notes)
        about = _about(ws, chosen, part, entry, done, where)
        told = yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=96)
        put(folder / ABOUT, told.encode())
        if "licence" in chosen.items.columns:
            chosen.items.select("item_id", "image_id", "licence").write_ndjson(
                folder / LICENCES
            )
        if faults:
            rows = pl.DataFrame(faults, ("id", "check", "detail"), orient="row")
            rows.write_ndjson(folder / LEFT_OUT)
    sizes = [path.stat().st_size for path in target.rglob("*") if path.is_file()]
    return replace(done, files=len(sizes), nbytes=sum(sizes))


def _held(chosen: Selection, faults: list[Fault]) -> tuple[int, int]:
    """How many of the items, and how many images of theirs, are not among ``faults``."""
    gone = pl.Series([fault[0] for fault in faults], dtype=pl.String).implode()
    items = chosen.items.filter(
        ~(pl.col("item_id").is_in(gone) | pl.col("image_id").is_in(gone))
    )
    return len(items), items["image_id"].n_unique()


def _entry(params: Params, format_: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """``{kind, **options}`` of what is asked for; a transform's name becomes its steps."""
    if format_ in params.exports:
        entry = {**params.exports[format_], **options}
    elif format_ in EXPORTS.kinds():
        entry = {"kind": format_, **options}
    else:
        raise UnknownNameError("export", format_, [*params.exports, *EXPORTS.kinds()])
    name = entry.get("transform")
    if isinstance(name, str):
        if name not in params.transforms:
            raise UnknownNameError("transform", name, params.transforms, "params.yaml")
        entry["transform"] = params.transforms[name]
    return entry


def _gate(chosen: Selection, part: Export) -> list[str]:
    """What is to be said of the licences.

    Raises:
        DataError: one of them forbids the purpose; the clause.
    """
    counts: Counter[str | None] = Counter({None: len(chosen.items)})
    if "licence" in chosen.items.columns:
        counts = Counter(chosen.items["licence"].to_list())
    notes = []
    for licence, number in licence_counts(counts, chosen.card.licence):
        found = licence_verdict(licence, part.purpose, changed=part.changes_images)
        which = f"{number:,} items of {chosen.dataset} are under {licence.spdx}"
        if found.clause:
            raise DataError(
                f"{which}, which forbids an export for the purpose {part.purpose}: "
                f"{found.clause}; choose other items by where, or ask whoever holds the rights"
            )
        if found.unknown:
            notes.append(
                f"{which}: nothing is known here of what {found.unknown} allows; read its terms"
                + (f": {licence.terms}" if licence.terms else "")
            )
    return notes


def _about(
    ws: Workspace,
    chosen: Selection,
    part: Export,
    entry: Mapping[str, Any],
    done: Exported,
    where: str | None,
) -> dict[str, Any]:
    """What stands in export.yaml: no clock, no path of this machine."""
    path = ws.published_digests(chosen.dataset)
    digests = Digests.from_yaml(read_yaml(path), path.name).columns if path.is_file() else {}
    return {
        "dataset": chosen.dataset,
        "title": chosen.card.title,
        "licence": chosen.card.licence.model_dump(),
        "citation": chosen.card.citation,
        "faults": list(chosen.card.faults),
        "export": {"kind": entry["kind"], **part.model_dump(mode="json")},
        "where": where,
        "items": done.items,
        "images": done.images,
        "left_out": done.reasons(),
        "notes": done.notes,
        "columns": dict(digests),
    }
