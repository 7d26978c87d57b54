"""The MD5 that DVC records of a file and of a folder, computed from their content."""

import json
from collections.abc import Mapping
from io import BytesIO


def content_md5(content: bytes) -> str:
    """Return the MD5 of a file with this content."""
    from dvc_data.hashfile.hash import fobj_md5

    return str(fobj_md5(BytesIO(content)))


def folder_md5(files: Mapping[str, bytes]) -> str:
    """Return the MD5 of a folder: that of the sorted list of its files, ``....dir``.

    Args:
        files: path in the folder -> content.
    """
    listed = [{"md5": content_md5(files[path]), "relpath": path} for path in sorted(files)]
    return content_md5(json.dumps(listed, sort_keys=True).encode()) + ".dir"
