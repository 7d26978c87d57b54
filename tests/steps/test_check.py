"""Measures, flags and leaks in a small catalogue of drawings and their copies."""

import json
import re
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image, ImageDraw

import likewise
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    UnknownNameError,
)
from likewise.storage.config import read_yaml

REPOSITORY = Path(__file__).parents[2]
DRAWINGS = sorted((REPOSITORY / "samples" / "emoji" / "images").glob("*_fluent.jpg"))
PLAIN: dict[str, Any] = {"min_bytes": None, "min_side": None, "min_brightness": None}
PLAIN |= {"max_brightness": None, "min_sharpness": None}
"""Bounds that flag no single image."""


def add(
    root: Path, name: str, files: dict[str, bytes], *, kind: str = "folder", **bounds: object
) -> None:
    """Add a data set of files in folders, with a check, and ingest and measure it."""
    for path, data in files.items():
        place = root / "sources" / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    params = root / "params.yaml"
    content = yaml.safe_load(params.read_text("utf-8")) if params.exists() else {}
    entry = {"path": f"sources/{name}", "annotations": f"sources/{name}"}
    content.setdefault("datasets", {})[name] = entry
    content.setdefault("checks", {})[name] = bounds
    params.write_text(yaml.safe_dump(content), "utf-8")
    card = f"title: {name}\nsource: {{kind: {kind}}}\n"
    (root / "catalog" / f"{name}.yaml").write_text(card, "utf-8")
    likewise.ingest(name, workspace=root)
    likewise.measure(name, workspace=root)


def flags(root: Path, name: str) -> list[tuple[str, str, str | None]]:
    """Return (flag, image, other image) of every flag."""
    rows = likewise.query(
        f"select flag, image_id, other from {name}_flags order by flag_id",  # noqa: S608
        workspace=root,
    )
    return list(rows.frame.iter_rows())


def drawing(number: int) -> bytes:
    return DRAWINGS[number].read_bytes()


def smaller(number: int) -> bytes:
    out = BytesIO()
    with Image.open(DRAWINGS[number]) as picture:
        picture.resize((90, 90), Image.Resampling.LANCZOS).save(out, "JPEG", quality=80)
    return out.getvalue()


def plain(colour: str, size: tuple[int, int] = (300, 300)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


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
    likewise.check("poor", workspace=root)
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


def test_the_same_flags_leave_the_files_unchanged(root: Path) -> None:
    add(root, "toys", {"a/0.jpg": drawing(0), "b/0.jpg": drawing(0)}, **PLAIN)
    likewise.check("toys", workspace=root)
    table = root / "catalog" / "toys" / "flags.lance"
    before = {path: path.read_bytes() for path in table.rglob("*") if path.is_file()}
    assert likewise.check("toys", workspace=root).flags == {"duplicate": 1}
    assert {path: path.read_bytes() for path in table.rglob("*") if path.is_file()} == before
    next(path for path in before if path.suffix == ".lance").write_bytes(b"damaged")
    assert likewise.check("toys", workspace=root).flags == {"duplicate": 1}
    assert flags(root, "toys") == [("duplicate", "b/0.jpg", "a/0.jpg")]
    assert not (root / ".likewise" / "staging" / "check-toys").exists()


def test_only_new_files_are_decoded(root: Path) -> None:
    add(root, "toys", {"a/0.jpg": drawing(0), "a/1.jpg": drawing(1)}, **PLAIN)
    again = likewise.measure("toys", workspace=root)
    assert (again.computed, again.taken_over, again.dropped) == (0, 2, 0)
    digests = root / "catalog" / ".pixels" / "toys.yaml"
    before = digests.read_bytes()
    source = root / "sources" / "toys" / "a"
    (source / "0.jpg").rename(source / "renamed.jpg")
    likewise.ingest("toys", workspace=root)
    assert likewise.measure("toys", workspace=root).computed == 0
    assert digests.read_bytes() == before
    (source / "1.jpg").unlink()
    (source / "2.jpg").write_bytes(drawing(2))
    likewise.ingest("toys", workspace=root)
    changed = likewise.measure("toys", workspace=root)
    assert (changed.computed, changed.taken_over, changed.dropped) == (1, 1, 1)


def test_a_killed_measure_resumes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likewise.imaging.measure_many.CHUNK_FILES", 1)
    monkeypatch.setattr("likewise.catalogue.incremental_table.SAVED_SECONDS", 0.0)
    monkeypatch.setattr("likewise.catalogue.incremental_table.SAVED_SHARE", 0.0)
    files = {f"a/{n}.jpg": drawing(n) for n in range(4)}
    add(root, "toys", files, **PLAIN)
    whole = (root / "catalog" / ".pixels" / "toys.yaml").read_bytes()
    shutil.rmtree(root / "catalog" / "toys" / "pixels.lance")
    (root / "catalog" / ".pixels" / "toys.yaml").unlink()
    save, saved = IncrementalTable.save, []

    def stopped(self: IncrementalTable) -> None:
        save(self)
        saved.append(1)
        if len(saved) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(IncrementalTable, "save", stopped)
        with pytest.raises(KeyboardInterrupt):
            likewise.measure("toys", workspace=root)
    done = likewise.measure("toys", workspace=root)
    assert (done.computed, done.taken_over) == (2, 2)
    assert (root / "catalog" / ".pixels" / "toys.yaml").read_bytes() == whole


def test_other_measures_measure_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(root, "toys", {"a/0.jpg": drawing(0)}, **PLAIN)
    monkeypatch.setattr("likewise.steps.measure.VERSION", "2")
    assert likewise.measure("toys", workspace=root).computed == 1


def test_parts_of_any_size_give_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"a/{n}.jpg": drawing(n) for n in range(20)}
    add(root, "toys", files, **PLAIN)
    together = (root / "catalog" / ".pixels" / "toys.yaml").read_bytes()
    shutil.rmtree(root / "catalog" / "toys" / "pixels.lance")
    monkeypatch.setattr("likewise.imaging.measure_many.CHUNK_BYTES", 1)
    assert likewise.measure("toys", workspace=root).computed == 20
    assert (root / "catalog" / ".pixels" / "toys.yaml").read_bytes() == together


