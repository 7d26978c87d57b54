"""Rename or remove a data set: params.yaml, dvc.lock, dvc.yaml and all files, all or none."""

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from likewise.catalogue.params_editor import dump_yaml, round_trip
from likewise.errors import DataError, LikewiseError
from likewise.formats import atomic
from likewise.formats.text_files import read_text
from likewise.storage import artefacts, journal, tables, versions
from likewise.storage.artefacts import Stage
from likewise.storage.config import read_params
from likewise.storage.takedown_lock import alone
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class OlderVersion:
    """A commit that still holds a data set under a name that the checkout does not have.

    Attributes:
        commit: hash of the commit.
        names: its branches and tags.
        date: date of the commit.
        outputs: its tables and reports of the data set.
    """

    commit: str
    names: str
    date: str
    outputs: list[str]


class DatasetChange:
    """Files to write, move and remove together, and the catalogue as it will be."""

    def __init__(self, ws: Workspace, job: str, edit: Callable[[CommentedMap], None]) -> None:
        """Write the edited params.yaml to the staging folder.

        Raises:
            ConfigError: the new params.yaml is invalid.
        """
        self._ws = ws
        self._job = job
        self._staging = journal.Staging(ws, job)
        text = read_text(ws.params_file)
        document = round_trip().load(text) or CommentedMap()
        edit(document)
        params = self._staging.path(ws.params_file)
        atomic.write_text(params, dump_yaml(document))
        read_params(params)
        self.after = Workspace(self._staging.folder)

    def write(self, path: Path, text: str) -> None:
        """Write a file of the checkout."""
        atomic.write_text(self._staging.path(path), text)

    def move(self, old: Path, new: Path) -> None:
        """Move a file or folder of the checkout, if it exists."""
        if old.exists() and old != new:
            self._staging.move(old, new)

    def remove(self, path: Path) -> str | None:
        """Remove a file or folder of the checkout; return its name, or None if it is absent."""
        if not path.exists():
            return None
        name = self._ws.relative(path)
        self._staging.move(path, self._ws.trash(self._job) / name.replace("/", "-"))
        return name

    def commit(self) -> None:
        """Apply all changes, or none."""
        self._staging.commit()


@contextmanager
def exclusive(ws: Workspace, job: str, dataset: str, stages: Iterable[Stage]) -> Iterator[None]:
    """Lock params.yaml, the items of ``dataset`` and the jobs of ``stages``.

    Raises:
        DataError: another process works with the items or runs one of the jobs, or a job was
            stopped and its work is kept.
    """
    with ExitStack() as locks:
        locks.enter_context(alone(ws, dataset, job))
        for name in dict.fromkeys((job, "params", *(stage.job for stage in stages))):
            locks.enter_context(journal.exclusive_job(ws, name))
        for stage in stages:
            folders = (ws.staging(stage.job), ws.shards(stage.job))
            kept = [f for f in folders if f.is_dir() and any(f.iterdir())]
            if kept:
                remove = shlex.join(["rm", "-r", *map(ws.relative, kept)])
                raise DataError(
                    f"{stage} was stopped, and its work is kept; finish it: {stage.command}, "
                    f"or drop it: {remove}; nothing was changed"
                )
        yield


def check_no_takedown(ws: Workspace, dataset: str) -> None:
    """Refuse a data set with an unfinished take-down.

    Raises:
        DataError: there is one.
    """
    if ws.forgetting(dataset).is_file():
        raise DataError(
            f"a take-down of {dataset} was stopped; finish it: likewise forget {dataset}; "
            "nothing was changed"
        )


def stale_checks(ws: Workspace, dataset: str) -> list[str]:
    """Return the recorded checks of other data sets with a flag that names ``dataset``.

    ``dvc repro`` runs these stages again after the data set is renamed or removed.
    """
    recorded = versions.recorded_stages(ws)
    stages = [
        str(artefacts.table(ws, other, "flags").stage)
        for other in ws.params.checks
        if other != dataset and dataset in _compared(ws, other)
    ]
    return [stage for stage in stages if stage in recorded]


def _compared(ws: Workspace, dataset: str) -> set[str]:
    try:
        path = versions.locate(ws, ws.table(dataset, "flags"))
        if not tables.exists(path):
            return set()
        flags = tables.open_table(path, "").read(["other_dataset"])
    except LikewiseError:
        return set()
    return set(flags["other_dataset"].drop_nulls())


def pixel_files(ws: Workspace) -> dict[str, bytes]:
    """Return the digest files of all measures, which every check depends on."""
    folder = ws.pixel_digests("").parent
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stages_of(ws: Workspace, names: Iterable[str]) -> list[Stage]:
    """Return the stages that write tables or results of data sets and views, and all checks."""
    wanted = set(names)
    return [
        stage
        for stage in artefacts.stages(ws)
        if stage.dataset in wanted or stage.name == artefacts.CHECK
    ]


def older_versions(ws: Workspace, dataset: str, paths: Iterable[str]) -> list[OlderVersion]:
    """Return the commits with outputs of a data set: its tables, and the files ``paths``."""
    wanted, folder = set(paths), f"{ws.relative(ws.tables(dataset))}/"
    older = []
    for version in versions.recorded_versions(ws):
        paths_held = sorted(p for p in version.outputs if p in wanted or p.startswith(folder))
        if paths_held:
            older.append(OlderVersion(version.commit, version.names, version.date, paths_held))
    return older
