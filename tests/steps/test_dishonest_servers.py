"""Downloads from dishonest servers: each ends with one error, and keeps no wrong file."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from likewise.errors import DataError
from likewise.storage.fetch import RemoteFile, fetch

HEAD = b'HTTP/1.1 200 OK\r\nETag: "a"\r\n'


def drip(client: socket.socket, first: bytes) -> None:
    """Send ``first``, then a byte now and then, without end."""
    client.sendall(first)
    while True:
        client.sendall(b"x")
        time.sleep(0.02)


def flood(client: socket.socket, first: bytes) -> None:
    """Send ``first``, then as much as the other side takes."""
    client.sendall(first)
    while True:
        client.sendall(bytes(1 << 16))


def part(span: bytes, body: bytes, further: bytes = b'ETag: "a"\r\n') -> bytes:
    """Return a response with the bytes ``span`` of a file."""
    head = b"HTTP/1.1 206 Partial Content\r\n" + further
    return head + b"Content-Range: %s\r\nContent-Length: %d\r\n\r\n" % (span, len(body)) + body


CASES: dict[str, tuple[Callable[[socket.socket], None], str]] = {
    "dripping body": (
        lambda client: drip(client, HEAD + b"Content-Length: 999999\r\n\r\n"),
        "bytes came in",
    ),
    "dripping body of no length": (
        lambda client: drip(client, HEAD + b"\r\n"),
        "bytes came in",
    ),
    "dripping headers": (
        lambda client: drip(client, b"HTTP/1.1 200 OK\r\nX: "),
        "no answer|broke",
    ),
    "dripping status": (lambda client: drip(client, b""), "no answer|broke"),
    "more than it may have": (
        lambda client: flood(client, HEAD + b"\r\n"),
        "more than 1,000,000",
    ),
    "more than the disk": (
        lambda client: client.sendall(HEAD + b"Content-Length: 999999999999999999\r\n\r\n"),
        "are free in",
    ),
    "redirects with endless bodies": (
        lambda client: flood(client, b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n"),
        "302",
    ),
    "a redirect with control characters": (
        lambda client: client.sendall(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: x:\x1b[31m\r\n\r\n"
        ),
        "not followed|not allowed",
    ),
    "no length and no chunks": (
        lambda client: client.sendall(HEAD + b"\r\nabc"),
        "nothing can tell whether the file is complete",
    ),
    "cut chunks": (
        lambda client: client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
        "no answer",
    ),
    "a negative length": (
        lambda client: client.sendall(HEAD + b"Content-Length: -5\r\n\r\nabc"),
        "invalid or ambiguous length",
    ),
    "two lengths": (
        lambda client: client.sendall(
            HEAD + b"Content-Length: 3\r\nContent-Length: 9\r\n\r\nabc"
        ),
        "invalid or ambiguous length",
    ),
    "a coding that was not requested": (
        lambda client: client.sendall(
            HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
        ),
        "in the coding 'gzip'",
    ),
    "no content": (
        lambda client: client.sendall(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "answers 204",
    ),
    "a part that was not requested": (
        lambda client: client.sendall(part(b"bytes 3-5/6", b"def")),
        "byte 0 was requested, byte 3 was sent",
    ),
    "a reason with control characters": (
        lambda client: client.sendall(
            b"HTTP/1.1 404 \x1b]0;owned\x07\r\nContent-Length: 0\r\n\r\n"
        ),
        "404 Not Found",
    ),
}


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers every request in the same way."""
    answer: Callable[[socket.socket], None] = request.param
    with serving(answer) as url:
        yield url


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve ``answer`` to every connection, in threads; yield the address of a file."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def one(client: socket.socket) -> None:
            with client, suppress(OSError):
                client.recv(1 << 16)
                answer(client)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    threading.Thread(target=one, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/file"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("address", "said"),
    [pytest.param(*case, id=name) for name, case in CASES.items()],
    indirect=["address"],
)
def test_a_download_ends(
    address: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setattr("likewise.storage.fetch.PAUSE_S", 0.0)
    transfer = sys.modules[RemoteFile.__module__]
    if request.node.callspec.id.startswith("dripping"):
        monkeypatch.setattr(transfer, "TIMEOUT_S", 0.5)
        monkeypatch.setattr("likewise.storage.fetch.ATTEMPTS", 1)
    monkeypatch.setattr(transfer, "MAX_UNKNOWN_BYTES", 1_000_000)
    with pytest.raises(DataError, match=said) as caught:
        fetch(RemoteFile(address), tmp_path / "file")
    assert str(caught.value).isprintable()
    assert not (tmp_path / "file").exists()


LATER = {
    "another size": (part(b"bytes 3-5/7", b"def"), "had 6 bytes at first, and 7 bytes later"),
    "another tag": (
        part(b"bytes 3-5/6", b"def", b'ETag: "b"\r\n'),
        "changed during the download",
    ),
    "another length": (part(b"bytes 3-5/6", b"defgh"), "5 bytes, and the bytes 3 to 5"),
    "an earlier part": (part(b"bytes 0-2/6", b"abc"), "byte 3 was requested, byte 0 was sent"),
    "a range backwards": (part(b"bytes 5-3/6", b"def"), "without a valid range"),
    "no range": (part(b"", b"def"), "without a valid range"),
    "a range beyond the end": (part(b"bytes 3-6/6", b"defg"), "without a valid range"),
}


@pytest.mark.parametrize(("later", "message"), LATER.values(), ids=LATER.keys())
def test_a_part_that_contradicts_the_first_response_is_not_kept(
    later: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likewise.storage.fetch.PAUSE_S", 0.0)
    monkeypatch.setattr("likewise.storage.fetch.ATTEMPTS", 2)
    responses = iter([HEAD + b"Content-Length: 6\r\n\r\nabc", later])
    with (
        serving(lambda client: client.sendall(next(responses, b""))) as url,
        pytest.raises(DataError, match=message),
    ):
        fetch(RemoteFile(url), tmp_path / "file")
    assert not (tmp_path / "file").exists()
    assert (tmp_path / "file.part").read_bytes() == b""


def test_a_part_without_a_total_continues_the_first_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likewise.storage.fetch.PAUSE_S", 0.0)
    parts = [part(b"bytes 3-4/*", b"de"), part(b"bytes 5-5/6", b"f", b"")]
    responses = iter([HEAD + b"Content-Length: 6\r\n\r\nabc", *parts])
    with serving(lambda client: client.sendall(next(responses, b""))) as url:
        fetch(RemoteFile(url), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"abcdef"


def test_an_archive_may_have_the_coding_of_its_own_compression(tmp_path: Path) -> None:
    response = HEAD + b"Content-Encoding: x-gzip\r\nContent-Length: 3\r\n\r\nabc"
    with serving(lambda client: client.sendall(response)) as url:
        fetch(RemoteFile(f"{url}.tar.gz"), tmp_path / "file.tar.gz")
    assert (tmp_path / "file.tar.gz").read_bytes() == b"abc"
