"""Rewrite the present tables of a data set without the forgotten items."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl

from likewise.catalogue import corrections, takedowns
from likewise.catalogue.embedding_roles import roles_digest
from likewise.catalogue.takedowns import Record
from likewise.errors import DataError, LikewiseError, MissingArtefactError
from likewise.formats import atomic
from likewise.formats.json_documents import parse_json
from likewise.imaging.file_stamps import read_stamps, write_stamps
from likewise.steps.forget.curated import records_without
from likewise.steps.forget.removal_plan import Plan
from likewise.steps.publish import publish
from likewise.steps.view import view
from likewise.storage import artefacts, journal, tables, versions
from likewise.storage.artefacts import TableArtefact
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import digest_splits
from likewise.storage.schema import (
    EMBEDDINGS,
    ITEMS,
    Column,
    Contract,
)
from likewise.storage.tables import Table
from likewise.storage.workspace import Workspace


class Removal:
    """Rewrite the present version of ``dataset`` without the items of ``record``."""

    def __init__(
        self, ws: Workspace, dataset: str, record: Record, staging: journal.Staging
    ) -> None:
        """Create a temporary catalogue in the staging folder, with the new record."""
        self._ws, self._dataset, self._record, self._staging = ws, dataset, record, staging
        self._new = Workspace(staging.folder / "new")
        self._roles = ("", "")
        self._placed: set[Path] = set()
        self._lost: set[Path] = set()
        with atomic.writing(self._new.root):
            self._new.catalog.mkdir(parents=True)
            shutil.copy(ws.params_file, self._new.params_file)
        self._write(Workspace.forgotten, takedowns.text(record))
        kept = corrections.read(ws.corrections(dataset))
        others = {k: value for k, value in kept.items() if k.item_id not in record.items}
        self._write(Workspace.corrections, corrections.text(others))
        if ws.selections(dataset).is_dir():  # a view may be made of a selection
            shutil.copytree(ws.selections(dataset), self._in_new(ws.selections(dataset)))
        for path, text in records_without(ws, dataset, record):
            self._staging.take(self._new_text(path, text), path)

    def tables(self) -> bool:
        """Rewrite all tables that contain forgotten items; return True if there are any."""
        self._images()
        self._items()
        self._findings()
        for model in self._models():
            self._vectors(model)
            self._vector_findings(model)
        self._pixels()
        for name, entry in self._ws.params.maps.items():
            if entry.dataset == self._dataset:
                self._by_content(artefacts.map_table(self._ws, name))
        self._by_content(self._table("thumbs"))
        for dataset in self._ws.params.checks:
            self._flags(dataset)
        self._stamps()
        self._published()
        return bool(self._placed)

    def plan(self) -> Plan:
        """Return the stages that were rewritten, and those that have to run."""
        runs = [
            (name, run)
            for name, run in self._ws.params.runs.items()
            if self._ws.params.base(run.dataset) == self._dataset
        ]
        made_by = [str(artefacts.results(self._ws, name).stage) for name, _ in runs]
        results = set(made_by) if self._placed else set()
        files = [
            self._ws.relative(path)
            for name, _ in runs
            if results
            for path in sorted(self._ws.reports.glob(f"{name}.*"))
        ]
        every = artefacts.stages(self._ws)
        lost = {str(stage) for stage, outs in every.items() if set(outs) & self._lost}
        known = versions.recorded_stages(self._ws)
        written = {*self._placed, self._ws.forgotten(self._dataset)}
        stages = [s for s, o in every.items() if set(o) & written and str(s) in known]
        made = [str(stage) for stage in stages]
        stale = versions.changed_dependencies(self._ws, made) if made else []
        # A check depends on all images together, so its stage has to run again.
        stale += [(str(stage), "") for stage in stages if stage.name == artefacts.CHECK]
        files += [self._ws.relative(path) for path in sorted(self._lost)]
        return Plan(made, stale, sorted(results | lost), files)

    def _images(self) -> None:
        images = self._table("images")
        if not tables.exists(images.path):
            ingested = tables.exists(versions.locate(self._ws, images.path))
            pull = f"likewise pull {self._dataset} --images"
            what = f"some images of {self._dataset!r} are not pulled"
            raise MissingArtefactError(what, pull if ingested else images.command)
        if new := self._expunged(images.path, "sha256"):
            self._place(images.path, images.digests, _digest(new, images.contract))

    def _items(self) -> None:
        made = self._table("items")
        table = self._open(made.path)
        if table is None:
            return
        further = table.source_columns
        items = table.read([*ITEMS.names(), *(c.name for c in further)])
        hashes = pl.Series(sorted(self._record.hashes)).implode()
        rest = items.filter(~pl.col("content").str.head(64).is_in(hashes))
        if rest.is_empty():
            raise DataError(
                f"{self._dataset} would have no items left; remove the whole data set instead"
            )
        self._roles = roles_digest(items), roles_digest(rest)
        digests = tables.write_frame(self._in_new(made.path), ITEMS, rest, further)
        digests = replace(digests, splits=digest_splits(rest))
        self._put(made.path, made.digests, digests, len(rest) < len(items))

    def _findings(self) -> None:
        self._filter(self._table("findings"), pl.col("path").is_in(self._named()))

    def _models(self) -> list[str]:
        """Return the models of params.yaml, and those with orphaned vectors."""
        folder = self._ws.embeddings(self._dataset, "").parent
        orphans = [path.stem for path in sorted(folder.glob("*.lance"))]
        return list(dict.fromkeys([*self._ws.params.models_of(self._dataset), *orphans]))

    def _vectors(self, model: str) -> None:
        path = self._ws.embeddings(self._dataset, model)
        new = self._expunged(path, "content")
        if new is None:
            return
        table = tables.open_table(new)
        metadata = table.metadata("vector")
        if metadata.get("roles") == self._roles[0]:
            tables.set_column_metadata(new, "vector", {**metadata, "roles": self._roles[1]})
        contract = EMBEDDINGS.with_columns(
            Column("vector", table.schema.field("vector").type, "")
        )
        digests = _digest(new, contract)
        into = self._ws.digests(self._dataset, model)
        if into.is_file():
            last = Digests.from_yaml(read_yaml(into), into.name)
            digests = replace(digests, ann=last.ann, numerics=last.numerics)
        self._place(path, into, digests)

    def _vector_findings(self, model: str) -> None:
        path = self._ws.vector_findings(self._dataset, model)
        if path.is_file():
            findings, gone = parse_json(path.read_bytes(), path.name), {*self._named()}
            rest = [one for one in findings if gone.isdisjoint(map(str, one))]
            if len(rest) < len(findings):
                text = json.dumps(rest, ensure_ascii=False, indent=0) + "\n"
                self._staging.take(self._new_text(path, text), path)
                self._placed.add(path)

    def _pixels(self) -> None:
        pixels = self._table("pixels")
        if new := self._expunged(pixels.path, "sha256"):
            self._place(pixels.path, pixels.digests, _digest(new, pixels.contract))

    def _by_content(self, made: TableArtefact) -> None:
        if new := self._expunged(made.path, "content"):
            self._place(made.path, made.digests, _digest(new, made.contract))

    def _flags(self, dataset: str) -> None:
        removed = self._named()
        where = pl.col("other_dataset").fill_null(dataset) == self._dataset
        bad = where & pl.col("other").is_in(removed)
        if dataset == self._dataset:
            bad |= pl.col("image_id").is_in(removed) | pl.col("item_id").is_in(removed)
        flags = artefacts.table(self._ws, dataset, "flags")
        self._filter(flags, bad.fill_null(value=False))

    def _stamps(self) -> None:
        path = self._ws.stamps(self._dataset)
        if path.is_file():
            stamps = read_stamps(self._ws, path)
            bad = pl.col("path").is_in(sorted(self._record.images))
            bad |= pl.col("sha256").is_in(sorted(self._record.hashes))
            new = self._staging.folder / path.name
            write_stamps(self._ws, stamps.filter(~bad), new)
            self._staging.take(new, path)

    def _published(self) -> None:
        """Publish the data set and its views; remove those that cannot be published."""
        jobs: list[tuple[str, Callable[..., object]]] = [(self._dataset, publish)]
        jobs += [
            (name, view)
            for name, entry in self._ws.params.all_views.items()
            if entry.of == self._dataset
        ]
        for name, verb in jobs:
            made = artefacts.published(self._ws, name)
            if not self._placed or self._open(made.path) is None:
                continue
            try:
                verb(name, workspace=self._new.root)
            except LikewiseError:
                self._lost |= set(made.files)
                continue
            for final in made.files:
                self._staging.take(self._in_new(final), final)
                self._placed.add(final)

    def _open(self, path: Path) -> Table | None:
        """Open the present table, from the workspace or dvc.lock; None without such a table."""
        present = versions.locate(self._ws, path)
        return tables.open_table(present, "") if tables.exists(present) else None

    def _expunged(self, path: Path, column: str) -> Path | None:
        """Return a copy without the forgotten contents; None if there are none in the table."""
        if self._open(path) is None:
            return None
        new = self._in_new(path)
        new.parent.mkdir(parents=True, exist_ok=True)
        tables.link_tree(versions.locate(self._ws, path), new)
        return new if tables.erase_rows(new, column, self._record.hashes) else None

    def _filter(self, made: TableArtefact, bad: pl.Expr) -> None:
        """Write the table, if it exists, without its ``bad`` rows."""
        table = self._open(made.path)
        if table is None:
            return
        rows = table.read(made.contract.names())
        rest = rows.filter(~bad)
        digests = tables.write_frame(self._in_new(made.path), made.contract, rest)
        self._put(made.path, made.digests, digests, len(rest) < len(rows))

    def _table(self, name: str) -> TableArtefact:
        return artefacts.table(self._ws, self._dataset, name)

    def _named(self) -> list[str]:
        return sorted(self._record.items | self._record.images)

    def _in_new(self, final: Path) -> Path:
        return self._new.root / self._ws.relative(final)

    def _put(self, path: Path, into: Path, digests: Digests, changed: bool) -> None:  # noqa: FBT001
        if changed:
            self._place(path, into, digests)
        else:  # keep the present table, whose files may differ
            atomic.write_text(self._in_new(into), digests.to_yaml())

    def _place(self, path: Path, into: Path, digests: Digests) -> None:
        """Stage a new table and its digests to replace the present ones."""
        atomic.write_text(self._in_new(into), digests.to_yaml())
        for final in (path, into):
            self._staging.take(self._in_new(final), final)
            self._placed.add(final)

    def _write(self, place: Callable[[Workspace, str], Path], text: str) -> None:
        final = place(self._ws, self._dataset)
        self._staging.take(self._new_text(final, text), final)

    def _new_text(self, final: Path, text: str) -> Path:
        atomic.write_text(self._in_new(final), text)
        return self._in_new(final)


def _digest(table: Path, contract: Contract) -> Digests:
    return tables.open_table(table, "").digest(contract)


def views_of(ws: Workspace, dataset: str) -> list[str]:
    """Return the views of a data set."""
    return [name for name, entry in ws.params.all_views.items() if entry.of == dataset]


def jobs(ws: Workspace, dataset: str) -> list[str]:
    """Return the jobs that write data of ``dataset``, and those of all checks."""
    names = {dataset, *views_of(ws, dataset)}
    stages = [
        stage
        for stage in artefacts.stages(ws)
        if stage.dataset in names or stage.name == artefacts.CHECK
    ]
    pixels = artefacts.table(ws, dataset, "pixels").stage  # no stage without an entry
    reports = [f"report-{name}" for name, run in ws.params.runs.items() if run.dataset in names]
    return list(dict.fromkeys([*(one.job for one in (*stages, pixels)), *reports]))
