"""Move tables between machines: only missing and requested files, completely or not at all."""

import os
import shutil
from pathlib import Path

import pytest

import likewise
from forked import run_dvc
from likewise.errors import (
    DataError,
    MissingArtefactError,
    MissingExtraError,
    UnknownNameError,
    VersionError,
)
from likewise.storage import versions
from likewise.storage.versions import Store, outputs, run_git
from likewise.storage.workspace import Workspace

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

IMAGES = "catalog/emoji/images.lance"
LATER = [IMAGES, "models/tiny", "catalog/emoji/embeddings/tiny.lance"]
"""Outputs of which a pull without images fetches only the files needed to read tables."""


def packs(root: Path) -> list[str]:
    files = versions.recorded_files(Workspace(root), root / IMAGES)
    return [md5 for path, md5 in files.items() if path.endswith(".blob")]


def test_a_clone_pulls_all(alice: Path, bob: Path) -> None:
    done = likewise.pull(workspace=bob)
    assert done.files > 0
    assert done.nbytes == versions.Store(bob).size(_cached(bob))
    assert (done.partial, done.healed) == ([], [])
    mine, yours = (likewise.open("emoji", workspace=root) for root in (alice, bob))
    assert yours.items.equals(mine.items)
    assert yours.images(["0_noto.jpg"], encoded=True) == mine.images(
        ["0_noto.jpg"], encoded=True
    )
    assert run_dvc(bob, "diff") == ""
    again = likewise.pull(workspace=bob)
    assert (again.files, again.nbytes) == (0, 0)


def _cached(root: Path) -> list[str]:
    cache = versions.Store(root).folder
    return [path.parent.name + path.name for path in cache.rglob("*") if path.is_file()]


def test_a_clone_pulls_all_but_pixels(bob: Path) -> None:
    done = likewise.pull(images=False, workspace=bob)
    assert done.partial == LATER
    held = versions.Store(bob)
    assert done.nbytes == held.size(_cached(bob))
    assert sorted(held.lacking(packs(bob))) == sorted(packs(bob))
    for path in LATER[1:]:
        files = versions.recorded_files(Workspace(bob), bob / path).values()
        assert sorted(held.lacking(files)) == sorted(set(files))
    assert not (bob / IMAGES).exists()
    dataset = likewise.open("emoji", workspace=bob)
    assert len(dataset.search(id="0_noto.jpg")) == 10
    assert likewise.show("emoji", workspace=bob).contents is not None
    sql = "select sum(nbytes) from emoji_images"
    assert likewise.query(sql, workspace=bob).frame.item() > 0


def test_a_pull_without_images_is_not_a_fault(bob: Path) -> None:
    likewise.pull(images=False, workspace=bob)
    notes = [p for p in likewise.doctor(workspace=bob) if p.check != "library"]
    assert [(p.check, p.command, p.is_fault) for p in notes] == [
        ("elsewhere", "likewise pull", False)
    ]
    assert all(path in notes[0].what for path in LATER)
    likewise.pull(workspace=bob)
    assert [p for p in likewise.doctor(workspace=bob) if p.check != "library"] == []
    shutil.rmtree(bob / "models")
    (lost,) = [p for p in likewise.doctor(workspace=bob) if p.check != "library"]
    assert (lost.command, lost.is_fault) == ("dvc pull models/tiny", True)


def test_what_a_pull_left_out_comes_when_it_is_needed(bob: Path, team: Path) -> None:
    likewise.pull(images=False, workspace=bob)
    held, ws = versions.Store(bob), Workspace(bob)
    model, vectors = (versions.recorded_files(ws, bob / path).values() for path in LATER[1:])
    picture = bob / "emoji" / "images" / "0_noto.jpg"
    found = likewise.search("emoji", image=picture, k=1, workspace=bob)
    assert found["item_id"].to_list() == ["0_noto.jpg"]
    assert held.lacking(model) == []
    assert held.lacking(vectors) != []
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "400"}, workspace=bob)
    assert likewise.publish("emoji", workspace=bob).models == ["tiny"]
    assert held.lacking(vectors) == []
    assert not any((bob / path).exists() for path in LATER)
    for md5 in vectors:
        held.drop(md5)
    shutil.rmtree(bob / ".likewise" / "views")
    shutil.rmtree(team / "remote")
    with pytest.raises(
        VersionError, match=r"tiny.lance: .*'team'|missing or damaged on the remote"
    ):
        likewise.publish("emoji", workspace=bob)
    run_dvc(bob, "remote", "remove", "team")
    with pytest.raises(MissingArtefactError, match="run: dvc repro embed@emoji-tiny"):
        likewise.publish("emoji", workspace=bob)


