import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import likewise
from likewise.errors import DataError


def test_an_array_in_canonical_order(workspace: Path) -> None:
    likewise.export("emoji", "embeddings", workspace / "out")
    dataset = likewise.open("emoji")
    expected = dataset.vectors("tiny")
    found = np.load(workspace / "out" / "tiny.npy", mmap_mode="r")
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    items = pl.read_csv(workspace / "out" / "tiny.items.csv", infer_schema=False)
    assert items["item_id"].to_list() == dataset.items["item_id"].to_list()
    passport = json.loads((workspace / "out" / "tiny.passport.json").read_text("utf-8"))
    assert passport["backbone"] == "test_resnet.r160_in1k"


def test_fvecs_of_some_items(workspace: Path) -> None:
    options = {"form": "fvecs", "model": "tiny"}
    likewise.export(
        "emoji", "embeddings", workspace / "out", where="label = '200'", options=options
    )
    dataset = likewise.open("emoji")
    expected = dataset.vectors("tiny")[(dataset.items["label"] == "200").to_numpy()]
    raw = np.fromfile(workspace / "out" / "tiny.fvecs", "<i4").reshape(4, -1)
    assert (raw[:, 0] == expected.shape[1]).all()
    assert np.array_equal(raw[:, 1:].view("<f4"), expected)


def test_parquet_with_facts(workspace: Path) -> None:
    likewise.export("emoji", "embeddings", workspace / "out", options={"form": "parquet"})
    dataset = likewise.open("emoji")
    found = pl.read_parquet(workspace / "out" / "tiny.parquet")
    assert found.columns == ["item_id", "label", "subset", "split", "role", "vector"]
    assert np.array_equal(found["vector"].to_numpy(), dataset.vectors("tiny"))
    assert found["label"].to_list() == dataset.items["label"].to_list()


def test_a_model_that_has_not_embedded_it(workspace: Path) -> None:
    with pytest.raises(
        likewise.UnknownNameError, match=r"no model named 'tinny'.*did you mean"
    ):
        likewise.export("emoji", "embeddings", workspace / "out", options={"model": "tinny"})
    assert not (workspace / "out").exists()


@pytest.fixture
def cars(tmp_path: Path, pictures: Path) -> Path:
    """Make a published data set without embeddings."""
    root = tmp_path / "catalogue"
    likewise.init(root)
    (root / "params.yaml").write_text("seed: 0\n", encoding="utf-8")
    likewise.add("cars", source="folder", path=pictures, workspace=root)
    likewise.ingest("cars", workspace=root)
    likewise.publish("cars", workspace=root)
    return root


def test_a_data_set_without_vectors_says_how_to_get_some(cars: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cars has no vectors; name a model .* dvc repro"):
        likewise.export("cars", "embeddings", tmp_path / "out", workspace=cars)
    assert not (tmp_path / "out").exists()
