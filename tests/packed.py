"""Write files as a folder and as every kind of archive."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

from archives import placed
from likewise.formats.archives import FileCollection

CONTENT = {
    "b/2.bin": b"two" * 1000,
    "a/1.bin": b"one",
    "a/.hidden": b"",
    "a.txt": b"dot sorts before slash",
    "Ä/\u4e2d\n.bin": os.urandom(5000),
    "\U0001f600.bin": b"beyond the basic plane",
    "\ufffd.bin": b"before it by code point, after it in UTF-16",
}


def zipped(path: Path, content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, content: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    modes = {".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2"}
    with tarfile.open(path, modes.get(path.suffix, "w"), format=form) as archive:  # type: ignore[call-overload]
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1_600_000_000
            archive.addfile(member, io.BytesIO(data))
    return path


def made(kind: str, path: Path, content: dict[str, bytes]) -> Path:
    if kind == "folder":
        return placed(path / "folder", content)
    if kind == "zip":
        return zipped(path / "a.zip", content)
    if kind == "deflated.zip":
        return zipped(path / "d.zip", content, zipfile.ZIP_DEFLATED)
    return tarred(path / f"a.{kind}", content)


def bytes_of(files: FileCollection) -> dict[str, bytes]:
    return dict(files.read_many(files.listing()["path"]))
