"""An open data set: frames, vectors, images and torch data of the version at opening."""

import multiprocessing
import os
import shutil
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

import likewise
from likewise.errors import DataError, MissingArtefactError, UnknownNameError
from likewise.storage import tables

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji" / "images"


def relabel(root: Path) -> None:
    """Publish a version in which a noto drawing of 1000 has the label 0."""
    images = root / "emoji" / "images"
    (images / "1000_noto.jpg").rename(images / "0_znoto.jpg")
    likewise.ingest("emoji", workspace=root)
    likewise.embed("emoji", "tiny", workspace=root)
    likewise.publish("emoji", workspace=root)


def test_a_catalogue_holds_data_sets_by_name(workspace: Path) -> None:
    catalogue = likewise.open(workspace=workspace)
    assert list(catalogue) == ["emoji"]
    assert len(catalogue) == 1
    assert catalogue["emoji"].card.title == "Emoji in GPR1200's layout"
    with pytest.raises(UnknownNameError, match=r"^no data set named 'emojis' in params\.yaml"):
        catalogue["emojis"]
    with pytest.raises(UnknownNameError, match="did you mean 'emoji'"):
        likewise.open("emojis", workspace=workspace)


def test_it_is_found_from_a_folder_below(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace / "emoji" / "images")
    assert len(likewise.open("emoji").items) == 24


def test_no_catalogue_is_reported(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match=r"^no catalogue in .*run: likewise init$"):
        likewise.open(workspace=tmp_path)


def test_an_unpublished_data_set_names_the_command(workspace: Path) -> None:
    shutil.rmtree(workspace / "catalog" / "emoji.lance")
    dataset = likewise.open("emoji", workspace=workspace)
    with pytest.raises(MissingArtefactError, match=r"run: dvc repro publish@emoji$"):
        dataset.items  # noqa: B018 (it is read here)


def test_items_vectors_and_the_frame_are_one_table(workspace: Path) -> None:
    dataset = likewise.open("emoji", workspace=workspace)
    assert dataset.models == ["tiny"]
    vectors = dataset.vectors("tiny")
    assert vectors.shape == (24, 96)
    frame = dataset.frame().collect()
    assert frame.drop("tiny").equals(dataset.items)
    np.testing.assert_array_equal(frame["tiny"].to_numpy(), vectors)
    noto = dataset.frame().filter(pl.col("item_id").str.contains("noto")).select("label")
    assert noto.collect()["label"].to_list() == ["0", "200", "400", "600", "800", "1000"]
    with pytest.raises(UnknownNameError, match=r"^no model named 'tyni' in the vectors of em"):
        dataset.vectors("tyni")


def test_images_come_in_the_order_that_is_asked(workspace: Path) -> None:
    dataset = likewise.open("emoji", workspace=workspace)
    ids = ["800_noto.jpg", "0_fluent.jpg", "800_noto.jpg"]
    files = [SAMPLES / name for name in ids]
    assert dataset.images(ids, encoded=True) == [path.read_bytes() for path in files]
    for found, path in zip(dataset.images(ids), files, strict=True):
        assert found.mode == "RGB"
        with Image.open(path) as picture:
            np.testing.assert_array_equal(np.asarray(found), np.asarray(picture.convert("RGB")))
    assert dataset.images([]) == []


def test_an_item_that_is_not_there_has_neighbours(workspace: Path) -> None:
    dataset = likewise.open("emoji", workspace=workspace)
    with pytest.raises(
        DataError, match=r"^emoji has no item 0_nato\.jpg; did you mean '0_noto"
    ):
        dataset.images(["0_noto.jpg", "0_nato.jpg"])


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:.*pin_memory.*")
@pytest.mark.parametrize("workers", [0, 1])
def test_torch_loads_it(workspace: Path, workers: int) -> None:
    from torch.utils.data import DataLoader

    dataset = likewise.open("emoji", workspace=workspace).torch(attrgetter("width"))
    assert dataset.classes == ["0", "1000", "200", "400", "600", "800"]  # as texts
    assert len(dataset) == 24
    context = multiprocessing.get_context("forkserver") if workers else None
    loader: DataLoader[Any] = DataLoader(
        dataset,  # type: ignore[arg-type]  # any object with a length is accepted
        batch_size=10,
        num_workers=workers,
        multiprocessing_context=context,
    )
    batches = list(loader)
    sizes = [int(size) for sizes, _ in batches for size in sizes]
    codes = [int(code) for _, codes in batches for code in codes]
    opened = likewise.open("emoji", workspace=workspace)
    assert sizes == opened.items["width"].to_list()
    assert [dataset.classes[code] for code in codes] == opened.items["label"].to_list()


