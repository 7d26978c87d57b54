"""Ingest reads only new and changed files, and skips incomplete images."""

import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import likewise
from likewise.imaging import image_table, probe_many
from likewise.storage import tables
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.schema import FINDINGS, IMAGES, ITEMS, Contract

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji"
CONTRACTS: dict[str, Contract] = {"images": IMAGES, "items": ITEMS, "findings": FINDINGS}


def digests(root: Path, table: str) -> Digests:
    """Return the digests in the file; check that they are those of the table."""
    path = root / "catalog" / "emoji" / "columns" / f"{table}.yaml"
    said = Digests.from_yaml(read_yaml(path), path.name)
    assert said == opened(root, table).digest(CONTRACTS[table])
    return said


def opened(root: Path, table: str) -> tables.Table:
    return tables.open_table(root / "catalog" / "emoji" / f"{table}.lance", "")


def frame(root: Path, table: str) -> pl.DataFrame:
    """Return a table without its pixels."""
    return opened(root, table).read(opened(root, table).metadata_columns)


def data_files(root: Path) -> dict[str, bytes]:
    """Return the files that contain images, and their bytes."""
    folder = root / "catalog" / "emoji" / "images.lance" / "data"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def add_pictures(root: Path, count: int) -> None:
    """Add ``count`` drawings of category 0 to the source: copies of others."""
    there = sorted((SAMPLES / "images").iterdir())
    others = [path for path in there if path.name.startswith("1_")] * 10
    for number, path in enumerate(others[:count]):
        data = path.read_bytes() + bytes(number)  # a JPEG may end in zeros
        (root / "emoji" / "images" / f"0_more{number}.jpg").write_bytes(data)


def done(root: Path) -> tuple[int, int, int]:
    """Run ingest; return the numbers of images read, kept and removed."""
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
    stored = opened(workspace, "images").blobs(
        "image",
        [frame(workspace, "images")["image_id"].index_of("400_noto.jpg") or 0],
    )
    assert stored == [changed.read_bytes()]


def test_a_killed_ingest_of_changed_files_leaves_no_earlier_row(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(("0_noto.jpg", "200_noto.jpg", "400_noto.jpg"), 1):
        path = workspace / "emoji" / "images" / name
        path.write_bytes(path.read_bytes() + bytes(number))
    remember = image_table.ImageStore._remember

    def killed(store: image_table.ImageStore, seen: pl.DataFrame) -> None:
        remember(store, seen)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(probe_many, "CHUNK_FILES", 1)
        patch.setattr(image_table, "SEGMENT_FILES", 2)
        patch.setattr(image_table.ImageStore, "_remember", killed)
        with pytest.raises(KeyboardInterrupt):
            likewise.ingest("emoji")
    assert likewise.ingest("emoji").images == 24
    assert frame(workspace, "images")["image_id"].n_unique() == 24
    assert digests(workspace, "images").rows == 24


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


def test_many_files_are_read_by_several_threads(workspace: Path) -> None:
    """A .tar.gz is read by one thread, in its own order."""
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
