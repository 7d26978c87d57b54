"""The routes of versions: the commits of a data set, and the difference of two."""

from pathlib import Path

import pytest

import likewise
from page_client import OWN, opened

pytestmark = [pytest.mark.torch, pytest.mark.dvc]


def test_versions_and_their_difference(alice: Path) -> None:
    with opened() as page:
        listed = page.get("/api/d/emoji/versions")
        assert page.get("/d/emoji/versions.json") == listed
        assert [one["names"][0] for one in listed["versions"]] == ["v2", "v1"]
        assert listed["items"] == 23
        shown = page.get("/api/d/emoji/diff?a=v1&b=v2")
        found = likewise.diff("emoji", "v1", "v2")
        assert shown["counts"] == found.counts
        assert shown["items"] == [24, 23]
        by_id = {one["item_id"]: one for one in shown["changed"]}
        moved = by_id["0_znoto.jpg"]
        assert moved["second"]["label"] == "0"
        assert moved["first"]["label"] == "1000"
        assert by_id["400_fluent.jpg"]["second"] is None
        for side in (moved["first"], by_id["400_fluent.jpg"]["first"]):
            answer = page.client.get(side["thumb"], headers=OWN)
            assert answer.headers["content-type"] == "image/jpeg"
        one = page.get("/api/d/emoji/diff?a=v1&b=v2&change=removed&limit=1")
        assert [row["item_id"] for row in one["changed"]] == ["400_fluent.jpg"]
        page.refused("/api/d/emoji/diff", 422)
        page.refused("/api/d/emoji/diff?a=v9", 404)


def test_the_difference_has_tags_of_the_checkout(alice: Path) -> None:
    with opened() as page:
        assert page.get("/api/d/emoji/diff?a=v2")["curated"] == {}
        likewise.tag("emoji", ["0_noto.jpg"], add=["old house"])
        shown = page.get("/api/d/emoji/diff?a=v2")
        committed = page.get("/api/d/emoji/diff?a=v2&b=v2")
        assert (committed["curated"], committed["b"]) == ({}, "v2")
    assert shown["curated"] == {"tags": [1, 0]}
    assert shown["curated_rows"] == [
        {"file": "tags", "change": "added", "item_id": "0_noto.jpg", "value": "old house"}
    ]
    likewise.diff("emoji", "v2").to_html(alice / "diff.html")
    text = (alice / "diff.html").read_text("utf-8")
    assert "Tags, verdicts and selections" in text
    assert "old house" in text
    assert "The versions are equal" not in text
    assert "| tags | added | 0_noto.jpg" in likewise.diff("emoji", "v2").to_markdown()
