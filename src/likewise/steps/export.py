"""Export a data set, or some of its items, to a format of other programs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.export_selection import selection as chosen_for_export
from likewise.catalogue.licence_gate import check_licences
from likewise.errors import UnknownNameError
from likewise.exports import EXPORTS
from likewise.exports.base import Export, ExportFault, Selection
from likewise.exports.export_files import put
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
    """Result of an export.

    Attributes:
        dataset: name of the data set.
        format: name of the export, or kind of format.
        folder: the folder that was written.
        items: number of items in the export.
        images: number of images of these items.
        files: number of files in the folder.
        nbytes: their total size in bytes.
        left_out: (id, check, detail) of every item or image that was left out.
        notes: remarks, e.g. on licences.
    """

    dataset: str
    format: str
    folder: Path
    items: int
    images: int
    files: int = 0
    nbytes: int = 0
    left_out: list[ExportFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reasons(self) -> dict[str, int]:
        """Return check -> number of items or images that were left out."""
        return dict(sorted(Counter(check for _, check, _ in self.left_out).items()))


def export(  # noqa: PLR0913 (options of an export, keyword only)
    dataset: str,
    format: str,
    to: StrPath,
    *,
    where: str | None = None,
    selection: str | None = None,
    options: Mapping[str, Any] | None = None,
    rev: str | None = None,
    workspace: StrPath | None = None,
) -> Exported:
    """Export the published items of ``dataset`` to the new folder ``to``.

    In addition to the files of the format, the folder contains ``export.yaml`` (data set,
    options, licence, digests of the columns, number of items left out), ``licences.jsonl`` if
    items have their own licences, and ``left_out.jsonl`` if any were left out. The folder
    appears only when it is complete.

    Args:
        dataset: name of the data set.
        format: a name in ``exports`` of params.yaml, or a kind: coco, imagenet-npz ...
        to: a folder that does not exist, or is empty.
        where: an SQL condition on the items to export. Quote texts with single quotes.
        selection: name of a selection; only its items are exported.
        options: options of the format, and ``purpose``: research, sharing or commercial.
        rev: a git revision: export the data set of that revision.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set, format, transform or model.
        DataError: ``to`` is not empty, the licence forbids the purpose, the SQL is wrong, or
            the format cannot represent these items. In this case, no file of the export
            remains.

    Example:
        >>> exported = likewise.export("emoji", "folder", "houses", where="label = '0'")
        >>> exported.items
        5
        >>> sorted(path.name for path in exported.folder.iterdir())
        ['export.yaml', 'images']
    """
    ws = open_workspace(workspace, rev=rev, dataset=dataset)
    ws.dataset(dataset)
    entry = _entry(ws.params, format, options or {})
    place = f"params.yaml: exports.{format}" if format in ws.params.exports else ""
    part = EXPORTS.build(entry, place or f"export {format}")
    target = Path(to)
    atomic.need_new_folder(target)
    chosen = chosen_for_export(Dataset(ws, dataset), where, selection_name=selection)
    conditions = {"where": where, **({"selection": selection} if selection else {})}
    notes = check_licences(chosen, part.purpose, changed=part.changes_images)
    with atomic.new_folder(target) as folder:
        faults = part.write(chosen, folder)
        items, images = _held(chosen, faults)
        done = Exported(dataset, format, target, items, images, left_out=faults, notes=notes)
        about = _about(ws, chosen, part, entry, done, conditions)
        about_text = yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=96)
        put(folder / ABOUT, about_text.encode())
        if "licence" in chosen.items.columns:
            chosen.items.select("item_id", "image_id", "licence").write_ndjson(
                folder / LICENCES
            )
        if faults:
            rows = pl.DataFrame(faults, ("id", "check", "detail"), orient="row")
            rows.write_ndjson(folder / LEFT_OUT)
    sizes = [path.stat().st_size for path in target.rglob("*") if path.is_file()]
    return replace(done, files=len(sizes), nbytes=sum(sizes))


def _held(chosen: Selection, faults: list[ExportFault]) -> tuple[int, int]:
    """Return the numbers of items and of their images that are not among ``faults``."""
    gone = pl.Series([fault[0] for fault in faults], dtype=pl.String).implode()
    items = chosen.items.filter(
        ~(pl.col("item_id").is_in(gone) | pl.col("image_id").is_in(gone))
    )
    return len(items), items["image_id"].n_unique()


def _entry(params: Params, format_: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{kind, **options}`` of the export, with a transform's name resolved."""
    params.refuse_broken(format_, ("exports",))
    if format_ in params.exports:
        entry = {**params.exports[format_], **options}
    elif format_ in EXPORTS.kinds():
        entry = {"kind": format_, **options}
    else:
        known = [*params.exports, *EXPORTS.kinds()]
        raise UnknownNameError("export", format_, known, complete=True)
    name = entry.get("transform")
    if isinstance(name, str):
        if name not in params.transforms:
            params.refuse_broken(name, ("transforms",))
            raise UnknownNameError("transform", name, params.transforms, "params.yaml")
        entry["transform"] = params.transforms[name]
    return entry


def _about(
    ws: Workspace,
    chosen: Selection,
    part: Export,
    entry: Mapping[str, Any],
    done: Exported,
    conditions: Mapping[str, str | None],
) -> dict[str, Any]:
    """Return the contents of export.yaml, without time and without local paths."""
    path = ws.published_digests(chosen.dataset)
    digests = Digests.from_yaml(read_yaml(path), path.name).columns if path.is_file() else {}
    return {
        "dataset": chosen.dataset,
        "title": chosen.card.title,
        "licence": chosen.card.licence.model_dump(),
        "citation": chosen.card.citation,
        "faults": list(chosen.card.faults),
        "export": {"kind": entry["kind"], **part.model_dump(mode="json")},
        **conditions,
        "items": done.items,
        "images": done.images,
        "left_out": done.reasons(),
        "notes": done.notes,
        "columns": dict(digests),
    }
