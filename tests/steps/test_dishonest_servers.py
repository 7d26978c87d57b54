"""Downloads from dishonest servers: each ends with one error, and keeps no wrong file."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    address: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likewise.storage.fetch.PAUSE_S", 0.0)
    transfer = sys.modules[RemoteFile.__module__]
    monkeypatch.setattr(transfer, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(transfer, "MAX_UNKNOWN_BYTES", 1_000_000)
    with pytest.raises(DataError, match=said) as caught:
        fetch(RemoteFile(address), tmp_path / "file")
    assert str(caught.value).isprintable()
    assert not (tmp_path / "file").exists()
