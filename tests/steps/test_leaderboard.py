"""Leaderboards from reports alone: ranks, ties as the paired test says, and forms."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import likewise
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.run_results import Results, RunRecord, with_queries
from likewise.cli.app import app
from likewise.errors import DataError, UnknownNameError
from likewise.evaluation.significance import holm, paired_p
from likewise.formats.latex_text import latex
from likewise.steps.leaderboard import kept_tests
from likewise.steps.leaderboard.building import corrected
from likewise.steps.leaderboard.kept_tests import PairResult, compared
from likewise.storage import timings
from likewise.storage.workspace import Workspace
from synthetic_reports import values_of, write_catalogue, write_four_models, write_report


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four models on two data sets, in the current folder."""
    root = write_four_models(tmp_path / "catalogue")
    monkeypatch.chdir(root)
    return root


def test_values_intervals_and_ranks_are_those_of_the_reports(root: Path) -> None:
    (board,) = likewise.leaderboard().boards
    assert (board.protocol["name"], board.metric) == ("leave-one-out", "mAP")
    assert board.datasets == ["birds", "cars"]
    assert board.entries[-1].name == "weak"  # on fewer data sets
    for entry in board.entries:
        for dataset, cell in entry.cells.items():
            report = json.loads((root / "reports" / f"{cell.run}.json").read_text())
            statistics = json.loads(
                (root / "reports" / f"{cell.run}.statistics.json").read_text()
            )["intervals"]["mAP"]
            assert cell.value == report["mAP"]
            assert (cell.low, cell.high) == (statistics["low"], statistics["high"])
            better = [e for e, c in board.ranking(dataset) if c.value > cell.value]
            assert cell.rank == len(better) + 1
        ranks = [cell.rank for cell in entry.cells.values()]
        assert entry.mean_rank == sum(ranks) / len(ranks)
        assert entry.dim == 64
    means = [entry.mean_rank for entry in board.entries[:3]]
    assert means == sorted(means)


def test_equal_values_share_the_mean_of_their_ranks(tmp_path: Path) -> None:
    same = values_of(0.0, 1)
    results = {("birds", name): same for name in "abc"} | {("birds", "d"): same + 0.001}
    write_catalogue(tmp_path / "catalogue", results)
    (board,) = likewise.leaderboard(workspace=tmp_path / "catalogue").boards
    ranks = {entry.name: entry.cells["birds"].rank for entry in board.entries}
    assert ranks == {"d": 1, "a": (2 + 3 + 4) / 3, "b": 3, "c": 3}
    cells = {entry.name: entry.cells["birds"] for entry in board.entries}
    assert cells["a"].next is not None
    assert (cells["a"].next.other, cells["a"].next.p, cells["a"].next.tie) == (
        "birds-b",
        1,
        True,
    )
    # Of 12 classes, all improve: 2 of 2^12 assignments reach the sum; 2 x 4 - 3 tests.
    best = cells["a"].best
    assert best is not None
    assert best.p == 2 / 2**12
    assert best.p_holm == pytest.approx(5 * 2 / 2**12)
    assert not best.tie


def test_ties_are_those_of_compare(root: Path) -> None:
    (board,) = likewise.leaderboard().boards
    for dataset in board.datasets:
        ranked = [cell for _, cell in board.ranking(dataset)]
        pairs = [(0, at) for at in range(1, len(ranked))]
        pairs += [(at, at + 1) for at in range(1, len(ranked) - 1)]
        compared_rows = {
            pair: likewise.compare(ranked[pair[0]].run, ranked[pair[1]].run).rows[0]
            for pair in pairs
        }
        p_holm = holm([row.difference.p for row in compared_rows.values()])
        for (pair, row), corrected_p in zip(compared_rows.items(), p_holm, strict=True):
            better, worse = (ranked[at] for at in pair)
            if pair[0] == 0:
                assert worse.best is not None
                assert (worse.best.other, worse.best.p) == (better.run, row.difference.p)
                assert worse.best.difference == pytest.approx(row.difference.value)
                assert (worse.best.p_holm, worse.best.tie) == (corrected_p, corrected_p > 0.05)
            if pair[1] == pair[0] + 1:
                assert better.next is not None
                assert (better.next.other, better.next.p) == (worse.run, row.difference.p)
                assert better.next.difference == pytest.approx(-row.difference.value)
        assert ranked[0].best is None
        assert ranked[-1].next is None
    cells = {entry.name: entry.cells["birds"] for entry in board.entries}
    assert not cells["weak"].is_best
    assert cells["best"].is_best


