"""Checks of files: missing results, orphans, and work of killed jobs."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

from likewise.catalogue.pulled_outputs import left_out
from likewise.distributed import plans_of
from likewise.errors import bounded, size_text
from likewise.formats.counted_nouns import counted
from likewise.formats.text_files import read_text
from likewise.models.training import resumable
from likewise.steps.doctor.problem import ELSEWHERE, Problem, command, never_run, size
from likewise.storage import artefacts
from likewise.storage.versions import cached_outputs
from likewise.storage.workspace import Places, Workspace, subfolders

_ANY = Places(Path())

HANDWRITTEN = tuple(
    path("").name for path in (_ANY.corrections, _ANY.forgotten, _ANY.tags, _ANY.reviews)
)
"""Names of files in the folder of a data set that no stage can make again."""

OLD_VIEWS = 10**9
"""Bytes held only by links in .likewise/views that are reported as a problem."""


def check(ws: Workspace) -> Iterator[Problem]:
    """Yield missing results, orphans, unfinished work, and views that hold old versions."""
    yield from _missing(ws)
    yield from _elsewhere(ws)
    for path in _orphans(ws):
        what = f"nothing in params.yaml makes or reads {ws.relative(path)}"
        if made := [ws.relative(part) for part in _without_handwritten(path)]:
            yield Problem("orphan", what, command("rm", "-r", *made))
    yield from _unfinished(ws)
    yield from _shards(ws)
    yield from _stopped(ws)
    yield from _views(ws)


def _missing(ws: Workspace) -> Iterator[Problem]:
    cached = cached_outputs(ws) if _has_remote(ws) else []
    can_pull = {output.path for output in cached}
    fresh, skipped = never_run(ws), left_out(ws)
    if len(fresh) > 1:
        what = (
            f"{counted(len(fresh), 'stage', 'has', 'have')} not run yet: "
            f"{bounded(fresh, len(fresh))}"
        )
        yield Problem("missing", what, "dvc repro")
    for stage, outputs in artefacts.stages(ws).items():
        if len(fresh) > 1 and str(stage) in fresh:
            continue
        gone = [ws.relative(path) for path in outputs if not path.exists()]
        if gone:
            from_remote = set(gone) <= can_pull
            if from_remote and set(gone) <= skipped:
                continue
            repair = command("dvc", "pull", *gone) if from_remote else stage.command
            yield Problem(
                "missing", f"{stage} has no output {bounded(gone, len(gone))}", repair
            )


def _elsewhere(ws: Workspace) -> Iterator[Problem]:
    """Yield one line about the outputs that ``pull --no-images`` left on the remote."""
    known = {output.path for output in cached_outputs(ws)} if _has_remote(ws) else set()
    absent = sorted(p for p in left_out(ws) & known if not (ws.root / p).exists())
    if absent:
        what = (
            f"{counted(len(absent), 'output', 'is', 'are')} on the remote only: "
            f"{bounded(absent, len(absent))}"
        )
        yield Problem(ELSEWHERE, what, "likewise pull")


def _has_remote(ws: Workspace) -> bool:
    return any("['remote" in read_text(path) for path in ws.dvc_configs if path.is_file())


def _orphans(ws: Workspace) -> Iterator[Path]:
    """Yield tables, vectors, reports and models without an entry in params.yaml."""
    wanted = {path for made in artefacts.artefacts(ws) for path in made.files}
    # No stage writes the pages of `likewise report`, but they belong to a run of params.yaml.
    wanted |= {ws.report(run, "report.json") for run in ws.params.runs}
    # The tables of a card without an entry belong to a data set that was renamed by hand.
    for name in (card.stem for card in ws.cards if card.stem not in ws.params.datasets):
        wanted |= {ws.tables(name), ws.published(name), ws.published_digests(name)}
    yield from (path for path in ws.existing_outputs() if path not in wanted)


def _without_handwritten(path: Path) -> list[Path]:
    """Return ``path``, or the parts of this folder without the files that people wrote."""
    if not path.is_dir() or not any(map(_is_handwritten, path.rglob("*"))):
        return [path]
    return [
        part
        for entry in sorted(path.iterdir())
        if not _is_handwritten(entry)
        for part in _without_handwritten(entry)
    ]


def _is_handwritten(path: Path) -> bool:
    """Return whether a file has rows that people wrote; many have only a line of names."""
    is_selection = path.parent.name == _ANY.selections("").name and path.suffix == ".csv"
    known = path.name in HANDWRITTEN or is_selection
    return known and path.is_file() and len(path.read_bytes().splitlines()) > 1


def _unfinished(ws: Workspace) -> Iterator[Problem]:
    """Yield staging folders of jobs that are not running; the same command resumes them."""
    by_job = {stage.job: stage for stage in artefacts.stages(ws)}
    for folder in subfolders(ws.stagings):
        if not any(folder.iterdir()) or _runs(ws, folder.name):
            continue
        what = f"{folder.name} was stopped; {size(folder)} of partial results are kept"
        stage = by_job.get(folder.name)
        repair = stage.command if stage else command("rm", "-r", ws.relative(folder))
        yield Problem("unfinished", what, repair)


def _shards(ws: Workspace) -> Iterator[Problem]:
    """Yield plans whose shards no command has committed, and plans of earlier inputs."""
    pixels = [artefacts.table(ws, name, "pixels").stage for name in ws.params.datasets]
    commands = {stage.job: command("likewise", "measure", stage.dataset) for stage in pixels}
    commands |= {stage.job: stage.forced for stage in artefacts.stages(ws)}
    indexes = artefacts.index_jobs(ws, *ws.params.datasets, *ws.params.all_views)
    commands |= {job: command("likewise", "index", *names) for job, names in indexes.items()}
    for folder in subfolders(ws.sharded_jobs):
        job = folder.name
        if _runs(ws, job):
            continue
        plans = plans_of(ws, job)
        if not plans or job not in commands:
            what = f"{size(folder)} of abandoned shards of {job}"
            yield Problem("unfinished", what, command("rm", "-r", ws.relative(folder)))
            continue
        now, *earlier = plans
        complete, planned = len(now.parts()), len(now.sizes)
        what = (
            f"{complete:,} of {counted(planned, f'shard of {job}', 'is', 'are')} computed and "
            "not committed"
        )
        yield Problem("unfinished", what, commands[job])
        for plan in earlier:
            what = (
                f"{counted(len(plan.parts()), f'shard of {job}', 'is', 'are')} abandoned: the "
                f"inputs have changed since; {size(plan.folder)} are kept"
            )
            yield Problem("unfinished", what, command("rm", "-r", ws.relative(plan.folder)))


def _stopped(ws: Workspace) -> Iterator[Problem]:
    """Yield stopped trainings; the same command with the same options resumes them."""
    for place in subfolders(ws.unfinished_trainings):
        trainings, model = resumable.stopped(place), place.name
        if not trainings or _runs(ws, f"train-{model}"):
            continue
        known = model in ws.params.recipes()
        remove = command("rm", "-r", ws.relative(place))
        repair = artefacts.model(ws, model).command if known else remove
        many = counted(len(trainings), f"training of {model}", "was", "were")
        if len(trainings) == 1:
            many = f"train-{model} was"
        yield Problem(
            "unfinished", f"{many} stopped; {size(place)} of partial results are kept", repair
        )


def _runs(ws: Workspace, job: str) -> bool:
    """Return whether a process runs ``job``; nothing is written, so it works read-only."""
    try:
        with ws.lock_file(job).open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _views(ws: Workspace) -> Iterator[Problem]:
    views = ws.views
    stats = [p.lstat() for p in views.rglob("*") if p.is_file()]
    alone = sum(stat.st_size for stat in stats if stat.st_nlink == 1)
    if alone >= OLD_VIEWS:
        what = f"{size_text(alone)} of files of old versions exist only in {ws.relative(views)}"
        yield Problem("views", what, command("rm", "-r", ws.relative(views)))
