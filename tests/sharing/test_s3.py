"""Push and pull through S3: moto's server in a separate process on this machine."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import likewise
from buckets import Bucket
from forked import run_dvc
from likewise.storage.versions import run_git
from servers import Command, Server, refused, settle

pytestmark = [pytest.mark.dvc, pytest.mark.torch]


@pytest.fixture
def lab(
    team: Path,
    s3_server: tuple[Server, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bucket]:
    """Make an empty bucket the default remote of Alice's catalogue."""
    import boto3  # type: ignore[import-untyped]

    server, key = s3_server
    for name, value in {**key, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    url, alice = f"http://127.0.0.1:{server.port}", team / "alice"
    run_dvc(alice, "remote", "add", "--default", "lab", f"s3://lab/{team.parent.name}")
    settle(alice, "lab", endpointurl=url, jobs=1)
    run_git(alice, "commit", "--quiet", "--all", "--message", "a bucket")
    run_git(alice, "push", "--quiet", "origin", "main")
    session = boto3.session.Session()  # not that of an earlier module, which has other keys
    opened = session.resource("s3", endpoint_url=url, region_name="us-east-1")
    with closing(opened.meta.client):
        yield opened.Bucket("lab")


def clone(team: Path) -> Path:
    run_git(team, "clone", "--quiet", "git", "bob")
    shutil.copy(team / "alice" / ".dvc" / "config.local", team / "bob" / ".dvc")
    return team / "bob"


def stored(bucket: Bucket, team: Path) -> int:
    return sum(1 for _ in bucket.objects.filter(Prefix=f"{team.parent.name}/"))


def test_a_bucket_is_a_remote(team: Path, lab: Bucket) -> None:
    pushed = likewise.push()
    assert pushed.files == stored(lab, team)
    assert likewise.push().files == 0
    bob = clone(team)
    light = likewise.pull(images=False, workspace=bob)
    whole = likewise.pull(workspace=bob)
    assert light.nbytes + whole.nbytes == pushed.nbytes
    assert len(likewise.open("emoji", workspace=bob).items) == 23


def test_a_killed_push_resumes(team: Path, lab: Bucket) -> None:
    Command(team / "alice", "push").kill_when(lambda: stored(lab, team) > 2)
    there = stored(lab, team)
    assert 0 < likewise.push().files == stored(lab, team) - there
    bob = clone(team)
    likewise.pull(workspace=bob)
    assert run_dvc(bob, "diff") == ""


def test_refusals_are_one_clear_line(
    team: Path,
    lab: Bucket,
    s3_server: tuple[Server, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each runs in its own process, because libraries of DVC leave connections open."""
    alice, bob = team / "alice", clone(team)
    local = (alice / ".dvc" / "config.local").read_text("utf-8")
    url = {"url": "s3://nobody/catalogue"}
    settle(alice, "lab", endpointurl=f"http://127.0.0.1:{s3_server[0].port}", **url)
    said = refused(alice, "push")
    assert said.startswith("likewise: push: remote 'lab' (s3://nobody/catalogue): there is no ")
    assert said.endswith("if the address is wrong: dvc remote modify lab url URL")
    (alice / ".dvc" / "config.local").write_text(local, "utf-8")
    for name, verb, root in (
        ("AWS_SECRET_ACCESS_KEY", "pull", bob),
        ("AWS_ACCESS_KEY_ID", "push", alice),
    ):
        monkeypatch.setenv(name, "another")
        said = refused(root, verb)
        assert said.startswith(f"likewise: {verb}: remote 'lab' (s3://lab/")
        assert "): access refused (" in said
        assert said.endswith("dvc remote modify --local lab OPTION VALUE")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # the library would wait between several
    s3_server[0].kill()
    assert "): it cannot be reached (Could not connect" in refused(bob, "pull")
