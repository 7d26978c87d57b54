"""Remotes of a clone whose addresses are relative to the repository that was cloned."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from likewise.formats import atomic
from likewise.formats.paths import refuse_links
from likewise.storage.workspace import Workspace

_ADDRESS = re.compile(r"\w+://|[/~]")
_UNSAFE = re.compile(r"""["'\\\n%$\]]""")
"""Characters that the format of DVC's settings gives a meaning of their own."""


def resolve_remotes(clone: Path, origin: str, catalogue: Path) -> None:
    """Write the absolute addresses of relative remotes to ``config.local`` of a clone.

    DVC reads ``../data`` relative to the folder of its settings, and a clone is in another
    place than its origin. An origin on another machine has no path here; its relative remotes
    stay as they are.

    Args:
        clone: the folder of the clone.
        origin: the address of the repository that was cloned.
        catalogue: the folder of the catalogue in the clone.

    Raises:
        DataError: a part of the path of the settings is a symbolic link.
    """
    folders = (catalogue, *catalogue.parents)
    inside = (Workspace(f) for f in folders if f.is_relative_to(clone))
    top = next((one for one in inside if one.dvc.is_dir()), None)
    source = _local_folder(origin)
    if top is None or source is None:
        return
    shared, own = top.dvc_configs
    refuse_links(clone, own)
    place = source / top.dvc.relative_to(clone)
    lines = [
        f'[\'remote "{name}"\']\n    url = "{os.path.normpath(place / url)}"\n'
        for name, url in _relative_remotes(shared)
        if not _UNSAFE.search(f"{name}{place}{url}")
    ]
    text = "".join(lines)
    if text != (own.read_text(encoding="utf-8") if own.is_file() else ""):
        atomic.write_text(own, text)


def _local_folder(origin: str) -> Path | None:
    is_uri = origin.startswith("file://")
    path = Path(unquote(urlsplit(origin).path) if is_uri else origin).expanduser()
    return path.resolve() if path.exists() else None


def _relative_remotes(config: Path) -> Iterator[tuple[str, str]]:
    """Yield the names and addresses of remotes that are relative paths."""
    from dvc.config import Config, ConfigError

    settings = {}
    with suppress(ConfigError, FileNotFoundError):  # reported when the remote is read
        settings = Config.load_file(str(config))
    for name, options in settings.get("remote", {}).items():
        url = options.get("url") if isinstance(options, dict) else None
        if isinstance(url, str) and not _ADDRESS.match(url):
            yield name, url
