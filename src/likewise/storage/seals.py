"""Seals: proofs that this checkout wrote the files in its ``.likewise`` folder.

A seal is an HMAC under a secret key. Clones and archives of the catalogue do not contain this
key. The key is in the folder of git or, without git, in the folder of the user's state. A file
without a valid seal came with the catalogue and is not used. The key is not bound to a host, so
another node that shares the file system completes the work of a killed process.
"""

import hashlib
import hmac
import json
import os
import secrets
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from likewise.errors import DamagedError, DataError
from likewise.formats import atomic
from likewise.formats.json_documents import parse_json
from likewise.storage.workspace import Workspace

_KEY_BYTES = 32

_NAME_DIGITS = 16
"""Number of hexadecimal digits of a seal in the name of a file or folder."""


def seal(ws: Workspace, purpose: str, data: bytes) -> str:
    """Return the seal of ``data``; the key is created if it is missing.

    Args:
        ws: the checkout that writes ``data``.
        purpose: kind and name of the data; a seal is valid for no other purpose.
        data: the bytes to seal.

    Raises:
        DataError: there is no place for the key.
    """
    return _mac(_own_key(ws), purpose, data)


def is_sealed(ws: Workspace, purpose: str, data: bytes, mac: object) -> bool:
    """Return True if ``mac`` is the seal of ``data`` by this checkout; nothing is written."""
    return isinstance(mac, str) and any(
        hmac.compare_digest(_mac(key, purpose, data).encode(), mac.encode())
        for key in _keys(ws)
    )


def own_name(ws: Workspace, purpose: str) -> str:
    """Return a part of a name that only this user of this checkout can form.

    A file or folder that came with the catalogue has another name, so it is never found.

    Raises:
        DataError: there is no place for the key.
    """
    return seal(ws, purpose, b"")[:_NAME_DIGITS]


def sealed_document(ws: Workspace, purpose: str, key: str, text: str) -> str:
    """Return a JSON document with ``text`` under ``key``, and its seal."""
    return json.dumps({key: text, "seal": seal(ws, purpose, text.encode())})


def open_document(ws: Workspace, path: Path, data: bytes, purpose: str, key: str) -> str:
    """Return the text under ``key`` of a document by ``sealed_document``.

    Args:
        ws: the checkout.
        path: the file of the document, for the message.
        data: its content.
        purpose: as it was sealed.
        key: the key of the text.

    Raises:
        DataError: this checkout did not seal the document.
    """
    try:
        document = parse_json(data, str(path))
        text, mac = str(document[key]), document["seal"]
    except (DamagedError, TypeError, KeyError):
        text, mac = "", None
    if not is_sealed(ws, purpose, text.encode(), mac):
        raise DataError(unsealed(ws, path))
    return text


def write_names(ws: Workspace, path: Path, purpose: str, names: Sequence[str]) -> None:
    """Write a sealed list of names to ``path``.

    Raises:
        DataError: the file cannot be written, or there is no place for the key.
    """
    text = json.dumps(list(names))
    atomic.write_text(path, sealed_document(ws, purpose, "names", text))


def read_names(ws: Workspace, path: Path, purpose: str) -> list[str]:
    """Return the names in ``path``; none if this checkout did not seal them."""
    try:
        text = open_document(ws, path, path.read_bytes(), purpose, "names")
    except (OSError, DataError):
        return []
    return [str(name) for name in json.loads(text)]


def mark(ws: Workspace, file: Path, purpose: str) -> None:
    """Write ``file``, the mark that this checkout made the folder for ``purpose``.

    Raises:
        DataError: the file cannot be written, or there is no place for the key.
    """
    atomic.write_text(file, seal(ws, purpose, b""))


def is_marked(ws: Workspace, file: Path, purpose: str) -> bool:
    """Return True if ``file`` is the mark of this checkout for ``purpose``."""
    with suppress(OSError, UnicodeDecodeError):
        return is_sealed(ws, purpose, b"", file.read_text("ascii"))
    return False


def unsealed(ws: Workspace, path: Path) -> str:
    """Return the message for unfinished work or a file without a valid seal."""
    name = ws.relative(path)
    remove = shlex.join([*(("rm", "-r") if path.is_dir() else ("rm",)), name])
    return (
        f"{name} was not written by this checkout: it came with the catalogue, was changed, or "
        f"is of an earlier release; nothing of it was used; look at it, then: {remove}"
    )


def git_folder(start: Path) -> Path | None:
    """Return git's own folder of the checkout around ``start``; None without git.

    Git's folder is found by its name ``.git``, which git stores in no commit, so that a folder
    in the catalogue cannot imitate it. The folder of a worktree or a submodule is resolved.
    """
    for folder in (start, *start.parents):
        path = folder / ".git"
        if path.is_file():
            with suppress(OSError, ValueError):
                text = path.read_text("utf-8")
                path = folder / text.removeprefix("gitdir:").strip()
        if (path / "HEAD").is_file():
            return path.resolve()
    return None


def _mac(key: bytes, purpose: str, data: bytes) -> str:
    text = b"likewise seal 1\n" + purpose.encode() + b"\n" + data
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _places(ws: Workspace) -> Iterator[Path]:
    """Yield the files that may hold the key, the preferred one first.

    Each user has a separate key, because only its owner may read a key.
    """
    name = f"key-{os.geteuid()}"
    git = git_folder(ws.home)
    if git is not None:
        yield git / "likewise" / name
    for variable, default in (("XDG_STATE_HOME", ".local/state"), ("XDG_CACHE_HOME", ".cache")):
        folder = os.environ.get(variable)
        with suppress(RuntimeError):  # no home folder
            yield (Path(folder) if folder else Path.home() / default) / "likewise" / name


def _keys(ws: Workspace) -> Iterator[bytes]:
    for place in _places(ws):
        if (key := _read(place)) is not None:
            yield key


def _own_key(ws: Workspace) -> bytes:
    """Return the key in the first place that has one or can be written."""
    for place in _places(ws):
        key = _read(place)
        if key is None:
            with suppress(OSError):
                _create(place)
            key = _read(place)
        if key is not None:
            return key
    where = " or ".join(str(place) for place in _places(ws))
    raise DataError(
        f"the key of this checkout cannot be stored in {where}; make one of these folders "
        "writable, or set XDG_STATE_HOME to a writable folder"
    )


def _read(place: Path) -> bytes | None:
    """Return the key in ``place``; None if it is missing or writable by other users."""
    try:
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        facts = os.fstat(handle)
        own = stat.S_ISREG(facts.st_mode) and facts.st_uid == os.geteuid()
        if not own or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return None
        key = os.read(handle, _KEY_BYTES + 1)
    finally:
        os.close(handle)
    return key if len(key) == _KEY_BYTES else None


def _create(place: Path) -> None:
    """Create the key in ``place``, unless another process has just created it."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(_KEY_BYTES))
        os.fsync(handle)
        os.link(part, place)
    finally:
        os.close(handle)
        part.unlink()
