"""Make trees of files as a folder, a tar or a zip."""

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

Tree = dict[str, bytes]
"""Path -> content of the file."""

Member = tuple[str, bytes]


def placed(top: Path, content: Tree) -> Path:
    """Write the files below ``top``."""
    for name, data in content.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    return top


def tarred(content: Tree | Iterable[Member], mode: str = "w") -> bytes:
    """Make a tar of the files; in a list, a name may occur twice."""
    stream = io.BytesIO()
    members = content.items() if isinstance(content, dict) else content
    with tarfile.open(fileobj=stream, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def zipped(content: Tree) -> bytes:
    """Make a zip of the files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return stream.getvalue()
