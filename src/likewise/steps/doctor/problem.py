"""What the doctor reports, and what a pipeline should have made."""

from dataclasses import dataclass
from pathlib import Path

from likewise.catalogue.training_reports import REPORTED
from likewise.storage.config import read_yaml
from likewise.storage.workspace import Workspace

INGESTED = ("images", "items", "findings")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: which check found it, what it is, what mends it."""

    check: str
    what: str
    command: str


@dataclass(frozen=True)
class Stage:
    """One stage of dvc.yaml, the job that it is in .likewise, and what it writes."""

    name: str
    job: str
    outputs: tuple[Path, ...]


def stages(ws: Workspace) -> list[Stage]:
    """Every stage that params.yaml asks for, in the order in which they run."""
    params = ws.params
    return [
        *(_ingest(ws, dataset) for dataset in params.datasets),
        *(_model(ws, model) for model in params.recipes()),
        *(_embed(ws, key) for key in params.embeddings),
        *(_measure(ws, dataset) for dataset in params.checks),
        *(_check(ws, dataset) for dataset in params.checks),
        *(_publish(ws, dataset) for dataset in params.datasets),
        *(_view(ws, name) for name in params.views),
        *(_evaluate(ws, run) for run in params.runs),
    ]


def recorded(ws: Workspace) -> set[str]:
    """The outputs that dvc.lock names: those that DVC can bring back."""
    lock = ws.root / "dvc.lock"
    document = read_yaml(lock) if lock.is_file() else None
    known = document.get("stages", {}) if isinstance(document, dict) else {}
    return {out["path"] for stage in known.values() for out in stage.get("outs", [])}


def restore(ws: Workspace, output: Path, stage: str) -> str:
    """The command that makes a spoilt ``output`` of ``stage`` right again."""
    path = ws.relative(output)
    return f"dvc checkout --force {path}" if path in recorded(ws) else f"dvc repro -f {stage}"


def size(folder: Path) -> str:
    """How much lies in ``folder``, for people."""
    return readable(sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file()))


def readable(nbytes: int) -> str:
    """A number of bytes, for people."""
    for unit, exponent in (("GB", 3), ("MB", 2)):
        if nbytes >= 1000**exponent:
            return f"{nbytes / 1000**exponent:.1f} {unit}"
    return f"{nbytes / 1000:.0f} kB"


def _ingest(ws: Workspace, dataset: str) -> Stage:
    outputs = [ws.table(dataset, name) for name in INGESTED]
    outputs += [ws.digests(dataset, name) for name in INGESTED]
    return Stage(f"ingest@{dataset}", f"ingest-{dataset}", tuple(outputs))


def _model(ws: Workspace, model: str) -> Stage:
    outputs = [ws.model(model)]
    if model not in ws.params.models:
        outputs += [ws.training(model) / name for name in REPORTED]
    return Stage(ws.params.stage(model), f"train-{model}", tuple(outputs))


def _embed(ws: Workspace, key: str) -> Stage:
    entry = ws.params.embeddings[key]
    names = (entry.dataset, entry.model)
    outputs = (ws.embeddings(*names), ws.digests(*names))
    return Stage(f"embed@{key}", f"embed-{entry.dataset}-{entry.model}", outputs)


def _measure(ws: Workspace, dataset: str) -> Stage:
    outputs = (ws.table(dataset, "pixels"), ws.pixel_digests(dataset))
    return Stage(f"measure@{dataset}", f"measure-{dataset}", outputs)


def _check(ws: Workspace, dataset: str) -> Stage:
    outputs = (ws.table(dataset, "flags"), ws.flag_digests(dataset))
    return Stage(f"check@{dataset}", f"check-{dataset}", outputs)


def _publish(ws: Workspace, dataset: str) -> Stage:
    outputs = (ws.published(dataset), ws.published_digests(dataset))
    return Stage(f"publish@{dataset}", f"publish-{dataset}", outputs)


def _view(ws: Workspace, name: str) -> Stage:
    outputs = (ws.published(name), ws.published_digests(name))
    return Stage(f"view@{name}", f"view-{name}", outputs)


def _evaluate(ws: Workspace, run: str) -> Stage:
    return Stage(
        f"evaluate@{run}",
        f"evaluate-{run}",
        (ws.metrics(run), ws.statistics(run), ws.lineage(run), ws.queries(run)),
    )
