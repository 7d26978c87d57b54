"""Revisited Oxford and Paris: the published file, read without running it."""

import os
import pickle  # noqa: TID251 - makes the files that the reader is given
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import likewise
from likewise.errors import DataError
from likewise.formats.archives import open_files
from likewise.sources.item_table import read_items
from likewise.sources.revisited import RoxfordSource, ground_truth

EMOJI = Path(__file__).parents[2] / "samples" / "emoji" / "images"
GALLERY = ["tower_000001", "tower_000002", "bridge_000003", "gate_000004"]
QUERIES = ["tower_000009", "red_bridge_000008"]


def held() -> dict[str, Any]:
    """Data as published: lists of names, and arrays or lists in one dict per query."""
    return {
        "imlist": GALLERY,
        "qimlist": QUERIES,
        "gnd": [
            {
                "bbx": [2.0, 3.0, 60.0, 50.5],
                "easy": np.array([0]),
                "hard": np.array([1]),
                "junk": np.array([3]),
            },
            {"bbx": np.array([0.0, 0.0, 64.0, 64.0]), "easy": [], "hard": [2], "junk": []},
        ],
    }


def write(folder: Path, value: object, protocol: int = 2) -> Path:
    path = folder / "gnd_roxford5k.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    return path


@pytest.fixture
def oxford(tmp_path: Path) -> Path:
    """Six drawings with the names of the file, and one that is not in it."""
    folder = tmp_path / "oxford"
    (folder / "jpg").mkdir(parents=True)
    drawings = sorted(EMOJI.iterdir())
    for name, drawing in zip([*GALLERY, *QUERIES, "other_000001"], drawings, strict=False):
        shutil.copy(drawing, folder / "jpg" / f"{name}.jpg")
    write(folder, held())
    return folder


def test_the_gallery_comes_first_and_queries_are_boxes(oxford: Path) -> None:
    read = RoxfordSource().read(open_files(oxford), oxford)
    items = read.items
    assert items["item_id"].to_list() == [
        *(f"jpg/{name}.jpg" for name in GALLERY), *(f"jpg/{name}.jpg#1" for name in QUERIES)
    ]  # fmt: skip
    assert items["role"].to_list() == ["gallery"] * 4 + ["query"] * 2
    assert items["label"].to_list() == [None] * 4 + ["tower", "red_bridge"]
    assert items["box"].to_list()[4] == [2.0, 3.0, 60.0, 50.5]
    assert items["easy"].to_list()[4:] == [["jpg/tower_000001.jpg"], []]
    assert items["hard"].to_list()[4:] == [["jpg/tower_000002.jpg"], ["jpg/bridge_000003.jpg"]]
    assert items["junk"].to_list()[0] is None
    assert read.findings["finding_id"].to_list() == ["unlisted: jpg/other_000001.jpg"]


def test_images_that_are_not_there_are_found_and_leave_the_lists(oxford: Path) -> None:
    (oxford / "jpg" / "tower_000002.jpg").unlink()
    read = RoxfordSource().read(open_files(oxford), oxford)
    assert "dangling: tower_000002" in read.findings["finding_id"].to_list()
    assert read.items["hard"].to_list()[3] == []


@pytest.mark.torch
def test_a_catalogue_scores_them(oxford: Path, workspace: Path) -> None:
    likewise.add("oxford", source="roxford5k", path=oxford)
    likewise.ingest("oxford")
    likewise.embed("oxford", "tiny")
    likewise.publish("oxford")
    result = likewise.evaluate("oxford-tiny-roxford5k-medium")
    assert result.queries["item_id"].to_list() == [f"jpg/{name}.jpg#1" for name in QUERIES]
    assert result.queries["relevant"].to_list() == [2, 1]
    assert result.counts == {"queries": 2, "gallery": 4, "labels": 2}
    easy = likewise.evaluate("oxford-tiny-roxford5k-easy")
    assert easy.queries["value"].to_list()[1] is None
    text = (workspace / "catalog" / "oxford.columns.yaml").read_text("utf-8")
    assert "\nfurther: " in text


