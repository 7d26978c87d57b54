"""One request for a file over HTTP, whose answer goes on where the last one broke off."""

import http.client
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, NoReturn

from tqdm import tqdm

from likewise.errors import DataError
from likewise.formats import atomic

TIMEOUT_S = 60.0
_BLOCK = 1 << 20
_SCHEMES = ("http", "https")
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Wanted:
    """A file to fetch, and what is known of it.

    Attributes:
        url: where it is, by http or https.
        nbytes: its size, if that is known.
        digest: ``md5:...`` or ``sha256:...`` of its bytes, if that is known.
    """

    url: str
    nbytes: int | None = None
    digest: str | None = None


class BrokeOff(Exception):  # noqa: N818 (no error yet: it is tried again)
    """The transfer ended too early; why."""


def transfer(wanted: Wanted, part: Path, handle: IO[bytes]) -> None:
    """One request, whose answer goes to the end of ``part`` or replaces it.

    Raises:
        BrokeOff: less came than was announced, or the server asks for patience.
        DataError: it will be no other the next time.
    """
    held, known = handle.seek(0, os.SEEK_END), _validator(part, wanted)
    request = urllib.request.Request(wanted.url)  # noqa: S310 (the schemes are checked)
    request.add_header("Accept-Encoding", "identity")
    if held and known:
        request.add_header("Range", f"bytes={held}-")
        request.add_header("If-Range", known)
    try:
        opener = urllib.request.build_opener(_Redirects)
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            total = _begin(answer, held, part, handle, wanted)
            if wanted.nbytes not in (None, total or wanted.nbytes):
                raise DataError(
                    f"{wanted.url}: its file has {total:,} bytes, and {wanted.nbytes:,} "
                    "were expected; look at the data set's own page"
                )
            _copy(answer, handle, total, part.name)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                _restart(error.headers, held, handle, wanted)
            else:
                _refused(error, wanted)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        raise BrokeOff(f"no answer ({_reason(error)})") from error
    except ConnectionError as error:
        raise BrokeOff(f"the connection broke ({_reason(error)})") from error


def _begin(
    answer: http.client.HTTPResponse,
    held: int,
    part: Path,
    handle: IO[bytes],
    wanted: Wanted,
) -> int | None:
    """Make ``handle`` ready for the answer's body; the size that the file is to have."""
    length = answer.headers.get("Content-Length")
    total = int(length) if length and length.isdigit() else None
    if answer.status == http.client.PARTIAL_CONTENT:
        start, total = _range(answer.headers)
        if start != held:
            handle.truncate(0)
            raise BrokeOff(f"it was asked for byte {held:,} and sent from {start:,}")
        return total
    # The whole file: another one than before, or a server that knows no ranges.
    handle.truncate(0)
    handle.seek(0)
    _remember(part, wanted, answer.headers)
    return total


def _range(headers: Message) -> tuple[int, int | None]:
    """First byte and total of ``Content-Range: bytes 5-9/10``; -1 where it says neither."""
    said = headers.get("Content-Range", "")
    unit, _, rest = said.partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit():
        return -1, None
    return int(first), int(total) if total.isdigit() else None


def _copy(
    answer: http.client.HTTPResponse, handle: IO[bytes], total: int | None, name: str
) -> None:
    with tqdm(
        total=total, initial=handle.tell(), unit="B", unit_scale=True, desc=name, disable=None
    ) as bar:
        while block := answer.read(_BLOCK):
            handle.write(block)
            bar.update(len(block))
    handle.flush()
    if total is not None and handle.tell() < total:
        raise BrokeOff(f"it ended after {handle.tell():,} of {total:,} bytes")


def _restart(headers: Message, held: int, handle: IO[bytes], wanted: Wanted) -> None:
    """What to do where there are no bytes after those held: done, or begin again."""
    total = headers.get("Content-Range", "").rpartition("/")[2]
    if total == str(held) or wanted.nbytes == held:
        return
    handle.truncate(0)
    raise BrokeOff("the file became shorter")


def _refused(error: urllib.error.HTTPError, wanted: Wanted) -> NoReturn:
    said = f"the server says {error.code} {error.reason}"
    if error.code in _AGAIN:
        raise BrokeOff(said) from error
    raise DataError(
        f"{wanted.url}: {said}; it may have moved: look at the data set's own page"
    ) from error


def note(part: Path) -> Path:
    """The file that says of which file ``part`` is the beginning."""
    return part.with_name(f"{part.name}.json")


def _remember(part: Path, wanted: Wanted, headers: Message) -> None:
    etag = headers.get("ETag", "")
    # A weak tag does not promise the same bytes.
    validator = headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag
    content = json.dumps({"url": wanted.url, "validator": validator})
    atomic.write_text(note(part), content)


def _validator(part: Path, wanted: Wanted) -> str:
    """By what the server can tell that its file is still the one that ``part`` begins."""
    try:
        known = json.loads(note(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    if not isinstance(known, dict) or known.get("url") != wanted.url:
        return ""
    return str(known.get("validator", ""))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects within the web, and never from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = newurl.partition(":")[0].lower()
        if scheme not in _SCHEMES or (req.type == "https" and scheme == "http"):
            raise DataError(f"{req.full_url} leads to {newurl}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    return " ".join(str(reason).split()) or type(error).__name__
