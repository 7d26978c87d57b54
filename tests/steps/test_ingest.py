"""Ingest reads only what is new or changed, and sets aside what is no whole image."""

import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import likewise
from likewise import tables
from likewise.config import read_yaml
from likewise.digests import Digests
from likewise.errors import DataError
from likewise.schema import FINDINGS, IMAGES, ITEMS, Contract

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji"
CONTRACTS: dict[str, Contract] = {"images": IMAGES, "items": ITEMS, "findings": FINDINGS}


def digests(root: Path, table: str) -> Digests:
    """What the digest file says, which is what the table holds."""
    path = root / "catalog" / "emoji" / "columns" / f"{table}.yaml"
    said = Digests.from_yaml(read_yaml(path), path.name)
    assert said == tables.digest(opened(root, table), CONTRACTS[table])
    return said


def opened(root: Path, table: str) -> "tables.lance.LanceDataset":  # type: ignore[name-defined]
    return tables.open_table(root / "catalog" / "emoji" / f"{table}.lance", "")


def frame(root: Path, table: str) -> pl.DataFrame:
    """A table without its pixels."""
    return tables.read(opened(root, table), tables.metadata_columns(opened(root, table)))


def data_files(root: Path) -> dict[str, bytes]:
    """The files that hold images, and their bytes."""
    folder = root / "catalog" / "emoji" / "images.lance" / "data"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def add_pictures(root: Path, count: int) -> None:
    """Put ``count`` more drawings of category 0 into the source: real ones of others."""
    there = sorted((SAMPLES / "images").iterdir())
    others = [path for path in there if path.name.startswith("1_")] * 10
    for number, path in enumerate(others[:count]):
        data = path.read_bytes() + bytes(number)  # a JPEG may end in zeros
        (root / "emoji" / "images" / f"0_more{number}.jpg").write_bytes(data)


def done(root: Path) -> tuple[int, int, int]:
    """What an ingest read, kept and removed."""
    result = likewise.ingest("emoji", workspace=root)
    return result.read, result.kept, result.removed


def test_the_tables_are_in_canonical_order_and_by_contract(workspace: Path) -> None:
    items = frame(workspace, "items")
    expected = [
        f"{category}_{drawn_by}.jpg"
        for category in (0, 200, 400, 600, 800, 1000)
        for drawn_by in ("fluent", "noto", "openmoji", "twemoji")
    ]
    assert items["item_id"].to_list() == expected
    assert items["image_id"].to_list() == expected
    assert items["label"].unique(maintain_order=True).to_list() == [
        "0", "200", "400", "600", "800", "1000",
    ]  # fmt: skip
    for name, contract in CONTRACTS.items():
        stored = opened(workspace, name).schema
        assert stored.names == contract.names()
        assert [field.nullable for field in stored] == [c.nullable for c in contract.columns]
    images = frame(workspace, "images").join(items, on="image_id")
    assert (images["content"] == images["sha256"]).all()


def test_a_second_ingest_reads_nothing(workspace: Path) -> None:
    before, held = {name: digests(workspace, name) for name in CONTRACTS}, data_files(workspace)
    assert done(workspace) == (0, 24, 0)
    assert {name: digests(workspace, name) for name in CONTRACTS} == before
    assert data_files(workspace) == held


def test_only_new_files_are_read_and_written(workspace: Path) -> None:
    before, held = digests(workspace, "images"), data_files(workspace)
    add_pictures(workspace, 10)
    assert done(workspace) == (10, 24, 0)
    now = digests(workspace, "images")
    assert now.rows == 24 + 10
    assert now.columns["sha256"] != before.columns["sha256"]
    assert held.items() < data_files(workspace).items()


def test_only_a_changed_file_is_read(workspace: Path) -> None:
    before = frame(workspace, "images").sort("image_id")
    changed = workspace / "emoji" / "images" / "400_noto.jpg"
    shutil.copy(SAMPLES / "images" / "1_noto.jpg", changed)
    assert done(workspace) == (1, 23, 1)
    now = frame(workspace, "images").sort("image_id")
    differs = (before["sha256"] != now["sha256"]).arg_true()
    assert now["image_id"][differs].to_list() == ["400_noto.jpg"]
    stored = tables.read_blobs(
        opened(workspace, "images"),
        "image",
        [frame(workspace, "images")["image_id"].index_of("400_noto.jpg") or 0],
    )
    assert stored == [changed.read_bytes()]


def test_a_removed_file_goes(workspace: Path) -> None:
    (workspace / "emoji" / "images" / "400_noto.jpg").unlink()
    assert done(workspace) == (0, 23, 1)
    assert digests(workspace, "images").rows == digests(workspace, "items").rows == 23


