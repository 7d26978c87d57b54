"""Checks of the environment: library versions, DVC, and its stages."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any

from likewise.catalogue.mixed_stages import differing_stages
from likewise.catalogue.upgrade import missing_sections, pipeline_differences
from likewise.errors import (
    ConfigError,
    DamagedError,
    LikewiseError,
    VersionError,
    bounded,
)
from likewise.formats.counted_nouns import counted
from likewise.formats.text_files import read_text
from likewise.models.recipes import RECIPES
from likewise.steps.doctor import cache_faults, edits, file_faults
from likewise.steps.doctor.problem import (
    BUSY,
    READ_ONLY,
    Problem,
    lock_repair,
    never_run,
    restore,
)
from likewise.storage import artefacts, versions
from likewise.storage.config import MODEL_VERBS
from likewise.storage.workspace import Workspace

KNOWN_TO_WORK = {"dvc": "3", "lancedb": "0.40", "polars": "2", "pylance": "14"}
"""Library -> tested release, to the precision that matters."""


def check(ws: Workspace) -> Iterator[Problem]:
    """Check library versions, DVC's files, and the stages that are out of date."""
    for library, release in KNOWN_TO_WORK.items():
        try:
            installed = metadata.version(library)
        except metadata.PackageNotFoundError:  # lancedb is optional
            continue
        if not f"{installed}.".startswith(f"{release}."):
            what = f"{library} {installed} is installed; likewise was tested with {release}"
            yield Problem("library", what, f"pip install '{library}=={release}.*'")
    if not ws.dvc.is_dir():
        yield Problem("dvc", "this folder is not a DVC repository", "likewise init")
        return
    yield from _pipeline(ws)
    yield from _status(ws)


def _pipeline(ws: Workspace) -> Iterator[Problem]:
    path = ws.pipeline
    if not path.is_file():
        yield Problem("dvc", "there is no dvc.yaml", "likewise init")
        return
    if missing := missing_sections(read_text(ws.params_file)):
        what = f"params.yaml lacks sections that dvc.yaml needs: {', '.join(missing)}"
        yield Problem("dvc", what, "likewise init")
    try:
        differences = pipeline_differences(read_text(path))
    except (ConfigError, DamagedError) as error:
        yield Problem("dvc", str(error), "edit dvc.yaml")
        return
    try:
        mixed = differing_stages(ws, read_text(path), ws.params.mixed)
    except ConfigError:
        mixed = []  # reported by the checks of params.yaml
    if mixed:
        what = f"dvc.yaml differs from the section mixed of params.yaml: {', '.join(mixed)}"
        yield Problem("dvc", what, "likewise init")
    if differences.lacking:
        names = bounded(differences.lacking, len(differences.lacking))
        what = f"dvc.yaml lacks parts that this release needs: {names}"
        yield Problem("dvc", what, _completion(ws))
    if differences.other:
        names = bounded(differences.other, len(differences.other))
        what = f"dvc.yaml differs from that of this release of likewise: {names}"
        yield Problem("dvc", what, "mv dvc.yaml dvc.yaml.old && likewise init")


def _completion(ws: Workspace) -> str:
    """Return the command that gives dvc.yaml its missing parts.

    If the last commit has them, the file was cut or edited since; git then keeps the present
    text in its stash.
    """
    with suppress(ConfigError):
        committed = versions.text_at(ws.root, "HEAD", ws.pipeline.name)
        if committed is not None and not pipeline_differences(committed).lacking:
            return "git stash push -- dvc.yaml"
    return "likewise init"


def _status(ws: Workspace) -> Iterator[Problem]:
    """Yield the stages that DVC would run, except those with missing results only."""
    try:
        status = versions.changed_stages(ws)
    except VersionError as error:
        refusal = _refusal(ws, str(error))
        lists: list[Problem] = []
        if not refusal.command.startswith("edit "):  # otherwise DVC cannot read its own files
            with suppress(LikewiseError):  # other parts of doctor report a damaged dvc.lock
                lists = list(cache_faults.damaged_lists(ws))
        yield from lists or [refusal]
        return
    for path in _modified_outputs(status):
        yield from _damaged_output(ws, path)
    fresh = never_run(ws)  # reported as missing
    changed = [
        stage
        for stage, changes in status.items()
        if stage not in fresh and not _only_missing(changes)
    ]
    if changed:
        names = bounded(changed, len(changed))
        what = f"{counted(len(changed), 'stage', 'is', 'are')} out of date: {names}"
        entries = edits.changed_entries(ws, {stage: status[stage] for stage in changed})
        if places := edits.changed_options(ws, entries):
            what += f"; these entries changed: {bounded(places, len(places))}"
        yield Problem("dvc", what, "dvc repro")
        yield from _unusable_models(ws, entries)


def _unusable_models(ws: Workspace, entries: Mapping[str, set[str]]) -> Iterator[Problem]:
    """Yield the faults of changed models that only loading the model would find."""
    for place in sorted(entries.get(ws.relative(ws.params_file), ())):
        section, _, name = place.partition(".")
        entry = ws.params.recipes().get(name)
        if entry is None or section not in MODEL_VERBS:
            continue
        try:
            recipe = RECIPES.build(entry, "")
        except LikewiseError:
            continue  # reported by the check of kinds
        try:
            recipe.check_inputs(ws.root)
        except LikewiseError as error:
            yield Problem("params", f"params.yaml: {place}: {error}", "edit params.yaml")


def _refusal(ws: Workspace, error: str) -> Problem:
    """Return the problem that DVC does not work, with the file that causes it."""
    if versions.DVC_BUSY in error:
        what = (
            "another process of DVC is running, so doctor cannot ask which stages are current"
        )
        return Problem(BUSY, what, "likewise doctor")
    if ws.lock.name in error:
        return Problem("dvc", f"{error}; `dvc status` shows the line", lock_repair(ws))
    ignored = ws.dvc.with_name(".dvcignore")
    damaged = {ws.pipeline: ws.pipeline.name in error, ws.dvc / "config": "config" in error}
    with suppress(OSError):
        try:
            ignored.read_text("utf-8")
        except UnicodeDecodeError:
            damaged[ignored] = True
    for path, is_cause in damaged.items():
        if is_cause:
            what = f"{error}; `dvc status` shows the line"
            return Problem("dvc", what, f"edit {ws.relative(path)}")
    if os.access(ws.dvc / "tmp", os.W_OK):
        return Problem("dvc", error, "dvc status")
    what = "DVC cannot check which stages are out of date on a read-only file system"
    return Problem(READ_ONLY, what, "dvc status")


def _modified_outputs(status: dict[str, list[Any]]) -> list[str]:
    """Return the outputs that differ from dvc.lock."""
    return [
        path
        for changes in status.values()
        for change in changes
        if isinstance(change, dict)
        for path, kind in change.get("changed outs", {}).items()
        if kind == "modified"
    ]


def _damaged_output(ws: Workspace, path: str) -> Iterator[Problem]:
    """Yield a problem if files of an output changed and it was not written again."""
    for made in artefacts.artefacts(ws):
        if ws.relative(made.path) == path and made.stage.name != artefacts.PREPARE:
            for fault in file_faults.check(ws, made.path, packs=True):
                yield Problem("table", f"{path}: {fault}", restore(ws, made.path, made.stage))


def _only_missing(changes: list[Any]) -> bool:
    kinds = [
        kind
        for change in changes
        if isinstance(change, dict)
        for outputs in change.values()
        for kind in (outputs.values() if isinstance(outputs, dict) else [outputs])
    ]
    return bool(kinds) and all(kind in ("deleted", "not in cache") for kind in kinds)
