"""Every benchmark runs on small inputs and prints a table of ratios; no time is judged."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import forked

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
HEADER = ["what", "ours", "peer", "ratio", "target", "verdict"]
RATIO = re.compile(r"[\d,]+(\.\d+)? x( faster)?")
SLOW = {
    "check",
    "commands",
    "exports",
    "indexes",
    "ingest",
    "leaderboard",
    "million",
    "scale",
    "scale_rows",
    "score",
    "search",
    "sharing",
    "suspects",
    "tables",
    "trained",
    "versions",
}
"""Those that start many processes or libraries. What they run has faster tests of its own."""
ASKED_FOR = "significance"
"""The one that is started by run.py."""


def _names() -> tuple[str, ...]:
    """Return the benchmarks that run.py knows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        names: tuple[str, ...] = importlib.import_module("run").NAMES
    return names


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("measure")


def _by_duration() -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in _names()
        if name != ASKED_FOR
    ]


def cells(printed: str) -> list[list[str]]:
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.dvc
@pytest.mark.torch
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("name", _by_duration())
def test_a_benchmark_prints_a_table_with_ratios(name: str, tmp_path: Path) -> None:
    done = forked.run(tmp_path, "python", str(BENCHMARKS / f"{name}.py"), "--small")
    assert done.returncode == 0, done.stderr
    _check(done.stdout)


def test_parts_of_slow_benchmarks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    indexes, score = map(importlib.import_module, ("indexes", "score"))
    indexes.directly(indexes.Size(300, 16, 32, 5, 4, 1), small=True)
    _check(capsys.readouterr().out)
    assert min(score.ranking(score.vectors_of(6), 1)) > 0


