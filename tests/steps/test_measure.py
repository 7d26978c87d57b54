"""Measures of images: what is measured again, in what parts, and after a kill."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

import likewise
from checked_drawings import PLAIN, REPOSITORY, add, drawing, flags
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.storage.config import read_yaml


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "catalog").mkdir()
    return tmp_path


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
    monkeypatch.setattr("likewise.steps.measure.measure_rows.VERSION", "2")
    assert likewise.measure("toys", workspace=root).computed == 1


def test_parts_of_any_size_give_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"a/{n}.jpg": drawing(n) for n in range(20)}
    add(root, "toys", files, **PLAIN)
    together = (root / "catalog" / ".pixels" / "toys.yaml").read_bytes()
    shutil.rmtree(root / "catalog" / "toys" / "pixels.lance")
    monkeypatch.setattr("likewise.imaging.measure_many.CHUNK_BYTES", 1)
    assert likewise.measure("toys", workspace=root).computed == 20
    assert (root / "catalog" / ".pixels" / "toys.yaml").read_bytes() == together


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
