"""The report of a run: facts from its rows, and the page."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import lance
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import (
    DamagedError,
    DataError,
    MissingArtefactError,
    StaleArtefactError,
    UnknownNameError,
)
from likewise.formats.vector_blocks import VectorBlocks
from likewise.steps.report import diagnostics

RUN = "emoji-tiny"


def queries(*rows: Mapping[str, object]) -> pl.DataFrame:
    """Make rows of queries a, b, c ...; by default with label x and value 0.5."""
    named = []
    for name, row in zip("abcdef", rows, strict=False):
        ranks = row.get("ranks", [])
        assert isinstance(ranks, list)
        given = {"item_id": name, "label": "x", "value": 0.5, "relevant": len(ranks), **row}
        named.append({"hits": [], "hit_relevant": [], **given, "ranks": ranks})
    frame = pl.DataFrame(named, infer_schema_length=None)
    first = pl.col("ranks").list.first().cast(pl.Int64)
    return frame.with_columns(first_hit=first)


def test_cumulative_match_counts_who_has_a_hit_by_then() -> None:
    curve = diagnostics.cumulative_match(
        queries({"ranks": [1]}, {"ranks": [3, 4]}, {"ranks": []})
    )
    assert curve["rank"].to_list() == list(range(1, 51))
    assert curve["share"].to_list() == [1 / 3] * 2 + [2 / 3] * 48


def test_queries_that_are_not_scored_are_in_no_curve() -> None:
    rows = queries({"ranks": [1]}, {"value": None, "ranks": []})
    assert diagnostics.cumulative_match(rows)["share"].to_list() == [1] * 50
    assert diagnostics.precision_recall(rows)["precision"].to_list() == [1] * 101


def test_precision_at_a_recall_is_the_best_there_or_later() -> None:
    """Ranks 2 and 3 of 4: precisions 1/2 and 2/3, so 2/3 up to recall 1/2, then nothing."""
    curve = diagnostics.precision_recall(queries({"ranks": [2, 3], "relevant": 4}))
    precision = curve["precision"].to_list()
    assert precision[:51] == pytest.approx([2 / 3] * 51)
    assert precision[51:] == [0] * 50


def test_first_hits_are_counted_in_powers_of_two() -> None:
    ranks: tuple[list[int], ...] = ([1], [1], [2], [3], [8], [])
    found = diagnostics.first_hits(queries(*({"ranks": r} for r in ranks)))
    assert found == [("1", 2), ("2", 1), ("3 to 4", 1), ("5 to 8", 1), ("never", 1)]
    assert diagnostics.first_hits(queries({"ranks": []})) == [("never", 1)]


def test_a_mix_up_is_the_first_wrong_hit_other_than_the_query() -> None:
    rows = queries(
        {"hits": ["a", "b"], "hit_relevant": [True, False]},
        {"hits": ["a"], "hit_relevant": [True], "label": "y"},
        {"hits": ["d"], "hit_relevant": [False]},
        {"hits": ["c"], "hit_relevant": [False], "label": None},
    )
    labels = {"a": "x", "b": "y", "c": "x", "d": "y"}
    assert diagnostics.mix_ups(rows, labels) == [diagnostics.MixUp("x", "y", 2)]


def test_hubs_are_found_by_many_others() -> None:
    """Queries a and c find b, b finds a, c finds only itself, none finds d: 2, 1, 0, 0.

    The mean of these counts is 3/4, their deviations 5/4, 1/4, -3/4, -3/4.
    """
    rows = queries({"hits": ["a", "b"]}, {"hits": ["a"]}, {"hits": ["b", "c"]})
    found = diagnostics.hubs(rows, 4)
    assert found.most == [("b", 2), ("a", 1)]
    assert found.bars() == [("0", 2), ("1", 1), ("2", 1)]
    third, second = (125 + 1 - 27 - 27) / 64 / 4, (25 + 1 + 9 + 9) / 16 / 4
    assert found.skewness == pytest.approx(third / second**1.5)
    assert diagnostics.hubs(rows.head(0), 4).bars() == [("0", 4)]


def test_the_gap_is_between_the_means_of_two_roles() -> None:
    vectors = VectorBlocks.from_array(np.array([[1, 0], [1, 0], [0, 1]], np.float32))
    roles = pl.Series(["query", "query", "gallery"])
    assert diagnostics.modality_gap(vectors, roles) == pytest.approx(2**0.5)
    assert diagnostics.modality_gap(vectors, pl.Series([None, None, "query"])) is None


@pytest.mark.torch
def test_the_page_needs_nothing_else_and_is_the_same_every_time(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    made = likewise.report(RUN, workspace=workspace)
    page = (workspace / made.page).read_bytes()
    text = page.decode()
    assert not re.search(r"<script|<link|(src|href)=\"(?!data:|#)", text)
    assert text.count("data:image/jpeg") > 10
    metrics = json.loads((workspace / "reports" / f"{RUN}.json").read_text("utf-8"))
    for value in metrics.values():
        assert f'<td class="number">{value:.4f}</td>' in text
    for part in ("Cumulative match", "Worst queries", "Map", "weights", "query in gallery"):
        assert part in text
    assert str(workspace) not in text
    likewise.report(RUN, workspace=workspace)
    assert (workspace / made.page).read_bytes() == page


@pytest.mark.torch
def test_markdown_json_and_curves_are_next_to_it(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    done = CliRunner().invoke(app, ["report", RUN, "--json"], catch_exceptions=False)
    made = json.loads(done.stdout)
    facts = json.loads((workspace / made["json"]).read_text("utf-8"))
    assert next(iter(facts["metrics"])) == "all"
    assert (
        f"| all | {facts['metrics']['all']:.4f} |" in (workspace / made["markdown"]).read_text()
    )
    curves = [pl.read_csv(workspace / plot) for plot in made["plots"]]
    assert [curve.columns for curve in curves] == [["rank", "share"], ["recall", "precision"]]
    assert "next: dvc plots show reports/" in CliRunner().invoke(app, ["report", RUN]).stderr


@pytest.mark.torch
def test_a_run_that_was_not_evaluated_or_is_stale_is_refused(workspace: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'emoji-tiny'"):
        likewise.report("emoji-tinny", workspace=workspace)
    with pytest.raises(MissingArtefactError, match="dvc repro evaluate@emoji-tiny"):
        likewise.report(RUN, workspace=workspace)
    likewise.evaluate(RUN, workspace=workspace)
    lineage = workspace / "reports" / f"{RUN}.lineage.json"
    facts = json.loads(lineage.read_text("utf-8"))
    facts["columns"]["label"] = "another"
    lineage.write_text(json.dumps(facts), "utf-8")
    with pytest.raises(StaleArtefactError, match="before label of emoji changed"):
        likewise.report(RUN, workspace=workspace)


@pytest.mark.torch
def test_without_the_pictures_there_is_a_page_that_says_so(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    shutil.rmtree(workspace / "catalog" / "emoji" / "images.lance")
    made = likewise.report(RUN, workspace=workspace)
    text = (workspace / made.page).read_text("utf-8")
    assert "no pictures: no table emoji/images.lance; run: dvc repro ingest@emoji" in text
    assert "Cumulative match" in text


@pytest.mark.torch
def test_a_run_without_rankings_has_a_page_without_curves(workspace: Path) -> None:
    """For example of a linear probe, whose rows have no ranks and no hits."""
    likewise.evaluate(RUN, workspace=workspace)
    rows = workspace / "reports" / f"{RUN}.parquet"
    kept = pl.read_parquet(rows).select("item_id", "label", "subset", "value")
    kept.write_parquet(rows)
    made = likewise.report(RUN, workspace=workspace)
    text = (workspace / made.page).read_text("utf-8")
    assert "Cumulative match" not in text
    assert "Map" in text
    assert made.plots == []


@pytest.mark.torch
def test_damaged_rows_and_tables_are_named(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    rows = workspace / "reports" / f"{RUN}.parquet"
    data, frame = rows.read_bytes(), pl.read_parquet(rows)
    for damaged in (
        frame.with_columns(pl.col("hit_relevant").list.head(1)),
        frame.with_columns(ranks=pl.lit("first")),
        frame.drop("value"),
    ):
        damaged.write_parquet(rows)
        with pytest.raises(DataError, match=f"{RUN}.parquet is damaged; make it again with: "):
            likewise.report(RUN, workspace=workspace)
    rows.write_bytes(data)
    path = str(workspace / "catalog" / "emoji.lance")
    table = lance.dataset(path).to_table()
    lance.write_dataset(pa.concat_tables([table, table.slice(0, 2)]), path, mode="overwrite")
    with pytest.raises(DamagedError, match=r"^catalog/emoji.lance differs .* likewise doctor$"):
        likewise.report(RUN, workspace=workspace)
