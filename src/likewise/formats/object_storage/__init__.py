"""Read objects of S3 and other stores where they are; see ``RemotePath``."""

from likewise.formats.object_storage.file_systems import StoreError
from likewise.formats.object_storage.remote_path import RemotePath, as_path, is_remote

__all__ = ["RemotePath", "StoreError", "as_path", "is_remote"]