def test_a_page_shows_pairs(root: Path) -> None:
    add(root, "old", {"a/0.jpg": drawing(0)}, **PLAIN)
    add(root, "toys", {"a/0.jpg": drawing(0), "<b>/1.jpg": smaller(0)}, **PLAIN)
    checked = likewise.check("toys", workspace=root)
    page = root / "flags.html"
    checked.to_html(page)
    text = page.read_text("utf-8")
    assert text.count("data:image/jpeg;base64,") == 2 * (1 + 2)  # one copy, and two leaks
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


def test_shared_photographs_are_found_at_other_sizes(root: Path, shared_data: Path) -> None:
    """Compares 150 images of each; mean differences of pixels decide which are equal."""
    places = {
        "gpr": ("gpr_like/images", "*.jpg"),
        "cars": ("compcars_like/Image_data/data/image", "*/*/*/*.jpg"),
    }
    thumbnails = {}
    for name, (folder, pattern) in places.items():
        paths = sorted((shared_data / folder).glob(pattern), key=_numbers)[:150]
        add(root, name, {f"a/{n:03d}.jpg": p.read_bytes() for n, p in enumerate(paths)})
        thumbnails[name] = [_thumbnail(path) for path in paths]
    likewise.check("gpr", workspace=root)
    same = {
        f"a/{n:03d}.jpg"
        for n, one in enumerate(thumbnails["gpr"])
        if min(_difference(one, other) for other in thumbnails["cars"]) < 8
    }
    found = {image for flag, image, _ in flags(root, "gpr") if flag == "leak"}
    assert found == same
    assert len(found) > 20


def _numbers(path: Path) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"(?<=/)[0-9]+(?=[/_])", str(path))], path.name


def _thumbnail(path: Path) -> list[int]:
    with Image.open(path) as picture:
        small = picture.convert("L").resize((16, 16), Image.Resampling.BOX)
    return list(small.tobytes())


def _difference(one: list[int], other: list[int]) -> float:
    """Root mean square in grey levels: below 6 for copies, above 15 for other photographs."""
    squares = [(a - b) ** 2 for a, b in zip(one, other, strict=True)]
    return float((sum(squares) / len(squares)) ** 0.5)


def test_the_pipeline_names_what_a_check_reads() -> None:
    pipeline = read_yaml(REPOSITORY / "dvc.yaml")
    assert isinstance(pipeline, dict)
    stage = pipeline["stages"]["check"]["do"]
    assert stage["deps"] == ["catalog/${key}/columns", "catalog/.pixels"]


@pytest.mark.torch
def test_views_leave_out_what_is_flagged(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text("utf-8").replace(
        "runs:\n",
        "runs:\n  clean: {dataset: clean, model: tiny, index: exact, protocol: gpr1200}\n",
    )
    least = sorted(likewise.open("emoji").items["nbytes"])[12]
    bounds = {**PLAIN, "min_bytes": least}
    view = "views: {clean: {of: emoji, without: [few_bytes, duplicate]}}\n"
    params.write_text(f"{text}checks: {{emoji: {json.dumps(bounds)}}}\n{view}", "utf-8")
    with pytest.raises(MissingArtefactError, match="dvc repro check@emoji"):
        likewise.view("clean")
    likewise.measure("emoji")
    likewise.check("emoji")
    emoji = likewise.open("emoji")
    few = set(emoji.items.filter(pl.col("nbytes") < least)["item_id"])
    kept = [item for item in emoji.items["item_id"] if item not in few]
    assert len(kept) == 12
    assert emoji.frame(without=["few_bytes"]).collect()["item_id"].to_list() == kept
    with pytest.raises(UnknownNameError, match="did you mean 'few_bytes'"):
        emoji.frame(without=["few_byte"])

    done = likewise.view("clean")
    assert (done.items, done.left_out) == (len(kept), 24 - len(kept))
    clean = likewise.open("clean")
    assert clean.items["item_id"].to_list() == kept
    rows = [n for n, item in enumerate(emoji.items["item_id"]) if item in kept]
    assert (clean.vectors("tiny") == emoji.vectors("tiny")[rows]).all()
    assert clean.images(kept[:1], encoded=True) == emoji.images(kept[:1], encoded=True)
    assert clean.search(id=kept[0], k=3)["item_id"].is_in(kept).all()
    assert len(likewise.query("select item_id from clean")) == len(kept)
    assert len(likewise.evaluate("clean").queries) == len(kept)
    assert list(likewise.open()) == ["clean", "emoji"]
    with pytest.raises(UnknownNameError, match="no data set named 'clean'"):
        likewise.ingest("clean")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("{clean: {of: emoji, without: [small]}}", "views.clean.of: no such name 'emoji'"),
        ("{clean: {of: emoji, without: []}}", "at least 1 item"),
        ("{emoji: {of: emoji, without: [small]}}", "a data set already has this name"),
        ("{clean: {of: emoji, without: [smal]}}", "did you mean 'small'"),
    ],
)
@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_a_wrong_view_is_refused(workspace: Path, view: str, said: str) -> None:
    params = workspace / "params.yaml"
    params.write_text(params.read_text("utf-8") + f"views: {view}\n", "utf-8")
    with pytest.raises(ConfigError, match=said):
        likewise.view("emoji" if view.startswith("{emoji") else "clean")


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
