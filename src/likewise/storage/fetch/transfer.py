"""One HTTP request for a file, which resumes an earlier partial download."""

import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from email.message import Message
from pathlib import Path
from typing import IO, NoReturn

from tqdm import tqdm

from likewise.errors import DamagedError, DataError
from likewise.formats import atomic
from likewise.formats.escape import escape_line
from likewise.formats.json_documents import read_json
from likewise.storage.fetch.http_client import build_opener
from likewise.storage.fetch.response_headers import (
    Body,
    ContradictionError,
    coding,
    validator,
)

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
    offset, begun = handle.seek(0, os.SEEK_END), _Begun.read(part, remote)
    request = urllib.request.Request(remote.url)  # noqa: S310 (the schemes are checked)
    request.add_header("Accept-Encoding", "identity")
    if offset and begun.validator:
        request.add_header("Range", f"bytes={offset}-")
        request.add_header("If-Range", begun.validator)
    try:
        opener = build_opener(TIMEOUT_S)
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            body = _begin(answer, part, handle, remote, begun)
            if remote.nbytes not in (None, body.total or remote.nbytes):
                raise DataError(
                    f"{remote.url}: the file has {body.total:,} bytes, not the expected "
                    f"{remote.nbytes:,}; see the website of the data set"
                )
            _refuse_large(remote, part, handle, body.total)
            _copy(answer, handle, body, part, remote)
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


@dataclass(frozen=True)
class _Begun:
    """Facts of the response that began a partial download."""

    validator: str = ""
    total: int | None = None

    @classmethod
    def read(cls, part: Path, remote: RemoteFile) -> "_Begun":
        """Return the facts that ``write`` recorded; none if they are of another URL."""
        try:
            known = read_json(validator_file(part))
        except (OSError, DamagedError):
            return cls()
        if not isinstance(known, dict) or known.get("url") != remote.url:
            return cls()
        total = known.get("total")
        return cls(str(known.get("validator", "")), total if isinstance(total, int) else None)

    def write(self, part: Path, remote: RemoteFile) -> None:
        content = {"url": remote.url, "validator": self.validator, "total": self.total}
        atomic.write_text(validator_file(part), json.dumps(content))


def _begin(
    answer: http.client.HTTPResponse,
    part: Path,
    handle: IO[bytes],
    remote: RemoteFile,
    begun: _Begun,
) -> Body:
    """Position ``handle`` for the body of the response; return the place of the body.

    Raises:
        TransferInterrupted: the response is not the part that was requested.
        DataError: the response is not the file, or its headers are invalid.
    """
    is_part = answer.status == http.client.PARTIAL_CONTENT
    try:
        _refuse_other_content(answer, remote)
        body = Body.of(answer)
        if is_part:
            body = _continued(body, answer.headers, handle.tell(), begun)
    except ContradictionError as error:
        handle.truncate(0)
        if is_part:
            raise TransferInterrupted(str(error)) from error
        raise DataError(f"{remote.url}: {error}; see the website of the data set") from error
    if is_part:
        return body
    # The response is the whole file: it has changed, or the server ignores ranges.
    handle.truncate(0)
    handle.seek(0)
    _Begun(validator(answer.headers), body.total).write(part, remote)
    return body


def _refuse_other_content(answer: http.client.HTTPResponse, remote: RemoteFile) -> None:
    """Refuse a response without the file, or with an encoded one that nothing can verify.

    Raises:
        ContradictionError: the response is not the bytes of the file.
    """
    if answer.status not in (http.client.OK, http.client.PARTIAL_CONTENT):
        phrase = http.client.responses.get(answer.status, "")
        raise ContradictionError(f"the server answers {answer.status} {phrase}".rstrip())
    name = coding(answer.headers)
    # Some servers give archives that are compressed themselves the coding gzip.
    is_archive = name in ("gzip", "x-gzip") and remote.url.endswith((".gz", ".tgz"))
    if name and not is_archive and remote.digest is None:
        raise ContradictionError(
            f"the server sent it in the coding {escape_line(name)!r}, which was not requested"
        )


def _continued(body: Body, headers: Message, offset: int, begun: _Begun) -> Body:
    """Return the ``body`` of a part that continues a download of ``offset`` bytes.

    Raises:
        ContradictionError: it is another part, or a part of another file.
    """
    if body.first != offset:
        raise ContradictionError(f"byte {offset:,} was requested, byte {body.first:,} was sent")
    total = begun.total if body.total is None else body.total
    if begun.total not in (None, total):
        raise ContradictionError(
            f"the file had {begun.total:,} bytes at first, and {total:,} bytes later"
        )
    sent = validator(headers)
    # A server may send either header, so only values of the same kind are compared.
    is_tag = [value.startswith('"') for value in (sent, begun.validator)]
    if sent and begun.validator and is_tag[0] == is_tag[1] and sent != begun.validator:
        raise ContradictionError("the file changed during the download")
    return replace(body, total=total, has_end=total is not None)


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
    body: Body,
    part: Path,
    remote: RemoteFile,
) -> None:
    """Append the body to ``handle``.

    Raises:
        TransferInterrupted: the body ended early, or arrived too slowly.
        DataError: the body is longer than announced, or than ``MAX_UNKNOWN_BYTES``; or nothing
            can tell whether it is complete.
    """
    total = body.total or remote.nbytes
    most = body.end or total or MAX_UNKNOWN_BYTES
    start, came = time.monotonic(), 0
    with tqdm(
        total=total,
        initial=handle.tell(),
        unit="B",
        unit_scale=True,
        desc=part.name,
        disable=None,
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
    if total is None and not body.has_end and remote.digest is None:
        handle.truncate(0)
        raise DataError(
            f"{remote.url}: the server announced no size, and no checksum is published, so "
            "nothing can tell whether the file is complete; it was removed: download it in "
            f"another way to {part.with_suffix('')}, and run the same command again"
        )


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
        phrase = escape_line(" ".join(str(error.reason).split()))[:200]
    message = f"the server answers {error.code} {phrase}".rstrip()
    if error.code in _AGAIN:
        raise TransferInterrupted(message) from error
    raise DataError(
        f"{remote.url}: {message}; it may have moved: see the website of the data set"
    ) from error


def validator_file(part: Path) -> Path:
    """Return the file that records the URL and the HTTP validator of ``part``."""
    return part.with_name(f"{part.name}.json")


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    return escape_line(" ".join(str(reason).split())) or type(error).__name__
