"""A server: its sockets, its addresses, and its run."""

import contextlib
import errno
import getpass
import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

from likewise.errors import DataError
from likewise.web.settings import Settings, bracketed, is_loopback, is_unspecified

if TYPE_CHECKING:
    import uvicorn

FIRST_PORT = 8642
"""The first port that is tried; a bookmark stays valid while it is free."""

TRIED_PORTS = 20

_START_SECONDS = 30.0


class Server:
    """The page of a catalogue at an address.

    ``run()`` serves until Ctrl-C. As a context manager it serves in the background:
    ``with likewise.serve() as server: ...``.

    Attributes:
        settings: address, rights and token.
    """

    def __init__(self, settings: Settings, sockets: list[socket.socket]) -> None:
        """Keep open sockets; connections wait until the server runs."""
        self.settings = settings
        self._sockets = sockets
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    @property
    def address(self) -> str:
        """The address of the page without the token."""
        host = "127.0.0.1" if is_unspecified(self.settings.host) else self.settings.host
        return f"http://{bracketed(host)}:{self.settings.port}{self.settings.root_path}/"

    @property
    def url(self) -> str:
        """The address to open; a token is in its fragment, which no server logs."""
        token = self.settings.token
        return f"{self.address}#token={token}" if token else self.address

    def ssh_command(self) -> str | None:
        """Return the command that forwards the port over ssh; None outside of ssh sessions."""
        fields = os.environ.get("SSH_CONNECTION", "").split()
        if len(fields) != 4 or not is_loopback(self.settings.host):
            return None
        port, remote = self.settings.port, f"{getpass.getuser()}@{fields[2]}"
        return f"ssh -L {port}:127.0.0.1:{port} {remote}"

    @property
    def opens_browser(self) -> bool:
        """True if this machine has a screen for a browser, and the user sits at it."""
        if "SSH_CONNECTION" in os.environ:
            return False
        graphic = "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
        return graphic or sys.platform in ("darwin", "win32")

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the server has ended.
        """
        self._server().run(sockets=self._sockets)

    def start(self) -> Self:
        """Serve in the background, and return when requests are answered."""
        server = self._server()
        arguments = {"sockets": self._sockets}
        self._thread = threading.Thread(target=server.run, kwargs=arguments, daemon=True)
        self._thread.start()
        limit = time.monotonic() + _START_SECONDS
        while not server.started and self._thread.is_alive() and time.monotonic() < limit:
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """End the server."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True
        if self._thread is not None:
            self._thread.join(_START_SECONDS)
        for one in self._sockets:
            one.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _server(self) -> "uvicorn.Server":
        import uvicorn

        from likewise.web.application import create_app

        application = create_app(self.settings)
        config = uvicorn.Config(
            application,
            http="h11",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            root_path=self.settings.root_path,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
        )
        server = self._uvicorn = uvicorn.Server(config)
        application.state.site.stops = lambda: server.should_exit
        return server


def listen(host: str, port: int | None) -> list[socket.socket]:
    """Return listening sockets at ``host``; on loopback also at ``::1``.

    Args:
        host: a name or an address.
        port: the port; None for the first free one.

    Raises:
        DataError: the port is in use, or the host is not an address of this machine.
    """
    tried = range(FIRST_PORT, FIRST_PORT + TRIED_PORTS)
    for candidate in (port,) if port is not None else (*tried, 0):
        try:
            first = _bind(host, candidate)
        except OSError as error:
            if port is None and error.errno == errno.EADDRINUSE:
                continue
            raise DataError(_reason(host, candidate, error)) from error
        sockets = [first]
        if host in ("127.0.0.1", "localhost"):
            with contextlib.suppress(OSError):  # a machine without IPv6
                sockets.append(_bind("::1", first.getsockname()[1]))
        return sockets
    raise AssertionError("port 0 is always free")


def _bind(host: str, port: int) -> socket.socket:
    plain = "127.0.0.1" if host == "localhost" else host.strip("[]")
    family, *_, address = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM)[0]
    # With the protocol, asyncio sends small packets at once; without it, each waits for 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(128)
    except OSError:
        opened.close()
        raise
    return opened


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; leave out --port, or choose another one"
    if error.errno == errno.EACCES:
        return f"port {port} needs the rights of the administrator; choose one above 1023"
    reason = error.strerror or str(error)
    return f"{host} is not an address of this machine ({reason}); see --host"
