"""Leaderboards of reports that are missing, damaged or hostile."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

import likewise
from html_tags import BAD, tags
from likewise.cli.app import app
from synthetic_reports import write_four_models


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four models on two data sets, in the current folder."""
    root = write_four_models(tmp_path / "catalogue")
    monkeypatch.chdir(root)
    return root


def test_runs_without_a_report_are_one_line_each(root: Path) -> None:
    (root / "reports" / "birds-fair.json").unlink()
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["runs"]["cars-good"]["by"] = "split"
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    found = likewise.leaderboard()
    assert found.left_out == [
        "birds-fair: run 'birds-fair' was not evaluated; run: dvc repro evaluate@birds-fair",
        (
            "cars-good: params.yaml or the release of likewise has changed since the report of "
            "'cars-good'; run: dvc repro evaluate@cars-good"
        ),
    ]
    names = {entry.name: set(entry.cells) for entry in found.boards[0].entries}
    assert names == {
        "best": {"birds", "cars"},
        "good": {"birds"},
        "fair": {"cars"},
        "weak": {"birds"},
    }


def as_json(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    """Return a function that changes a JSON file."""

    def edit(path: Path) -> None:
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return edit


def sparse(path: Path) -> None:
    """Make a file of 3 GB that takes no space."""
    os.truncate(path, 3 << 30)


HOSTILE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "control characters": ("json", lambda path: path.write_bytes(b'{"\x1b[2J": 1}')),
    "values of a wrong type": ("json", as_json(lambda d: d.update(mAP=[1, 2]))),
    "a truth value": ("json", as_json(lambda d: d.update(mAP=True))),
    "a list": ("json", lambda path: path.write_text("[1]")),
    "no metric": ("json", lambda path: path.write_text("{}")),
    "a long name": ("json", lambda path: path.write_text(f'{{"{"m" * 5000}": 1}}')),
    "huge metrics": ("json", sparse),
    "huge intervals": ("statistics.json", sparse),
    "deep lineage": ("lineage.json", lambda p: p.write_text("[" * 9999 + "]" * 9999)),
    "intervals of a wrong type": ("statistics.json", as_json(lambda d: d.update(intervals=3))),
    "many decimals": (
        "lineage.json",
        as_json(lambda d: d["protocol"].update(decimals=10**9)),  # type: ignore[attr-defined]
    ),
    "a protocol of a wrong type": ("lineage.json", as_json(lambda d: d.update(protocol="x"))),
    "counts of a wrong type": ("lineage.json", as_json(lambda d: d.update(counts={"a": "b"}))),
    "a scale of a wrong type": (
        "lineage.json",
        as_json(lambda d: d["protocol"].update(scale="9")),  # type: ignore[attr-defined]
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_report_is_one_line(root: Path, case: str) -> None:
    kind, damage = HOSTILE[case]
    damage(root / "reports" / f"birds-good.{kind}")
    found = likewise.leaderboard()
    again = "make it again with: dvc repro evaluate@birds-good"
    assert found.left_out == [f"birds-good: reports/birds-good.{kind} is damaged; {again}"]
    (board,) = found.boards
    assert {entry.name for entry, _ in board.ranking("birds")} == {"weak", "fair", "best"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"PAR1 no table"),
        lambda path: pl.DataFrame({"item_id": [1], "value": ["x"]}).write_parquet(path),
        lambda path: pl.read_parquet(path).with_columns(label=1).write_parquet(path),
        os.unlink,
    ],
    ids=["no table", "wrong columns", "wrong type", "missing"],
)
def test_rows_that_cannot_be_read_give_no_test_and_one_note(
    root: Path, damage: Callable[[Path], object]
) -> None:
    damage(root / "reports" / "birds-fair.parquet")
    (board,) = likewise.leaderboard(datasets=["birds"]).boards
    (note,) = board.notes
    assert note.startswith("no paired test: ")
    assert "reports/birds-fair.parquet" in note
    cells = {entry.name: entry.cells["birds"] for entry in board.entries}
    assert cells["fair"].value > cells["weak"].value
    assert cells["fair"].best is cells["fair"].next is None
    assert not cells["fair"].is_best
    assert cells["weak"].best is not None


def test_names_from_reports_are_escaped_in_every_form(root: Path, tmp_path: Path) -> None:
    for run in ("birds-good", "birds-best"):
        for kind in ("json", "statistics.json", "lineage.json"):
            path = root / "reports" / f"{run}.{kind}"
            document = json.loads(path.read_text())
            if kind == "lineage.json":
                document["protocol"]["name"] = f"{BAD}\x1b[31m\\input{{x}} | [y]"
            elif kind == "json":
                document = {f"m{BAD}\x07\n": document["mAP"]}
            path.write_text(json.dumps(document))
    found = likewise.leaderboard()
    assert len(found.boards) == 2
    found.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    for shown in (page, found._repr_html_()):
        assert "script" not in {tag for tag, _ in tags(shown)}
    for text in (found.to_markdown(), found.to_latex(), page):
        assert not any(c < " " and c != "\n" for c in text)
    assert "<script" not in found.to_markdown()
    assert r"\input{" not in found.to_latex()
    output = CliRunner().invoke(app, ["leaderboard"]).output
    assert "\x1b" not in output
    assert "\x07" not in output
