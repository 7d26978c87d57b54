"""Push and pull through a real OpenSSH server on this machine."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import likewise
from forked import run_dvc
from likewise.storage import versions
from likewise.storage.versions import run_git
from servers import Command, Server, refusal, settle

pytestmark = [pytest.mark.dvc, pytest.mark.torch]


@pytest.fixture(scope="module")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """Start OpenSSH for the current user; return the folder of keys: ``good`` is accepted."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not program:
        pytest.skip("no sshd: install openssh-server")
    pytest.importorskip("dvc_ssh")
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "good", "wrong"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    # if no system service has made it; sshd drops its rights in this folder
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    settings = (
        "ListenAddress 127.0.0.1",
        f"HostKey {folder}/host",
        f"AuthorizedKeysFile {folder}/good.pub",
        "StrictModes no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "PidFile none",
        "Subsystem sftp internal-sftp",
    )
    config = folder / "sshd_config"
    config.write_text("\n".join(settings) + "\n", encoding="utf-8")
    server = Server(program, "-D", "-e", "-f", config, "-p", "PORT")
    server.start()
    try:
        yield server, folder
    finally:
        server.kill()


@pytest.fixture
def lab(team: Path, ssh_server: tuple[Server, Path]) -> Path:
    """Make a folder on the server the default remote of Alice's catalogue."""
    server, keys = ssh_server
    server.start()
    alice, folder = team / "alice", team / "lab"
    url = f"ssh://127.0.0.1:{server.port}{folder}"
    run_dvc(alice, "remote", "add", "--default", "lab", url)
    run_git(alice, "commit", "--quiet", "--all", "--message", "a server")
    run_git(alice, "push", "--quiet", "origin", "main")
    sign_in(alice, keys / "good")
    return folder


def sign_in(root: Path, key: Path, **other: object) -> None:
    """Set the user in local settings; one job at a time, so that a kill interrupts it."""
    options = {"user": getpass.getuser(), "keyfile": key, "jobs": 1}
    settle(root, "lab", **{**options, **other})


def stored(folder: Path) -> list[Path]:
    """Return the complete files of a cache or remote; partial files have other names."""
    return [path for path in folder.glob("**/??/*") if not path.name.endswith(".tmp")]


def clone(team: Path, keys: Path) -> Path:
    run_git(team, "clone", "--quiet", "git", "bob")
    sign_in(team / "bob", keys / "good")
    return team / "bob"


def test_a_server_is_a_remote(team: Path, lab: Path, ssh_server: tuple[Server, Path]) -> None:
    pushed = likewise.push()
    assert (pushed.remote, pushed.files) == ("lab", len(stored(lab)))
    assert pushed.nbytes == sum(path.stat().st_size for path in stored(lab))
    assert likewise.push().files == 0
    bob = clone(team, ssh_server[1])
    light = likewise.pull(images=False, workspace=bob)
    whole = likewise.pull(workspace=bob)
    assert light.nbytes + whole.nbytes == pushed.nbytes
    mine, yours = (likewise.open("emoji", workspace=root) for root in (team / "alice", bob))
    assert yours.items.equals(mine.items)


def test_a_transfer_resumes_after_client_and_server_died(
    team: Path, lab: Path, ssh_server: tuple[Server, Path]
) -> None:
    server, keys = ssh_server
    alice = team / "alice"
    Command(alice, "push").kill_when(lambda: len(stored(lab)) > 2)
    there = len(stored(lab))
    said = Command(alice, "push").fails_when(lambda: len(stored(lab)) > there + 2, server.kill)
    assert said.startswith("likewise: push: remote 'lab' (ssh://127.0.0.1")
    assert said.endswith("run the same command again to resume")
    server.start()
    there = len(stored(lab))
    rest = likewise.push()
    assert 0 < rest.files == len(stored(lab)) - there
    bob = clone(team, keys)
    cache = versions.Store(bob).folder
    Command(bob, "pull").kill_when(lambda: len(stored(cache)) > 2)
    there = len(stored(cache))
    said = Command(bob, "pull").fails_when(lambda: len(stored(cache)) > there + 2, server.kill)
    assert said.startswith("likewise: pull: remote 'lab' (ssh://127.0.0.1")
    assert not (bob / "catalog" / "emoji.lance").exists()
    server.start()
    there = len(stored(cache))
    assert 0 < likewise.pull(workspace=bob).files == len(stored(cache)) - there
    assert len(likewise.open("emoji", workspace=bob).items) == 23
    assert run_dvc(bob, "diff") == ""


def test_refusals_are_one_clear_line(
    team: Path, lab: Path, ssh_server: tuple[Server, Path]
) -> None:
    server, keys = ssh_server
    bob = clone(team, keys)
    for verb, root in ((likewise.push, team / "alice"), (likewise.pull, bob)):
        for key, other in (("wrong", {}), ("good", {"user": "nobody-of-this-name"})):
            sign_in(root, keys / key, **other)
            said = refusal(verb, root)
            assert f"{verb.__name__}: remote 'lab' (ssh://127.0.0.1:{server.port}{lab})" in said
            assert "): access refused (Permission denied for user " in said
            assert "user, key or credentials: dvc remote modify --local lab OPTION" in said
        sign_in(root, keys / "none")
        assert f"No such file or directory: '{keys}/none'; check the address" in refusal(
            verb, root
        )
        server.kill()
        sign_in(root, keys / "good")
        said = refusal(verb, root)
        assert "): it cannot be reached ([Errno 111] Connect call failed" in said
        assert said.endswith("is it up? if the address is wrong: dvc remote modify lab url URL")
        sign_in(root, keys / "good", url="ssh://no.invalid/lab")
        assert "(ssh://no.invalid/lab): it cannot be reached (" in refusal(verb, root)
        server.start()
    assert stored(lab) == []