def test_vectors_from_elsewhere_are_scored_by_the_file(tmp_path: Path) -> None:
    angles = np.radians([5.0, 40.0, 91.0, 1.0, 0.0, 90.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.save(tmp_path / "vectors.npy", vectors)
    path = write(tmp_path, held())
    result = likewise.score("roxford5k-medium", embeddings=tmp_path / "vectors.npy", items=path)
    # Without its junk (the gate, nearest): towers 1 and 2; the bridge is first for the other.
    assert result.metrics["mAP"] == 100
    hard = likewise.score("roxford5k-hard", embeddings=tmp_path / "vectors.npy", items=path)
    assert hard.queries["ranks"].to_list() == [[1], [1]]


def test_a_program_in_the_file_is_refused(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return os.mkdir, (str(tmp_path / "harm"),)

    path = write(tmp_path, {**held(), "imlist": Harm()})
    with pytest.raises(DataError, match=r"mkdir, which is not allowed"):
        read_items(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda h: h.pop("gnd"), "expected a dict with imlist, qimlist and gnd"),
        (lambda h: h.update(imlist="abc"), "imlist: must be a list of names"),
        (lambda h: h.update(qimlist=[1, 2]), "qimlist: must be a list of names"),
        (lambda h: h.update(imlist=["a", "a"]), "imlist: these values occur more than once: a"),
        (lambda h: h["gnd"].pop(), "gnd must have an entry for each of 2 queries"),
        (lambda h: h["gnd"][0].pop("junk"), "query tower_000009: expected a dict with bbx"),
        (lambda h: h["gnd"][0].update(easy=[4]), "easy: must be numbers from 0 to 3"),
        (lambda h: h["gnd"][1].update(hard=["x"]), "hard: must be numbers from 0 to 3"),
        (lambda h: h["gnd"][1].update(bbx=[1, 2, 3]), "bbx must be four numbers"),
    ],
)
def test_what_is_not_as_published_is_refused(change: Any, said: str) -> None:
    value = held()
    for entry in value["gnd"]:
        entry.update({k: np.asarray(v).tolist() for k, v in entry.items()})
    change(value)
    with pytest.raises(DataError, match=said):
        ground_truth(value, "here")


def test_a_folder_without_the_file(oxford: Path) -> None:
    (oxford / "gnd_roxford5k.pkl").unlink()
    with pytest.raises(DataError, match=r"has no file gnd_roxford5k\.pkl"):
        RoxfordSource().read(open_files(oxford), oxford)


def test_tables_of_items(tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_id": ["a", "b"], "label": [1, 1], "camera": ["c", "d"]})
    frame.write_csv(tmp_path / "items.csv")
    frame.write_parquet(tmp_path / "items.parquet")
    for name in ("items.csv", "items.parquet"):
        found = read_items(tmp_path / name)
        assert found["label"].to_list() == ["1", "1"]
        assert found["role"].to_list() == [None, None]
    np.save(tmp_path / "vectors.npy", np.eye(2, dtype=np.float32))
    result = likewise.score(
        "metric-learning", embeddings=tmp_path / "vectors.npy", items=tmp_path / "items.csv"
    )
    assert result.metrics["recall@1"] == 1


def test_a_label_that_is_a_list_is_refused(tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_id": ["a"], "label": [["x", "y"]]})
    frame.write_parquet(tmp_path / "items.parquet")
    with pytest.raises(DataError, match=r"items\.parquet: cannot be read: cannot cast List"):
        read_items(tmp_path / "items.parquet")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.txt", "a", "expected a table that ends in .csv, .parquet, .pkl"),
        ("x.csv", "item,label\na,b\n", "no column 'item_id'; did you mean 'item'"),
        ("x.csv", "item_id,label\na,b\na,c\n", "an item_id is repeated: a"),
        ("x.csv", "", "x.csv has no header: it is empty"),
        ("x.csv", "item_id,label\na,b\nc\n", "line 3: it has 1 field, and the header 2"),
        ("x.parquet", "PAR", "cannot be read"),
        ("x.pkl", "nonsense", "cannot be read"),
        ("gone.csv", None, "No such file"),
    ],
)
def test_tables_that_are_refused(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    np.save(tmp_path / "vectors.npy", np.eye(2, dtype=np.float32))
    with pytest.raises(DataError, match=said.replace(".", r"\.")):
        likewise.score(
            "metric-learning", embeddings=tmp_path / "vectors.npy", items=tmp_path / name
        )
