"""A local server with the faults of real servers."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATA = bytes(range(256)) * 4096  # one MiB
SHA256 = f"sha256:{hashlib.sha256(DATA).hexdigest()}"


@dataclass
class Behaviour:
    """Behaviour of the server; ``requests`` are the requested ranges."""

    data: bytes = DATA
    etag: str = '"one"'
    breaks_after: list[int] = field(default_factory=list)
    announces: int | None = None
    ranges: bool = True
    statuses: list[int] = field(default_factory=list)
    location: str = ""
    shift: int = 0
    requests: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        how = self.behaviour
        asked = self.headers.get("Range")
        how.requests.append(asked)
        status = how.statuses.pop(0) if how.statuses else 200
        if status != 200:
            self.send_response(status)
            if how.location:
                self.send_header("Location", how.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            how.location = ""
            return
        start = 0
        if asked and how.ranges and self.headers.get("If-Range") == how.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        self._send(how, start)

    def _send(self, how: Behaviour, start: int) -> None:
        if start > len(how.data) - 1:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(how.data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = how.data[start:]
        self.send_response(206 if start else 200)
        if start:
            span = f"bytes {start + how.shift}-{len(how.data) - 1}/{len(how.data)}"
            self.send_header("Content-Range", span)
        if how.etag:
            self.send_header("ETag", how.etag)
        length = how.announces if how.announces is not None else len(body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        sent = how.breaks_after.pop(0) if how.breaks_after else len(body)
        self.wfile.write(body[:sent])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(how: Behaviour) -> Iterator[str]:
    """Run a server, and yield the address of its file."""
    handler = type("Bound", (Handler,), {"behaviour": how})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file.bin"
        server.shutdown()
        thread.join()
