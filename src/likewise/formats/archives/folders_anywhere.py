"""The files below a folder, of this machine or of an object store."""

from pathlib import Path

from likewise.formats.archives.file_collection import FileCollection
from likewise.formats.archives.folders import Folder
from likewise.formats.archives.objects import ObjectFolder
from likewise.formats.object_storage import RemotePath


def open_folder(path: Path) -> FileCollection:
    """Return the files below ``path``; nothing is listed yet."""
    return ObjectFolder(path) if isinstance(path, RemotePath) else Folder(path)
