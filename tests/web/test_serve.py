"""The command serve: address, ports, tokens, Ctrl-C; events of a running server."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import likewise
from likewise.errors import DataError, MissingArtefactError
from servers import PATIENCE_SECONDS, until

pytestmark = pytest.mark.torch


@dataclass(frozen=True)
class Answer:
    """The status and the body of an answer."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(
    port: int, path: str, method: str = "GET", body: str = "", **headers: str
) -> Answer:
    """The answer of a server at a port of this machine."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(
        http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    ) as connection:
        connection.request(method, path, body or None, named)
        with connection.getresponse() as answer:
            return Answer(answer.status, answer.read())


def listen(port: int, lines: list[str], enough: Callable[[], object]) -> None:
    """Add the lines of the stream of events until they are enough."""
    address = ("127.0.0.1", port)
    with closing(http.client.HTTPConnection(*address, timeout=PATIENCE_SECONDS)) as connection:
        connection.request("GET", "/events")
        end = time.monotonic() + PATIENCE_SECONDS
        with connection.getresponse() as events:
            while not enough():
                assert time.monotonic() < end, lines
                lines.append(events.readline().decode().strip())


@pytest.mark.usefixtures("measured_programs")
def test_the_command_prints_the_address_and_ends_by_ctrl_c(workspace: Path) -> None:
    command = [sys.executable, "-m", "likewise", "serve", "--port", "0", "--no-open"]
    environment = {**os.environ, "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.9 22"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        port = urlsplit(url).port
        assert port
        answer = request(port, "/")
        process.send_signal(signal.SIGINT)
        _, notes = process.communicate(timeout=PATIENCE_SECONDS)
    assert url == f"http://127.0.0.1:{port}/"
    assert answer.status == 200
    assert answer.body.startswith(b"<!doctype html>")
    assert f"ssh -L {port}:127.0.0.1:{port} " in notes
    assert "@192.0.2.9" in notes
    assert process.returncode == 130
    assert "Traceback" not in notes


def test_a_server_runs_in_the_background(workspace: Path) -> None:
    with likewise.serve(port=0) as server:  # no other test is given this port so soon
        port = server.settings.port
        assert request(port, "/").status == 200
        assert request(port, "/", host="evil.example").status == 421
        assert request(port, "/nothing.json").status == 404
    with pytest.raises(OSError, match=r"refused|closed"):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()


def test_a_port_in_use_is_refused_or_passed_over(workspace: Path) -> None:
    first = likewise.serve()
    second = likewise.serve()
    try:
        assert first.settings.port != second.settings.port
        with pytest.raises(DataError, match="is in use"):
            likewise.serve(port=first.settings.port)
    finally:
        first.stop()
        second.stop()


def test_other_machines_need_a_token_and_cannot_write(workspace: Path) -> None:
    server = likewise.serve(host="0.0.0.0")  # noqa: S104 (the case that is tested)
    server.stop()
    address, _, token = server.url.partition("#token=")
    assert address == f"http://127.0.0.1:{server.settings.port}/"
    assert len(token) >= 43
    assert server.settings.read_only
    local = likewise.serve()
    local.stop()
    assert (local.settings.token, local.settings.read_only) == ("", False)


def test_wrong_options_are_refused(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="not an address of this machine"):
        likewise.serve(host="192.0.2.200")
    with pytest.raises(DataError, match="begins with a slash"):
        likewise.serve(root_path="proxy")
    with pytest.raises(MissingArtefactError):
        likewise.serve(workspace=tmp_path)


def test_addresses_behind_a_proxy_have_its_prefix(workspace: Path) -> None:
    with likewise.serve(root_path="/proxy/8642/", allow_host=["hub.example"]) as server:
        port = server.settings.port
        page = request(port, "/", host="hub.example")
        assert b'data-root="/proxy/8642"' in page.body
        answer = request(port, "/api/d/emoji/page?limit=1").json
        assert answer["thumbs"][0].startswith("/proxy/8642/t/")


def test_events_report_jobs_and_new_versions(workspace: Path) -> None:
    lines: list[str] = []

    def count(text: str) -> int:
        return sum(text in line for line in lines)

    def read(port: int) -> None:
        listen(port, lines, lambda: count('"state": "done"') and count('"v": ') > 1)

    with likewise.serve() as server:
        port = server.settings.port
        before = request(port, "/api/d/emoji/page").json["v"]
        reader = threading.Thread(target=read, args=(port,), daemon=True)
        reader.start()
        until(lambda: bool(count('"v": ')), "the stream names the version")
        job = {"kind": "warm", "dataset": "emoji", "model": "tiny", "encoder": True}
        headers = {"content_type": "application/json", "origin": f"http://127.0.0.1:{port}"}
        answer = request(port, "/api/jobs", "POST", json.dumps(job), **headers)
        assert answer.status == 202
        likewise.correct("emoji", ["0_noto.jpg"], {"text": "another text"})
        likewise.ingest("emoji")
        likewise.publish("emoji")
        reader.join(PATIENCE_SECONDS)
        late: list[str] = []  # of a stream that begins after the job has ended
        listen(port, late, lambda: any('"state": ' in line for line in late))
    data = [json.loads(line.removeprefix("data: ")) for line in lines if "data: " in line]
    states = [one["state"] for one in data if "state" in one]
    assert states[0] == "waiting"
    assert states[-1] == "done"
    assert '"state": "done"' in late[-1]
    versions = [(one["dataset"], one["v"]) for one in data if "v" in one]
    assert versions == [("emoji", before), ("emoji", likewise.open().version("emoji"))]
    assert versions[0] != versions[1]
