"""Compare two runs query by query, and score one run by every definition."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import likewise
from catalogues import copied
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.run_results import read_results
from likewise.errors import (
    DataError,
    MissingArtefactError,
    StaleArtefactError,
    UnknownNameError,
)
from likewise.formats.array_types import FloatArray
from likewise.formats.vector_blocks import VectorBlocks
from likewise.steps.compare.changed_rows import changes_page
from likewise.steps.evaluate import run_scoring
from likewise.storage import tables

pytestmark = pytest.mark.torch

RUN = "emoji-tiny"


@pytest.fixture(scope="module")
def _two(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of exact search and of an index with low recall, by one protocol."""
    root = tmp_path_factory.mktemp("two") / "workspace"
    shutil.copytree(_catalogue, root)
    path = root / "params.yaml"
    text = path.read_text("utf-8")
    text = text.replace(
        "  exact: {kind: exact}\n",
        "  exact: {kind: exact}\n  rough: {kind: faiss, factory: 'PQ4x4'}\n",
    )
    text = text.replace("protocol: gpr1200}", "protocol: gpr1200-strict}")
    text += "  rough: {dataset: emoji, model: tiny, index: rough, protocol: gpr1200-strict}\n"
    text += "  other: {dataset: emoji, model: tiny, index: exact, protocol: metric-learning}\n"
    path.write_text(text, "utf-8")
    for run in (RUN, "rough", "other"):
        likewise.evaluate(run, workspace=root)
    return root


