"""One HTTP request for a file, which resumes an earlier partial download."""

import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, NoReturn

from tqdm import tqdm

from likewise.errors import DamagedError, DataError
from likewise.formats import atomic
from likewise.formats.escape import escape_line
from likewise.formats.json_documents import read_json
from likewise.storage.fetch.http_client import build_opener

TIMEOUT_S = 60.0
"""Seconds until a connection, the headers of a response or its next bytes must have come."""

MIN_RATE = 1024
"""Bytes per second, on average over ``TIMEOUT_S``, below which a transfer is ended."""

MAX_UNKNOWN_BYTES = 256 << 30
"""Maximum size of a file whose size neither the server nor the catalogue knows."""

_BLOCK = 1 << 20
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class RemoteFile:
    """A file to download.

    Attributes:
        url: its address, http or https.
        nbytes: its size, if known.
        digest: ``md5:...`` or ``sha256:...`` of its bytes, if known.
    """

    url: str
    nbytes: int | None = None
    digest: str | None = None


class TransferInterrupted(Exception):  # noqa: N818 (no error yet: it is retried)
    """The transfer ended early; the text is the reason."""


class ResumeRefused(TransferInterrupted):
    """The server has no bytes after the partial download, which was discarded."""


def transfer(remote: RemoteFile, part: Path, handle: IO[bytes]) -> None:
    """Send one request and append its response to ``part``, or replace ``part`` by it.

    Raises:
        TransferInterrupted: the response was incomplete, or the server is busy.
        DataError: the request failed for a reason that a retry does not change.
    """
    offset, known = handle.seek(0, os.SEEK_END), _validator(part, remote)
    request = urllib.request.Request(remote.url)  # noqa: S310 (the schemes are checked)
    request.add_header("Accept-Encoding", "identity")
    if offset and known:
        request.add_header("Range", f"bytes={offset}-")
        request.add_header("If-Range", known)
    try:
        opener = build_opener(TIMEOUT_S)
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            total = _begin(answer, offset, part, handle, remote)
            if remote.nbytes not in (None, total or remote.nbytes):
                raise DataError(
                    f"{remote.url}: the file has {total:,} bytes, not the expected "
                    f"{remote.nbytes:,}; see the website of the data set"
                )
            _refuse_large(remote, part, handle, total)
            _copy(answer, handle, total or remote.nbytes, part.name, remote)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                _restart(error.headers, offset, handle, remote)
            else:
                _raise_refusal(error, remote)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        raise TransferInterrupted(f"no answer ({_reason(error)})") from error
    except ConnectionError as error:
        raise TransferInterrupted(f"the connection broke ({_reason(error)})") from error


def _begin(
    answer: http.client.HTTPResponse,
    offset: int,
    part: Path,
    handle: IO[bytes],
    remote: RemoteFile,
) -> int | None:
    """Position ``handle`` for the body of the response; return the size of the whole file."""
    length = answer.headers.get("Content-Length")
    total = int(length) if length and length.isdigit() else None
    if answer.status == http.client.PARTIAL_CONTENT:
        start, total = _range(answer.headers)
        if start != offset:
            handle.truncate(0)
            raise TransferInterrupted(f"byte {offset:,} was requested, byte {start:,} was sent")
        return total
    # The response is the whole file: it has changed, or the server ignores ranges.
    handle.truncate(0)
    handle.seek(0)
    _record_validator(part, remote, answer.headers)
    return total


def _range(headers: Message) -> tuple[int, int | None]:
    """Return first byte and total of ``Content-Range: bytes 5-9/10``; -1 if it is invalid."""
    unit, _, rest = headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit():
        return -1, None
    return int(first), int(total) if total.isdigit() else None


def _refuse_large(remote: RemoteFile, part: Path, handle: IO[bytes], total: int | None) -> None:
    """Refuse a file that the disk cannot hold, before it is full.

    Raises:
        DataError: the rest of the file is larger than the free space.
    """
    needed = (total or 0) - handle.tell()
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise DataError(
            f"{remote.url}: the rest of the file has {needed:,} bytes, and {free:,} are free "
            f"in {part.parent}"
        )


def _copy(
    answer: http.client.HTTPResponse,
    handle: IO[bytes],
    total: int | None,
    name: str,
    remote: RemoteFile,
) -> None:
    """Append the body to ``handle``.

    Raises:
        TransferInterrupted: the body ended early, or arrived too slowly.
        DataError: the body is longer than ``total``, or than ``MAX_UNKNOWN_BYTES`` without
        ``total``.
    """
    most, start, came = total or MAX_UNKNOWN_BYTES, time.monotonic(), 0
    with tqdm(
        total=total, initial=handle.tell(), unit="B", unit_scale=True, desc=name, disable=None
    ) as bar:
        while block := answer.read1(_BLOCK):
            handle.write(block)
            bar.update(len(block))
            came += len(block)
            if handle.tell() > most:
                handle.truncate(0)
                raise DataError(f"{remote.url}: the server sent more than {most:,} bytes")
            if (seconds := time.monotonic() - start) >= TIMEOUT_S:
                if came < MIN_RATE * seconds:
                    handle.flush()
                    raise TransferInterrupted(
                        f"only {came:,} bytes came in {seconds:,.0f} seconds"
                    )
                start, came = time.monotonic(), 0
    handle.flush()
    if total is not None and handle.tell() < total:
        raise TransferInterrupted(f"it ended after {handle.tell():,} of {total:,} bytes")


def _restart(headers: Message, offset: int, handle: IO[bytes], remote: RemoteFile) -> None:
    """Return if the file may be complete; otherwise truncate it and start again.

    A server may send less than it announced, and answer that this was the whole file. This is
    believed only if the size is known from elsewhere, or a digest will be checked.
    """
    total = headers.get("Content-Range", "").rpartition("/")[2]
    if remote.nbytes == offset or (remote.digest and total == str(offset)):
        return
    handle.truncate(0)
    raise ResumeRefused(f"the server has no bytes after the first {offset:,}")


def _raise_refusal(error: urllib.error.HTTPError, remote: RemoteFile) -> NoReturn:
    # The server's own text can be anything; these are the phrases of the standard.
    phrase = http.client.responses.get(error.code, "")
    if 300 <= error.code < 400:  # urllib's reason for not following a redirect
        phrase = escape_line(str(error.reason))[:200]
    message = f"the server answers {error.code} {phrase}".rstrip()
    if error.code in _AGAIN:
        raise TransferInterrupted(message) from error
    raise DataError(
        f"{remote.url}: {message}; it may have moved: see the website of the data set"
    ) from error


def validator_file(part: Path) -> Path:
    """Return the file that records the URL and the HTTP validator of ``part``."""
    return part.with_name(f"{part.name}.json")


def _record_validator(part: Path, remote: RemoteFile, headers: Message) -> None:
    etag = headers.get("ETag", "")
    # A weak tag does not promise the same bytes.
    validator = headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
    content = json.dumps({"url": remote.url, "validator": validator})
    atomic.write_text(validator_file(part), content)


def _validator(part: Path, remote: RemoteFile) -> str:
    """Return the validator by which the server detects a changed file; "" if unknown."""
    try:
        known = read_json(validator_file(part))
    except (OSError, DamagedError):
        return ""
    if not isinstance(known, dict) or known.get("url") != remote.url:
        return ""
    return str(known.get("validator", ""))


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    return escape_line(" ".join(str(reason).split())) or type(error).__name__
