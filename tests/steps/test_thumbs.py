"""Small pictures as a stage: a clone without pixels shows them, and forget removes them."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import likewise
from forked import run_dvc
from learning import write
from likewise.errors import BrokenEntryWarning, ConfigError, UnknownNameError
from likewise.storage import tables


def table(root: Path) -> tables.Table:
    return tables.open_table(root / "catalog/emoji/thumbs.lance")


def without_pixels(root: Path) -> "likewise.Dataset":
    """Open the data set, and remove its pixels, which ``pull --no-images`` leaves out."""
    opened = likewise.open("emoji", workspace=root)
    packs = [*root.rglob("*.blob")]
    assert packs
    for pack in packs:
        pack.unlink()
    return opened


def test_pictures_are_made_once(workspace: Path) -> None:
    write(workspace, "thumbs", "emoji", {"side": 64})
    made = likewise.thumbs("emoji", workspace=workspace)
    assert (made.made, made.kept, made.unreadable) == (24, 0, 0)
    rows = table(workspace).read(["content", "picture"])
    assert made.nbytes == sum(map(len, rows["picture"]))
    for data in rows["picture"]:
        with Image.open(BytesIO(data)) as picture:
            assert (picture.format, max(picture.size)) == ("JPEG", 64)
    digests = workspace / "catalog/emoji/thumbs.yaml"
    before = digests.read_bytes()
    again = likewise.thumbs("emoji", workspace=workspace)
    assert (again.made, again.kept) == (0, 24)
    assert digests.read_bytes() == before
    write(workspace, "thumbs", "emoji", {"side": 32})
    assert likewise.thumbs("emoji", workspace=workspace).made == 24


def test_a_checkout_without_pixels_shows_them(workspace: Path) -> None:
    write(workspace, "thumbs", "emoji", {})
    likewise.thumbs("emoji")
    stored = dict(table(workspace).read(["content", "picture"]).iter_rows())
    opened = without_pixels(workspace)
    assert opened.present_images([0, 1]) == [None, None]
    shown = opened.thumbnails([3, 0, 3])
    assert [one.fault for one in shown] == [""] * 3
    assert all(one.data == stored[one.content] for one in shown)


def test_without_the_stage_they_are_missing(workspace: Path) -> None:
    assert without_pixels(workspace).thumbnails([0])[0].fault == "missing"


def test_what_is_taken_down_is_removed(workspace: Path) -> None:
    write(workspace, "thumbs", "emoji", {})
    likewise.thumbs("emoji")
    content = likewise.open("emoji")["0_noto.jpg"]["content"]
    picture = dict(table(workspace).read(["content", "picture"]).iter_rows())[content]
    likewise.forget("emoji", ["0_noto.jpg"], reason="request 1")
    assert table(workspace).rows == 23
    files = (workspace / "catalog/emoji/thumbs.lance").rglob("*")
    assert not any(picture in file.read_bytes() for file in files if file.is_file())
    likewise.rename("emoji", "drawings")
    assert likewise.thumbs("drawings").kept == 23
    likewise.remove("drawings")
    assert not (workspace / "catalog/drawings/thumbs.lance").exists()


def test_wrong_entries_are_named(workspace: Path) -> None:
    with pytest.raises(ConfigError, match=r"thumbs: no entry of 'emoji'; add emoji: {}"):
        likewise.thumbs("emoji", workspace=workspace)
    with pytest.raises(UnknownNameError, match="did you mean 'emoji'"):
        likewise.thumbs("emojy", workspace=workspace)
    write(workspace, "thumbs", "emojy", {})
    with pytest.warns(BrokenEntryWarning, match=r"thumbs\.emojy.* did you mean 'emoji'"):
        likewise.open("emoji", workspace=workspace)


@pytest.mark.dvc
def test_its_stage_depends_on_the_contents(recorded: Path) -> None:
    write(recorded, "thumbs", "emoji", {})
    run_dvc(recorded, "repro", "thumbs@emoji")
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    run_dvc(recorded, "repro", "publish@emoji")
    assert "up to date" in run_dvc(recorded, "status", "thumbs@emoji")