def test_pixels_of_some_items_come_later(bob: Path) -> None:
    likewise.pull(["emoji"], images=False, workspace=bob)
    with pytest.raises(DataError, match="no item of emoji matches: label = 'none'"):
        likewise.pull_images("emoji", where="label = 'none'", workspace=bob)
    likewise.pull_images("emoji", where="label = '0'", workspace=bob)
    assert versions.Store(bob).lacking(packs(bob)) == []
    assert (bob / IMAGES).is_dir()


def test_embedding_without_pixels_names_the_command(bob: Path) -> None:
    likewise.pull(images=False, workspace=bob)
    params = bob / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(text.replace("seed: 0", "seed: 5"), "utf-8")
    likewise.load("tiny", workspace=bob)
    with pytest.raises(MissingArtefactError, match="likewise pull DATASET --images"):
        likewise.embed("emoji", "tiny", workspace=bob)


def test_a_push_brings_what_is_new(alice: Path, team: Path) -> None:
    remote = team / "remote"
    before = {path for path in remote.rglob("*") if path.is_file()}
    assert likewise.push().files == 0
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "400"})
    likewise.publish("emoji")
    run_dvc(alice, "commit", "--quiet", "--force")
    done = likewise.push()
    new = {path for path in remote.rglob("*") if path.is_file()} - before
    assert done.files == len(new)
    assert done.nbytes == sum(path.stat().st_size for path in new)


def test_what_was_never_committed_to_dvc_is_reported(alice: Path) -> None:
    shutil.rmtree(alice / ".dvc" / "cache")
    with pytest.raises(VersionError, match=r"lance is not recorded in DVC's cache; run: dvc"):
        likewise.push()


def test_a_public_remote_takes_only_what_may_be_passed_on(alice: Path) -> None:
    params, card = alice / "params.yaml", alice / "catalog" / "emoji.yaml"
    params.write_text(params.read_text("utf-8") + "public_remotes: [team]\n", "utf-8")
    assert likewise.push().remote == "team"  # CC-BY-SA allows sharing
    text = card.read_text("utf-8")
    card.write_text(text.replace("CC-BY-SA-4.0", "NOASSERTION"), "utf-8")
    with pytest.raises(DataError, match="emoji is under NOASSERTION, which does not allow it"):
        likewise.push()


def test_an_interrupted_pull_resumes(bob: Path, team: Path) -> None:
    """Half of the remote's files are missing for a while, as with a bad network."""
    files = sorted(path for path in (team / "remote").rglob("*") if path.is_file())
    away = [path for path in files[::2] if path.suffix != ".dir"]
    for path in away:
        path.rename(path.with_name(f"{path.name}.away"))
    with pytest.raises(
        VersionError, match=r"\d+ of \d+ files are missing or damaged on the remote"
    ):
        likewise.pull(workspace=bob)
    there = len(_cached(bob))
    assert there > 0
    for path in away:
        path.with_name(f"{path.name}.away").rename(path)
    done = likewise.pull(workspace=bob)
    assert done.files == len(_cached(bob)) - there
    assert len(likewise.open("emoji", workspace=bob).items) == 23


def test_a_damaged_file_of_the_remote_is_not_taken(bob: Path, team: Path) -> None:
    md5 = packs(team / "alice")[0]
    stored = team / "remote" / "files" / "md5" / md5[:2] / md5[2:]
    stored.chmod(0o644)
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(data)
    with pytest.raises(VersionError, match=f"1 of .* files are missing or damaged on .*{md5}"):
        likewise.pull(workspace=bob)
    assert versions.Store(bob).lacking([md5]) == [md5]