@pytest.fixture
def two(_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy that catalogue for one test, and make it the current folder."""
    return copied(_two, tmp_path / "workspace", monkeypatch)


def test_the_changed_queries_are_a_page(two: Path, tmp_path: Path) -> None:
    found = likewise.compare(RUN, "rough", html=tmp_path / "page.html", workspace=two)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert f"Fixed queries: {len(found.fixed)}" in page
    assert f"Broken queries: {len(found.broken)}" in page
    changed = len(found.fixed) + len(found.broken)
    assert changed > 0
    # A query and its first eight hits in both runs; each picture is embedded once.
    assert page.count('<div class="mat">') == changed * (1 + 2 * 8)
    pictures = re.findall(r"data:image/jpeg;base64,[^\"]*", page)
    assert 8 < len(pictures) == len(set(pictures)) <= 24
    assert page.count(">rough: ap ") == changed
    assert "Score: cosine, greater is nearer." in page
    assert "The value of a query is ap: Average precision" in page
    for query in (*found.fixed, *found.broken):
        assert f'aria-label="{RUN}: ' in page
        assert query.item_id in page


def test_runs_without_ranked_lists_have_no_page(two: Path) -> None:
    queries = read_results(open_workspace(two), RUN).queries
    with pytest.raises(DataError, match="leave out --html"):
        changes_page(("a", "b"), queries.drop("hits"), ([], []), [], "", {})


def test_a_comparison_is_of_the_same_queries(two: Path) -> None:
    found = likewise.compare(RUN, "rough", workspace=two)
    results = [read_results(open_workspace(two), run) for run in (RUN, "rough")]
    values = [report.queries["value"].to_numpy() for report in results]
    main = found.rows[0]
    assert (main.metric, main.p_holm) == ("mAP", None)
    assert main.difference.value == pytest.approx((values[1] - values[0]).mean())
    assert (main.first, main.second) == pytest.approx((values[0].mean(), values[1].mean()))
    assert (main.difference.queries, main.difference.classes) == (24, 6)
    subsets = [row for row in found.rows if row.p_holm is not None]
    assert [row.metric for row in subsets] == [
        f"mAP {name}" for name in ("landmarks", "inat", "sketch", "instre", "sop", "faces")
    ]
    assert all(row.p_holm is not None and row.p_holm >= row.difference.p for row in subsets)
    assert found.rows[-1].metric == "precision@1"


def test_fixed_and_broken_queries_are_named(two: Path) -> None:
    found = likewise.compare(RUN, "rough", workspace=two)
    results = [read_results(open_workspace(two), run) for run in (RUN, "rough")]
    first, second = (report.queries["precision@1"].to_numpy() for report in results)
    ids = results[0].queries["item_id"].to_numpy()
    assert {one.item_id for one in found.fixed} == set(ids[(second == 1) & (first == 0)])
    assert {one.item_id for one in found.broken} == set(ids[(second == 0) & (first == 1)])
    changes = [abs((one.second or 0) - (one.first or 0)) for one in found.broken]
    assert changes == sorted(changes, reverse=True)
    turned = likewise.compare("rough", RUN, workspace=two)
    assert len(turned.fixed) == len(found.broken)
    assert turned.rows[0].difference.p == found.rows[0].difference.p


def test_a_run_compared_with_itself_differs_by_nothing(two: Path) -> None:
    found = likewise.compare(RUN, RUN, workspace=two)
    assert {row.difference.value for row in found.rows} == {0}
    assert {row.difference.p for row in found.rows} == {1}
    assert (found.fixed, found.broken) == ([], [])


def test_with_the_query_in_its_list_the_next_hit_tells(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    report = read_results(open_workspace(workspace), RUN)
    assert report.queries["first_hit"].to_list() == [1] * 24
    second = [2 in ranks for ranks in report.queries["ranks"].to_list()]
    assert report.right.to_list() == second
    assert 0 < sum(second) < 24


def test_runs_of_two_protocols_are_not_compared(two: Path) -> None:
    with pytest.raises(DataError, match=r"other is by metric-learning 1: results of different"):
        likewise.compare(RUN, "other", workspace=two)


def test_reports_that_are_not_there_or_not_right(two: Path) -> None:
    with pytest.raises(UnknownNameError, match="no run named 'ruogh'"):
        likewise.compare(RUN, "ruogh", workspace=two)
    lineage = two / "reports" / "rough.lineage.json"
    lineage.write_text("{", "utf-8")
    with pytest.raises(DataError, match=r"rough.lineage.json is damaged; .*evaluate@rough$"):
        likewise.compare(RUN, "rough", workspace=two)
    lineage.write_text(json.dumps({"run": {}}), "utf-8")
    with pytest.raises(StaleArtefactError, match="run: dvc repro evaluate@rough"):
        likewise.compare(RUN, "rough", workspace=two)
    (two / "reports" / "rough.json").unlink()
    with pytest.raises(MissingArtefactError, match="'rough' was not evaluated; run: dvc repro"):
        likewise.compare(RUN, "rough", workspace=two)
    (two / "reports" / f"{RUN}.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"emoji-tiny\.parquet is damaged"):
        likewise.compare(RUN, "rough", workspace=two)


def test_a_crosswalk_agrees_with_the_protocols(two: Path) -> None:
    found = likewise.crosswalk(RUN, workspace=two)
    value = {row.definition: row.value for row in found.rows}
    strict = read_results(open_workspace(two), RUN).metrics
    other = read_results(open_workspace(two), "other").metrics
    assert value["textbook: average precision"] == pytest.approx(strict["mAP"], abs=5e-5)
    assert value["metric learning: recall@1"] == pytest.approx(other["recall@1"], abs=5e-5)
    assert value["pytorch-metric-learning: mean_average_precision_at_r"] == pytest.approx(
        other["map@r"], abs=5e-5
    )
    # If the query is in the gallery, every query has a hit at rank 1.
    assert value["GPR1200: mAP"] > value["textbook: average precision"]
    assert found.published.tables == []


def test_vectors_beyond_the_memory_are_refused_before_they_are_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = tables.vector_blocks

    def small(table: tables.Table, column: str, memory: int) -> VectorBlocks:
        return replace(blocks(table, column, memory), read=refused, memory=10_000)

    def refused() -> Iterator[FloatArray]:
        raise AssertionError

    monkeypatch.setattr(tables, "vector_blocks", small)
    dim = likewise.open("emoji").table.dim("tiny")
    size = f"{24 * dim * 4 * 3 / 1e9:.1f} GB of memory for 24 x {dim} vectors"
    limit = "more than half of memory, 1e-05 GB; if this machine has more, write for example"
    with pytest.raises(DataError, match=f"crosswalk needs {size}, {limit} `memory: 1GB`"):
        likewise.crosswalk(RUN, workspace=workspace)
    monkeypatch.setattr(run_scoring, "WHOLE_BYTES", 0)
    run = "  probe: {dataset: emoji, model: tiny, index: exact, protocol: linear-probe}\n"
    params = workspace / "params.yaml"
    params.write_text(params.read_text("utf-8") + run, "utf-8")
    with pytest.raises(DataError, match=f"the protocol linear-probe needs {size}, {limit}"):
        likewise.evaluate("probe", workspace=workspace)


def test_a_crosswalk_says_why_nothing_is_comparable(workspace: Path) -> None:
    found = likewise.crosswalk(RUN, workspace=workspace)
    assert found.published.reasons[0].startswith("GPR1200's published numbers are of 12,000")
    own = next(row for row in found.rows if row.definition == "GPR1200: mAP")
    evaluated = likewise.evaluate(RUN, workspace=workspace)
    assert own.value == pytest.approx(evaluated.metrics["all"], abs=5e-5)
    assert evaluated.published.reasons == found.published.reasons
    assert np.isfinite([row.value for row in found.rows]).all()
