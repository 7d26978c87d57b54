"""Make a model by its recipe: load frozen weights, or train."""

import hashlib
import os
import shutil
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Literal

import polars as pl
from tqdm import tqdm

from likewise.catalogue.corrections import corrected
from likewise.errors import ConfigError, MissingArtefactError
from likewise.models.passport import Passport
from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import Learned, Recipe
from likewise.models.training import resumable
from likewise.models.training.training_data import COLUMNS, Material, Study
from likewise.storage import artefacts, journal, tables, versions
from likewise.storage.config import MODEL_VERBS, Entry, read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace

READ = {
    "trained": ("content", "label", "role", "split"),
    "pretrained": ("content", "split"),
    "distilled": ("content", "split"),
}
"""The columns of the items that each section's models learn from, as dvc.yaml says.

What people have corrected is put over them.
"""


_MADE = {"load": "trained, not loaded", "train": "loaded as it is, not trained"}


def make_model(ws: Workspace, model: str, verb: Literal["load", "train"]) -> Passport:
    """Make ``model`` by its recipe; see the verbs ``load`` and ``train``."""
    section = ws.params.section(model)
    if MODEL_VERBS[section] != verb:
        other = f"likewise {MODEL_VERBS[section]} {model}"
        raise ConfigError(
            f"params.yaml: {section}.{model} is {_MADE[verb]}; run: {other} "
            "(if dvc repro ran this, dvc.yaml is of an older release; run: likewise init)"
        )
    entry = ws.params.recipes()[model]
    recipe = _recipe(model, section, entry)
    if os.environ.get("RANK", "0") != "0":
        return _help(ws, model, recipe)
    job = f"train-{model}"
    with journal.alone(ws, job):
        staging = journal.Staging(ws, job)
        study = _study(ws, model, recipe)
        _tell_of_others(ws, model, study)
        folder = staging.path(ws.model(model))
        folder.mkdir()
        with chdir(ws.root):  # paths in params.yaml are relative to it, wherever one types
            passport = recipe.make(folder, ws.params.seed, study)
        if study is not None:
            for final in ws.training_files(model):
                (study.report / final.name).rename(staging.path(final))
        staging.commit()
        if study is not None:
            shutil.rmtree(study.checkpoints.parent, ignore_errors=True)
    return passport


def _help(ws: Workspace, model: str, recipe: Recipe) -> Passport:
    """Be another than the first of torchrun's processes: compute, and keep nothing."""
    study = _study(ws, model, recipe)
    with tempfile.TemporaryDirectory() as folder, chdir(ws.root):
        return recipe.make(Path(folder), ws.params.seed, study)


def _recipe(model: str, section: str, entry: Entry) -> Recipe:
    recipe = RECIPES.build(entry, f"params.yaml: {section}.{model}")
    if recipe.section != section:
        raise ConfigError(
            f"params.yaml: {section}.{model}: a model of kind {entry['kind']!r} belongs under "
            f"{recipe.section!r}, whose stage depends on what it reads; move the entry there"
        )
    return recipe


def _study(ws: Workspace, model: str, recipe: Recipe) -> Study | None:
    """What a model that learns is given."""
    if not isinstance(recipe, Learned):
        return None
    entry = ws.params.recipes()[model]
    start = versions.present(ws, ws.model(entry["init"]))
    if not start.is_dir():
        what = f"model {entry['init']!r}, the init of {model!r}, is not made yet"
        raise MissingArtefactError(what, artefacts.model(ws, entry["init"]).command)
    material = _material(ws, entry["data"], READ[recipe.section], entry.get("teacher"))
    weights = Passport.read(start).weights_sha256
    asked = resumable.hangs_on(recipe.entry(), weights, material.digests, ws.params.seed)
    folder = resumable.folder(ws.trainings(model), asked)
    return Study(
        start=start,
        start_name=entry["init"],
        material=material,
        checkpoints=folder / "checkpoints",
        report=folder / "report",
    )


def _tell_of_others(ws: Workspace, model: str, study: Study | None) -> None:
    """Say which trainings of ``model`` were stopped, where this one goes on with none."""
    if study is None:
        return
    for said in resumable.others(study.checkpoints.parent):
        tqdm.write(
            f"{model}: begins anew; one with {said} was stopped, and is kept: set it back to "
            f"go on with that, or: rm -r {ws.relative(ws.trainings(model))}",
            file=sys.stderr,
        )


def _material(
    ws: Workspace, dataset: str, columns: tuple[str, ...], teacher: str | None
) -> Material:
    """The items of ``dataset``, with no column but those that the stage depends on."""
    command = artefacts.table(ws, dataset, "items").command
    items = tables.open_table(versions.present(ws, ws.table(dataset, "items")), command)
    path = versions.present(ws, ws.table(dataset, "images"))
    images = tables.open_table(path, command)
    rows = tables.read(images, ["image_id"]).with_row_index("row")
    known = ("item_id", "image_id", "box", *columns)
    found = (
        corrected(ws, dataset, tables.read(items, known))
        .join(rows, on="image_id", maintain_order="left")
        .with_columns(
            pl.lit(None, pl.String).alias(c) for c in COLUMNS if c not in (*known, "row")
        )
        .select(COLUMNS)
        .sort("item_id")
    )
    digests = _digests(ws, dataset, "items", columns)
    if ws.corrections(dataset).is_file():
        content = ws.corrections(dataset).read_bytes()
        digests[f"{dataset}.corrections"] = hashlib.sha256(content).hexdigest()
    vectors = None
    if teacher is not None:
        vectors = versions.present(ws, ws.embeddings(dataset, teacher))
        tables.open_table(vectors, artefacts.embeddings(ws, dataset, teacher).command)
        digests |= _digests(ws, dataset, teacher, ("vector",))
    return Material(dataset, found, found, path, digests, vectors)


def _digests(
    ws: Workspace, dataset: str, table: str, columns: tuple[str, ...]
) -> dict[str, str]:
    path = ws.digests(dataset, table)
    if not path.is_file():
        raise MissingArtefactError(f"there is no {ws.relative(path)}", "dvc repro")
    found = Digests.from_yaml(read_yaml(path), ws.relative(path)).columns
    return {f"{dataset}.{table}.{name}": found[name] for name in columns}