def test_a_file_of_another_label_has_the_same_content(workspace: Path) -> None:
    before = digests(workspace, "items")
    images = workspace / "emoji" / "images"
    (images / "400_noto.jpg").rename(images / "800_noto2.jpg")
    assert done(workspace) == (1, 23, 1)
    now = digests(workspace, "items")
    assert now.contents == before.contents
    assert now.columns["label"] != before.columns["label"]


def test_a_text_is_corrected_without_an_image(workspace: Path) -> None:
    before = {name: digests(workspace, name) for name in CONTRACTS}
    texts = workspace / "emoji" / "categories.json"
    said = texts.read_text("utf-8")
    assert '"0"' in said
    texts.write_text(said.replace('"0": "', '"0": "old ', 1), "utf-8")
    assert done(workspace) == (0, 24, 0)
    now = {name: digests(workspace, name) for name in CONTRACTS}
    changed = [
        name
        for name, digest in now["items"].columns.items()
        if digest != before["items"].columns[name]
    ]
    assert changed == ["text"]
    assert now["items"].contents == before["items"].contents
    assert now["images"] == before["images"]


def forget_files(root: Path) -> None:
    shutil.rmtree(root / ".likewise")


def touch_files(root: Path) -> None:
    for path in (root / "emoji" / "images").iterdir():
        os.utime(path, ns=(1, 1_600_000_000 * 10**9))


@pytest.mark.parametrize("change", [forget_files, touch_files])
def test_files_that_read_as_they_did_are_not_written(
    workspace: Path, change: Callable[[Path], None]
) -> None:
    before, held = {name: digests(workspace, name) for name in CONTRACTS}, data_files(workspace)
    change(workspace)
    assert done(workspace) == (0, 24, 0)
    assert {name: digests(workspace, name) for name in CONTRACTS} == before
    assert data_files(workspace) == held


def test_ten_more_in_a_fresh_clone(workspace: Path) -> None:
    held = data_files(workspace)
    forget_files(workspace)
    add_pictures(workspace, 10)
    assert done(workspace) == (10, 24, 0)
    assert held.items() < data_files(workspace).items()


def test_a_file_changed_within_its_size_is_seen(workspace: Path) -> None:
    path = workspace / "emoji" / "images" / "0_noto.jpg"
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    assert done(workspace) == (1, 23, 1)


def as_zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(folder.iterdir(), reverse=True):
            packed.write(path, path.name)


def as_tar(folder: Path, archive: Path) -> None:
    mode = "w:gz" if archive.suffix == ".gz" else "w:"
    with tarfile.open(archive, mode) as packed:  # type: ignore[call-overload]
        for path in sorted(folder.iterdir(), reverse=True):
            packed.add(path, path.name)


@pytest.mark.parametrize(
    ("name", "pack"), [("s.zip", as_zip), ("s.tar", as_tar), ("s.tar.gz", as_tar)]
)
def test_an_archive_of_the_same_files_is_the_same_data(
    workspace: Path, name: str, pack: Callable[[Path, Path], None]
) -> None:
    pack(workspace / "emoji" / "images", workspace / name)
    params = workspace / "params.yaml"
    text = params.read_text("utf-8").replace("path: emoji/images,", f"path: {name},")
    params.write_text(text, "utf-8")
    before = {table: digests(workspace, table) for table in CONTRACTS}
    shutil.rmtree(workspace / "catalog" / "emoji")
    assert done(workspace) == (24, 0, 0)
    assert {table: digests(workspace, table) for table in CONTRACTS} == before
    assert done(workspace) == (0, 24, 0)


def test_many_files_are_read_by_several_processes(workspace: Path) -> None:
    """More than ``intake.FEW``; from a .tar.gz one process reads them, in the archive's order."""
    params, text = workspace / "params.yaml", (workspace / "params.yaml").read_text("utf-8")
    found = []
    for name in ("folder", "all.tar.gz"):
        place = SAMPLES / "images" if name == "folder" else workspace / name
        params.write_text(
            text.replace("path: emoji/images,", f"path: {place},").replace(
                "annotations: emoji/categories.json", f"annotations: {SAMPLES}/categories.json"
            ),
            "utf-8",
        )
        if name != "folder":
            as_tar(SAMPLES / "images", place)
        shutil.rmtree(workspace / "catalog" / "emoji")
        result = likewise.ingest("emoji", workspace=workspace)
        assert result.read == result.items == len(list((SAMPLES / "images").iterdir())) > 500
        found.append({table: digests(workspace, table) for table in CONTRACTS})
    assert found[0] == found[1]


