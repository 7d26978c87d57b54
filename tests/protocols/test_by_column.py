"""A result is reported for every value of a column."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import DataError
from likewise.evaluation.protocols.by_column import split_metrics

LABELS = ["a", "a", "b", "b", "a", "b"]
CAMERAS = ["c1", "c1", "c1", "c2", "c2", None]
VECTORS = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [0.3, 1], [0, 2]])


def scored(by: str, protocol: str = "metric-learning", **columns: Any) -> likewise.Evaluation:
    items = pl.DataFrame(
        {
            "item_id": [f"i{row}" for row in range(6)],
            "label": LABELS,
            "split": ["test"] * 6,
            **columns,
        }
    )
    return likewise.score(protocol, embeddings=VECTORS, items=items, by=by)


def test_every_value_has_the_mean_of_its_queries() -> None:
    result = scored("camera", camera=CAMERAS)
    values = result.queries["value"].to_list()
    # i4 is nearest to i3 (b), so of c2 only i3 can be right.
    assert values == [1, 1, 1, 1, 0, 1]
    assert result.metrics["recall@1"] == pytest.approx(5 / 6, abs=1e-4)
    assert result.metrics["recall@1 camera=c1"] == 1
    assert result.metrics["recall@1 camera=c2"] == (1 + 0) / 2
    aps = result.queries["ap"].to_list()
    assert result.unrounded["ap camera=c2"] == pytest.approx((aps[3] + aps[4]) / 2)
    assert result.statistics["ap camera=c2"].queries == 2
    assert next(iter(result.metrics)) == "recall@1"
    assert result.notes[-2:] == [
        "by camera: 2 values",
        "queries without a camera, in no part: 1",
    ]
    plain, by_value = split_metrics(result.metrics, "camera")
    assert list(by_value) == ["c1", "c2"]
    assert by_value["c2"]["recall@1"] == 0.5
    assert "recall@1" in plain
    assert not any("=" in name for name in plain)
    # The protocol is the same, so that both results can be compared.
    assert result.protocol == scored("split", camera=CAMERAS).protocol


def test_numbers_and_scales() -> None:
    result = scored("year", "ukbench", year=[2001, 2001, 2001, 1999, 1999, 1999])
    hits = result.queries["value"].to_numpy()
    assert list(split_metrics(result.metrics, "year")[1]) == ["1999", "2001"]
    assert result.unrounded["N-S score year=1999"] == pytest.approx(4 * hits[3:].mean())


@pytest.mark.parametrize(
    ("by", "column", "message"),
    [
        ("colour", ["x"] * 6, "by: the items have no column 'colour'; columns: label, split"),
        ("camera", [None] * 6, "by: no query has a camera"),
        ("camera", [["x"]] * 6, "by: camera holds List"),
    ],
)
def test_columns_that_cannot_be_used(by: str, column: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        scored(by, camera=column)


def test_more_values_than_a_report_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likewise.evaluation.protocols.by_column.MOST_VALUES", 1)
    with pytest.raises(DataError, match="camera has 2 values; a report has at most 1: choose"):
        scored("camera", camera=CAMERAS)


@pytest.mark.torch
def test_a_run_is_reported_by_a_column(workspace: Path) -> None:
    params = workspace / "params.yaml"
    before = params.read_text("utf-8")
    params.write_text(before.replace("protocol: gpr1200}", "protocol: gpr1200, by: subset}"))
    result = likewise.evaluate("emoji-tiny", workspace=workspace)
    assert result.metrics["all subset=faces"] == result.metrics["faces"]
    (run,) = likewise.show("emoji", workspace=workspace).runs
    assert run.by == "subset"
    assert run.by_value["faces"] == {"all": result.metrics["faces"]}
    assert "all subset=faces" not in (run.metrics or {})
    shown = CliRunner().invoke(app, ["show", "emoji"]).stdout
    assert "emoji-tiny by subset" in shown
    lineage = json.loads((workspace / "reports" / "emoji-tiny.lineage.json").read_text())
    assert lineage["run"]["by"] == "subset"
    assert "all subset=faces" in Path(
        likewise.report("emoji-tiny", workspace=workspace).markdown
    ).read_text("utf-8")
    reports = workspace / "reports"
    queries = pl.read_parquet(reports / "emoji-tiny.parquet")
    assert queries["by"].to_list() == queries["subset"].to_list()
    _check_comparison(workspace, params)
    params.write_text(before, "utf-8")
    params.write_text(before.replace("protocol: gpr1200}", "protocol: gpr1200, by: path}"))
    with pytest.raises(DataError, match="by: 'path' is not a column by which results"):
        likewise.evaluate("emoji-tiny", workspace=workspace)


def _check_comparison(workspace: Path, params: Path) -> None:
    """Compare with a run that is not reported by a column: the queries have their values."""
    text = params.read_text("utf-8") + (
        "  rough: {dataset: emoji, model: tiny, index: rough, protocol: gpr1200}\n"
    )
    index = "  exact: {kind: exact}\n"
    params.write_text(
        text.replace(index, index + "  rough: {kind: faiss, factory: 'PQ4x4'}\n"), "utf-8"
    )
    rough = likewise.evaluate("rough", workspace=workspace)
    before = json.loads((workspace / "reports" / "emoji-tiny.json").read_text("utf-8"))
    for runs, sign in ((("emoji-tiny", "rough"), 1), (("rough", "emoji-tiny"), -1)):
        rows = {row.metric: row for row in likewise.compare(*runs, workspace=workspace).rows}
        one, other = rows["all subset=faces"], rows["faces"]
        change = sign * (rough.unrounded["faces"] - before["faces"])
        assert one.difference.value == pytest.approx(change, abs=1e-4)
        # Six subsets and six values: each family is corrected by itself.
        assert (one.difference.p, one.p_holm) == (other.difference.p, other.p_holm)
        assert one.p_holm is not None
