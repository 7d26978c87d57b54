"""Checks of cards and params.yaml: readable, with known kinds, and consistent."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from likewise.catalogue import corrections, doubts, item_selections, item_tags
from likewise.catalogue.item_selections import selection_files
from likewise.catalogue.keyed_text import KeyedText
from likewise.catalogue.name_clashes import model_clashes
from likewise.distributed.engines import ENGINES
from likewise.errors import BrokenEntryWarning, ConfigError, LikewiseError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.exports import EXPORTS
from likewise.formats.object_storage import is_remote
from likewise.imaging.transforms.chain import Chain
from likewise.models.recipes import RECIPES
from likewise.registry import Registry
from likewise.registry import check as validate
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.lance import Ann
from likewise.retrieval.reranking import RERANKERS
from likewise.sources import SOURCES
from likewise.steps.doctor.problem import Problem, command, is_tracked, lock_repair
from likewise.storage import artefacts, versions
from likewise.storage.config import Entry, is_home_path
from likewise.storage.workspace import Workspace


def params_faults(ws: Workspace) -> list[Problem]:
    """Return the faults of params.yaml, of which each can stop what reads its entry."""
    faults = _tried(ws.check_params, "params", "edit params.yaml")
    return [
        replace(fault, command="likewise init") if "`likewise init`" in fault.what else fault
        for fault in faults
    ]


def has_intact_entries(ws: Workspace) -> bool:
    """Return False if nothing of params.yaml can be used; broken entries raise no warning."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BrokenEntryWarning)
            return bool(ws.params)
    except ConfigError:
        return False


def lock_faults(ws: Workspace) -> list[Problem]:
    """Return the faults of dvc.lock; no other check can know which outputs DVC has."""
    return list(_tried(lambda: versions.outputs(ws.root), "dvc", lock_repair(ws)))


def check(ws: Workspace) -> Iterator[Problem]:
    """Check cards, the kinds that params.yaml names, and that sources exist."""
    for dataset in ws.params.datasets:
        yield from _card(ws, dataset)
        yield from _records(ws, dataset)
        yield from _corrections(ws, dataset)
        yield from _source(ws, dataset)
    yield from _cards_alone(ws)
    yield from _kinds(ws)
    yield from _imported_files(ws)
    yield from (Problem("params", what, "edit params.yaml") for what in model_clashes(ws))


def _card(ws: Workspace, dataset: str) -> Iterator[Problem]:
    path = ws.relative(ws.card_file(dataset))
    if not ws.card_file(dataset).is_file():
        what, repair = f"data set {dataset!r} has no card", command("git", "restore", path)
        alone = [card.stem for card in ws.cards if card.stem not in ws.params.datasets]
        if alone and not is_tracked(ws, path):  # its entry was renamed by hand
            back = command("git", "restore", ws.relative(ws.params_file))
            repair = f"{back} && {command('likewise', 'rename', alone[0], dataset)}"
        yield Problem("card", what, repair)
        return

    def read() -> object:
        return SOURCES.build(ws.card(dataset).source, f"{dataset}.yaml: source")

    yield from _tried(read, "card", f"edit {path}")


def _records(ws: Workspace, dataset: str) -> Iterator[Problem]:
    """Yield the record of corrections that was removed after ``dvc repro`` had created it."""
    stage, path = artefacts.record(ws, dataset).stage, ws.corrections(dataset)
    if not path.is_file() and str(stage) in versions.recorded_stages(ws):
        what = f"data set {dataset!r} lacks {ws.relative(path)}, which its stages depend on"
        yield Problem("card", what, command("likewise", stage.name, dataset))


def _corrections(ws: Workspace, dataset: str) -> Iterator[Problem]:
    """Yield the files of people that cannot be parsed."""
    forms: dict[Path, KeyedText[Any, Any]] = {
        ws.corrections(dataset): corrections.FILE,
        ws.tags(dataset): item_tags.FILE,
        ws.reviews(dataset): doubts.FILE,
        **dict.fromkeys(selection_files(ws, dataset).values(), item_selections.FILE),
    }
    for path, form in forms.items():
        kind = path.stem if path.parent == ws.tables(dataset) else "selection"
        yield from _tried(partial(form.read, path), kind, f"edit {ws.relative(path)}")


