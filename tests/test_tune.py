"""Tuning: candidates, choice, and written entries."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import DataError
from likewise.pages.tradeoff_plot import IndexPoint, tradeoff_plot
from likewise.steps.tune import candidates
from likewise.storage.config import read_params


def test_the_choice_is_written_and_searched_by(workspace: Path) -> None:
    params = workspace / "params.yaml"
    params.write_text(params.read_text("utf-8") + "# a remark\n", "utf-8")
    found = likewise.tune("emoji", "tiny", recall=0.9)
    assert {trial.family for trial in found.trials} == {"exact", "HNSW32"}
    assert found.chosen.measured.recall >= 0.9
    fit = [t for t in found.trials if t.measured.recall >= 0.9]
    assert found.chosen.measured.ms == min(t.measured.ms for t in fit)
    assert read_params(params).indexes[found.name] == found.chosen.entry
    assert "# a remark" in params.read_text("utf-8")
    hits = likewise.search("emoji", id="200_noto.jpg", index="tuned_emoji_tiny")
    assert len(hits) == 10
    assert found.picture == "reports/tuning/emoji-tiny.svg"
    trials = json.loads((workspace / "reports/tuning/emoji-tiny.json").read_text("utf-8"))
    assert len(trials) == len(found.trials)
    assert not (workspace / ".likewise" / "tune").exists()


def test_large_tables_are_tried_by_every_kind() -> None:
    families = candidates(100_000, 128)
    assert list(families) == [
        "exact",
        "HNSW32",
        "IVF,Flat",
        "IVF,SQ8",
        "IVF,RaBitQ4",
        "IVF,RaBitQ,Refine(SQ8)",
        "OPQ,IVF,PQ64",
        "LOPQ64",
    ]
    cells = 4 * 316  # isqrt(100,000) = 316
    assert families["IVF,Flat"][0] == {
        "kind": "faiss",
        "factory": f"IVF{cells},Flat",
        "nprobe": 1,
    }
    assert list(candidates(20, 128)) == ["exact", "HNSW32"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"recall": 1.5}, "recall is 1.5"),
        ({"memory": "lots"}, "write 500MB or 2GB"),
        ({"name": "Best!"}, "'Best!' is not a valid name of an index"),
        ({"memory": "1KB"}, "none of the tested indexes fits into 1.0 kB"),
    ],
)
def test_what_cannot_be_is_reported(
    workspace: Path, options: dict[str, str], said: str
) -> None:
    before = (workspace / "params.yaml").read_bytes()
    with pytest.raises(DataError, match=said):
        likewise.tune("emoji", "tiny", **options)  # type: ignore[arg-type]
    assert (workspace / "params.yaml").read_bytes() == before


def test_the_picture_is_the_same_every_time_and_well_formed() -> None:
    points = [
        IndexPoint("IVF & co", 0.91, 800, 10**7),
        IndexPoint("IVF & co", 0.99, 300, 10**7, chosen=True),
        IndexPoint("exact", 1, 50, 4 * 10**7),
    ]
    drawn = tradeoff_plot("Indexes of x", points, 0.95)
    assert drawn == tradeoff_plot("Indexes of x", points, 0.95)
    texts = [e.text for e in ET.fromstring(drawn).iter() if e.tag.endswith("text")]  # noqa: S314
    assert {"Indexes of x", "IVF & co (10.0 MB, chosen)", "exact (40.0 MB)"} <= set(texts)
    assert tradeoff_plot("nothing", []).endswith("</svg>\n")


def test_the_command_marks_the_choice(workspace: Path) -> None:
    said = CliRunner().invoke(app, ["tune", "emoji", "tiny", "--memory", "2GB"])
    assert said.exit_code == 0
    assert said.stdout.count("*") == 1
    assert "HNSW32" in said.stdout
