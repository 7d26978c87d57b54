"""Score embeddings and lists of other programs from files."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import likewise
from forked import run
from likewise.errors import ConfigError, DataError, UnknownNameError
from likewise.sources.gpr1200_subsets import SUBSETS

FILES = ["10_a.jpg", "10_b.jpg", "1050_a.jpg", "1050_b.jpg", "9_z.jpg"]
ORDER = ["9_z.jpg", "10_a.jpg", "10_b.jpg", "1050_a.jpg", "1050_b.jpg"]
VECTORS = np.array([[0, 0, 1], [1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0.6, 0.8]])


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "set" / "images"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(b"never opened")
    return folder


def saved(tmp_path: Path, array: npt.NDArray[Any]) -> Path:
    path = tmp_path / "given.npy"
    np.save(path, array)
    return path


def test_rows_are_by_category_and_then_by_name(tmp_path: Path, images: Path) -> None:
    path = saved(tmp_path, VECTORS)
    for folder in (images, images.parent):
        result = likewise.score("gpr1200", embeddings=str(path), images=str(folder))
        names = [Path(item).name for item in result.queries["item_id"]]
        assert names == ORDER
        assert result.queries["subset"].to_list() == ["landmarks"] * 3 + ["faces"] * 2
        # Row 2 ranks itself, row 1 (0.8) and so on; row 3 itself, then rows 2 and 4 (0.6 both);
        # row 4 itself, row 0 (0.8), row 3 (0.6).
        ap = [1, 1, 1, (1 + 2 / 3) / 2, (1 + 2 / 3) / 2]
        assert result.queries["value"].to_list() == pytest.approx(ap)
        assert result.metrics == {
            "all": round(sum(ap) / 5, 4),
            "landmarks": 1.0,
            "faces": round((1 + 2 / 3) / 2, 4),
        }
        assert result.notes == []


def test_lists(tmp_path: Path, images: Path) -> None:
    lists = np.argsort(-(VECTORS @ VECTORS.T), axis=1, kind="stable")
    path = saved(tmp_path, lists)
    result = likewise.score("gpr1200", indices=path, images=images)
    by_vectors = likewise.score("gpr1200", embeddings=saved(tmp_path, VECTORS), images=images)
    assert result.metrics == by_vectors.metrics
    strict = likewise.score("gpr1200-strict", indices=saved(tmp_path, lists), images=images)
    # Row 0 has no other item of its class; 1 and 2 find each other first, 3 and 4 second.
    assert strict.metrics["mAP"] == round((1 + 1 + 1 / 2 + 1 / 2) / 4, 4)


def test_names_that_break_the_grammar_are_left_out(tmp_path: Path, images: Path) -> None:
    for name in ("Thumbs.db", ".DS_Store", "cover.jpg"):
        (images / name).write_bytes(b"")
    result = likewise.score("gpr1200", embeddings=saved(tmp_path, VECTORS), images=images)
    assert len(result.queries) == len(ORDER)
    assert result.notes[-1].endswith(
        "3 files are left out: they have no names of GPR1200 images"
    )
    with pytest.raises(
        DataError, match=r"4 embeddings for 5 images.* / .*3 files are left out"
    ):
        likewise.score("gpr1200", embeddings=saved(tmp_path, VECTORS[:4]), images=images)


def test_the_whole_benchmark_needs_no_images(tmp_path: Path) -> None:
    # One direction per category: every class is found first, all others have equal scores.
    angles = np.repeat(np.arange(1_200), 10) * (np.pi / 1_200)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    result = likewise.score("gpr1200", embeddings=saved(tmp_path, vectors))
    assert result.metrics == {"all": 1.0, **dict.fromkeys(SUBSETS, 1.0)}
    assert result.queries["label"].to_list()[::10] == [str(c) for c in range(1_200)]
    assert result.queries["subset"].value_counts()["count"].to_list() == [2_000] * 6
    assert result.notes == ["no images were given: row i belongs to category i // 10"]


def test_other_sizes_need_the_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 row, but GPR1200 has"):
        likewise.score("gpr1200", embeddings=saved(tmp_path, np.array(1.5)))
    with pytest.raises(DataError, match="5 rows, but GPR1200 has 12,000; name the folder"):
        likewise.score("gpr1200", embeddings=saved(tmp_path, VECTORS))


def test_faults_name_the_file_and_the_image(tmp_path: Path, images: Path) -> None:
    spoilt = VECTORS.copy()
    spoilt[1, 2] = np.nan
    with pytest.raises(DataError, match=r"given.npy: .*NaN.* row 1 \(images/10_a.jpg\)"):
        likewise.score("gpr1200", embeddings=saved(tmp_path, spoilt), images=images.parent)


def test_exactly_one_file(tmp_path: Path, images: Path) -> None:
    path = saved(tmp_path, VECTORS)
    with pytest.raises(DataError, match="either embeddings or indices"):
        likewise.score("gpr1200", images=images)
    with pytest.raises(DataError, match="either embeddings or indices"):
        likewise.score("gpr1200", embeddings=path, indices=path, images=images)


def test_unknown_protocols(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'gpr1200'"):
        likewise.score("gpr120", embeddings=saved(tmp_path, VECTORS))
    assert issubclass(UnknownNameError, likewise.LikewiseError)
    assert not issubclass(UnknownNameError, ConfigError)


def test_arrays_of_vectors_and_labels_need_no_file() -> None:
    vectors, labels = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]], np.array([7, 7, 7, 9])
    result = likewise.score("leave-one-out", embeddings=vectors, labels=labels)
    # Rows 0 and 1 find each other first and row 2 second; row 2 finds both, of three, in order.
    assert result.queries["value"].to_list() == [1.0, 1.0, 1.0, None]
    assert result.unrounded["mAP"] == result.queries["value"].mean() == 1.0
    ranks = likewise.score("leave-one-out", indices=np.argsort(-vectors @ vectors.T, 1,
        kind="stable"), labels=labels.tolist())  # fmt: skip
    assert ranks.queries["value"].to_list() == result.queries["value"].to_list()
    with pytest.raises(DataError, match="4 embeddings for 3 images"):
        likewise.score("leave-one-out", embeddings=vectors, labels=labels[:3])
    with pytest.raises(DataError, match="several of them"):
        likewise.score("leave-one-out", embeddings=vectors, labels=labels, images="x")
    with pytest.raises(DataError, match="no query has a label"):
        likewise.score("leave-one-out", embeddings=vectors, labels=[None] * 4)


def test_the_order_of_vectors_is_listed(tmp_path: Path, images: Path) -> None:
    assert [Path(item).name for item in likewise.score_order(images=images)] == ORDER
    table = tmp_path / "items.csv"
    table.write_text("item_id,label\nb,1\na,2\n")
    assert likewise.score_order(items=table) == ["b", "a"]
    printed = run(tmp_path, "likewise", "score", "gpr1200", "--images", str(images), "--order")
    assert printed.stdout.splitlines() == likewise.score_order(images=images)
    for words in (("--embeddings", "x.npy", "--order"), ("--dataset", "emoji")):
        refused = run(tmp_path, "likewise", "score", "gpr1200", *words)
        assert refused.returncode == 2, refused.stdout
    with pytest.raises(DataError, match="give one of"):
        likewise.score_order()
