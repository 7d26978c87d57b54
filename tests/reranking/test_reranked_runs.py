"""Re-ranked evaluations: exclusions of protocols, both results, reports and their stages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import likewise
from forked import run_dvc
from likewise.cli.app import app
from likewise.errors import BrokenEntryWarning, ConfigError, DataError, StaleArtefactError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.reranked import RerankedEvaluation, evaluate_reranked
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.formats.vector_blocks import VectorBlocks
from likewise.retrieval.reranking import RERANKERS
from likewise.retrieval.reranking.applied import by_exact_search
from rerank_references import reference

MEMORY = 4_000_000_000
TYPES = {"item_id": pl.String, "label": pl.String, "subset": pl.String, "split": pl.String}


def protocol(kind: str) -> Retrieval:
    built = PROTOCOLS.build({"kind": kind}, "test")
    assert isinstance(built, Retrieval)
    return built


def items(count: int = 60, **columns: Any) -> tuple[Any, pl.DataFrame]:
    """Vectors of ten classes that overlap, and their items."""
    rng = np.random.default_rng(4)
    labels = np.arange(count) % 10
    vectors = rng.normal(size=(10, 12))[labels] + 0.9 * rng.normal(size=(count, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    frame = {
        "item_id": [f"i{row:03}" for row in range(count)],
        "label": labels.astype(str).tolist(),
        "subset": [None] * count,
        "split": ["test"] * count,
    }
    schema = {name: TYPES[name] for name in frame}
    return vectors.astype(np.float32), pl.DataFrame(frame, schema=schema).with_columns(
        **{name: pl.Series(value) for name, value in columns.items()}
    )


def scored(kind: str, entry: dict[str, Any], vectors: Any, rows: Any) -> RerankedEvaluation:
    apply = by_exact_search(RERANKERS.build(entry, "test"), MEMORY)
    return evaluate_reranked(protocol(kind), vectors, rows, apply)


def hits_by_hand(
    entry: dict[str, Any], vectors: Any, query: int, gallery: Any, dropped: Any
) -> list[int]:
    """Search, re-rank the first hits, then remove the ``dropped`` items: row numbers."""
    scores = vectors[gallery] @ vectors[query]
    order = np.argsort(-scores, kind="stable")
    new = reference(entry, vectors[query], vectors[gallery])
    top = entry.get("top", len(gallery))
    first = order[:top]
    first = first[np.argsort(-new[first].astype(np.float32), kind="stable")]
    ranked = gallery[np.concatenate([first, order[top:]])]
    return [row for row in ranked.tolist() if row not in dropped]


def precision(hits: list[int], relevant: set[int]) -> float:
    """Average precision of a whole ranking."""
    ranks = [rank for rank, row in enumerate(hits, 1) if row in relevant]
    return float(np.mean([number / rank for number, rank in enumerate(ranks, 1)]))


ENTRIES: list[dict[str, Any]] = [
    {"kind": "alpha-qe", "k": 5},
    {"kind": "dba", "k": 5, "top": 1000},
    {"kind": "dba", "k": 5, "top": 15},
]


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_the_query_itself_is_absent_from_the_gallery(entry: dict[str, Any]) -> None:
    vectors, rows = items()
    result = scored("leave-one-out", entry, vectors, rows).reranked.queries
    for query in range(60):
        gallery = np.delete(np.arange(60), query)
        hits = hits_by_hand(entry, vectors, query, gallery, set())
        relevant = {row for row in gallery.tolist() if row % 10 == query % 10}
        assert result["hits"][query].to_list() == [f"i{row:03}" for row in hits[:20]]
        assert result["value"][query] == pytest.approx(precision(hits, relevant), abs=1e-9)
        expected = [rank for rank, row in enumerate(hits, 1) if row in relevant]
        assert result["ranks"][query].to_list() == expected


def test_a_query_that_the_protocol_ranks_is_its_own_neighbour() -> None:
    vectors, rows = items()
    entry = {"kind": "alpha-qe", "k": 5}
    result = scored("gpr1200", entry, vectors, rows).reranked.queries
    for query in range(0, 60, 7):
        hits = hits_by_hand(entry, vectors, query, np.arange(60), set())
        assert result["hits"][query].to_list() == [f"i{row:03}" for row in hits[:20]]


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_items_of_the_same_camera_take_part_and_are_not_ranked(entry: dict[str, Any]) -> None:
    """The search does not know that they are junk, as in the programs of the authors."""
    cameras = [str(row % 3) for row in range(60)]
    roles = ["query" if row < 12 else "gallery" for row in range(60)]
    vectors, rows = items(camera=cameras, role=roles)
    result = scored("reidentification", entry, vectors, rows).reranked.queries
    gallery = np.arange(12, 60)
    for query in range(12):
        junk = {row for row in range(60) if row % 10 == query % 10 and row % 3 == query % 3}
        hits = hits_by_hand(entry, vectors, query, gallery, junk)
        relevant = {row for row in hits if row % 10 == query % 10}
        assert result["hits"][query].to_list() == [f"i{row:03}" for row in hits[:20]]
        assert result["value"][query] == pytest.approx(precision(hits, relevant), abs=1e-9)


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_a_query_reads_the_neighbours_in_its_part_only(entry: dict[str, Any]) -> None:
    roles = ["query" if row < 12 else "gallery" for row in range(60)]
    subsets = ["a" if row % 2 else "b" for row in range(60)]
    vectors, rows = items(role=roles)
    rows = rows.with_columns(subset=pl.Series(subsets))
    result = scored("uned-separate", entry, vectors, rows).reranked.queries
    for query in range(12):
        gallery = np.array([row for row in range(12, 60) if row % 2 == query % 2])
        hits = hits_by_hand(entry, vectors, query, gallery, set())
        assert result["hits"][query].to_list() == [f"i{row:03}" for row in hits[:20]]


@pytest.mark.parametrize("kind", ["leave-one-out", "gpr1200", "sop"])
def test_the_result_without_is_that_of_a_run_without(kind: str) -> None:
    """Scores may differ by rounding: products of other shapes use other kernels."""
    vectors, rows = items()
    plain = protocol(kind).evaluate_vectors(vectors, rows)
    for entry in ENTRIES:
        without = scored(kind, entry, vectors, rows).without
        scores, expected = (one.queries["hit_scores"] for one in (without, plain))
        assert np.array(scores.to_list()) == pytest.approx(np.array(expected.to_list()))
        assert without.queries.drop("hit_scores").equals(plain.queries.drop("hit_scores"))
        assert (without.metrics, without.statistics) == (plain.metrics, plain.statistics)


def test_vectors_in_blocks_give_the_same_ranks() -> None:
    vectors, rows = items()
    for entry in ENTRIES:
        whole = scored("leave-one-out", entry, vectors, rows)
        blocks = scored("leave-one-out", entry, VectorBlocks.from_array(vectors), rows)
        for one, other in ((whole.without, blocks.without), (whole.reranked, blocks.reranked)):
            assert one.queries["ranks"].equals(other.queries["ranks"])
            assert one.queries["hits"].equals(other.queries["hits"])
            assert one.metrics == other.metrics


def test_both_results_are_compared_as_compare_does() -> None:
    vectors, rows = items()
    pair = scored("leave-one-out", {"kind": "dba", "k": 5}, vectors, rows)
    result = pair.result({"kind": "dba", "k": 5})
    assert result.reranking is not None
    main = result.reranking.rows[0]
    assert main.metric == "mAP"
    assert main.first == pytest.approx(pair.without.queries["value"].mean())
    assert main.second == pytest.approx(result.queries["value"].mean())
    assert main.difference.value == pytest.approx(main.second - main.first)
    assert 0 < main.difference.p <= 1
    assert result.queries["value_without"].equals(
        pair.without.queries["value"], check_names=False
    )


def test_protocols_that_rank_nothing_are_refused(workspace: Path) -> None:
    edit(workspace, "protocol: gpr1200}", "protocol: knn, rerank: {kind: dba}}")
    with pytest.raises(DataError, match=r"knn ranks no gallery .* remove rerank from the run"):
        likewise.evaluate("emoji-tiny")


# In a catalogue.

ENTRY = "rerank: {kind: alpha-qe, k: 3}"


def edit(root: Path, old: str, new: str) -> None:
    path = root / "params.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def reranked(workspace: Path) -> Path:
    """The catalogue with a second run that is re-ranked."""
    line = "  emoji-tiny: {dataset: emoji, model: tiny, index: exact, protocol: gpr1200}\n"
    again = line.replace("emoji-tiny:", "emoji-tiny-aqe:").replace("}", f", {ENTRY}}}")
    edit(workspace, line, line + again)
    return workspace


@pytest.mark.torch
def test_a_run_reports_its_re_ranker_and_both_results(reranked: Path) -> None:
    plain = likewise.evaluate("emoji-tiny")
    result = likewise.evaluate("emoji-tiny-aqe")
    assert result.reranking is not None
    assert result.reranking.reranker == {"kind": "alpha-qe", "k": 3, "alpha": 3.0}
    assert result.queries["value_without"].equals(plain.queries["value"], check_names=False)
    reports = reranked / "reports"
    lineage = json.loads((reports / "emoji-tiny-aqe.lineage.json").read_text("utf-8"))
    assert lineage["reranker"] == {"kind": "alpha-qe", "k": 3, "alpha": 3.0}
    assert lineage["run"]["rerank"] == {"kind": "alpha-qe", "k": 3}
    statistics = json.loads((reports / "emoji-tiny-aqe.statistics.json").read_text("utf-8"))
    first = statistics["reranking"]["metrics"][0]
    assert first["metric"] == "all"
    compared = likewise.compare("emoji-tiny", "emoji-tiny-aqe")
    assert first["difference"]["p"] == compared.rows[0].difference.p
    assert first["difference"]["value"] == compared.rows[0].difference.value
    files = likewise.report("emoji-tiny-aqe")
    for file in (files.page, files.markdown):
        text = (reranked / file).read_text("utf-8")
        assert "alpha-qe" in text
        assert "Without and with the re-ranker" in text
    before = json.loads((reports / "emoji-tiny.lineage.json").read_text("utf-8"))
    assert "reranker" not in before
    assert "rerank" not in before["run"]


@pytest.mark.torch
def test_evaluate_prints_both_results(reranked: Path) -> None:
    printed = CliRunner().invoke(app, ["evaluate", "emoji-tiny-aqe"])
    assert printed.exit_code == 0, printed.output
    assert "re-ranked by alpha-qe: k 3, alpha 3\n" in printed.stdout
    assert "without" in printed.stdout


@pytest.mark.torch
@pytest.mark.parametrize("index", ["{kind: faiss}", "{kind: lance}"])
@pytest.mark.parametrize("rerank", ["{kind: alpha-qe, k: 3}", "{kind: dba, k: 3, top: 12}"])
@pytest.mark.parametrize("kind", ["gpr1200", "leave-one-out"])
def test_an_index_that_finds_everything_re_ranks_as_exact_search(
    reranked: Path, index: str, rerank: str, kind: str
) -> None:
    edit(reranked, ENTRY, f"rerank: {rerank}")
    edit(reranked, "gpr1200", kind)
    exact = likewise.evaluate("emoji-tiny-aqe")
    edit(reranked, "indexes:\n", f"indexes:\n  other: {index}\n")
    edit(reranked, "index: exact", "index: other")
    other = likewise.evaluate("emoji-tiny-aqe")
    assert other.queries["ranks"].equals(exact.queries["ranks"])
    assert other.queries["hits"].equals(exact.queries["hits"])
    assert other.metrics == exact.metrics


@pytest.mark.torch
def test_another_option_makes_the_report_stale(reranked: Path) -> None:
    likewise.evaluate("emoji-tiny-aqe")
    edit(reranked, "k: 3", "k: 4")
    with pytest.raises(StaleArtefactError, match="has changed since the report"):
        likewise.report("emoji-tiny-aqe")


def test_a_name_in_a_run_is_refused(reranked: Path) -> None:
    edit(reranked, ENTRY, "rerank: alpha-qe")
    with (
        pytest.warns(BrokenEntryWarning, match="rerank: expected the kind and the options of"),
        pytest.raises(ConfigError, match=r"an anchor there \(&name\) and an alias here"),
    ):
        likewise.evaluate("emoji-tiny-aqe")


@pytest.mark.dvc
@pytest.mark.torch
def test_dvc_repeats_exactly_the_runs_of_a_changed_re_ranker(
    recorded: Path, forked_python: None
) -> None:
    line = "  emoji-tiny: {dataset: emoji, model: tiny, index: exact, protocol: gpr1200}\n"
    assert "up to date" in run_dvc(recorded, "repro", "evaluate@emoji-tiny")
    named = "rerankers:\n  few: &few {kind: alpha-qe, k: 3}\n"
    again = line.replace("emoji-tiny:", "emoji-tiny-aqe:").replace("}", ", rerank: *few}")
    edit(recorded, "runs:\n", f"{named}runs:\n")
    edit(recorded, line, line + again)
    first = run_dvc(recorded, "repro", "evaluate")
    assert "Running stage 'evaluate@emoji-tiny-aqe'" in first
    assert "Running stage 'evaluate@emoji-tiny'" not in first
    assert "Running stage" not in run_dvc(recorded, "repro", "evaluate")
    edit(recorded, "k: 3", "k: 4")
    second = run_dvc(recorded, "repro", "evaluate")
    assert "Running stage 'evaluate@emoji-tiny-aqe'" in second
    assert "Running stage 'evaluate@emoji-tiny'" not in second
