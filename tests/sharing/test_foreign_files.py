"""File lists, caches and settings of DVC that somebody else wrote."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

import likewise
from foreign_catalogue import CARD, OUTPUT, PARAMS, Foreign, foreign_folder, lock
from likewise.errors import DataError, VersionError
from likewise.storage import seals
from likewise.storage.versions import Store, run_git

pytestmark = pytest.mark.dvc


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Foreign:
    return foreign_folder(tmp_path, monkeypatch)


CLIMBING = (
    "../../../../home/.profile",
    "a/../../../../../home/.profile",
    "/{top}/home/.profile",
    "../../../../.git/hooks/post-checkout",
    ".git/hooks/post-checkout",
    "data/.GIT/config",
    "data/nul\0.bin",
    "data//x",
    "",
)
"""Paths of a file list that leave the table, or are none; ``{top}`` is an absolute folder."""


@pytest.mark.parametrize("path", CLIMBING)
def test_a_file_list_cannot_leave_its_table(foreign: Foreign, path: str) -> None:
    payload = foreign.store(b"#!/bin/sh\necho PWNED\n")
    relpath = path.format(top=foreign.top)
    entries = [{"md5": payload, "relpath": name} for name in ("_versions/1.manifest", relpath)]
    clone = foreign.publish(foreign.locked(entries))
    before = foreign.outside()
    verbs: tuple[Callable[[], object], ...] = (
        lambda: likewise.open("birds", rev="HEAD", workspace=clone).items,
        lambda: likewise.query("select 1 from birds", rev="HEAD", workspace=clone),
        lambda: likewise.pull_columns("birds", ["label"], workspace=clone),
        lambda: likewise.pull(workspace=clone),
        lambda: likewise.open("birds", repo=str(clone)).items,
    )
    for verb in verbs:
        with pytest.raises(VersionError, match="is refused: "):
            verb()
    assert foreign.outside() == before
    assert not list(clone.rglob("*.manifest"))


@pytest.mark.parametrize(
    "md5", ["../../../../home/.bashrc", "A" * 32, "0" * 31, "0" * 32 + ".dir/x", "", "..", "\0"]
)
def test_an_md5_is_32_hexadecimal_digits(foreign: Foreign, md5: str) -> None:
    entries = [{"md5": md5, "relpath": "_versions/1.manifest"}]
    clone = foreign.publish(foreign.locked(entries))
    before = foreign.outside()
    for verb in (
        lambda: likewise.pull(workspace=clone),
        lambda: likewise.open("birds", rev="HEAD", workspace=clone).items,
    ):
        with pytest.raises(VersionError, match="is not an MD5"):
            verb()
    (clone / "dvc.lock").write_text(lock(OUTPUT, md5), "utf-8")
    with pytest.raises(VersionError, match=r"dvc\.lock: .* is not an MD5"):
        likewise.pull(workspace=clone)
    assert foreign.outside() == before


@pytest.mark.parametrize("path", ["../home", "/etc", "catalog/..", ".git/hooks", "a/../../b"])
def test_an_output_is_in_the_catalogue(foreign: Foreign, path: str) -> None:
    md5 = foreign.store(b"data")
    clone = foreign.publish({**foreign.locked([]), "dvc.lock": lock(path, md5)})
    before = foreign.outside()
    with pytest.raises(VersionError, match=r"dvc\.lock: the path .* is refused"):
        likewise.pull(workspace=clone)
    assert foreign.outside() == before


def test_a_link_in_the_cache_leads_nowhere(foreign: Foreign) -> None:
    payload = foreign.store(b"payload")
    linked = hashlib.md5(b"link").hexdigest()  # noqa: S324 (DVC's)
    entries = [{"md5": linked, "relpath": "x"}, {"md5": payload, "relpath": "x/.profile"}]
    clone = foreign.publish(foreign.locked(entries))
    cached = clone / ".dvc" / "cache" / "files" / "md5" / linked[:2] / linked[2:]
    cached.parent.mkdir(parents=True)
    cached.symlink_to(foreign.top / "home")
    before = foreign.outside()
    with pytest.raises(VersionError):
        _ = likewise.open("birds", rev="HEAD", workspace=clone).items
    assert foreign.outside() == before


SETTINGS = {
    "a command": "    bearer_token_command = touch {top}/pwned\n",
    "an AWS configuration": "    configpath = aws\n",
    "AWS credentials": "    credentialpath = aws\n",
    "a cache elsewhere": "[cache]\n    dir = ../../home\n",
    "an absolute cache": "[cache]\n    dir = {top}/home\n",
    "a cache in git": "[cache]\n    dir = ../.git\n",
    "a cache of pickles": "    site_cache_dir = {top}/clone/site\n",
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_shared_settings_of_dvc_name_nothing_of_this_machine(
    foreign: Foreign, setting: str
) -> None:
    text = foreign.settings(setting)
    if setting.startswith("    site"):
        text = foreign.settings() + setting.format(top=foreign.top)
    md5 = foreign.store(b"data")
    files = {".dvc/config": text, "dvc.lock": lock("catalog/x.parquet", md5)}
    clone = foreign.publish(files)
    before = foreign.outside()
    for verb in (likewise.pull, likewise.push):
        with pytest.raises(VersionError, match="but every clone of the catalogue contains"):
            verb(workspace=clone)
    assert foreign.outside() == before


def test_settings_of_a_folder_above_are_checked_too(foreign: Foreign) -> None:
    md5 = foreign.store(b"data")
    files = {
        ".dvc/config": foreign.settings("    configpath = aws\n"),
        "part/params.yaml": PARAMS,
        "part/catalog/birds.yaml": CARD,
        "part/dvc.lock": lock("catalog/x.parquet", md5),
    }
    part = foreign.publish(files) / "part"
    with pytest.raises(VersionError, match="configpath to 'aws'"):
        likewise.pull(workspace=part)
    run_git(foreign.top / "theirs", "rm", "--quiet", ".dvc/config")
    (foreign.top / "theirs" / ".dvc" / "tmp").mkdir(parents=True)
    (foreign.top / "theirs" / ".dvc" / "tmp" / "lock").touch()
    run_git(foreign.top / "theirs", "add", "--force", ".dvc")
    run_git(foreign.top / "theirs", "commit", "--quiet", "--message", "DVC's own")
    run_git(foreign.clone, "pull", "--quiet")
    with pytest.raises(DataError, match=r"git tracks \.\./\.dvc/tmp/lock"):
        likewise.open(workspace=part)


def test_local_settings_of_dvc_may_name_a_cache(foreign: Foreign) -> None:
    md5 = foreign.store(b"data")
    clone = foreign.publish(foreign.locked([]))
    shared = foreign.top / "cache of all"
    (clone / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {shared}\n", "utf-8")
    assert Store(clone).fetch([md5], "birds").files == 1
    assert len([path for path in shared.rglob("*") if path.is_file()]) == 1


def test_no_remote_gets_the_agent_of_the_user(foreign: Foreign) -> None:
    settings = "['remote \"a\"']\n    url = ssh://host/x\n[core]\n    remote = a\n"
    store = Store(foreign.publish({".dvc/config": settings}))
    with store._repo() as repo:
        assert store._odb(repo).fs.fs_args["agent_forwarding"] is False


def test_a_folder_that_poses_as_a_bare_repository_is_none(foreign: Foreign) -> None:
    command = f"touch {foreign.top / 'pwned'}"
    files = {
        "part/HEAD": "ref: refs/heads/main\n",
        "part/objects/x": "",
        "part/refs/x": "",
        "part/config": f"[core]\nbare = false\nworktree = .\nfsmonitor = {command}\n",
        "part/params.yaml": PARAMS,
        "part/catalog/birds.yaml": CARD,
    }
    part = foreign.publish(files) / "part"
    likewise.open(workspace=part)
    with pytest.raises(VersionError, match="bare repository"):
        run_git(part, "status")
    assert not (foreign.top / "pwned").exists()
    assert seals.git_folder(part) == foreign.clone / ".git"
