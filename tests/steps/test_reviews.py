"""Verdicts on flags: a judged flag is not shown again until its text changes."""

from pathlib import Path

import pytest

import likewise
from curated_files import lines_of
from likewise.errors import LikewiseError


def test_a_judged_flag_comes_back_when_it_changes(workspace: Path) -> None:
    params = workspace / "params.yaml"
    plain = params.read_text("utf-8")
    params.write_text(plain + "checks: {emoji: {min_side: 100, min_bytes: 3000}}\n", "utf-8")
    likewise.measure("emoji")
    first = likewise.check("emoji")
    listed = likewise.reviews("emoji", name="few_bytes")
    assert listed.open == first.flags["few_bytes"]
    assert len({doubt.id for doubt in listed.doubts}) == listed.open
    one, *others = listed.doubts
    likewise.review("emoji", [one.id[:6]], verdict="kept", note="a small file")
    again = likewise.check("emoji")
    assert again.flags.get("few_bytes", 0) == listed.open - 1
    assert (again.judged, likewise.check("emoji", judged=True).flags) == (1, first.flags)
    head, row = lines_of(workspace, "reviews.csv")
    assert head == "kind,name,path,other_dataset,other,id,verdict,note"
    assert row == f"flag,few_bytes,{one.path},,,{one.id},kept,a small file"
    done = likewise.review("emoji", name="few_bytes", verdict="wrong")
    assert (done.changed, done.open) == (len(others), 0)
    kept = likewise.select("emoji", "good", where="true", without=["few_bytes"])
    assert kept.items == len(likewise.open("emoji"))  # no flag counts as right
    likewise.review("emoji", [others[0].id], verdict="dropped")
    assert likewise.select("emoji", "good", without=["few_bytes"]).removed == 1
    # Another threshold changes the text of every flag.
    params.write_text(plain + "checks: {emoji: {min_side: 100, min_bytes: 2999}}\n", "utf-8")
    assert likewise.check("emoji").flags == first.flags
    found = likewise.reviews("emoji")
    assert (found.open, found.judged, found.stale) == (listed.open, 0, listed.open)
    assert likewise.review("emoji", [one.id], verdict=None).changed == 1


def test_what_cannot_be_judged_is_reported(workspace: Path) -> None:
    for options, said in (
        ({"ids": ["0" * 16], "verdict": "kept"}, "no doubt named"),
        ({"verdict": "kept"}, "nothing is chosen"),
        ({"name": "dark", "verdict": "kept"}, "no flag or check named 'dark'"),
        ({"ids": ["0"], "verdict": "fine"}, "'fine' is not a verdict"),
        ({"ids": ["0"], "verdict": "kept", "note": "a\nb"}, "line end"),
        ({"ids": ["0"], "verdict": "kept", "note": "@x"}, "formula"),
        ({"ids": ["0"], "verdict": "kept", "note": "x" * 501}, "501 characters"),
    ):
        with pytest.raises(LikewiseError, match=said):
            likewise.review("emoji", **options)
    assert not (workspace / "catalog" / "emoji" / "reviews.csv").exists()
