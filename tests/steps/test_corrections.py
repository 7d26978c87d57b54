"""Corrections: a text that people edit and git merges."""

import json
from pathlib import Path

import polars as pl
import pytest

import forked
import likewise
from curated_files import HOUSES, lines_of
from likewise.catalogue import corrections
from likewise.catalogue.corrections import Key, Value
from likewise.errors import ChangedValueError, DataError
from likewise.storage.workspace import Workspace

A, B, C = (Key(name, "label") for name in "abc")


def value(text: str | None, was: str | None = "x") -> Value:
    return Value(text, was)


def test_the_text_is_read_as_it_was_written() -> None:
    made = {C: value('say "hi", you'), A: value(None), Key("b,\n", "split"): value("val", None)}
    text = corrections.text(made)
    assert corrections.parse(text, "f") == made
    assert text == corrections.text(dict(reversed(made.items())))
    assert text.splitlines()[0] == "item_id,column,value,was"
    assert corrections.parse(corrections.text({}), "f") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n", "f: its first line is not item_id,column,value,was"),
        ("item_id,column,value,was\na,label\n", "f: line 2 does not have 4 fields$"),
        ("item_id,column,value,was\n<<<<<<< ours\n", "git's markers of a conflict"),
        ("item_id,column,value,was\na,l,1,2\na,l,2,2\n", "line 3: l of 'a' is repeated"),
        ('item_id,column,value,was\n"a,l,1,2\n', "f: not a CSV file"),
    ],
)
def test_a_wrong_file_is_named(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        corrections.parse(text, "f")


def test_three_ways() -> None:
    base = {A: value("1"), B: value("1")}
    ours = {A: value("2"), B: value("1"), C: value("5")}
    theirs = {A: value("1"), C: value("5", "another")}
    merged, conflicts = corrections.merge(base, ours, theirs)
    assert merged == {A: value("2"), C: value("5")}  # the other side has removed B
    assert conflicts == {}
    merged, conflicts = corrections.merge(base, ours, {A: value("3"), B: value("1")})
    assert merged == ours
    assert conflicts == {A: (value("2"), value("3"))}
    merged, conflicts = corrections.merge(base, {B: value("1")}, {A: value("3"), B: value("1")})
    assert conflicts == {A: (None, value("3"))}
    assert merged == {B: value("1")}


def test_items_are_corrected_and_others_left(workspace: Path) -> None:
    ws = Workspace(workspace)
    items = pl.DataFrame({"item_id": ["a", "b"], "label": ["x", "y"], "year": [1, 2]})
    made = {A: value("z"), Key("b", "year"): value("7", "2"), C: value("gone")}
    corrections.write(ws.corrections("emoji"), {**made, Key("a", "nose"): value("long")})
    found = corrections.correct_items(ws, "emoji", items)
    assert found.to_dicts() == [
        {"item_id": "a", "label": "z", "year": 1},
        {"item_id": "b", "label": "y", "year": 7},
    ]
    for key, said in (
        (Key("a", "year"), "year takes Int64, not 'z'"),
        (Key("a", "box"), "box"),
    ):
        corrections.write(ws.corrections("emoji"), {key: value("z")})
        with pytest.raises(DataError, match=said):
            corrections.correct_items(ws, "emoji", items.with_columns(box=1))


def test_what_cannot_be_corrected_is_reported(workspace: Path) -> None:
    with pytest.raises(DataError, match=r"emoji has no item 1_noto.jpg; did you mean"):
        likewise.correct("emoji", ["1_noto.jpg"], {"label": "2"})
    with pytest.raises(DataError, match="no column 'lable' to correct; did you mean 'label'"):
        likewise.correct("emoji", ["0_noto.jpg"], {"lable": "2"})
    with pytest.raises(DataError, match="no column 'box' to correct"):
        likewise.correct("emoji", ["0_noto.jpg"], {"box": "[1]"})
    assert not (workspace / "catalog" / "emoji" / "corrections.csv").exists()


def test_a_label_that_goes_takes_its_text_along(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "1000"}, workspace=workspace)
    likewise.correct("emoji", ["0_noto.jpg"], {"label": None}, workspace=workspace)
    said = (workspace / "catalog/emoji/corrections.csv").read_text("utf-8").splitlines()
    assert [line.split(",")[:3] for line in said[1:]] == [
        ["0_noto.jpg", "label", ""],
        ["0_noto.jpg", "text", ""],
    ]


