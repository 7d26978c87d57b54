"""Only failed writes are reported as such; see also tests/steps/test_disk.py."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import likewise
from likewise.errors import DataError
from likewise.storage import journal
from likewise.storage.versions import Store
from likewise.storage.workspace import Workspace
from servers import refusal, settle

_RIGHTS = "--bounding-set=-dac_override,-dac_read_search"
AS_A_USER = (
    [] if os.geteuid() else [found, _RIGHTS] if (found := shutil.which("setpriv")) else None
)
"""Prefix of a command that obeys file permissions, which root's commands do not."""


_BODY = b"<Error><Code>SlowDown</Code><Message>quota exceeded: 429</Message></Error>"


class Patience(BaseHTTPRequestHandler):
    """Answers every request like a server with too many requests."""

    def do_GET(self) -> None:
        body = b"" if self.command == "HEAD" else _BODY
        self.send_response(429, "Quota exceeded")
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *words: object) -> None:
        """Print nothing."""


@pytest.fixture
def busy() -> Iterator[str]:
    """Start a server that refuses every request; return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Patience)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.dvc
@pytest.mark.torch
@pytest.mark.slow
def test_a_busy_remote_is_not_a_full_disk(
    alice: Path, busy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dvc_s3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "key")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    settle(alice, "team", url="s3://lab/team", endpointurl=busy, region="us-east-1", jobs=1)
    shutil.rmtree(Store(alice).folder)
    said = refusal(likewise.pull, alice)
    assert "429" in said
    assert "; run the same command again later" in said
    assert "space" not in said
    assert "written" not in said


def test_what_a_job_raises_is_not_an_error_of_its_lock(workspace: Path) -> None:
    """Neither an unreadable file, nor an error that means "try again"."""
    ws = Workspace(workspace)
    for error in (
        PermissionError(13, "Permission denied", "source.csv"),
        BlockingIOError(11, "Resource temporarily unavailable"),
        RuntimeError("429: quota exceeded"),
    ):
        with pytest.raises(type(error)) as caught, journal.exclusive_job(ws, "job"):
            raise error
        assert caught.value is error
    with journal.exclusive_job(ws, "job"):  # and the lock is released
        pass


def test_a_lock_that_cannot_be_written_is_named(workspace: Path) -> None:
    ws = Workspace(workspace)
    ws.lock_file("job").mkdir(parents=True)
    said = r"^job: .*/job cannot be written \(Is a directory\); nothing was changed$"
    with pytest.raises(DataError, match=said), journal.exclusive_job(ws, "job"):
        pass


@pytest.mark.skipif(AS_A_USER is None, reason="no setpriv, by which root has a user's rights")
def test_a_file_that_may_not_be_read_is_not_one_that_cannot_be_written(workspace: Path) -> None:
    """In a verb that already holds its lock."""
    card = Workspace(workspace).card_file("emoji")
    card.chmod(0)
    done = subprocess.run(
        [*(AS_A_USER or ()), sys.executable, "-m", "likewise", "ingest", "emoji"],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip() == f"likewise: {card}: Permission denied"
    assert done.returncode == DataError.exit_code


@pytest.mark.skipif(AS_A_USER is None, reason="no setpriv, by which root has a user's rights")
def test_a_folder_that_may_not_be_written_is_named(workspace: Path) -> None:
    staging = Workspace(workspace).stagings
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(exist_ok=True)
    staging.chmod(0o500)
    done = subprocess.run(
        [*(AS_A_USER or ()), sys.executable, "-m", "likewise", "ingest", "emoji"],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    place = staging / "ingest-emoji"
    assert done.stderr.strip() == f"likewise: {place} cannot be written: Permission denied"
    assert done.returncode == DataError.exit_code


@pytest.mark.skipif(AS_A_USER is None, reason="no setpriv, by which root has a user's rights")
def test_a_catalogue_that_cannot_be_written_is_served_read_only(workspace: Path) -> None:
    code = "import likewise; s = likewise.serve(); s.stop(); print(s.settings.read_only)"
    shown = []
    for rights in (0o700, 0o500):
        (workspace / "catalog").chmod(rights)
        command = [*(AS_A_USER or ()), sys.executable, "-P", "-c", code]
        done = subprocess.run(
            command, cwd=workspace, capture_output=True, text=True, check=False
        )
        shown.append(done.stdout.strip())
    assert shown == ["False", "True"]
