"""Tags: people write them, no stage reads them, and they are a column at once."""

from pathlib import Path

import pytest

import likewise
from curated_files import HOUSES, lines_of
from likewise.catalogue import item_tags
from likewise.errors import LikewiseError


def test_tags_are_a_list_column_at_once(workspace: Path) -> None:
    done = likewise.tag("emoji", where="label = '0'", add=["house", "öffnung 2"])
    assert (done.changed, done.tags) == (2 * 4, {"house": 4, "öffnung 2": 4})
    likewise.tag("emoji", ["0_noto.jpg"], remove=["house"])
    likewise.tag("emoji", ["200_noto.jpg"], add=["house"])
    assert lines_of(workspace, "tags.csv")[:3] == [
        "item_id,tag",
        "0_fluent.jpg,house",
        "0_fluent.jpg,öffnung 2",
    ]
    where = "array_has(tags, 'house')"
    opened = likewise.open("emoji")
    browsed = opened.browse(where=where, facets=["tags"])
    assert browsed.total == 4
    assert browsed.counts["tags"].rows() == [("house", 4), ("öffnung 2", 3)]
    assert opened.browse(where="NOT array_has(tags, 'house')").total == len(opened) - 4
    assert opened["200_noto.jpg"]["tags"] == ["house"]
    hits = opened.search(id="200_fluent.jpg", where=where, k=100)
    assert sorted(hits["item_id"]) == sorted({*HOUSES} - {"0_noto.jpg"} | {"200_noto.jpg"})
    sql = "SELECT item_id FROM emoji WHERE array_contains(tags, 'house')"
    assert sorted(likewise.query(sql)["item_id"]) == sorted(hits["item_id"])
    assert likewise.query("SELECT count(*) AS n FROM emoji")[0] == {"n": len(opened)}
    frame = opened.frame().select("item_id", "tags").collect()
    assert frame["tags"].list.len().sum() == 8
    catalogue = likewise.open()
    assert catalogue.version(opened) == catalogue.version("emoji")  # no new version to look at
    likewise.tag("emoji", HOUSES, remove=["house", "öffnung 2"])
    likewise.tag("emoji", ["200_noto.jpg"], remove=["house"])
    assert "tags" not in likewise.open("emoji").items.columns


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("=1+1", "is not a tag"),
        ("", "is not a tag"),
        ("a\x1b[2J", "is not a tag"),
        ("a,b", "is not a tag"),
        ("x" * 65, "is not a tag"),
        ("end ", "is not a tag"),
        ("\u202eb", "is not a tag"),
    ],
)
def test_a_hostile_tag_is_refused(name: str, said: str) -> None:
    assert said in item_tags.tag_fault(name)


def test_what_cannot_be_tagged_is_reported(workspace: Path) -> None:
    for options, said in (
        ({"items": ["1_noto.jpg"], "add": ["a"]}, "emoji has no item 1_noto.jpg; did"),
        ({"add": ["a"]}, "no items are given"),
        ({"items": ["0_noto.jpg"]}, "no tag is given"),
        ({"items": ["0_noto.jpg"], "add": ["a"], "remove": ["a"]}, "added and removed"),
        ({"where": "label", "add": ["a"]}, "is not a condition"),
        ({"items": "0_noto.jpg", "add": ["a"]}, "give a list of ids"),
        ({"items": ["0_noto.jpg"], "add": "a"}, "give a list"),
    ):
        with pytest.raises(LikewiseError, match=said):
            likewise.tag("emoji", **options)
    assert not (workspace / "catalog" / "emoji" / "tags.csv").exists()
    assert likewise.tag("emoji").tags == {}


def test_tags_of_items_that_are_gone_can_be_removed(workspace: Path) -> None:
    file = workspace / "catalog" / "emoji" / "tags.csv"
    file.write_text("item_id,tag\ngone.jpg,old\n", "utf-8")
    assert likewise.tag("emoji").unknown == ["gone.jpg"]
    assert likewise.open("emoji").browse(where="array_has(tags, 'old')").total == 0
    assert likewise.tag("emoji", ["gone.jpg"], remove=["old"]).tags == {}
