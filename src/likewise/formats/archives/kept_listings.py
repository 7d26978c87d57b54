"""Listings of object stores, which are kept because a listing takes many requests.

``listings_kept`` names the place in which they are kept while a command runs. Folders and
archives of this machine are listed each time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol

from likewise.formats.archives.listing import FileListing
from likewise.formats.object_storage import RemotePath


class ListingStore(Protocol):
    """A place that keeps listings."""

    def get(self, key: str, *, is_fixed: bool) -> FileListing | None:
        """Return the listing of ``key``; None if there is none, or it is too old.

        A fixed listing is never too old: its key has the version of its object.
        """

    def put(self, key: str, listing: FileListing, *, is_fixed: bool) -> None:
        """Keep ``listing`` under ``key``."""


class MemoryStore:
    """Listings in the memory of this process."""

    def __init__(self) -> None:
        """Start without listings."""
        self._listings: dict[str, FileListing] = {}

    def get(self, key: str, *, is_fixed: bool) -> FileListing | None:
        """See ``ListingStore.get``."""
        return self._listings.get(key)

    def put(self, key: str, listing: FileListing, *, is_fixed: bool) -> None:
        """See ``ListingStore.put``."""
        self._listings[key] = listing


_store: ContextVar[ListingStore | None] = ContextVar("listings", default=None)


@contextmanager
def listings_kept(store: ListingStore) -> Iterator[None]:
    """Keep listings in ``store`` while the context lasts."""
    token = _store.set(store)
    try:
        yield
    finally:
        _store.reset(token)


def kept_listing(path: Path, options: str, scan: Callable[[], FileListing]) -> FileListing:
    """Return the kept listing of ``path``, or list it and keep the result.

    The listing of an archive is found by its address, size and tag, and so is never outdated;
    that of a prefix only by its address. The store decides how long it is valid.

    Args:
        path: the folder or archive.
        options: options on which the listing depends; "" for a listing that is not kept.
        scan: lists it.
    """
    store = _store.get()
    if store is None or not options or not isinstance(path, RemotePath):
        return scan()
    facts = path.existing_facts()
    version = "" if facts.is_folder else f" {facts.nbytes} {facts.etag}"
    key = f"{path} {options}{version}"
    is_fixed = not facts.is_folder
    listing = store.get(key, is_fixed=is_fixed)
    if listing is None:
        listing = scan()
        store.put(key, listing, is_fixed=is_fixed)
    return listing
