import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli import reference
from likewise.cli.app import COMMANDS, app, main
from likewise.cli.arguments import parse_names
from likewise.cli.protocol_reference import protocol_reference

NAMES = [name for name, _, _ in COMMANDS]


@dataclass(frozen=True)
class Done:
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str

    def lines(self) -> list[str]:
        return self.out.splitlines()


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["likewise", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = capfd.readouterr()
        code = end.value.code
        return Done(code if isinstance(code, int) else 0, printed.out, printed.err)

    return run


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_that_ends_in_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"], terminal_width=96)
    assert shown.exit_code == 0
    assert f"Example: likewise {name}" in shown.output
    arguments = shown.output.partition("Options:")[0].partition("Arguments:")[2]
    assert all(len(line.split()) > 2 for line in arguments.splitlines() if line.strip())


@pytest.mark.parametrize("name", NAMES)
def test_the_list_of_commands_has_a_whole_sentence_of_each(name: str) -> None:
    shown = CliRunner().invoke(app, ["--help"], terminal_width=80)
    (line,) = [line for line in shown.output.splitlines() if line.startswith(f"  {name} ")]
    assert line.endswith(".")
    assert not line.endswith("...")


def test_the_old_name_of_annotations_is_one_error_that_names_the_new_one() -> None:
    done = CliRunner().invoke(app, ["validate", "csv", ".", "--text", "boxes.csv"])
    assert done.exit_code == 2
    assert "the option is now called --annotations" in done.output


def test_validate_takes_the_layout_as_argument_or_as_add_does(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.jpg").write_bytes(b"never opened")
    first = run("validate", "folder", str(tmp_path))
    assert first.code == 0
    assert run("validate", str(tmp_path), "--source", "folder") == first
    for wrong in (["folder"], ["folder", str(tmp_path), "--source", "voc"]):
        done = run("validate", *wrong)
        assert done.code == 2
        assert "write: likewise validate KIND DIR" in done.err


def test_a_repeated_option_of_names_adds_names() -> None:
    assert parse_names(["a, b", "c"]) == ["a", "b", "c"]
    assert parse_names(["none"]) == []
    assert parse_names([]) is None


def test_the_reference_is_up_to_date() -> None:
    root = Path(__file__).parents[2]
    written = root / reference.REFERENCE
    assert written.read_text(encoding="utf-8") == reference.reference()
    protocols = (root / reference.PROTOCOL_REFERENCE).read_text(encoding="utf-8")
    assert protocols == protocol_reference()


def test_the_reference_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = reference.reference()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert reference.reference() == before


def test_the_version(run: Run) -> None:
    from importlib import metadata

    assert run("--version").out.strip() == metadata.version("likewise")


def test_the_catalogue_as_a_table_and_as_json(workspace: Path, run: Run) -> None:
    head, row = run("list").lines()
    assert head.split() == ["dataset", "state", "items", "models", "runs", "title"]
    assert row.split()[:5] == ["emoji", "published", "24", "tiny", "1"]
    (summary,) = json.loads(run("list", "--json").out)
    assert summary["dataset"] == "emoji"
    assert summary["models"] == ["tiny"]


def test_a_data_set_for_people(workspace: Path, run: Run) -> None:
    done = run("show", "emoji")
    out = done.out
    assert "emoji     Emoji in GPR1200's layout (published)" in out
    assert "items     24 in 24 images" in out
    assert "labels    6: 4 items each\n" in out
    assert "faults    a drawing is a drawing" in out
    assert "subsets   landmarks 4, inat 4, sketch 4, instre 4, sop 4, faces 4" in out
    assert "test_resnet.r160_in1k" in out
    assert done.err == "next: dvc repro evaluate@emoji-tiny\n"


def test_a_data_set_for_programs(workspace: Path, run: Run) -> None:
    found = json.loads(run("show", "emoji", "--json").out)
    assert found["card"]["licence"]["spdx"] == "CC-BY-SA-4.0"
    assert found["contents"]["subsets"]["faces"] == 4
    assert found["models"][0]["passport"]["backbone"] == "test_resnet.r160_in1k"


def test_rows_as_a_table(workspace: Path, run: Run) -> None:
    done = run("query", "select item_id, tiny from emoji where label = '0'")
    assert done.lines()[0].split() == ["item_id", "tiny"]
    assert [line.split()[0] for line in done.lines()[1:]] == [
        f"0_{drawn_by}.jpg" for drawn_by in ("fluent", "noto", "openmoji", "twemoji")
    ]
    dim = likewise.open("emoji").vectors("tiny").shape[1]
    assert all(line.endswith(f", ... {dim} values]") for line in done.lines()[1:])
    assert done.err == ""


def test_rows_as_json(workspace: Path, run: Run) -> None:
    rows = json.loads(
        run("query", "select label, box from emoji", "--json", "--limit", "2").out
    )
    assert rows == [{"label": "0", "box": None}] * 2


def test_rows_as_files(workspace: Path, run: Run) -> None:
    sql = "select item_id, label from emoji order by item_id"
    done = run("query", sql, "--csv", "rows.csv", "--parquet", "rows.parquet")
    assert (done.out, done.code) == ("", 0)
    with (workspace / "rows.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 24
    assert (workspace / "rows.parquet").read_bytes()[:4] == b"PAR1"


def test_a_long_table_says_that_there_is_more(workspace: Path, run: Run) -> None:
    sql = "select a.item_id from emoji as a cross join emoji as b"
    done = run("query", sql)
    assert len(done.lines()) == 1 + 100
    assert "the first 100 rows; more with --limit N" in done.err
    assert len(run("query", sql, "--limit", "150").lines()) == 1 + 150


def test_a_search_by_an_item(workspace: Path, run: Run) -> None:
    found = json.loads(run("search", "emoji", "--id", "0_noto.jpg", "-k", "3", "--json").out)
    assert [hit["rank"] for hit in found] == [1, 2, 3]
    assert "0_noto.jpg" not in [hit["item_id"] for hit in found]
    done = run("search", "emoji", "--id", "0_noto.jpg", "--where", "label = '200'")
    assert len(done.lines()) == 1 + 4


def test_a_search_that_finds_nothing_says_so(workspace: Path, run: Run) -> None:
    done = run("search", "emoji", "--id", "0_noto.jpg", "--where", "label = 'none'")
    assert (done.code, done.err) == (0, "likewise: no hits\n")


@pytest.mark.usefixtures("unmeasured")
def test_a_command_that_embeds_prints_nothing_besides(workspace: Path) -> None:
    command = [sys.executable, "-m", "likewise", "search", "emoji", "-k", "2"]
    picture = ["--image", "emoji/images/0_noto.jpg"]
    done = subprocess.run([*command, *picture], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_a_search_with_its_pictures(workspace: Path, run: Run) -> None:
    picture = "emoji/images/0_noto.jpg"
    done = run("search", "emoji", "--image", picture, "-k", "2", "--html", "hits.html")
    assert (done.code, len(done.lines())) == (0, 1 + 2)
    assert "0_noto.jpg" in (workspace / "hits.html").read_text(encoding="utf-8")


def test_the_verbs_in_order(
    pictures: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures / "Thumbs.db").write_text("no picture", encoding="utf-8")
    assert "wrote params.yaml" in run("init", str(tmp_path / "new")).lines()
    monkeypatch.chdir(tmp_path / "new")
    params = Path("params.yaml").read_text(encoding="utf-8")
    tiny = params.replace("tf_efficientnet_lite0", "test_resnet.r160_in1k")
    weights = next(line for line in params.splitlines() if line.startswith("    weights:"))
    Path("params.yaml").write_text(tiny.replace(weights, "    weights: random"), "utf-8")
    added = run("add", "emoji", "--source", "gpr1200", "--path", str(pictures), "--title", "E")
    assert added.lines()[0] == "emoji: 24 items, 6 labels, 1 finding"
    ingested = run("ingest", "emoji").lines()
    assert ingested[0] == "emoji: 24 items in 24 images"
    assert ingested[2].startswith("findings: not-an-image 1")
    assert run("ingest", "emoji", "--strict").code == likewise.DataError.exit_code
    assert run("load", "lite0").out.startswith("lite0: test_resnet.r160_in1k")
    assert run("embed", "emoji", "lite0").lines()[0] == "emoji by lite0: 24 vectors computed"
    assert run("publish", "emoji").out == "emoji: 24 items, vectors of lite0\n"
    assert run("init").err.startswith("next: ")


def test_an_evaluation(workspace: Path, run: Run) -> None:
    done = run("evaluate", "emoji-tiny")
    assert (done.code, done.err) == (0, "next: likewise report emoji-tiny\n")
    metrics = json.loads((workspace / "reports" / "emoji-tiny.json").read_text("utf-8"))
    lineage = workspace / "reports" / "emoji-tiny.lineage.json"
    notes = [f"note: {text}" for text in json.loads(lineage.read_text("utf-8"))["notes"]]
    assert len(metrics) >= 1 + 6
    told = [tuple(line.split()[:2]) for line in done.lines()[1 : 1 + len(metrics)]]
    assert told == [(name, f"{value:.4f}") for name, value in metrics.items()]
    start = done.lines().index("protocol gpr1200, version 1")
    options = dict(line.strip().split("  ", 1) for line in done.lines()[start + 1 : start + 3])
    assert {name: text.strip() for name, text in options.items()} == {
        "queries": "all items",
        "gallery": "all items",
    }
    assert (
        "not comparable: GPR1200's published numbers are of 12,000 queries, here 24" in done.out
    )
    assert [line for line in done.lines() if line.startswith("note: ")] == notes
    assert set(metrics) <= set(run("show", "emoji").out.split())
    assert len(run("query", "select value from queries_emoji_tiny").lines()) == 1 + 24


def test_two_runs_and_one_by_every_definition(workspace: Path, run: Run) -> None:
    run("evaluate", "emoji-tiny")
    lines = run("compare", "emoji-tiny", "emoji-tiny").lines()
    assert lines[:2] == ["A         emoji-tiny", "B         emoji-tiny"]
    assert lines[4].split()[:4] == ["metric", "A", "B", "B"]
    assert lines[5].split()[:4] == ["all", lines[5].split()[1], lines[5].split()[1], "+0.0000"]
    assert lines[-2:] == ["fixed: 0 queries", "broken: 0 queries"]
    found = json.loads(run("compare", "emoji-tiny", "emoji-tiny", "--json").out)
    assert found["rows"][0]["difference"]["p"] == 1
    assert run("crosswalk", "emoji-tiny").lines()[-1].startswith("not comparable: GPR1200")
    found = json.loads(run("crosswalk", "emoji-tiny", "--json").out)
    assert found["rows"][0]["definition"] == "GPR1200: mAP"


def test_a_score_of_vectors_made_elsewhere(
    pictures: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = sorted(picture.name for picture in pictures.iterdir())
    labels = sorted({int(name.partition("_")[0]) for name in names})
    # Vectors with one direction per category, so that every ranking is perfect.
    vectors = np.repeat(np.eye(len(labels), dtype=np.float32), 4, axis=0)
    np.save("vectors.npy", vectors)
    arguments = ("gpr1200", "--embeddings", "vectors.npy", "--images", str(pictures))
    done = run("score", *arguments)
    assert (done.code, done.err.partition(" ")[0]) == (0, "next:")
    assert done.lines()[1].split()[1] == "1.0000"
    result = json.loads(run("score", *arguments, "--json").out)
    assert set(result) == {"metrics", "unrounded", "protocol", "notes", "counts", "queries"}
    assert set(result["metrics"].values()) == set(result["unrounded"].values()) == {1.0}
    assert [query["value"] for query in result["queries"]] == [1.0] * 24


def test_schemas(workspace: Path, run: Run) -> None:
    assert run("schemas", "--check").code == 1
    assert "wrote schemas/items.yaml" in run("schemas").lines()
    assert run("schemas", "--check") == Done(0, "schemas are up to date\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["show", "emogi"], 2, "likewise: no data set named 'emogi' in params.yaml; did you"),
        (["query", "select lable from emoji"], 4, "likewise: no column 'lable'; did you mean"),
        (
            ["query", "select value from queries_emoji_tiny"],
            3,
            "run: dvc repro evaluate@emoji-tiny",
        ),
        (["evaluate", "emoji"], 2, "likewise: no run named 'emoji' in params.yaml; did you"),
        (["shwo", "emoji"], 2, "No such command 'shwo'. Did you mean 'show'?"),
        (["show"], 2, "Missing argument 'DATASET'"),
        (["search", "emoji", "-k", "none"], 2, "Invalid value for '-k'"),
    ],
)
def test_a_users_fault_is_reported_on_stderr(
    workspace: Path, run: Run, arguments: list[str], code: int, told: str
) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert "Traceback" not in done.err


def test_every_fault_of_the_configuration_is_reported(workspace: Path, run: Run) -> None:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("index: exact", "index: exat, speed: 9"), "utf-8")
    assert "speed" in run("list").err  # a warning, because list does not read that entry
    done = run("evaluate", "emoji-tiny")
    assert done.code == likewise.ConfigError.exit_code
    assert "speed" in done.err


def test_outside_a_catalogue(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("list")
    assert done.code == likewise.MissingArtefactError.exit_code
    assert done.err.rstrip().endswith("run: likewise init")


def test_a_bug_keeps_its_traceback(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "catalog" / "emoji.columns.yaml").unlink()
    (workspace / "catalog" / "emoji.columns.yaml").mkdir()
    monkeypatch.setattr(sys, "argv", ["likewise", "embed", "emoji", "tiny"])
    monkeypatch.setattr(likewise, "embed", None)
    with pytest.raises(TypeError, match="not callable"):
        main()


@pytest.mark.usefixtures("measured_programs")
def test_a_reader_that_leaves_early_is_not_an_error(workspace: Path) -> None:
    command = [sys.executable, "-m", "likewise", "query", "select * from emoji", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.read() == b""
    process.wait()


@pytest.mark.usefixtures("measured_programs")
def test_ctrl_c_says_how_to_go_on(workspace: Path) -> None:
    program = (
        "import os, signal, sys, likewise\n"
        "from likewise.cli.app import main\n"
        "likewise.datasets = lambda **_: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.argv = ['likewise', 'list']\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr == "likewise: stopped; run the same command again to resume\n"


@pytest.mark.usefixtures("measured_programs")
def test_a_text_that_the_terminal_cannot_show_is_escaped(workspace: Path) -> None:
    command = [sys.executable, "-m", "likewise", "query", "select 'Zürich' as city"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert (done.stdout, done.stderr) == ("city\nZ\\xfcrich\n", "")