def test_a_label_that_no_item_has_is_reported_once(workspace: Path) -> None:
    done = likewise.correct("emoji", ["0_noto.jpg"], {"label": "2000"}, workspace=workspace)
    assert (done.new_label, done.nearest_label) == ("2000", "200")
    again = likewise.correct("emoji", ["200_noto.jpg"], {"label": "2000"}, workspace=workspace)
    assert again.new_label is None
    known = likewise.correct("emoji", ["0_noto.jpg"], {"label": "400"}, workspace=workspace)
    assert known.new_label is None


def test_a_file_that_somebody_edits_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "emoji" / "corrections.csv"
    file.parent.mkdir()
    empty = {Key("a", "label"): Value("", "x")}  # an empty cell is None
    for number in range(6):  # more than are kept
        corrections.write(file.with_name(f"{number}.csv"), empty)
    corrections.write(file, {Key("a", "label"): Value("y", "x")})
    assert corrections.read(file) == {Key("a", "label"): Value("y", "x")}
    file.write_text(file.read_text("utf-8").replace(",y,", ",z,"), "utf-8")
    assert corrections.read(file)[Key("a", "label")].value == "z"
    corrections.write(file, empty)
    assert corrections.read(file)[Key("a", "label")].value is None


def test_a_value_that_was_not_seen_is_not_replaced(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "400"}, expect={"label": "0"})
    before = lines_of(workspace, "corrections.csv")
    with pytest.raises(
        ChangedValueError, match=r"label of '0_noto\.jpg' is '400', not '0'"
    ) as e:
        likewise.correct("emoji", HOUSES[:2], {"label": "200"}, expect={"label": "0"})
    assert e.value.changes == [("0_noto.jpg", "label", "400", "0")]
    assert lines_of(workspace, "corrections.csv") == before
    shown = forked.run(
        workspace, "likewise", "correct", "emoji", "0_noto.jpg", "--label=1", "--expect=0"
    )
    assert shown.returncode == 4
    assert "'400', not '0' as expected; nothing was changed" in shown.stderr
    done = forked.run(
        workspace, "likewise", "correct", "emoji", "0_noto.jpg", "--label=0", "--expect=400"
    )
    assert done.returncode == 0, done.stderr
    assert lines_of(workspace, "corrections.csv") == ["item_id,column,value,was"]


def test_many_values_are_set_and_undone_together(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "400"})
    before = lines_of(workspace, "corrections.csv")
    new = {"0_noto.jpg": "200", "0_fluent.jpg": "400"}
    done = likewise.correct("emoji", list(new), {"label": new})
    assert done.before["label"] == {"0_noto.jpg": "400", "0_fluent.jpg": "0"}
    assert [line.split(",")[:3] for line in lines_of(workspace, "corrections.csv")[1::2]] == [
        ["0_fluent.jpg", "label", "400"],
        ["0_noto.jpg", "label", "200"],
    ]
    likewise.correct("emoji", list(new), done.before, expect={"label": new})
    assert lines_of(workspace, "corrections.csv") == before
    mixed = {"0_noto.jpg": "pony", "0_fluent.jpg": "400"}  # only one of them has a text
    done = likewise.correct("emoji", list(mixed), {"label": mixed})
    likewise.correct("emoji", list(mixed), done.before, expect=done.after)
    assert lines_of(workspace, "corrections.csv") == before
    with pytest.raises(
        DataError, match=r"no value of label is given for the item '0_noto\.jpg'"
    ):
        likewise.correct("emoji", ["0_noto.jpg"], {"label": {"0_fluent.jpg": "1"}})


def test_pending_corrections_are_those_that_the_table_lacks(workspace: Path) -> None:
    assert likewise.pending("emoji").rows == []
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "2000"})
    rows = [
        (p.item_id, p.column, p.published, p.corrected) for p in likewise.pending("emoji").rows
    ]
    assert rows == [("0_noto.jpg", "label", "0", "2000")]
    printed = forked.run(workspace, "likewise", "pending", "emoji", "--json")
    assert json.loads(printed.stdout)["rows"][0]["corrected"] == "2000"
    file = workspace / "catalog" / "emoji" / "corrections.csv"
    file.write_text(file.read_text("utf-8") + "gone.jpg,label,1,0\n", "utf-8")
    likewise.publish("emoji")
    found = likewise.pending("emoji")
    assert (found.rows, found.unknown, found.corrections) == ([], ["gone.jpg"], 2)
