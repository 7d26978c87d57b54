"""Notes of a plan about what all its shards share, such as a trained index."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from likewise.distributed.shard_plan import ShardPlan
from likewise.errors import DataError
from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage import seals


def write_note(plan: ShardPlan, name: str, facts: Mapping[str, str]) -> None:
    """Write a note, completely or not at all, under the seal of this checkout.

    Raises:
        DataError: the file cannot be written.
    """
    path = _path(plan, name)
    text = json.dumps(dict(facts))
    atomic.write_text(path, seals.sealed_document(plan.ws, _purpose(plan, name), "note", text))


def read_note(plan: ShardPlan, name: str) -> dict[str, str]:
    """Return the facts of a note; none if this checkout did not write it."""
    path = _path(plan, name)
    with suppress(OSError, DataError):
        data, purpose = path.read_bytes(), _purpose(plan, name)
        facts: dict[str, str] = json.loads(
            seals.open_document(plan.ws, path, data, purpose, "note")
        )
        return facts
    return {}


def _path(plan: ShardPlan, name: str) -> Path:
    path = plan.folder / "notes" / f"{name}.json"
    refuse_links(plan.ws.home, path)
    return path


def _purpose(plan: ShardPlan, name: str) -> str:
    return f"shards/{plan.job}/{plan.id}/notes/{name}"
