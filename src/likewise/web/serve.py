"""Serve the page of a catalogue."""

import os
import secrets
from collections.abc import Sequence

import likewise
from likewise.errors import DataError
from likewise.web.server import Server, listen
from likewise.web.settings import Settings, is_loopback


def serve(
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    read_only: bool | None = None,
    allow_host: Sequence[str] = (),
    root_path: str = "",
    workspace: str | os.PathLike[str] | None = None,
) -> Server:
    """Open a port for the page of a catalogue, and return its server.

    The page shows data sets, searches them, compares runs and corrects labels.
    ``server.run()`` serves until Ctrl-C; ``with likewise.serve() as server:`` serves in the
    background.

    Only this machine can connect, unless ``host`` says otherwise. In that case the address has
    a token, and the page is read-only.

    Args:
        port: the port; by default the first free one from 8642 on.
        host: the address at which to listen.
        read_only: refuse everything that changes the catalogue; by default where ``host`` is
            not loopback, or the catalogue cannot be written.
        allow_host: further names by which the page may be opened, such as that of a proxy.
        root_path: prefix of every URL behind a proxy, such as ``/proxy/8642``.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.
        DataError: the port is in use, or the host is not an address of this machine.

    Example:
        >>> with likewise.serve() as server:
        ...     server.url.startswith("http://127.0.0.1:")
        True
    """
    if root_path and not root_path.startswith("/"):
        raise DataError(f"root_path is {root_path!r}; it begins with a slash")
    if port is not None and not 0 <= port < 65_536:
        raise DataError(f"port is {port}; it is from 0 to 65,535")
    catalogue = likewise.open(workspace=workspace)  # without a catalogue it raises
    shared = not is_loopback(host)
    kept = shared or not catalogue.is_writable
    sockets = listen(host, port)
    settings = Settings(
        workspace=None if workspace is None else os.fspath(workspace),
        host=host,
        port=sockets[0].getsockname()[1],
        allowed_hosts=tuple(allow_host),
        root_path=root_path.rstrip("/"),
        read_only=kept if read_only is None else read_only,
        token=secrets.token_urlsafe(32) if shared else "",
    )
    return Server(settings, sockets)
