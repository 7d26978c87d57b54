"""Pushes and pulls through S3: moto's server on this machine, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import likewise
from likewise.errors import VersionError
from likewise.versions import run_dvc, run_git

pytestmark = [pytest.mark.dvc, pytest.mark.torch, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server with an empty bucket ``lab``."""
    pytest.importorskip("dvc_s3")
    pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(port)
            keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
            client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
            client.create_bucket(Bucket="lab")
            client.close()
            yield url
        finally:
            process.terminate()


def _wait(port: int) -> None:
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("moto's server does not answer")


def test_a_bucket_is_a_remote(team: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = team / "alice"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    run_dvc(alice, "remote", "add", "--default", "--force", "lab", "s3://lab/catalogue")
    run_dvc(alice, "remote", "modify", "lab", "endpointurl", server)
    run_git(alice, "commit", "--quiet", "--all", "--message", "a bucket")
    run_git(alice, "push", "--quiet", "origin", "main")
    pushed = likewise.push()
    assert pushed.files > 0
    assert likewise.push().files == 0
    run_git(team, "clone", "--quiet", "git", "bob")
    light = likewise.pull(images=False, workspace=team / "bob")
    whole = likewise.pull(workspace=team / "bob")
    assert light.nbytes + whole.nbytes == pushed.nbytes
    assert len(likewise.open("emoji", workspace=team / "bob").items) == 23
    run_dvc(alice, "remote", "modify", "lab", "url", "s3://nobody/catalogue")
    with pytest.raises(VersionError, match=r"^push: remote 'lab' \(s3://nobody/catalogue\)"):
        likewise.push()