def test_equal_models_are_called_different_one_time_in_twenty() -> None:
    """2,000 pairs of runs that differ only by chance, each a board of two models."""
    rng, different, pairs = np.random.default_rng(3), 0, 2_000
    classes = np.repeat(np.arange(11), 4)
    ease = rng.normal(0, 1, (pairs, 11, 1, 1))
    chance = rng.normal(0, 0.5, (pairs, 11, 1, 2)) + rng.normal(0, 1, (pairs, 11, 4, 2))
    values = 1 / (1 + np.exp(-ease - chance)).reshape(pairs, 44, 2)
    for first, second in zip(values[..., 0], values[..., 1], strict=True):
        result = PairResult(0.0, paired_p(first, second, classes))
        test = corrected({(0, 1): result}, ("a", "b"))[0, 1]
        different += not test.tie
    assert 0.04 <= different / pairs <= 0.06


@pytest.mark.slow
def test_equal_models_of_many_classes_are_called_different_one_time_in_twenty() -> None:
    """3,000 pairs of whole reports with 40 classes, whose assignments are drawn."""
    rng, different, pairs = np.random.default_rng(4), 0, 3_000
    protocol = {"name": "leave-one-out", "version": 1}
    ids = [f"{number}" for number in range(160)]
    frame = pl.DataFrame({"item_id": ids, "label": [f"c{n // 4}" for n in range(160)]})
    frame = frame.with_columns(subset=pl.lit(None, pl.String))
    for _ in range(pairs):
        ease = rng.normal(0, 1, (40, 1, 1))
        chance = rng.normal(0, 0.5, (40, 1, 2)) + rng.normal(0, 1, (40, 4, 2))
        values = 1 / (1 + np.exp(-ease - chance)).reshape(160, 2)
        first, second = (
            Results(
                name,
                {"mAP": 0.0},
                {},
                {"protocol": protocol},
                queries=frame.with_columns(value=pl.Series(values[:, column])),
            )
            for column, name in enumerate("ab")
        )
        test = corrected({(0, 1): compared(first, second)}, ("a", "b"))[0, 1]
        different += not test.tie
    assert 0.04 <= different / pairs <= 0.06


