"""Output for people: every line fits the terminal, and piped output is complete."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import forked
import likewise
from likewise.cli import output
from likewise.cli.app import app
from likewise.cli.durations import duration_text
from likewise.cli.terminal_text import paragraph
from likewise.cli.text_table import NumberStyle, number_texts, table_lines, text_columns
from likewise.errors import size_text
from terminals import typed, widest

LONG = "folder/" + "x" * 285 + "end.jpg"
CJK = "図書館の写真と絵葉書の記録" * 4 + ".jpg"
TORN = "a\tb\nc\x1b[31m\u202ed.jpg"

MAIN = """\
import sys
from likewise.cli.app import main
for line in sys.argv[1].split("|"):
    sys.argv = ["likewise", *line.split(";")]
    print("$", line)
    try:
        main()
    except SystemExit:
        pass
"""
"""Several commands in one process, which is faster than a process for each."""

LINES = (
    "search;emoji;--id;0_noto.jpg;-k;5",
    "compare;emoji-tiny;emoji-tiny",
    "crosswalk;emoji-tiny",
    "query;select * from emoji limit 2",
    "query;select * from emoji where label = 'none'",
    "list",
    "show;emoji",
    "show;emoji;--labels",
    "describe;emoji",
    "doctor",
    "why;emoji;tiny;0_noto.jpg",
    "findings;emoji",
    "evaluate;emoji-tiny",
    "indexes",
    "kinds",
    "kinds;protocols",
    "kinds;recipes;metric",
    "kinds;indexes;faiss",
    "kinds;protocols;gpr1200",
)


def sections(lines: Sequence[str]) -> dict[str, list[str]]:
    """The lines of each command."""
    parts: dict[str, list[str]] = {}
    command = ""
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            parts[command] = []
        else:
            parts[command].append(line)
    return parts


@pytest.fixture
def evaluated(workspace: Path) -> Path:
    """Add a file that is not an image, and evaluate the run."""
    (workspace / "emoji" / "images" / "Thumbs.db").write_text("no picture", encoding="utf-8")
    likewise.ingest("emoji")
    likewise.evaluate("emoji-tiny")
    return workspace


@pytest.mark.parametrize("columns", [40, 80])
def test_every_line_fits_the_terminal(evaluated: Path, columns: int) -> None:
    lines = typed(["|".join(LINES)], columns, program=("python", "-c", MAIN))
    shown = sections(lines)
    assert len(shown) == len(LINES)
    for line, part in shown.items():
        assert widest(part) <= columns, line
        assert "Traceback" not in "\n".join(part)
        assert any(text.strip().startswith("next: ") for text in part), line
    if columns == 80:
        _check(shown)


def _check(shown: dict[str, list[str]]) -> None:
    search = shown["search;emoji;--id;0_noto.jpg;-k;5"]
    search = search[[line.split()[:1] for line in search].index(["rank"]) :]
    assert search[0].split() == ["rank", "score", "item_id", "label", "text", "subset"]
    scores = [row.split()[1] for row in search[2:7]]
    assert {len(score) for score in scores} == {6}
    assert all(row.split()[2].endswith(".jpg") for row in search[2:7])
    records = shown["query;select * from emoji limit 2"]
    names = [line.split()[0] for line in records if line.strip()]
    assert names.count("item_id") == 2
    assert "box" not in names
    assert any(line.startswith("left out, because they are empty here: ") for line in records)
    crosswalk = shown["crosswalk;emoji-tiny"]
    assert crosswalk[0].split()[:2] == ["definition", "metric"]
    assert any(line.split()[:4] == ["textbook:", "nDCG", "ndcg", "no"] for line in crosswalk)
    assert "published numbers that use" not in "\n".join(crosswalk)
    _check_statistics_and_kinds(shown)
    assert "no rows" in shown["query;select * from emoji where label = 'none'"]
    evaluation = shown["evaluate;emoji-tiny"]
    assert evaluation[-1] == "next: likewise report emoji-tiny"
    assert shown["list"][-1] == "next: likewise show emoji"
    findings = shown["findings;emoji"]
    assert findings[5].split()[:2] == ["not-an-image", "Thumbs.db"]


def _check_statistics_and_kinds(shown: dict[str, list[str]]) -> None:
    statistics = shown["describe;emoji"]
    assert "|" not in "".join(statistics)
    (pixels,) = [line for line in statistics if line.startswith("width (pixels)")]
    assert len(pixels.split()) == 7
    assert statistics[-1] == "next: likewise describe emoji --markdown"
    # Options have the width of the terminal for their descriptions.
    faiss = shown["kinds;indexes;faiss"]
    factory = faiss.index("factory        str; default Flat")
    assert faiss[factory + 1] == "               factory string of the index."
    assert faiss[factory - 1] == ""
    protocol = shown["kinds;protocols;gpr1200"]
    assert not any(line.startswith(("name ", "also ")) for line in protocol)


def test_what_is_piped_is_whole(evaluated: Path) -> None:
    done = forked.run(evaluated, "likewise", "query", f"select '{LONG}' as item_id, 1 as n")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split() == [LONG, "1"]
    assert done.stderr == ""


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("name", [LONG, CJK, TORN])
def test_hostile_ids_are_shortened_in_the_middle_and_escaped(columns: int, name: str) -> None:
    rows = [(1, 0.5, name, name, None), (2, 0.25, "b.jpg", "label", "a text of several words")]
    heads = ("rank", "score", "item_id", "label", "text")
    lines = list(table_lines(text_columns(heads, rows), columns))
    assert widest(lines) <= columns
    assert all(line.isprintable() for line in lines)
    whole = "\n".join(table_lines(text_columns(heads, rows)))
    assert name.encode("unicode_escape").decode() in whole or name in whole
    shown = [word for line in lines for word in line.split() if word.endswith(".jpg")]
    assert shown
    if name == TORN:
        assert "a\\tb\\nc\\x1b[31m\\u202ed.jpg" in whole
    elif columns == 40:
        assert any("…" in word for word in shown)


def test_a_long_name_of_a_fact_is_whole(workspace: Path) -> None:
    facts = f"[('run {'r' * 40}', 'not evaluated'), ('items', '7')]"
    code = f"from likewise.cli.output import print_facts; print_facts({facts})"
    lines = typed([code], 80, program=("python", "-c"))
    assert lines == [f"run {'r' * 40}", " " * 28 + "not evaluated", f"{'items':<28}7"]


def test_the_log_of_a_first_version_does_not_list_all_columns(alice: Path) -> None:
    lines = typed(["log", "emoji"], 100, folder=alice)
    assert any("all columns" in line for line in lines)
    assert widest(lines) <= 100
    piped = forked.run(alice, "likewise", "log", "emoji").stdout.splitlines()
    assert "all columns" not in piped[-1]


def test_describe_is_markdown_in_a_pipe(workspace: Path) -> None:
    printed = CliRunner().invoke(app, ["describe", "emoji"]).stdout
    assert printed == likewise.describe("emoji").to_markdown().rstrip() + "\n"


def test_a_table_of_very_many_columns_becomes_records(workspace: Path) -> None:
    several = ", ".join(f"'{number}' as column_{number}" for number in range(60))
    lines = typed(["query", f"select {several}, '{LONG}' as item_id, '{CJK}' as x"], 80)
    assert widest(lines) <= 80
    assert len([line for line in lines if line.startswith("column_")]) == 60
    (identifier,) = [line.split()[1] for line in lines if line.startswith("item_id")]
    assert identifier.startswith("folder/xxx")
    assert identifier.endswith("end.jpg")
    assert "…" in identifier


@pytest.mark.parametrize(("columns", "most"), [("0", 100), ("60", 60), ("", 100)])
def test_the_variable_columns_sets_the_width(workspace: Path, columns: str, most: int) -> None:
    lines = typed(["query", f"select '{'y' * 300}' as item_id"], 100, COLUMNS=columns)
    assert widest(lines) == most


def test_control_characters_are_escaped_in_every_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_line(f"a {TORN}")
    output.print_note(f"b {TORN}")
    output.print_facts([("name", TORN)])
    output.print_markdown(TORN)
    output.print_json({"id": TORN})
    output.print_frame_json(pl.DataFrame({"id": [TORN]}))
    printed = capsys.readouterr()
    assert not {"\x1b", "\u202e", "\t"} & set(printed.out + printed.err)
    assert json.loads(printed.out.splitlines()[-1]) == [{"id": TORN}]


def test_a_stage_of_dvc_leaves_the_next_step_to_dvc(workspace: Path) -> None:
    for variables, printed in (({}, "next: likewise show emoji\n"), ({"DVC_STAGE": "x"}, "")):
        done = forked.run(workspace, "likewise", "publish", "emoji", **variables)
        assert (done.returncode, done.stderr) == (0, printed)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.5, 0.25, None], ["0.50", "0.25", ""]),
        ([1.0, 2.0], ["1", "2"]),
        ([1, 20000, None], ["1", "20000", ""]),
        ([123456.7, 0.5], ["123456.7", "0.5"]),
        ([0.9951, 1e-17, 0.02], ["0.9951", "0.0000", "0.0200"]),
        ([1e-9, 2e-9], ["1.00000e-09", "2.00000e-09"]),
        ([float("nan"), float("-inf"), 0.125], ["nan", "-inf", "0.125"]),
    ],
)
def test_the_numbers_of_a_column_have_equal_decimals(
    values: list[float | None], texts: list[str]
) -> None:
    assert number_texts(values, NumberStyle()) == texts


def test_numbers_of_own_tables_keep_their_digits() -> None:
    style = NumberStyle(4, grouped=True, strip=False)
    assert number_texts([0.922, 0.5], style) == ["0.9220", "0.5000"]
    assert number_texts([12000, 3], style) == ["12,000", "3"]


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [(0, "0 B"), (999, "999 B"), (89_200, "89.2 kB"), (999_960, "1.0 MB"), (2.5e12, "2.5 TB")],
)
def test_one_style_of_sizes(nbytes: float, text: str) -> None:
    assert size_text(nbytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0123, "12.3 ms"),
        (4.51, "4.5 s"),
        (59.96, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7384, "2 h 03 min"),
    ],
)
def test_one_style_of_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_command_is_broken_where_a_shell_reads_it_as_one() -> None:
    command = "run: likewise correct emoji 'a b c.jpg' " + " ".join(
        f"{n}.jpg" for n in range(9)
    )
    lines = list(paragraph(f"something is wrong with these items; {command}", 40))
    assert widest(lines) <= 40
    start = next(n for n, line in enumerate(lines) if "run: " in line)
    typed_in = "\n".join(lines[start:]).strip().removeprefix("run: ")
    words = subprocess.check_output(["sh", "-c", f"printf '%s|' {typed_in}"], text=True)
    assert words.split("|")[3] == "a b c.jpg"
    assert words.split("|")[-2] == "8.jpg"


def test_the_last_evaluation_names_the_runs_to_compare(workspace: Path) -> None:
    params = workspace / "params.yaml"
    entry = "{dataset: emoji, model: tiny, index: exact, protocol: gpr1200}"
    text = params.read_text("utf-8").rstrip()
    params.write_text(f"{text}\n  emoji-again: {entry}\n", encoding="utf-8")
    printed = []
    for run in ("emoji-tiny", "emoji-again"):
        done = forked.run(workspace, "likewise", "evaluate", run, DVC_STAGE=f"evaluate@{run}")
        assert done.returncode == 0
        printed.append(done.stderr)
    assert printed == ["", "next: likewise compare emoji-tiny emoji-again\n"]
