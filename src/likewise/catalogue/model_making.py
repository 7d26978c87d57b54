"""Make a model by its recipe: load frozen weights, or train."""

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from likewise.catalogue.mixed_stages import check_mixed_stage
from likewise.catalogue.name_clashes import check_model
from likewise.catalogue.training_inputs import read_training_data
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    MissingExtraError,
    UnknownNameError,
    extras_named,
)
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.models import author_code
from likewise.models.passport import Passport
from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import LearnedRecipe, Recipe
from likewise.models.training import resumable
from likewise.models.training.training_data import TrainingContext
from likewise.storage import artefacts, journal, timings, versions
from likewise.storage.config import MIXED, MODEL_VERBS, Entry
from likewise.storage.workspace import Workspace

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
    _check(ws, model)
    entry = ws.params.recipes()[model]
    recipe = _recipe(model, section, entry)
    if os.environ.get("RANK", "0") != "0":
        return _make_as_helper(ws, model, recipe)
    job = f"train-{model}"
    clock = timings.Clock(ws, job)
    with journal.exclusive_job(ws, job):
        staging = journal.Staging(ws, job)
        context = _context(ws, model, recipe)
        _report_stopped_trainings(ws, model, context)
        folder = staging.path(ws.model(model))
        with atomic.writing(folder):
            folder.mkdir()
        place = "" if context else f"params.yaml: {section}.{model}: "
        with _refused(place, staging), extras_named():
            passport = recipe.make(folder, ws.params.seed, context, root=ws.root)
        if recipe.runs_code:
            author_code.permit(ws, passport)
        if context is not None:
            for final in ws.training_files(model):
                _copy(context.report / final.name, staging.path(final))
        staging.commit()
        if context is not None:
            _drop(context.checkpoints.parent, ws.trash(job))
    clock.record(1)
    return passport


@contextmanager
def _refused(place: str, staging: journal.Staging) -> Iterator[None]:
    """Name the entry of a frozen model that cannot be made, and drop its unfinished files.

    Args:
        place: the entry, for the message; "" for a training, whose errors are about its data.
        staging: the files; checkpoints are in another folder, so nothing here is resumed.
    """
    try:
        yield
    except (ConfigError, DataError, MissingExtraError, UnknownNameError) as error:
        shutil.rmtree(staging.folder, ignore_errors=True)
        error.args = (f"{place}{error}",)
        raise


def _check(ws: Workspace, model: str) -> None:
    """Refuse a model whose name is taken, or whose stage has other data."""
    check_model(ws, model)
    check_mixed_stage(ws, model)


def _drop(training: Path, trash: Path) -> None:
    """Remove a training at once, so that no run resumes from a part of it."""
    trash.mkdir(parents=True, exist_ok=True)
    training.rename(trash / training.name)
    shutil.rmtree(trash, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder of the report, which a training that is resumed reads again."""
    with atomic.writing(target):
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)


def _make_as_helper(ws: Workspace, model: str, recipe: Recipe) -> Passport:
    """Take part in a training as a process of torchrun other than rank 0; keep nothing."""
    context = _context(ws, model, recipe)
    with tempfile.TemporaryDirectory() as folder, extras_named():
        return recipe.make(Path(folder), ws.params.seed, context, root=ws.root)


def _recipe(model: str, section: str, entry: Entry) -> Recipe:
    recipe = RECIPES.build(entry, f"params.yaml: {section}.{model}")
    if section == MIXED and isinstance(recipe, LearnedRecipe):
        return recipe  # params.yaml was refused if its data were not a list
    if recipe.section != section:
        raise ConfigError(
            f"params.yaml: {section}.{model}: a model of kind {entry['kind']!r} belongs in "
            f"the section {recipe.section!r}; move the entry there"
        )
    return recipe


def _context(ws: Workspace, model: str, recipe: Recipe) -> TrainingContext | None:
    """Return initial model, data and folders of a training; None for a frozen model."""
    if not isinstance(recipe, LearnedRecipe):
        return None
    entry = ws.params.recipes()[model]
    init = versions.locate(ws, ws.model(entry["init"]))
    if not init.is_dir():
        what = f"model {entry['init']!r}, the init of {model!r}, is not made yet"
        raise MissingArtefactError(what, artefacts.model(ws, entry["init"]).command)
    data = read_training_data(ws, entry, recipe)
    weights = Passport.read(init).weights_sha256
    key = resumable.training_key(recipe.entry(), weights, data.digests, ws.params.seed)
    refuse_links(ws.home, ws.trainings(model))
    folder = resumable.folder(ws.trainings(model), key)
    refuse_links(ws.home, folder / "checkpoints")
    return TrainingContext(
        init=init,
        init_name=entry["init"],
        data=data,
        checkpoints=folder / "checkpoints",
        report=folder / "report",
        workspace=ws,
    )


def _report_stopped_trainings(
    ws: Workspace, model: str, context: TrainingContext | None
) -> None:
    """Name the stopped trainings of ``model`` that this one does not resume."""
    if context is None:
        return
    for difference in resumable.differences(context.checkpoints.parent):
        remove = shlex.join(["rm", "-r", ws.relative(ws.trainings(model))])
        tqdm.write(
            f"{model}: starts a new training; a stopped one with {difference} is kept; to "
            f"resume it, restore that value; to remove it, run: {remove}",
            file=sys.stderr,
        )