def test_tests_are_kept_until_the_rows_of_a_run_change(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = likewise.leaderboard()
    read: list[str] = []

    def spied(ws: Workspace, record: RunRecord, columns: Sequence[str]) -> Results:
        read.append(record.run)
        return with_queries(ws, record, columns)

    monkeypatch.setattr(kept_tests, "with_queries", spied)
    assert likewise.leaderboard() == first
    assert likewise.leaderboard(datasets=["cars"]).boards[0].entries
    assert read == []
    run = json.loads((root / "reports" / "cars-fair.lineage.json").read_text())["run"]
    write_report(root, "cars-fair", run, values_of(-1.0, seed=77))
    changed = likewise.leaderboard()
    assert changed != first
    assert set(read) == {"cars-best", "cars-good", "cars-fair"}


def test_kept_tests_of_others_are_not_used(root: Path) -> None:
    first = likewise.leaderboard()
    path = root / ".likewise" / "leaderboard.json"
    document = json.loads(path.read_text())
    tests = {key: [0.0, 1.0, []] for key in json.loads(document["tests"])}
    path.write_text(json.dumps({**document, "tests": json.dumps(tests)}))
    assert likewise.leaderboard() == first
    path.write_bytes(b"\xff\x00 no JSON")
    assert likewise.leaderboard() == first


def test_latex_prints_what_the_data_say() -> None:
    assert latex("a_b & 50 % {x} \\y") == r"a\_b \& 50 \% \{x\} \textbackslash{}y"
    assert latex('[1] * "q"') == '{[}1{]} {*} {"}q{"}'
    assert latex("a\n\n\\end\u202e\x00b ~^<>|$#") == (
        r"a \textbackslash{}end b \textasciitilde{}\textasciicircum{}\textless{}"
        r"\textgreater{}\textbar{}\$\#"
    )


def test_a_table_for_papers(root: Path) -> None:
    found = likewise.leaderboard(datasets=["cars", "birds"])
    text = found.to_latex()
    assert text.count("{") == text.count("}")
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert rows[0] == r"model & cars & birds & mean rank & dimensions \\"
    assert len(rows) == 1 + 4
    assert all(row.count(" & ") == 4 for row in rows)
    assert r"\begin{tabular}{lrrrr}" in text
    assert r"\withci{\textbf{" in rows[1]
    assert text.index(r"\providecommand{\withci}[2]") < text.index(rows[0])
    lines = found.to_markdown().splitlines()
    assert lines[0] == "## leave-one-out, version 1: mAP"
    assert lines[2] == "| model | cars | birds | mean rank | dimensions |"
    assert "**" in lines[4]
    assert repr(found) == "Leaderboard(leave-one-out: 4 x 2)"


def test_what_is_chosen(root: Path) -> None:
    with pytest.raises(UnknownNameError, match="no data set named 'bird'"):
        likewise.leaderboard(datasets=["bird"])
    with pytest.raises(UnknownNameError, match=r"no protocol named 'leave'.*leave-one-out"):
        likewise.leaderboard(protocol="leave")
    assert likewise.leaderboard(protocol="leave-one-out").boards
    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text[: text.index("runs:")])
    with pytest.raises(DataError, match="no run; add one with: likewise add-run"):
        likewise.leaderboard()


def test_other_options_other_protocols_and_repeated_runs(root: Path) -> None:
    text = (root / "params.yaml").read_text()
    text = text.replace("  exact:\n", "  flat:\n    kind: exact\n  exact:\n")
    more = {
        "again": {"dataset": "birds", "model": "good", "index": "exact"},
        "flat": {"dataset": "birds", "model": "good", "index": "flat"},
        "other": {"dataset": "birds", "model": "good", "index": "exact"},
    }
    for name, run in more.items():
        run["protocol"] = "gpr1200-strict" if name == "other" else "leave-one-out"
        write_report(root, name, run, values_of(0.0, seed=5))
        text += f"  {name}: {json.dumps(run)}\n"
    (root / "params.yaml").write_text(text)
    boards = likewise.leaderboard().boards
    assert [board.protocol["name"] for board in boards] == ["gpr1200-strict", "leave-one-out"]
    assert "good, flat" in {entry.name for entry in boards[1].entries}
    assert boards[1].notes == ["again repeats birds-good, and is left out"]


def test_runs_on_different_versions_and_queries_are_named(root: Path) -> None:
    assert likewise.leaderboard().boards[0].entries[-1].extras(2)[0] == "4.00 (1 of 2)"
    path = root / "reports" / "cars-good.lineage.json"
    lineage = json.loads(path.read_text())
    lineage["columns"]["label"] = "1" * 64
    path.write_text(json.dumps(lineage))
    rows = pl.read_parquet(root / "reports" / "cars-best.parquet")
    moved = rows[:-4].with_columns(label=pl.lit("moved"))
    moved.write_parquet(root / "reports" / "cars-best.parquet")
    (board,) = likewise.leaderboard(datasets=["cars"]).boards
    assert board.notes[0] == (
        "the runs on cars scored different versions of label; run: dvc repro"
    )
    assert any("have 44 queries in common, of" in note for note in board.notes)
    assert any("scored 44 queries with different labels" in note for note in board.notes)
    assert not any(".jpg" in note for note in board.notes)


