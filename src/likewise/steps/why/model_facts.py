"""Trace the origin of a model: recipe, start, data, libraries and training."""

import hashlib
from typing import Any

from likewise.catalogue.training_reports import read_training_report
from likewise.errors import MissingArtefactError
from likewise.formats.counted_nouns import counted
from likewise.models.passport import Passport
from likewise.steps.why.fact import Fact, readable, since
from likewise.storage import artefacts, versions
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace


def model_facts(ws: Workspace, model: str) -> list[Fact]:
    """Return the facts of the passport of ``model``, and changes since.

    Raises:
        UnknownNameError: params.yaml has no such model.
        MissingArtefactError: the model is not made yet.
    """
    section = ws.params.section(model)
    folder = versions.locate(ws, ws.model(model))
    if not folder.is_dir():
        raise MissingArtefactError(
            f"model {model!r} is not made yet", artefacts.model(ws, model).command
        )
    passport = Passport.read(folder)
    entry = ws.params.recipes()[model]
    return [
        Fact("made by", f"{passport.recipe['kind']}, the section {section} of params.yaml"),
        Fact("backbone", passport.backbone),
        Fact("weights", passport.weights_source),
        *([Fact("sha256", passport.weights_sha256)] if passport.weights_sha256 else []),
        *(Fact(f"file {name}", sha256) for name, sha256 in passport.files.items()),
        *_towers(passport),
        Fact("dimensions", f"{passport.dim}"),
        Fact("seed", f"{passport.seed}", since(passport.seed, ws.params.seed)),
        *_start(ws, passport, entry),
        *_data(ws, passport),
        *_options(passport, entry),
        *_chosen(passport),
        *(Fact(f"library {name}", version) for name, version in passport.libraries.items()),
        *_training(ws, model, passport),
    ]


def _towers(passport: Passport) -> list[Fact]:
    """Describe the text tower, and how an uploaded picture is embedded."""
    facts = []
    if passport.text is not None:
        tower = (
            f"at most {counted(passport.text.context_length, 'token')} "
            f"({passport.text.tokenizer})"
        )
        facts.append(Fact("texts", tower, "searched by --text"))
    if passport.by_role:
        roles = "an uploaded picture is embedded as a query; or set --query-role gallery"
        facts.append(Fact("roles", roles))
    return facts


def _start(ws: Workspace, passport: Passport, entry: dict[str, Any]) -> list[Fact]:
    if passport.start is None:
        return []
    name = str(passport.recipe.get("init"))
    folder = versions.locate(ws, ws.model(name))
    remark = ""
    if folder.is_dir():
        remark = since(passport.start, Passport.read(folder).weights_sha256)
    return [Fact("started from", f"{name}, sha256 {passport.start}", remark)]


def _data(ws: Workspace, passport: Passport) -> list[Fact]:
    """List the columns that the model learned from, and changes since."""
    facts = []
    for column, digest in passport.data.items():
        dataset, table, name = (*column.split(".", 2), "")[:3]
        if table == "corrections":
            facts.append(
                Fact(f"learned from {column}", digest, _corrections(ws, dataset, digest))
            )
            continue
        path = ws.digests(dataset, table)
        remark = "no longer here"
        if path.is_file():
            now = Digests.from_yaml(read_yaml(path), ws.relative(path)).columns.get(name, "")
            remark = since(digest, now)
        facts.append(Fact(f"learned from {column}", digest, remark))
    return facts


def _corrections(ws: Workspace, dataset: str, then: str) -> str:
    path = ws.corrections(dataset)
    content = path.read_bytes() if path.is_file() else b""
    return since(then, hashlib.sha256(content).hexdigest())


def _options(passport: Passport, entry: dict[str, Any]) -> list[Fact]:
    return [
        Fact(
            f"option {name}",
            readable(value),
            since(value, entry[name]) if name in entry else "",
        )
        for name, value in passport.recipe.items()
        if name != "kind"
    ]


def _chosen(passport: Passport) -> list[Fact]:
    if not passport.recipe.get("original"):
        return []
    where = "on the test split, as the original program does"
    return [Fact("weights chosen", where, "its scores there are too good")]


def _training(ws: Workspace, model: str, passport: Passport) -> list[Fact]:
    facts = [] if passport.device is None else [Fact("device", passport.device)]
    if passport.threads is not None:
        facts.append(Fact("threads", f"{passport.threads}"))
    report = read_training_report(ws, model) or {}
    shown = ("hours", "steps", "items", "processes", "images_per_second", "best_epoch")
    facts += [
        Fact(name.replace("_", " "), readable(report[name])) for name in shown if name in report
    ]
    return facts
