"""Listings of object stores that this checkout keeps for a data set, under its seal.

``add`` lists a store, and ``ingest`` uses this listing. A killed ingest that is started again
uses it too. A listing of a prefix is used for an hour at most and until an ingest completes, so
that new objects are found. A listing of an archive is used as long as the archive is unchanged.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import polars as pl
import pyarrow as pa

from likewise.formats.archives.kept_listings import listings_kept
from likewise.formats.archives.listing import FileListing
from likewise.formats.atomic import atomic_file
from likewise.storage import seals
from likewise.storage.workspace import Workspace

MAX_AGE_SECONDS = 3600
"""Maximum age of a listing of a prefix."""

_PURPOSE = "listing"
"""Purpose of the seals: one for all data sets, because a data set may be renamed."""

_SEAL_BYTES = 64
"""Bytes of the seal at the start of a file; a table of Arrow follows."""

_FACTS = b"listing"
"""Key of the metadata with the rest of a listing."""


class SealedListings:
    """The kept listings of one data set; see ``kept_listings.ListingStore``."""

    def __init__(self, ws: Workspace, dataset: str) -> None:
        """Use the folder of the listings of ``dataset``; nothing is read yet."""
        self._ws = ws
        self._folder = ws.listings(dataset)
        self._used: dict[Path, bool] = {}

    def get(self, key: str, *, is_fixed: bool) -> FileListing | None:
        """See ``ListingStore.get``; a file that this checkout did not seal is not used."""
        path = self._path(key)
        try:
            age = time.time() - path.stat().st_mtime
            data = memoryview(path.read_bytes())
        except OSError:
            return None
        if not is_fixed and age > MAX_AGE_SECONDS:
            return None
        mac, content = bytes(data[:_SEAL_BYTES]).decode("ascii", "replace"), data[_SEAL_BYTES:]
        digest = key.encode() + hashlib.sha256(content).digest()
        if not seals.is_sealed(self._ws, _PURPOSE, digest, mac):
            return None
        table = pa.ipc.open_file(pa.py_buffer(content)).read_all()
        facts = json.loads(table.schema.metadata[_FACTS])
        self._used[path] = is_fixed
        return FileListing(
            cast("pl.DataFrame", pl.from_arrow(table.replace_schema_metadata(None))),
            facts["undecodable"],
            [(name, reason) for name, reason in facts["refused"]],
            facts["damage"],
        )

    def put(self, key: str, listing: FileListing, *, is_fixed: bool) -> None:
        """See ``ListingStore.put``."""
        facts = {
            "undecodable": listing.undecodable,
            "refused": listing.refused,
            "damage": listing.damage,
        }
        table = listing.members.to_arrow()
        table = table.replace_schema_metadata({_FACTS: json.dumps(facts).encode()})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        content = memoryview(sink.getvalue())
        digest = key.encode() + hashlib.sha256(content).digest()
        with atomic_file(self._path(key)) as part, part.open("wb") as opened:
            opened.write(seals.seal(self._ws, _PURPOSE, digest).encode())
            opened.write(content)
        self._used[self._path(key)] = is_fixed

    def settle(self) -> None:
        """Remove the listings that were not used, and those that the next ingest renews."""
        kept = {path for path, is_fixed in self._used.items() if is_fixed}
        if not kept:
            shutil.rmtree(self._folder, ignore_errors=True)
            return
        for path in self._folder.glob("*.arrow"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.arrow"


@contextmanager
def listings_of(ws: Workspace, dataset: str) -> Iterator[SealedListings]:
    """Keep the listings of object stores that are made in this context for ``dataset``."""
    store = SealedListings(ws, dataset)
    with listings_kept(store):
        yield store
