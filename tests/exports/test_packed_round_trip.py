"""Exports into shards or cells are read back as the same items."""

import json
from pathlib import Path

import polars as pl
import pytest

import likewise

PACKED = {"webdataset": "webdataset", "huggingface": "parquet"}
"""An export and the source that reads it."""


def ingested(root: Path, name: str) -> pl.DataFrame:
    likewise.ingest(name, workspace=root)
    return likewise.query(f"select * from {name}_items", workspace=root).frame  # noqa: S608


@pytest.fixture
def cards(shared_data: Path, tmp_path: Path) -> Path:
    """Make a catalogue of photographs with boxes."""
    path = shared_data / "boxes_labels" / "cards"
    (tmp_path / "catalog").mkdir()
    card = {"title": "Cards", "source": {"kind": "voc"}, "licence": {"spdx": "Apache-2.0"}}
    (tmp_path / "catalog" / "cards.yaml").write_text(json.dumps(card), encoding="utf-8")
    entry = f"datasets:\n  cards: {{path: {path}, annotations: {path}}}\n"
    (tmp_path / "params.yaml").write_text(entry, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("export", PACKED)
def test_what_goes_out_comes_back(cards: Path, export: str) -> None:
    before = ingested(cards, "cards")
    likewise.publish("cards", workspace=cards)
    likewise.export("cards", export, cards / "out", workspace=cards)
    likewise.add("back", source=PACKED[export], path=cards / "out", workspace=cards)
    after = ingested(cards, "back")
    assert likewise.findings("back", workspace=cards).total == 0
    told = ["content", "label", "split"]
    if export == "webdataset":  # which has columns of a box; Hugging Face's row is an image
        told += ["pose", "truncated", "difficult"]
    key = ["content", "label"]
    assert after.select(told).sort(key).equals(before.select(told).sort(key))
    number = pl.col("item_id").str.extract(r"#(\d+)\z")
    numbers = [frame.select(number, "content").sort("content") for frame in (before, after)]
    assert numbers[0].equals(numbers[1])
    original = "id" if export == "webdataset" else "given_image_id"
    assert set(after[original]) == set(before["image_id"])
