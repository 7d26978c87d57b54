"""Plan the next `dvc repro`: its stages, and their time and disk at measured rates."""

from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.errors import MissingArtefactError, size_text
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.storage import artefacts, timings, versions
from likewise.storage.artefacts import Stage
from likewise.storage.digests import read_digests
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class PlannedStage:
    """A stage that the next ``dvc repro`` runs, or may run.

    Attributes:
        stage: its name.
        certain: True if an input or output of the stage itself has changed; False if it
            follows a stage that has, and runs only if the results of that stage differ.
        reason: changed inputs and outputs, or the stages that it follows.
        units: number of images, items or queries that it processes at most; None if unknown.
        seconds: expected time on this machine if everything is computed; None without a
            measurement.
        nbytes: expected size of its outputs; None if unknown.
        basis: the measurement of the rate; "" without one.
    """

    stage: str
    certain: bool
    reason: str
    units: int | None
    seconds: float | None
    nbytes: int | None
    basis: str = ""


@dataclass(frozen=True)
class ReproPlan:
    """The next ``dvc repro``.

    Attributes:
        stages: its stages, in the order in which they run.
        seconds: sum of the known times.
        nbytes: sum of the known sizes.
        unknown: number of stages without a measured rate.
    """

    stages: list[PlannedStage]
    seconds: float
    nbytes: int
    unknown: int

    def __repr__(self) -> str:
        return f"ReproPlan({counted(len(self.stages), 'stage')}, {self.summary})"

    def _repr_html_(self) -> str:
        heads = ("stage", "runs", "seconds", "bytes", "because")
        rows = [
            (
                one.stage,
                "yes" if one.certain else "if needed",
                one.seconds,
                one.nbytes,
                one.reason,
            )
            for one in self.stages
        ]
        return notebook.paragraph(self.summary) + notebook.table(heads, rows)

    @property
    def summary(self) -> str:
        """Time and disk in a sentence."""
        more = (
            f", and {counted(self.unknown, 'stage')} without a measured rate"
            if self.unknown
            else ""
        )
        if self.unknown == len(self.stages) and not self.nbytes:
            return f"{counted(self.unknown, 'stage')} without a measured rate"
        return f"{self.seconds:,.1f} s, {size_text(self.nbytes)}{more}"


def plan(*, workspace: StrPath | None = None) -> ReproPlan:
    """List the stages of the next ``dvc repro``, with time and disk on this machine.

    Rates are those that this checkout measured when it ran stages (``.likewise/timings``): of
    the same stage, else of the same kind of stage with the same model, else of the same kind.
    Only a run by the same re-ranker gives the rate of a run, and a map by the same method that
    of a map. Sizes are those of the last outputs. A time is that of all items, although a stage
    computes only what is new; it is without the start of the process, and without the work of
    DVC. Nothing is run or changed.

    Args:
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: the catalogue has no dvc.yaml.
        VersionError: DVC cannot read the pipeline.

    Example:
        >>> likewise.plan().stages
        []
        >>> corrected = likewise.correct("emoji", ["0_znoto.jpg"], {"label": "1000"})
        >>> [(stage.stage, stage.certain) for stage in likewise.plan().stages]
        [('publish@emoji', True), ('evaluate@emoji-tiny', False)]
    """
    ws = open_workspace(workspace)
    if not ws.pipeline.is_file():
        raise MissingArtefactError("there is no dvc.yaml", "likewise init")
    changes = versions.planned_stages(ws)
    known = {str(stage): stage for stage in artefacts.stages(ws)}
    stages = [
        _planned(ws, known.get(name), name, ", ".join(reasons), certain=certain)
        for name, certain, reasons in changes
    ]
    return ReproPlan(
        stages,
        sum(one.seconds or 0 for one in stages),
        sum(one.nbytes or 0 for one in stages),
        sum(one.seconds is None for one in stages),
    )


def _planned(
    ws: Workspace, stage: Stage | None, name: str, reason: str, *, certain: bool
) -> PlannedStage:
    """Return a stage with its time and size; a stage of another tool has neither."""
    if stage is None:
        return PlannedStage(name, certain, reason, None, None, None)
    units = _units(ws, stage)
    rate, basis = _rate(ws, stage)
    seconds = None if rate is None or units is None else units / rate
    recorded = versions.outputs(ws.root)
    paths = [ws.relative(path) for path in artefacts.stages(ws)[stage]]
    sizes = [recorded[path].size for path in paths if path in recorded]
    size = sum(sizes) if sizes else None
    return PlannedStage(name, certain, reason, units, seconds, size, basis)


def _units(ws: Workspace, stage: Stage) -> int | None:
    """Return the number of items of the data set of a stage; 1 for a model."""
    if not stage.dataset:
        return 1
    base = ws.params.base(stage.dataset)
    digests = read_digests(ws.digests(base, "items"))
    return None if digests is None else digests.rows


def _rate(ws: Workspace, stage: Stage) -> tuple[float | None, str]:
    """Return units per second of a stage, and the job that was measured."""
    for job in _jobs(ws, stage):
        if measured := [one for one in timings.read(ws, job) if one.seconds > 0]:
            largest = max(reversed(measured), key=lambda one: one.units)  # the latest of these
            return largest.units / largest.seconds, job
    return None, ""


def _jobs(ws: Workspace, stage: Stage) -> list[str]:
    """Return the jobs whose rate a stage may have, the most similar first.

    An adapter reads stored vectors; its rates are those of adapters, and else those of pixels.
    """
    jobs = [stage.job, *(other.job for other in _alike(ws, stage))]
    if _model(ws, stage) not in ws.params.adapted:
        return jobs
    return [*map(timings.stored_job, jobs), *jobs]


def _alike(ws: Workspace, stage: Stage) -> list[Stage]:
    """Return the other stages of this kind, those of the same model first.

    Re-rankers, and methods of maps, differ by orders of magnitude: only runs by the same
    re-ranker and maps by the same method are alike.
    """
    model, way = _model(ws, stage), _way(ws, stage)
    others = [
        one
        for one in artefacts.stages(ws)
        if one.name == stage.name and one != stage and _way(ws, one) == way
    ]
    return sorted(others, key=lambda one: (_model(ws, one) != model, one.key))


def _way(ws: Workspace, stage: Stage) -> str:
    """Return the re-ranker of an evaluation, or the method of a map; "" for others."""
    if stage.name == artefacts.EVALUATE:
        return str((ws.run(stage.key).rerank or {}).get("kind", ""))
    return ws.map(stage.key).method if stage.name == artefacts.MAP else ""


def _model(ws: Workspace, stage: Stage) -> str:
    """Return the model of a stage; "" for none."""
    entry = ws.params.vector_entries().get(stage.key) or ws.params.runs.get(stage.key)
    return entry.model if entry else ""
