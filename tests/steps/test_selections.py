"""Selections: lists of items that filter searches, exports and views."""

from pathlib import Path

import pytest

import likewise
from curated_files import HOUSES, lines_of
from likewise.errors import DataError, UnknownNameError


def test_a_selection_is_a_list_that_filters(workspace: Path) -> None:
    done = likewise.select("emoji", "houses", where="label = '0'")
    assert (done.items, done.added, done.removed) == (4, 4, 0)
    assert lines_of(workspace, "selections/houses.csv") == ["item_id", *HOUSES]
    likewise.tag("emoji", HOUSES[:2], add=["a"])
    where = "array_has(selections, 'houses') AND NOT array_has(tags, 'a')"
    assert likewise.select("emoji", "rest", where=where).items == 2
    opened = likewise.open("emoji")
    assert opened.browse(selection="rest", where="label = '0'").total == 2
    assert opened.browse(selection="rest", where="label = '200'").total == 0
    hits = opened.search(id="200_fluent.jpg", selection="houses", k=100)
    assert sorted(hits["item_id"]) == HOUSES
    exported = likewise.export("emoji", "csv", workspace / "out", selection="houses")
    assert exported.items == 4
    table = (workspace / "out" / "items.csv").read_text("utf-8")
    assert "tags" not in table.splitlines()[0]
    assert "selection: houses" in (workspace / "out" / "export.yaml").read_text("utf-8")
    facts = [(one.name, one.items, one.unknown) for one in likewise.selections("emoji")]
    assert facts == [("houses", 4, 0), ("rest", 2, 0)]
    with pytest.raises(UnknownNameError, match="no selection named 'house'; did you mean"):
        opened.browse(selection="house")
    for name, said in (("../x", "cannot name"), ("A", "cannot name"), ("none", "no item")):
        with pytest.raises(DataError, match=said):
            likewise.select("emoji", name, where="label = 'nobody'")
    assert likewise.select("emoji", "rest", ["0_openmoji.jpg"]).removed == 1


def test_a_view_is_a_condition_or_a_selection(workspace: Path) -> None:
    likewise.select("emoji", "houses", HOUSES)
    file = workspace / "catalog" / "emoji" / "selections" / "houses.csv"
    file.write_text(file.read_text("utf-8") + "gone.jpg\n", "utf-8")
    params = workspace / "params.yaml"
    plain = params.read_text("utf-8")
    params.write_text(
        f"{plain}filtered: {{small: {{of: emoji, where: width < 10}}, "
        "two: {of: emoji, where: label = '200'}, "
        "tagged: {of: emoji, where: \"array_has(tags, 'a')\"}}\n"
        "selected: {few: {of: emoji, selection: houses}}\n",
        "utf-8",
    )
    made = likewise.view("two")
    assert (made.items, made.left_out, made.unknown) == (4, 20, 0)
    made = likewise.view("few")
    assert (made.items, made.left_out, made.unknown) == (4, 20, 1)
    assert list(likewise.open("few")) == HOUSES
    likewise.tag("few", HOUSES[:1], add=["a"])
    assert likewise.browse("few", where="array_has(tags, 'a')").total == 1
    assert "in the selection houses" in str(likewise.why("few", "tiny"))
    with pytest.raises(DataError, match="no item of 'emoji' meets its condition"):
        likewise.view("small")
    with pytest.raises(DataError, match="tags are not in the published table"):
        likewise.view("tagged")
    removed = likewise.remove("emoji")
    assert set(removed.entries["filtered"]) == {"small", "tagged", "two"}
    assert removed.entries["selected"] == ["few"]