def _cards_alone(ws: Workspace) -> Iterator[Problem]:
    for path in ws.cards:
        if path.stem in ws.params.datasets:
            continue
        what = f"{path.name} is the card of a data set that params.yaml does not have"
        yield Problem("card", what, "edit params.yaml")


def _source(ws: Workspace, dataset: str) -> Iterator[Problem]:
    entry = ws.params.datasets[dataset]
    for option in ("path", "annotations"):
        location = getattr(entry, option)
        if is_home_path(location):
            what = f"datasets.{dataset}.{option} is {location}, and DVC does not expand ~"
            yield Problem("source", what, "likewise init")
        if is_remote(location):  # doctor needs no network
            continue
        if not ws.source(location).exists() and not (
            option == "annotations" and location == entry.path
        ):
            what = f"data set {dataset!r}: there is no {location}"
            yield Problem("source", what, f"edit datasets.{dataset}.{option} in params.yaml")


def _kinds(ws: Workspace) -> Iterator[Problem]:
    """Yield entries with an unknown kind or invalid options."""
    builds: list[Callable[[], object]] = []
    for name, entry in ws.params.recipes().items():
        where = f"params.yaml: {ws.params.section(name)}.{name}"
        builds.append(partial(RECIPES.build, entry, where))
    builds += _registered(ws, "indexes", INDEXES)
    builds += _registered(ws, "engines", ENGINES)
    for name, run in ws.params.runs.items():
        entry = run.protocol_entry()
        builds.append(partial(PROTOCOLS.build, entry, f"params.yaml: runs.{name}"))
    builds += _rerankers(ws)
    for name, steps in ws.params.transforms.items():
        builds.append(partial(Chain, steps, f"params.yaml: transforms.{name}"))
    for name, entry in ws.params.exports.items():
        builds.append(partial(_export, ws, name, entry))
    for name, vectors in ws.params.vector_entries().items():
        section = "imported" if name in ws.params.imported else "embeddings"
        place = f"params.yaml: {section}.{name}.ann"
        builds.append(partial(validate, Ann, vectors.ann, place))
    for build in builds:
        yield from _tried(build, "params", "edit params.yaml")


def _rerankers(ws: Workspace) -> Iterator[Callable[[], object]]:
    """Yield functions that build the re-rankers of runs and of searches."""
    for name, run in ws.params.runs.items():
        if run.rerank is not None:
            yield partial(RERANKERS.build, run.rerank, f"params.yaml: runs.{name}.rerank")
    for name, entry in ws.params.rerankers.items():
        yield partial(RERANKERS.build, entry, f"params.yaml: rerankers.{name}")


def _registered(
    ws: Workspace, section: str, registry: Registry[Any]
) -> Iterator[Callable[[], object]]:
    """Yield functions that build the entries of a section, all of one family."""
    for name, entry in getattr(ws.params, section).items():
        yield partial(registry.build, entry, f"params.yaml: {section}.{name}")


def _export(ws: Workspace, name: str, entry: Entry) -> None:
    """Build an export whose transform is a name of params.yaml.

    Raises:
        ConfigError: its kind, an option or its transform is wrong.
    """
    options = dict(entry)
    transform = options.get("transform")
    if isinstance(transform, str):
        if transform not in ws.params.transforms:
            known = ", ".join(ws.params.transforms) or "none"
            raise ConfigError(
                f"params.yaml: exports.{name}.transform: no such name {transform!r}; "
                f"there are: {known}"
            )
        options["transform"] = ws.params.transforms[transform]
    EXPORTS.build(options, f"params.yaml: exports.{name}")


def _imported_files(ws: Workspace) -> Iterator[Problem]:
    """Yield entries of imported vectors whose files do not exist."""
    for name, entry in ws.params.imported.items():
        for option in ("file", "ids"):
            location = getattr(entry, option)
            if not ws.source(location).exists() and not (
                option == "ids" and location == entry.file
            ):
                what = f"imported vectors {name!r}: there is no {location}"
                repair = f"edit imported.{name}.{option} in params.yaml"
                yield Problem("source", what, repair)


def _tried(read: Callable[[], object], check: str, command: str) -> Iterator[Problem]:
    """Yield one problem per line of the error that ``read`` raises, if any."""
    try:
        read()
    except LikewiseError as error:
        for line in str(error).splitlines():
            yield Problem(check, line, command)
