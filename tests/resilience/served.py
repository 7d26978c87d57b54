"""Serve a data set on this machine, for downloads that are killed."""

import atexit
import functools
import hashlib
import sys
import zipfile
from pathlib import Path

from servers import Server

NAME = "served"
"""Name of the data set, for ``likewise download``."""

FILES = {"first.zip": 4, "second.zip": 8}
"""The files and their size in MiB."""

_SERVE = """
import sys
from aiohttp import web
app = web.Application()
app.router.add_static("/", sys.argv[1])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]))
"""
"""Serves the files of a folder, and ranges of them."""

_ADD = """
from likewise.sources.known import KnownDataset, known_datasets
known_datasets()[{name!r}] = KnownDataset.model_validate(dict(
    title="Served", summary="Archives for tests only", homepage="https://example.org",
    licence={{}}, citation="A. Author: Served, for tests",
    layouts=[dict(files=["*"], source=dict(kind="folder"))], layout="image.bin",
    facts=[dict(what="all of them", source="this file")],
    download=[dict(name=name, url=url, digest=digest) for name, url, digest in {files}],
))
"""
"""Adds the data set to those that likewise knows."""


@functools.cache
def prepare(folder: Path) -> str:
    """Serve a data set from ``folder`` until this process ends; return code that adds it."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(sys.executable, "-c", _SERVE, folder, "PORT")
    files = []
    for name, size in FILES.items():
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("image.bin", bytes(range(256)) * (size << 12))
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        files.append((name, f"http://127.0.0.1:{server.port}/{name}", f"sha256:{digest}"))
    server.start()
    atexit.register(server.kill)
    return _ADD.format(name=NAME, files=files)
