"""Flags and leaks in a small catalogue of drawings and their copies."""

import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageDraw

import likewise
from checked_drawings import PLAIN, add, drawing, flags, plain, smaller
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    UnknownNameError,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "catalog").mkdir()
    return tmp_path


def test_copies_are_flagged_in_other_places(root: Path) -> None:
    files = {"a/0.jpg": drawing(0), "a/1.jpg": drawing(1), "b/0.jpg": drawing(0)}
    files["b/1.jpg"] = smaller(1)
    add(root, "toys", files, **PLAIN)
    done = likewise.check("toys", workspace=root)
    assert flags(root, "toys") == [
        ("duplicate", "b/0.jpg", "a/0.jpg"),
        ("near_duplicate", "b/1.jpg", "a/1.jpg"),
    ]
    assert done.flags == {"duplicate": 1, "near_duplicate": 1}
    assert (done.images, done.flagged, done.leaks) == (4, 2, {})


def test_a_test_image_that_was_learnt_from_leaks(root: Path) -> None:
    files = {"test/a/0.jpg": smaller(0), "test/a/1.jpg": drawing(1)}
    files |= {"train/a/0.jpg": drawing(0), "train/a/2.jpg": drawing(2)}
    add(root, "toys", files | {"val/a/2.jpg": drawing(2)}, **PLAIN)
    likewise.check("toys", workspace=root)
    leaks = [row for row in flags(root, "toys") if row[0] == "split_leak"]
    assert leaks == [
        ("split_leak", "test/a/0.jpg", "train/a/0.jpg"),
        ("split_leak", "val/a/2.jpg", "train/a/2.jpg"),
    ]


def test_a_copy_in_another_data_set_leaks(root: Path) -> None:
    add(root, "old", {"a/0.jpg": drawing(0), "a/9.jpg": drawing(9)}, **PLAIN)
    add(root, "other", {"a/0.jpg": drawing(0)}, **PLAIN)
    add(root, "new", {"a/x.jpg": smaller(0), "a/y.jpg": drawing(5)}, **PLAIN, against=["old"])
    done = likewise.check("new", workspace=root)
    assert flags(root, "new") == [("leak", "a/x.jpg", "a/0.jpg")]
    assert done.leaks == {"old": 1}
    assert likewise.check("old", workspace=root).leaks == {"new": 1, "other": 1}
    rows = likewise.query("select flag_id from old_flags order by flag_id", workspace=root)
    assert rows["flag_id"].to_list() == ["leak:new: a/0.jpg", "leak:other: a/0.jpg"]


def test_poor_images_are_flagged_by_the_bounds(root: Path) -> None:
    files = {
        "a/dark.png": plain("black"),
        "a/bright.png": plain("white"),
        "a/small.png": plain("grey", (199, 300)),
        "a/whole.png": plain("grey", (200, 200)),
    }
    assert len(files["a/whole.png"]) < 1024
    add(root, "poor", files)
    done = likewise.check("poor", workspace=root)
    assert done.usual == {"blurred": "min_sharpness", "few_bytes": "min_bytes"}
    found = pl.DataFrame(
        flags(root, "poor"), schema=["flag", "image", "other"], orient="row"
    ).filter(~pl.col("flag").is_in(["blurred", "few_bytes", "near_duplicate"]))
    assert list(found.select("flag", "image").iter_rows()) == [
        ("bright", "a/bright.png"),
        ("dark", "a/dark.png"),
        ("small", "a/small.png"),
    ]
    bounds: dict[str, Any] = {"min_side": 201, "min_brightness": None, "max_brightness": 1.0}
    add(root, "poor", {}, **bounds, min_bytes=1, min_sharpness=0.0)
    likewise.check("poor", workspace=root)
    small = [image for flag, image, _ in flags(root, "poor") if flag == "small"]
    assert small == ["a/small.png", "a/whole.png"]
    kinds = {flag for flag, _, _ in flags(root, "poor")}
    assert kinds == {"small"}  # all plain pictures look equal, so they are not compared


def test_an_image_that_cannot_be_decoded_is_a_flag(root: Path) -> None:
    broken = bytearray(drawing(0))
    broken[400:-400] = bytes(len(broken) - 800)  # its markers are valid, so ingest accepts it
    add(root, "toys", {"a/0.jpg": bytes(broken), "a/1.jpg": drawing(1)}, **PLAIN)
    likewise.check("toys", workspace=root)
    found = likewise.query("select * from toys_pixels where fault is not null", workspace=root)
    if len(found):  # a decoder may also fill in zeros
        assert flags(root, "toys")[0][:2] == ("unreadable", "a/0.jpg")


def test_a_set_without_measures_is_left_out_unless_it_is_named(root: Path) -> None:
    add(root, "old", {"a/0.jpg": drawing(0)}, **PLAIN)
    add(root, "new", {"a/x.jpg": smaller(0)}, **PLAIN)
    shutil.rmtree(root / "catalog" / "old" / "pixels.lance")
    assert likewise.check("new", workspace=root).unmeasured == ["old"]
    assert flags(root, "new") == []
    add(root, "new", {}, **PLAIN, against=["old"])
    with pytest.raises(MissingArtefactError, match="dvc repro measure@old"):
        likewise.check("new", workspace=root)
    likewise.measure("old", workspace=root)
    assert likewise.check("new", workspace=root).leaks == {"old": 1}


