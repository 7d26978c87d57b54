"""Records of shards: complete, begun or failed, one sealed file each."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from likewise.errors import DataError
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage import seals
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class ShardPart:
    """The record that a shard is complete.

    Attributes:
        shard: the number of the shard.
        by: the process that computed it.
        seconds: how long it took.
        data: its results, as JSON.
    """

    shard: int
    by: str = ""
    seconds: float = 0.0
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ShardNote:
    """A note that a shard was begun, or has failed.

    Attributes:
        shard: the number of the shard.
        by: the process.
        why: the reason of the failure.
        at: when it was written, in seconds since 1970; 0 in notes of older versions.
    """

    shard: int
    by: str = ""
    why: str = ""
    at: float = 0.0

    @property
    def age(self) -> float | None:
        """Seconds since the note was written; None if that is not known."""
        return max(time.time() - self.at, 0) if self.at else None


@dataclass(frozen=True)
class ShardRecords:
    """The records of one kind of the shards of a plan.

    Attributes:
        ws: the checkout, which seals them.
        folder: their folder: ``parts``, ``begun`` or ``failed``.
        purpose: the plan, so that a record is valid for no other one.
    """

    ws: Workspace
    folder: Path
    purpose: str

    def write(self, record: ShardPart | ShardNote) -> None:
        """Write the record of a shard completely or not at all.

        Raises:
            DataError: the file cannot be written.
        """
        path = self.path(record.shard)
        refuse_links(self.ws.home, path)
        text = json.dumps(asdict(record))
        purpose = self._purpose(record.shard)
        atomic.write_text(path, seals.sealed_document(self.ws, purpose, "shard", text))

    def read(self, shards: Iterable[int]) -> Iterator[dict[str, Any]]:
        """Yield the fields of the records that this checkout has sealed."""
        for shard in shards:
            path = self.path(shard)
            with suppress(OSError, DataError):
                data, purpose = path.read_bytes(), self._purpose(shard)
                text = seals.open_document(self.ws, path, data, purpose, "shard")
                yield json.loads(text)

    def remove(self, shard: int) -> None:
        """Remove the record of a shard, if there is one."""
        self.path(shard).unlink(missing_ok=True)

    def path(self, shard: int) -> Path:
        """Return the file of the record of a shard."""
        return self.folder / f"{shard}.json"

    def _purpose(self, shard: int) -> str:
        return f"{self.purpose}/{self.folder.name}/{shard}"