def test_a_reader_keeps_the_version_that_it_opened(workspace: Path) -> None:
    old = likewise.open("emoji", workspace=workspace)
    items, vectors = old.items, old.vectors("tiny")
    lazy = likewise.open("emoji", workspace=workspace)
    assert lazy.table.rows == 24  # opened, but not read yet
    relabel(workspace)
    (workspace / "emoji" / "images" / "0_fluent.jpg").unlink()
    relabelled = likewise.open("emoji", workspace=workspace)
    assert relabelled.items["label"].to_list().count("0") == 5
    for reader in (old, lazy):
        assert reader.items.equals(items)
        np.testing.assert_array_equal(reader.vectors("tiny"), vectors)
        found = reader.search(id="1000_noto.jpg", model="tiny", k=23)
        assert {*found["item_id"], "1000_noto.jpg"} == {*items["item_id"]}


def test_images_of_the_opened_version_stay(workspace: Path) -> None:
    old = likewise.open("emoji", workspace=workspace)
    before = old.images(["1000_noto.jpg"], encoded=True)
    relabel(workspace)
    assert old.images(["1000_noto.jpg"], encoded=True) == before


def views(root: Path) -> list[Path]:
    return sorted((root / ".likewise" / "views").iterdir())


def test_a_version_is_linked_once(workspace: Path) -> None:
    likewise.open("emoji", workspace=workspace).images(["0_noto.jpg"])
    first = views(workspace)
    files = [path for view in first for path in view.rglob("*") if path.is_file()]
    assert {path.stat().st_nlink for path in files} == {2}
    made = [path.stat().st_mtime_ns for path in first]
    likewise.open("emoji", workspace=workspace).images(["0_noto.jpg"])
    assert views(workspace) == first
    assert [path.stat().st_mtime_ns for path in first] == made


def test_old_digests_with_a_new_table_show_the_new_table(workspace: Path) -> None:
    """As between git checkout and dvc checkout; nothing of it is cached."""
    digests = workspace / "catalog" / "emoji.columns.yaml"
    old, kept = digests.read_bytes(), workspace / "kept.lance"
    shutil.copytree(workspace / "catalog" / "emoji.lance", kept)
    relabel(workspace)
    digests.write_bytes(old)
    now = likewise.open("emoji", workspace=workspace).items
    assert "0_znoto.jpg" in now["item_id"]
    shutil.rmtree(workspace / "catalog" / "emoji.lance")
    kept.rename(workspace / "catalog" / "emoji.lance")
    back = likewise.open("emoji", workspace=workspace).items
    assert "1000_noto.jpg" in back["item_id"]


@pytest.mark.skipif(os.name != "posix", reason="folders without write permission")
def test_a_checkout_that_cannot_be_written_is_read(workspace: Path) -> None:
    expected = [(SAMPLES / "0_noto.jpg").read_bytes()]
    locked = [path for path in (workspace, *workspace.rglob("*")) if path.is_dir()]
    for folder in locked:
        folder.chmod(0o555)
    try:
        dataset = likewise.open("emoji", workspace=workspace)
        assert len(dataset.items) == len(dataset.vectors("tiny")) == 24
        assert dataset.images(["0_noto.jpg"], encoded=True) == expected
    finally:
        for folder in locked:
            folder.chmod(0o755)


def test_pictures_are_found_by_position_and_by_id(workspace: Path) -> None:
    emoji = likewise.open("emoji", workspace=workspace)
    ids = emoji.items["item_id"].to_list()
    assert list(emoji) == ids
    some = [ids[7], ids[0], ids[7]]
    assert emoji.positions(some).tolist() == [7, 0, 7]
    by_id = emoji.images(some)
    at = emoji.images_at([7, 0, 7])
    assert [np.asarray(a).tobytes() for a in at] == [np.asarray(b).tobytes() for b in by_id]
    with pytest.raises(UnknownNameError, match="did you mean"):
        emoji.positions([ids[0], ids[1] + "x"])
    assert emoji.images_at([]) == emoji.images([]) == []


def test_an_open_data_set_reads_only_the_rows_that_are_asked_for(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emoji = likewise.open("emoji", workspace=workspace)
    name = emoji.items["item_id"][9]
    fresh = likewise.open("emoji", workspace=workspace)
    monkeypatch.setattr("likewise.storage.tables.row_index._SHARE", 1)
    monkeypatch.delattr(tables.Table, "read")
    assert fresh[name].row == 9
    assert name in fresh
    assert "none" not in fresh
    assert fresh.images([name])[0].size == fresh.images_at([9])[0].size


def test_a_warm_data_set_reads_no_column_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emoji = likewise.open("emoji", workspace=workspace)
    emoji.warm(["label", "split"], model="tiny", encoder=True)
    monkeypatch.delattr(tables.Table, "scan")
    found = emoji.browse(filters={"label": "0"}, facets=["split"])
    assert found.total == 4
    with pytest.raises(UnknownNameError, match="did you mean 'label'"):
        emoji.warm(["labels"])