def test_a_page_shows_pairs(root: Path) -> None:
    add(root, "old", {"a/0.jpg": drawing(0)}, **PLAIN)
    add(root, "toys", {"a/0.jpg": drawing(0), "<b>/1.jpg": smaller(0)}, **PLAIN)
    checked = likewise.check("toys", workspace=root)
    page = root / "flags.html"
    checked.to_html(page)
    text = page.read_text("utf-8")
    assert text.count('<div class="mat">') == 2 * (1 + 2)  # one copy, and two leaks
    assert text.count("data:image/jpeg;base64,") == 2  # two pictures
    assert "leak: old" in text
    assert "&lt;b&gt;/1.jpg" in text
    assert "<b>" not in text
    with pytest.raises(DataError, match="cannot be written"):
        checked.to_html(root / "catalog")


@pytest.mark.torch
def test_a_model_flags_outliers_and_what_is_similar(workspace: Path) -> None:
    params = workspace / "params.yaml"
    emoji = likewise.open("emoji")
    vectors = emoji.vectors("tiny").astype(float)
    cosines = vectors @ vectors.T
    least = float(np.quantile(cosines, 0.9))
    bounds = {**PLAIN, "model": "tiny", "similar": least, "max_outlier": 1.0}
    text = params.read_text("utf-8")
    params.write_text(text + f"checks: {{emoji: {json.dumps(bounds)}}}\n", "utf-8")
    likewise.measure("emoji")
    checked = likewise.check("emoji")
    ids = emoji.items["item_id"].to_list()
    z = abs(vectors - vectors.mean(0)) / (vectors.std(0) + 1e-6)
    outliers = [name for name, score in zip(ids, z.mean(1), strict=True) if score > 1.0]
    assert 0 < len(outliers) < len(ids)
    similar = [name for n, name in enumerate(ids) if n and cosines[n, :n].max() >= least]
    nearest = [ids[int(cosines[n, :n].argmax())] for n in range(1, len(ids))]
    rows = likewise.query("select flag, item_id, other from emoji_flags")
    found = {flag: part for (flag,), part in rows.frame.group_by("flag")}
    assert sorted(found["outlier"]["item_id"]) == sorted(outliers)
    assert sorted(found["similar"]["item_id"]) == sorted(similar)
    for item, other in found["similar"].select("item_id", "other").iter_rows():
        assert other == nearest[ids.index(item) - 1]
    checked.to_html(str(workspace / "flags.html"))


def test_what_is_missing_is_named(root: Path) -> None:
    add(root, "toys", {"a/0.jpg": drawing(0)}, **PLAIN)
    checked = likewise.check("toys", workspace=root)
    shutil.rmtree(root / "catalog" / "toys" / "flags.lance")
    with pytest.raises(MissingArtefactError, match="dvc repro check@toys"):
        checked.to_html(root / "x.html")
    with pytest.raises(UnknownNameError, match="did you mean 'toys'"):
        likewise.check("toy", workspace=root)
    shutil.rmtree(root / "catalog" / "toys" / "pixels.lance")
    with pytest.raises(MissingArtefactError, match="dvc repro measure@toys"):
        likewise.check("toys", workspace=root)
    shutil.rmtree(root / "catalog" / "toys" / "images.lance")
    with pytest.raises(MissingArtefactError, match="dvc repro ingest@toys"):
        likewise.measure("toys", workspace=root)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{near: 16}", "less than or equal to 15"),
        ("{min_side: soon}", "min_side"),
        ("{min_sides: 3}", "did you mean 'min_side'"),
        ("{model: lite}", "checks.emoji.model: no such name 'lite'"),
        ("{against: [emoji]}", "checks.emoji.against: no such name 'emoji'"),
        ("{index: ivf}", "checks.emoji.index: no such name 'ivf'"),
    ],
)
@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_wrong_bounds_are_refused_in_a_line(workspace: Path, entry: str, said: str) -> None:
    params = workspace / "params.yaml"
    params.write_text(params.read_text("utf-8") + f"checks: {{emoji: {entry}}}\n", "utf-8")
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")) as error:
        likewise.check("emoji")
    assert len(str(error.value).splitlines()) == 1


def shape(kind: str, ink: tuple[int, int, int]) -> bytes:
    """A pale shape on white: its hash has hardly a bit."""
    out, picture = BytesIO(), Image.new("RGB", (300, 300), "white")
    draw = ImageDraw.Draw(picture)
    {"disc": draw.ellipse, "square": draw.rectangle}[kind]((75, 75, 225, 225), fill=ink)
    picture.save(out, "PNG")
    return out.getvalue()


def test_pictures_of_little_structure_are_not_near_copies(root: Path) -> None:
    files = {"a/disc.png": shape("disc", (255, 246, 246)), "b/plain.png": plain("white")}
    files |= {"b/square.png": shape("square", (250, 250, 255)), "a/drawn.jpg": drawing(1)}
    add(root, "toys", files | {"b/drawn.jpg": smaller(1)}, **PLAIN)
    assert likewise.check("toys", workspace=root).flags == {"near_duplicate": 1}
    assert flags(root, "toys") == [("near_duplicate", "b/drawn.jpg", "a/drawn.jpg")]


def test_sketches_are_not_bright_unless_a_bound_is_given(root: Path) -> None:
    files = {
        "trainA/0_1.png": shape("disc", (0, 0, 0)),
        "trainB/0.png": shape("disc", (9, 9, 9)),
    }
    add(root, "lines", files, min_sharpness=None, min_bytes=None, kind="sketch")
    assert "bright" not in likewise.check("lines", workspace=root).flags
    add(root, "bound", files, max_brightness=0.5, min_bytes=None, kind="sketch")
    assert likewise.check("bound", workspace=root).flags["bright"] == 2