def test_one_command_runs_those_that_are_asked_for(tmp_path: Path) -> None:
    markdown = tmp_path / "results.md"
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--small", "--only", ASKED_FOR]
    done = subprocess.run(
        [*command, "--markdown", str(markdown)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert markdown.read_text(encoding="utf-8") == done.stdout
    _check(done.stdout)


@pytest.mark.parametrize("name", _names())
def test_a_benchmark_says_what_it_measures(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    script = importlib.import_module(name)
    with pytest.raises(SystemExit) as end:
        script.main()
    assert end.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert " ".join((script.__doc__ or "").split("\n", 1)[0].split()) in told
    assert "--small" in told


@pytest.mark.torch
@pytest.mark.parametrize(
    "recipe",
    ["metric", *(pytest.param(r, marks=pytest.mark.slow) for r in ("arnet", "ssl", "distill"))],
)
def test_a_training_is_scored_with_its_start(
    recipe: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setattr(sys, "argv", ["trained", "--small", "--recipe", recipe])
    importlib.import_module("trained").main()
    _check(capsys.readouterr().out)


def _check(printed: str) -> None:
    """Check the printed tables."""
    rows = cells(printed)
    assert rows[0] == HEADER
    assert {len(row) for row in rows} == {len(HEADER)}
    ratios = [row[3] for row in rows if row[3] and row != HEADER]
    assert ratios
    assert all(RATIO.fullmatch(ratio) for ratio in ratios)
    # With small inputs no figure is judged, but facts that do not depend on size must be true.
    assert "MISSED" not in printed


def test_a_row_says_the_ratio_and_whether_it_meets_the_target(
    measure: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    table = measure.Table("T", small=False)
    table.at_most("a", 5, 2, 2.5)
    table.at_most("b", 5, 2, 2.4)
    table.at_most("c", 3, 2, None, "MB")
    table.faster("d", 2, 20, 10)
    table.faster("e", 2.5, 20, 10)
    table.faster("f", 2.5, 20, None)
    table.below("g", 499, 500, "MB")
    table.below("h", 0.3, 0.3, peer=0.1)
    table.holds("i", "none", "not torch", met=True)
    table.note("j", "1,234", "5")
    table.score("k", 0.5, 0.2, ">= 2 x", met=True)
    table.score("l", 0.5, 0.2)
    table.print()
    assert cells(capsys.readouterr().out) == [
        HEADER,
        ["a", "5.00 s", "2.00 s", "2.50 x", "<= 2.5 x", "met"],
        ["b", "5.00 s", "2.00 s", "2.50 x", "<= 2.4 x", "MISSED"],
        ["c", "3.00 MB", "2.00 MB", "1.50 x", "", ""],
        ["d", "2.00 s", "20.0 s", "10.00 x faster", ">= 10 x faster", "met"],
        ["e", "2.50 s", "20.0 s", "8.00 x faster", ">= 10 x faster", "MISSED"],
        ["f", "2.50 s", "20.0 s", "8.00 x faster", "", ""],
        ["g", "499 MB", "", "", "< 500 MB", "met"],
        ["h", "0.300 s", "0.100 s", "3.00 x", "< 0.3 s", "MISSED"],
        ["i", "none", "", "", "not torch", "met"],
        ["j", "1,234", "5", "", "", ""],
        ["k", "0.500", "0.200", "2.50 x", ">= 2 x", "met"],
        ["l", "0.500", "0.200", "2.50 x", "", ""],
    ]


def test_of_small_inputs_only_facts_are_judged(
    measure: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    table = measure.Table("T", small=True)
    table.at_most("a", 5, 2, 2.4)
    table.faster("b", 2, 20, 10)
    table.below("c", 0.3, 0.3)
    table.score("d", 0.1, 0.2, ">= 2 x", met=False)
    table.holds("e", "torch", "not torch", met=False)
    table.print()
    verdicts = [row[-1] for row in cells(capsys.readouterr().out)[1:]]
    assert verdicts == ["not judged"] * 4 + ["MISSED"]


def test_memory_is_of_the_largest_process_and_of_all_together() -> None:
    # In a new process: the peak of a child starts at that of its parent, and pytest is large.
    script = """
import sys, measure
hold = "x = b'1' * 200_000_000; import time; time.sleep(1)"
child = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {hold!r}])"
print(*measure.together(sys.executable, "-c", f"{child}; {hold}; c.wait()"))
print(measure.run(sys.executable, "-c", hold).rss_mb)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        check=True,
    )
    largest, everything, alone = map(float, done.stdout.split())
    assert 200 < largest < 2 * 200
    assert 2 * 200 < everything < 3 * 200
    assert 200 < alone < 2 * 200


def test_a_command_that_fails_ends_the_benchmark_with_its_output(measure: Any) -> None:
    with pytest.raises(SystemExit, match="ended with 3:\nnot today"):
        measure.run(sys.executable, "-c", "print('not today'); raise SystemExit(3)")


def test_parts_take_turns_and_the_median_of_each_counts(measure: Any) -> None:
    turns: list[str] = []

    def part(name: str, seconds: list[float]) -> float:
        turns.append(name)
        return seconds[turns.count(name) - 1]

    found = measure.medians(
        {"a": lambda: part("a", [3, 1, 9]), "b": lambda: part("b", [5, 5, 4])}, rounds=3
    )
    assert turns == ["a", "b"] * 3
    assert found == {"a": 3, "b": 5}


def test_small_files_are_different_crops_and_the_same_every_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    data = importlib.import_module("data")
    monkeypatch.setattr(data, "SHARED", tmp_path / "absent")  # so that drawings are cropped
    trees = []
    for folder in ("one", "two"):
        monkeypatch.setattr(data, "WORK", tmp_path / folder)
        tree = data.small_files(2 * 720)
        data.add_small_files(tree, 2 * 720, 10)
        assert tree.parent == tmp_path / folder
        assert data.files_in(tree) == 2 * 720 + 10
        files = sorted(tree.rglob("*.jpg"))
        trees.append({path.relative_to(tree): path.read_bytes() for path in files})
    assert len(set(trees[0].values())) == 2 * 720 + 10
    assert trees[0] == trees[1]