def png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def faulty(workspace: Path) -> Path:
    """The catalogue, and nine files in its source that are no images or have no category."""
    whole = (SAMPLES / "images" / "1_noto.jpg").read_bytes()
    for name, data in {
        "0_empty.jpg": b"",
        "0_text.jpg": b"This is not an image.\n",
        "0_cut.jpg": whole[: len(whole) // 2],
        "0_head.jpg": whole[:30],
        "0_cut.png": png((64, 64))[:-20],
        "0_bomb.png": png((20_000, 10_000), "1"),
        "tower.jpg": whole,
        "007_bond.jpg": whole,
        "notes.txt": b"read me",
    }.items():
        (workspace / "emoji" / "images" / name).write_bytes(data)
    return workspace


def test_what_is_no_whole_image_is_set_aside(faulty: Path) -> None:
    before = digests(faulty, "items")
    result = likewise.ingest("emoji", workspace=faulty)
    assert result.findings == {
        "bad-name": 2,
        "empty": 1,
        "not-an-image": 2,
        "too-large": 1,
        "truncated": 3,
    }
    assert (result.items, result.read, result.kept) == (24, 0, 24)
    assert digests(faulty, "items") == before
    found = frame(faulty, "findings").sort("finding_id")
    assert found["finding_id"].to_list() == [
        "bad-name: 007_bond.jpg",
        "bad-name: tower.jpg",
        "empty: 0_empty.jpg",
        "not-an-image: 0_text.jpg",
        "not-an-image: notes.txt",
        "too-large: 0_bomb.png",
        "truncated: 0_cut.jpg",
        "truncated: 0_cut.png",
        "truncated: 0_head.jpg",
    ]
    why = dict(found.select("path", "detail").iter_rows())
    assert why["0_bomb.png"].startswith("20,000 x 10,000 pixels; at most 178,956,970")
    assert why["0_empty.jpg"] == "the file has 0 bytes"


def test_strict_lets_any_finding_stop_it(faulty: Path) -> None:
    before = {table: digests(faulty, table) for table in CONTRACTS}
    files = data_files(faulty)
    said = r"^emoji: 9 findings, and --strict: bad-name: 007_bond\.jpg, .* and 4 more$"
    with pytest.raises(DataError, match=said):
        likewise.ingest("emoji", strict=True, workspace=faulty)
    assert {table: digests(faulty, table) for table in CONTRACTS} == before
    assert data_files(faulty) == files
    assert likewise.ingest("emoji", workspace=faulty).kept == 24


def test_a_file_that_was_mended_is_an_item_again(faulty: Path) -> None:
    likewise.ingest("emoji", workspace=faulty)
    shutil.copy(SAMPLES / "images" / "1_noto.jpg", faulty / "emoji" / "images" / "0_cut.jpg")
    result = likewise.ingest("emoji", workspace=faulty)
    assert (result.items, result.read, result.findings["truncated"]) == (25, 1, 2)


def test_a_file_that_broke_leaves_the_tables(workspace: Path) -> None:
    (workspace / "emoji" / "images" / "0_noto.jpg").write_bytes(b"")
    result = likewise.ingest("emoji", workspace=workspace)
    assert (result.items, result.images, result.removed) == (23, 23, 1)
    assert result.findings == {"empty": 1}


def test_what_the_card_excludes_is_no_item_and_no_finding(faulty: Path) -> None:
    card = faulty / "catalog" / "emoji.yaml"
    left_out = "exclude: [0_empty.jpg, 0_text.jpg, 0_noto.jpg]"
    text = card.read_text("utf-8").replace("kind: gpr1200", f"kind: gpr1200, {left_out}")
    card.write_text(text, "utf-8")
    result = likewise.ingest("emoji", workspace=faulty)
    assert (result.items, result.removed) == (23, 1)
    assert result.findings == {"bad-name": 2, "not-an-image": 1, "too-large": 1, "truncated": 3}
    assert "0_noto.jpg" not in frame(faulty, "images")["image_id"]


def test_a_source_of_nothing_but_faults_is_refused(workspace: Path) -> None:
    before = {table: digests(workspace, table) for table in CONTRACTS}
    for path in (workspace / "emoji" / "images").iterdir():
        path.write_bytes(b"?")
    said = r"^emoji: no file of the source is a whole image: not-an-image: 0_fluent\.jpg, "
    with pytest.raises(DataError, match=said):
        likewise.ingest("emoji", workspace=workspace)
    assert {table: digests(workspace, table) for table in CONTRACTS} == before


def test_a_turned_picture_is_recorded_and_left_as_it_is(workspace: Path) -> None:
    picture = Image.new("RGB", (40, 20), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    path = workspace / "emoji" / "images" / "0_turned.jpg"
    picture.save(path, exif=exif)
    likewise.ingest("emoji", workspace=workspace)
    likewise.embed("emoji", "tiny", workspace=workspace)
    likewise.publish("emoji", workspace=workspace)
    dataset = likewise.open("emoji", workspace=workspace)
    row = dataset.items.row(by_predicate=pl.col("item_id") == path.name, named=True)
    assert (row["width"], row["height"], row["orientation"]) == (40, 20, 6)
    assert dataset.images([path.name], encoded=True) == [path.read_bytes()]
    assert dataset.images([path.name])[0].size == (40, 20)
