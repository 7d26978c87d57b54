"""Requests to object stores, through the file systems of fsspec.

Credentials are found by the libraries of the stores only: their variables, files and roles.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from likewise.errors import DamagedError, DataError, LikewiseError, MissingExtraError
from likewise.formats.escape import escape_line
from likewise.formats.transport_faults import fault_kind

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PROTOCOLS = {"s3": "s3", "gs": "gs", "azure": "az", "http": "http", "https": "https"}
"""Scheme of an address -> name of its file system in fsspec."""

_PACKAGES = {"s3": "likewise[s3]", "gs": "dvc[gs]", "azure": "dvc[azure]"}
"""Scheme of an address -> package that installs its library."""

_LIBRARIES = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "azure", "fsspec")
"""Libraries whose errors are faults of a store."""

_WEB = ("http", "https")
_STAMP_BITS = 62
_CONNECTIONS = 64
"""Requests to a store at a time; the library of S3 has 10 by default."""


class StoreError(DataError):
    """A request to an object store failed; the data may be whole."""


class ObjectFacts(NamedTuple):
    """Size in bytes and entity tag of an object; ``is_folder`` for a prefix of objects."""

    nbytes: int
    etag: str
    is_folder: bool

    @property
    def stamp(self) -> int:
        """A number that changes with the content of the object."""
        digest = hashlib.sha256(self.etag.encode()).digest()
        return int.from_bytes(digest[:8], "big") >> (64 - _STAMP_BITS)


def facts_of(address: str) -> ObjectFacts | None:
    """Return the facts of an object or a prefix; None if there is neither.

    Raises:
        StoreError: the store refuses the request, or cannot be reached.
        MissingExtraError: the library of the store is not installed.
    """
    with faults_named(address):
        try:
            return _facts(_open(address).info(_place(address)))
        except FileNotFoundError as error:
            if fault_kind(error) == "bucket":
                raise
            return None


def list_objects(address: str) -> list[tuple[str, ObjectFacts]]:
    """Return all objects below a prefix, with their keys after it, in the store's order.

    A store answers a request with 1,000 objects.

    Raises:
        StoreError: the store refuses the request, or cannot be reached.
    """
    with faults_named(address):
        store = _open(address)
        listed = store.find(_place(address), detail=True)
    top = f"{_place(address)}/"
    return [
        (str(name).removeprefix(top), _facts(entry))
        for name, entry in listed.items()
        if str(name).startswith(top) and not str(name).endswith("/")
    ]


def read_parts(
    addresses: Sequence[str], starts: Sequence[int], sizes: Sequence[int]
) -> list[bytes]:
    """Return parts of objects, which are requested together.

    Raises:
        DamagedError: an object is gone, or has another size than when it was listed.
        StoreError: the store refuses a request, or cannot be reached.
    """
    wanted = [n for n, size in enumerate(sizes) if size]
    parts = [b""] * len(sizes)
    if not wanted:
        return parts
    with faults_named(addresses[wanted[0]]):
        read = _open(addresses[wanted[0]]).cat_ranges(
            [_place(addresses[n]) for n in wanted],
            [starts[n] for n in wanted],
            [starts[n] + sizes[n] for n in wanted],
            on_error="return",
        )
    for n, data in zip(wanted, read, strict=True):
        if isinstance(data, FileNotFoundError) and fault_kind(data) == "missing":
            raise DamagedError(_changed(addresses[n])) from OSError(data.errno, _GONE)
        if isinstance(data, BaseException):
            raise fault(addresses[n], data) from data
        if len(data) > sizes[n]:
            raise StoreError(
                f"{escape_line(addresses[n])}: its server sends whole files, not parts of "
                "them; download it, and give the path of the copy"
            )
        if len(data) < sizes[n]:
            raise DamagedError(_changed(addresses[n])) from EOFError(_CHANGED)
        parts[n] = data
    return parts


_CHANGED = "it has changed since it was listed"
_GONE = "it is gone since it was listed"


def _changed(address: str) -> str:
    return f"{escape_line(address)}: {_CHANGED}; run the same command again"


@contextmanager
def faults_named(address: str) -> Iterator[None]:
    """Convert errors of the libraries of stores into one line about ``address``.

    Raises:
        StoreError: a request failed.
        MissingExtraError: the library of the store is not installed.
    """
    try:
        yield
    except LikewiseError:
        raise
    except Exception as error:
        library = type(error).__module__.partition(".")[0]
        if library not in _LIBRARIES and not isinstance(error, OSError | ImportError):
            raise
        raise fault(address, error) from error


def fault(address: str, error: BaseException) -> LikewiseError:
    """Return the error about ``address`` for an error of a library."""
    place, text = escape_line(address), " ".join(str(error).split())
    text = escape_line(text) or type(error).__name__
    scheme = address.partition(":")[0]
    if isinstance(error, ImportError):
        package = _PACKAGES.get(scheme, "aiohttp")
        return MissingExtraError(
            f"{place}: the library that reads {scheme}:// is not installed; run: pip install "
            f"'{package}'"
        )
    kind = fault_kind(error)
    remedies = {
        "missing": "there is no such object; correct the path",
        "bucket": "there is no such bucket; correct the path",
        "refused": "access refused; the library of the store looks for credentials in its own "
        "variables, files and roles (docs/object-storage.md)",
        "busy": "the server is busy; run the same command again later",
        "broken": "the connection broke; run the same command again to resume",
        "unreached": "the server cannot be reached; correct the address, or run the same "
        "command again to resume",
    }
    remedy = remedies.get(kind, "the request failed; run the same command again to resume")
    return StoreError(f"{place}: {remedy} ({text})")


def _open(address: str) -> "AbstractFileSystem":
    """Return the file system of an address; fsspec keeps it for the next call."""
    import fsspec

    protocol = PROTOCOLS[address.partition(":")[0]]
    # A listing is kept by the caller, so that it is read again if it must be.
    options: dict[str, Any] = {} if protocol in _WEB else {"use_listings_cache": False}
    if protocol == "s3":
        options["config_kwargs"] = {"max_pool_connections": _CONNECTIONS}
    return fsspec.filesystem(protocol, **options)


def _place(address: str) -> str:
    """Return an address as its file system spells it."""
    scheme, _, rest = address.partition("://")
    return address if scheme in _WEB else rest


def _facts(entry: dict[str, Any]) -> ObjectFacts:
    names = ("ETag", "etag", "Content-MD5", "md5Hash", "content_settings", "Last-Modified")
    tag = next((str(entry[name]) for name in names if entry.get(name)), "")
    tag = tag or str(entry.get("LastModified") or entry.get("mtime") or "")
    return ObjectFacts(int(entry.get("size") or 0), tag, entry.get("type") == "directory")
