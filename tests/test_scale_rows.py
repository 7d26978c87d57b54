"""The generated tables of the benchmark of many rows are published, searched and scored."""

import importlib
from pathlib import Path
from typing import Any

import pytest

import likewise
from likewise.storage.digests import key_ranges

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("scale_rows")


def test_generated_tables_are_published_searched_and_scored(
    scale: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale.Generated(tmp_path, 3_000).make_tables()
    assert likewise.publish("many", workspace=tmp_path).items == 3_000
    dataset = likewise.open("many", workspace=tmp_path)
    for row in (0, 1_234, 2_999):
        vector = dataset.vectors("m")[row]
        item = dataset.items["item_id"][row]
        hits = likewise.search("many", vector=vector, k=1, role="any", workspace=tmp_path)
        assert hits[0].item_id == item
    result = likewise.evaluate("scored", workspace=tmp_path)
    assert result.counts["queries"] == result.counts["gallery"] / 2 == 1_000
    assert 0 < result.metrics["acc@1"] <= 100
    columns = (tmp_path / "catalog" / "many.columns.yaml").read_bytes()
    monkeypatch.setattr(key_ranges, "MOST_ROWS", 100)
    monkeypatch.setattr("likewise.catalogue.published_table.MOST_ROWS", 100)
    monkeypatch.setattr(key_ranges, "_RANGE_ROWS", 700)
    likewise.publish("many", workspace=tmp_path)
    assert (tmp_path / "catalog" / "many.columns.yaml").read_bytes() == columns
