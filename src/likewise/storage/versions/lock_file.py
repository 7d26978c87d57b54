"""The outputs of all stages, by path, as dvc.lock records them."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from likewise.errors import VersionError
from likewise.formats.paths import path_fault
from likewise.formats.text_files import read_text
from likewise.storage.config import parse_yaml
from likewise.storage.workspace import Workspace

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


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
    """Return the outputs in the ``text`` of a dvc.lock.

    Outputs of stages that never ran are missing.

    Raises:
        ConfigError: the text is not YAML.
        VersionError: a path is outside the catalogue, or an md5 is invalid.
    """
    document = parse_yaml(text.encode(), where)
    by_path = {}
    try:
        stages = (document or {}).get("stages") or {}  # type: ignore[attr-defined]
        for out in (out for stage in stages.values() for out in stage.get("outs", [])):
            if out.get("md5") is None:
                continue
            path, md5 = str(out["path"]), check_md5(str(out["md5"]), where)
            if fault := path_fault(path):
                raise VersionError(f"{where}: the path {path!r} is refused: {fault}")
            size, nfiles = int(out.get("size", 0)), int(out.get("nfiles", 1))
            by_path[path] = Output(path, md5, size, nfiles)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise VersionError(
            f"{where} is not a file of DVC; restore it: git restore {where}"
        ) from error
    return by_path


def check_md5(md5: str, where: str) -> str:
    """Return ``md5``, of a file or of a list of files (``....dir``), if it is valid.

    Raises:
        VersionError: ``md5`` is not an MD5; ``where`` names the file that contains it.
    """
    if _MD5.fullmatch(md5) is None:
        raise VersionError(f"{where}: {md5!r} is not an MD5; the file is damaged or hostile")
    return md5


def lock_text(document: Mapping[str, Any]) -> str:
    """Return a dvc.lock as text, in the style in which DVC writes it."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)


@functools.lru_cache(maxsize=64)
def _cached_outputs(lock: Path, *_stamp: int) -> dict[str, Output]:
    return read_outputs(read_text(lock), lock.name)