def test_published_rows_of_the_same_protocol_and_counts(tmp_path: Path) -> None:
    root = write_catalogue(
        tmp_path / "catalogue",
        {("gpr", "a"): values_of(0.0, 1), ("few", "a"): values_of(0.0, 2)},
        protocol="gpr1200",
    )
    run = json.loads((root / "reports" / "gpr-a.lineage.json").read_text())["run"]
    subsets = dict.fromkeys(("landmarks", "sketch", "inat", "instre", "sop", "faces"), 0.5)
    counts = {"queries": 12_000, "gallery": 12_000, "labels": 1_200}
    write_report(root, "gpr-a", run, values_of(0.0, 1), counts=counts, further=subsets)
    (board,) = likewise.leaderboard(workspace=root).boards
    assert board.published == []
    (board,) = likewise.leaderboard(published=True, workspace=root).boards
    row = next(row for row in board.published if row.model == "GLv2 neither ImageNet")
    assert row.values == {"gpr": 49.4 if board.protocol["percent"] else 0.494}
    assert board.sources[0].startswith("published: GPR1200")
    heads, lines = board.matrix()
    assert heads[:3] == ["model", "gpr", "few"]
    (line,) = [line for line in lines if line[0].startswith("GLv2")]
    assert line[2] == ""
    lineage = json.loads((root / "reports" / "gpr-a.lineage.json").read_text())
    lineage["counts"]["listed"] = 100
    (root / "reports" / "gpr-a.lineage.json").write_text(json.dumps(lineage))
    (board,) = likewise.leaderboard(published=True, workspace=root).boards
    assert board.published == []
    assert "gpr: truncated lists are not comparable with published tables" in board.notes


def test_speeds_that_this_machine_measured(root: Path) -> None:
    ws = open_workspace(root)
    timings.record(ws, "embed-birds-good", timings.Timing(10, 10.0))
    timings.record(ws, "embed-cars-good", timings.Timing(400, 8.0))
    timings.record(ws, timings.search_job("birds", "good", "exact"), timings.Timing(1, 0.002))
    (board,) = likewise.leaderboard().boards
    (good,) = [entry for entry in board.entries if entry.name == "good"]
    assert good.images_per_s == 400 / 8
    assert (good.cells["birds"].ms, good.cells["cars"].ms) == (2.0, None)
    assert board.ranking_table("birds")[0][-1] == "ms a query"
    assert "images/s" in board.matrix()[0]


def test_the_page_plots_quality_against_what_models_differ_in(
    root: Path, tmp_path: Path
) -> None:
    likewise.leaderboard().to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "images embedded per second" not in page
    ws = open_workspace(root)
    timings.record(ws, "embed-birds-good", timings.Timing(100, 10.0))
    timings.record(ws, "embed-birds-best", timings.Timing(100, 20.0))
    likewise.leaderboard().to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "birds: mAP and images embedded per second; best in the top right" in page
    assert "images/s: images that this machine embedded per second." in page
    assert "Mean average precision with every item as a query" in page
    assert "greater is better" in page
    assert "mAP: ap, averaged over queries. Average precision;" in page


def test_the_command(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["leaderboard", *words])
        assert done.exit_code == code, done.output
        return done.output

    printed = run().splitlines()
    assert printed[0] == "leave-one-out, version 1: mAP"
    assert printed[2].split()[:2] == ["model", "birds"]
    assert sum(line.split()[:1] == ["1"] for line in printed) == 2
    assert any(line.endswith(" tie") for line in printed)
    document = json.loads(run("--json", "--datasets", "cars"))
    assert document["boards"][0]["entries"][0]["cells"]["cars"]["rank"] == 1
    assert "| --- |" in run("--markdown")
    assert r"\toprule" in run("--latex")
    assert "wrote page.html" in run("--html", "page.html")
    assert Path("page.html").is_file()
    assert "one of" in run("--json", "--latex", code=2)
    (root / "reports" / "birds-good.json").unlink()
    assert any(line.startswith("not shown: birds-good: ") for line in run().splitlines())
