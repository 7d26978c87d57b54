"""A real server of the page, in a thread of this process."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from likewise.web.application import create_app
from likewise.web.settings import Settings


@contextlib.contextmanager
def serving(workspace: Path, *, read_only: bool = False) -> Iterator[str]:
    """Serve the catalogue at ``workspace`` on a free port; yield the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    application = create_app(Settings(workspace=str(workspace), port=port, read_only=read_only))
    config = uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
