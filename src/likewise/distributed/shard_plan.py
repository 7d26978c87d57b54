"""Plans of jobs that run in shards, and the parts that their shards write.

The folder of a plan is ``.likewise/shards/<job>/<plan>``:

- ``rows.arrow``: the rows of all shards, a batch per shard.
- ``plan.json``: the inputs of the plan, the sizes of its shards, and the SHA-256 of the rows.
- ``parts/<shard>.json``: the record that a shard is complete, with its results.
- ``begun/<shard>.json`` and ``failed/<shard>.json``: notes for ``likewise status``.
- ``notes/<name>.json``: what all shards share.
- other files and folders: the data of the parts.

Plans, parts and notes are used only with a seal of this checkout. The key of the seal is in the
folder of git, so another node of the same file system can continue.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl

from likewise.distributed.engines.base import worker_name
from likewise.distributed.plan_rows import read_shard_rows, rows_digest, write_shard_rows
from likewise.distributed.shard_records import ShardNote, ShardPart, ShardRecords
from likewise.errors import DamagedError, DataError, MissingArtefactError
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage import seals
from likewise.storage.workspace import Workspace, subfolders

_DIGITS = 16
"""Hexadecimal digits of the identity of a plan."""

_HASHED_ROWS = 1024
"""Rows that are hashed at a time, as lines of JSON."""

_PLAN, _ROWS = "plan.json", "rows.arrow"


@dataclass(frozen=True)
class ShardPlan:
    """The shards of a job. Equal inputs have equal plans.

    Attributes:
        ws: the checkout.
        job: the name of the job, such as ``embed-birds-lite0``.
        id: hexadecimal digits that identify the inputs.
        sizes: the number of rows of each shard.
        facts: the inputs other than the rows.
        digest: the SHA-256 of the file of the rows.
    """

    ws: Workspace = field(repr=False)
    job: str
    id: str
    sizes: tuple[int, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    digest: str = field(default="", repr=False)

    @property
    def folder(self) -> Path:
        """The folder of the plan, also for the data of its parts."""
        return self.ws.shards(self.job) / self.id

    @property
    def shards(self) -> range:
        """The numbers of the shards."""
        return range(len(self.sizes))

    def rows(self, shard: int) -> pl.DataFrame:
        """Read the rows of a shard.

        Raises:
            MissingArtefactError: the plan was removed.
            DamagedError: the rows are not those that were planned.
        """
        path = self.folder / _ROWS
        refuse_links(self.ws.home, path)
        try:
            if rows_digest(path) != self.digest:
                raise self.damaged(path)
            return read_shard_rows(path, shard)
        except FileNotFoundError as error:
            raise self._removed() from error

    @contextmanager
    def begun(self, shard: int) -> Iterator[None]:
        """Note that this process works on a shard.

        Raises:
            MissingArtefactError: the plan was removed, perhaps meanwhile; then the data that
                the shard has written are removed, too.
        """
        if self._is_removed():
            raise self._removed()
        self._records("begun").write(ShardNote(shard, worker_name(), at=time.time()))
        self._began[shard] = time.monotonic()
        try:
            yield
        except Exception as error:
            if self._is_removed():
                self.remove()
                raise self._removed() from error
            raise

    @cached_property
    def _began(self) -> dict[int, float]:
        return {}

    def write_part(self, shard: int, data: Mapping[str, Any]) -> None:
        """Record that a shard is complete; the files of its data are on the disk.

        Args:
            shard: its number.
            data: its results, as JSON.

        Raises:
            DataError: the file cannot be written.
            MissingArtefactError: the plan was removed meanwhile, for example by ``forget``; the
                data of the shard are removed, too.
        """
        if self._is_removed():
            self.remove()
            raise self._removed()
        now = time.monotonic()
        seconds = round(now - self._began.get(shard, now), 3)
        part = ShardPart(shard, worker_name(), seconds, dict(data))
        self._records("parts").write(part)
        self._records("begun").remove(shard)
        self._records("failed").remove(shard)

    def parts(self, shards: Iterable[int] | None = None) -> dict[int, ShardPart]:
        """Read the parts of complete shards, of all or of some, by number and in order."""
        wanted = self.shards if shards is None else shards
        parts = (ShardPart(**content) for content in self._records("parts").read(wanted))
        return {part.shard: part for part in parts}

    def note_failure(self, shard: int, why: str, by: str) -> None:
        """Note that a shard has failed, unless the plan was removed."""
        if self._is_removed():
            return
        self._records("failed").write(ShardNote(shard, by, why, time.time()))
        self._records("begun").remove(shard)

    def failed(self) -> list[ShardNote]:
        """Read the notes of failed shards."""
        return self._notes("failed")

    def under_way(self) -> list[ShardNote]:
        """Read the notes of shards that were begun; a killed process leaves its note."""
        return self._notes("begun")

    def remove(self) -> None:
        """Remove the plan and all its parts.

        The plan itself goes first: a process that is killed here leaves no plan without rows.
        """
        refuse_links(self.ws.home, self.folder)
        with suppress(OSError):
            (self.folder / _PLAN).unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, rows: pl.DataFrame) -> Self:
        """Write the plan, and return it; all its processes write the same bytes."""
        for name in (_ROWS, _PLAN):
            refuse_links(self.ws.home, self.folder / name)
        with atomic.atomic_file(self.folder / _ROWS) as part:
            digest = write_shard_rows(part, rows, self.sizes)
        content = {"sizes": list(self.sizes), "facts": dict(self.facts), "rows": digest}
        text = json.dumps(content, sort_keys=True)
        document = seals.sealed_document(self.ws, self._purpose, "plan", text)
        atomic.write_text(self.folder / _PLAN, document)
        return replace(self, digest=digest)

    @classmethod
    def read(cls, ws: Workspace, job: str, id: str) -> Self | None:
        """Read a plan; None if this checkout has not written it, or its rows are missing."""
        plan = cls(ws, job, id, ())
        path = plan.folder / _PLAN
        refuse_links(ws.home, path)
        try:
            data = path.read_bytes()
            text = seals.open_document(ws, path, data, plan._purpose, "plan")
        except (OSError, DataError):
            return None
        content = json.loads(text)
        if "rows" not in content or not (plan.folder / _ROWS).is_file():
            return None  # of an earlier release, or half removed
        return cls(ws, job, id, tuple(content["sizes"]), content["facts"], content["rows"])

    def damaged(self, path: Path) -> DamagedError:
        """Return the error that a file of the plan is missing, or is another one."""
        return DamagedError(
            f"{self.ws.relative(path)} is missing or damaged; to compute the shards of "
            f"{self.job} again, run: rm -r {self.ws.relative(self.folder)}"
        )

    def _notes(self, kind: str) -> list[ShardNote]:
        """Read the notes of a kind about shards that are not complete."""
        complete = self._records("parts")
        incomplete = [shard for shard in self.shards if not complete.path(shard).is_file()]
        return [ShardNote(**content) for content in self._records(kind).read(incomplete)]

    def _records(self, kind: str) -> ShardRecords:
        return ShardRecords(self.ws, self.folder / kind, self._purpose)

    @property
    def _purpose(self) -> str:
        return f"shards/{self.job}/{self.id}"

    def _is_removed(self) -> bool:
        return not (self.folder / _PLAN).is_file()

    def _removed(self) -> MissingArtefactError:
        return MissingArtefactError(
            f"the plan {self.id} of {self.job} was removed: another process has committed the "
            "job, or its inputs have changed",
            "likewise status",
        )


def make_plan(
    ws: Workspace,
    job: str,
    *,
    facts: Mapping[str, str],
    rows: pl.DataFrame,
    sizes: Sequence[int],
    prepare: Callable[[ShardPlan], None] | None = None,
) -> ShardPlan:
    """Return the plan of a job, and write it if it is new.

    Args:
        ws: the checkout.
        job: the name of the job; its lock and its staging folder have the same name.
        facts: the inputs other than the rows: identities, digests and options.
        rows: the rows of all shards, in an order that depends on the inputs alone.
        sizes: the number of rows of each shard, see ``shard_sizes``; their sum is
            ``len(rows)``.
        prepare: writes further inputs into the folder of a new plan, before the plan itself.

    Raises:
        DataError: the plan cannot be written.
    """
    hasher = hashlib.sha256(b"likewise plan 1\n")
    hasher.update(json.dumps([job, dict(facts), list(sizes)], sort_keys=True).encode())
    for part in rows.iter_slices(_HASHED_ROWS):
        hasher.update(part.write_ndjson().encode())
    id = hasher.hexdigest()[:_DIGITS]
    plan = ShardPlan.read(ws, job, id)
    if plan is None:
        plan = ShardPlan(ws, job, id, tuple(sizes), facts)
        if sizes:
            if prepare is not None:
                prepare(plan)
            plan = plan.write(rows)
    return plan


def read_plan(ws: Workspace, job: str, id: str) -> ShardPlan:
    """Read a plan by its identity.

    Raises:
        MissingArtefactError: this checkout has no such plan.
    """
    plan = ShardPlan.read(ws, job, id)
    if plan is None:
        raise ShardPlan(ws, job, id, ())._removed()  # noqa: SLF001 (its message)
    return plan


def plans_of(ws: Workspace, job: str) -> list[ShardPlan]:
    """Return the plans of a job that this checkout has written, the newest first."""
    folders = sorted(subfolders(ws.shards(job)), key=_age, reverse=True)
    plans = (ShardPlan.read(ws, job, folder.name) for folder in folders)
    return [plan for plan in plans if plan is not None]


def remove_plans(ws: Workspace, job: str) -> None:
    """Remove all plans and parts of a job."""
    refuse_links(ws.home, ws.shards(job))
    for folder in subfolders(ws.shards(job)):
        if not folder.is_symlink():
            ShardPlan(ws, job, folder.name, ()).remove()
    shutil.rmtree(ws.shards(job), ignore_errors=True)
    with suppress(OSError):
        ws.sharded_jobs.rmdir()


def _age(folder: Path) -> tuple[float, str]:
    with suppress(OSError):
        return (folder / _PLAN).stat().st_mtime, folder.name
    return 0.0, folder.name