def flipped(cached: Path) -> bytes:
    """Flip one bit of a cached file; return its former contents."""
    data = cached.read_bytes()
    stat = cached.stat()
    cached.chmod(0o644)
    with cached.open("r+b") as handle:  # in place: every link to it is damaged
        handle.seek(len(data) // 2)
        handle.write(bytes([data[len(data) // 2] ^ 1]))
    # DVC trusts files that are read-only, and files that look unchanged
    cached.chmod(stat.st_mode)
    os.utime(cached, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return data


def test_several_damaged_files_are_mended_wherever_they_are_linked(alice: Path) -> None:
    run_dvc(alice, "checkout", "--relink", "--quiet")
    store = versions.Store(alice)
    files = versions.recorded_files(Workspace(alice), alice / IMAGES)
    chosen = {path: md5 for path, md5 in files.items() if path.startswith("data/")}
    assert len(set(chosen.values())) > 1
    whole = {path: flipped(store.path(md5)) for path, md5 in chosen.items()}
    assert all((alice / IMAGES / path).read_bytes() != data for path, data in whole.items())
    assert likewise.pull(verify=True).healed == sorted(f"{IMAGES}/{path}" for path in chosen)
    assert {path: (alice / IMAGES / path).read_bytes() for path in chosen} == whole


def test_a_flipped_byte_of_the_cache_is_found_named_and_mended(alice: Path) -> None:
    md5 = packs(alice)[0]
    cached = versions.Store(alice).path(md5)
    data = flipped(cached)
    found = [(p.check, p.command) for p in likewise.doctor(deep=True) if p.check == "cache"]
    assert found == [("cache", "likewise pull --verify")]
    assert likewise.pull(verify=True).healed == [
        f"{IMAGES}/{path}"
        for path, other in versions.recorded_files(Workspace(alice), alice / IMAGES).items()
        if other == md5
    ]
    assert cached.read_bytes() == data
    assert [p for p in likewise.doctor(deep=True) if p.check in ("cache", "table")] == []


def test_what_no_remote_has_is_not_dropped(alice: Path, team: Path) -> None:
    md5 = packs(alice)[0]
    cached = versions.Store(alice).path(md5)
    cached.chmod(0o644)
    cached.write_bytes(b"something else")
    shutil.rmtree(team / "remote")
    with pytest.raises(VersionError, match="1 file of the cache is damaged, and the remote"):
        likewise.pull(verify=True)
    assert cached.read_bytes() == b"something else"


def test_wrong_remotes_are_one_clear_line(alice: Path, bob: Path) -> None:
    with pytest.raises(VersionError, match="no remote 'hub'; there are: team"):
        likewise.push(remote="hub")
    run_dvc(alice, "remote", "default", "--unset")
    with pytest.raises(VersionError, match="no default remote; run: dvc remote default team"):
        likewise.push()
    run_dvc(bob, "remote", "remove", "team")
    with pytest.raises(VersionError, match="there is no remote; run: dvc remote add -d"):
        likewise.pull(workspace=bob)
    with pytest.raises(UnknownNameError, match="no data set named 'emjoi'"):
        likewise.push(["emjoi"])
    assert run_git(alice, "status", "--porcelain") == " M .dvc/config\n"
    run_dvc(alice, "remote", "add", "--default", "gs", "gs://bucket/catalogue")
    with pytest.raises(MissingExtraError, match=r"run: pip install 'dvc\[gs\]'"):
        likewise.push()


def test_an_empty_file_that_a_killed_transfer_left_is_transferred_again(
    alice: Path, team: Path, bob: Path
) -> None:
    table = outputs(alice)["catalog/emoji/items.lance"]
    file = next(iter((Store(alice).members(table) or {}).values()))
    for md5 in (table.md5, file):
        path = team / "remote" / "files" / "md5" / md5[:2] / md5[2:]
        path.unlink()
        path.touch()
        Store(bob).path(md5).parent.mkdir(parents=True, exist_ok=True)
        Store(bob).path(md5).touch()
    assert likewise.push(workspace=alice).files == 2
    likewise.pull(workspace=bob)
    assert likewise.doctor(workspace=bob) == []
    right = likewise.query("select * from emoji_items", workspace=alice).frame
    assert likewise.query("select * from emoji_items", workspace=bob).frame.equals(right)
