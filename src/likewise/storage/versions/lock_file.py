"""The outputs of all stages, by path, as dvc.lock records them."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from likewise.storage.config import parse_yaml
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Output:
    """One output: the md5 of its content, or of the list of its files (``....dir``)."""

    path: str
    md5: str
    size: int = 0
    nfiles: int = 1


def outputs(root: Path) -> dict[str, Output]:
    """Return the outputs in ``root/dvc.lock`` by path; empty if there is no such file."""
    lock = Workspace(root).lock
    try:
        stat = lock.stat()
    except FileNotFoundError:
        return {}
    return _cached_outputs(lock, stat.st_mtime_ns, stat.st_size, stat.st_ino)


def read_outputs(text: str, where: str = "dvc.lock") -> dict[str, Output]:
    """Return the outputs in the ``text`` of a dvc.lock, without those that git stores."""
    document = parse_yaml(text.encode(), where)
    stages = document.get("stages", {}) if isinstance(document, dict) else {}
    by_path = {}
    for stage in (stages or {}).values():
        for out in stage.get("outs", []):
            path, md5 = str(out.get("path")), str(out.get("md5"))
            by_path[path] = Output(
                path, md5, int(out.get("size", 0)), int(out.get("nfiles", 1))
            )
    return by_path


def lock_text(document: Mapping[str, Any]) -> str:
    """Return a dvc.lock as text, in the style in which DVC writes it."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)


@functools.lru_cache(maxsize=64)
def _cached_outputs(lock: Path, *_stamp: int) -> dict[str, Output]:
    return read_outputs(lock.read_text(encoding="utf-8"), lock.name)
