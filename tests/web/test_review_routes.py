"""The routes of reviews: pairs of pictures, verdicts, and the files they write."""

import json
from pathlib import Path

import pytest

import forked
import likewise
from catalogues import copied, once
from likewise.web.settings import Settings
from page_client import OWN, opened
from reviewed_drawings import make_copies

JSON = {"content-type": "application/json"}
REVIEW = "/api/d/toys/review"


@pytest.fixture(scope="module")
def _copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once(tmp_path_factory, "copies", make_copies)


@pytest.fixture
def copies(_copies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return copied(_copies, tmp_path / "copies", monkeypatch)


def test_a_doubt_has_both_pictures(copies: Path) -> None:
    with opened() as page:
        shown = page.get(f"{REVIEW}?show=all")
        assert page.get("/d/toys/review.json?show=all") == shown
        pairs = {
            d["name"]: ((d["first"] or {}).get("item_id"), (d["second"] or {}).get("item_id"))
            for d in shown["doubts"]
        }
        assert pairs == {
            "duplicate": ("b/2.jpg", "a/2.jpg"),
            "leak": ("c/x.jpg", "a/0.jpg"),
            "near_duplicate": ("b/1.jpg", "a/1.jpg"),
        }
        leak = next(d for d in shown["doubts"] if d["name"] == "leak")
        assert leak["second"]["dataset"] == "old"
        for side in ("first", "second"):
            answer = page.client.get(leak[side]["url"], headers=OWN)
            assert answer.headers["content-type"] == "image/jpeg"
        assert (shown["open"], shown["judged"], shown["total"]) == (3, 0, 3)
        one = page.get(f"{REVIEW}?flag=leak&limit=1")
        assert [d["name"] for d in one["doubts"]] == ["leak"]
        page.refused(f"{REVIEW}?show=some", 422)
        page.refused("/api/d/toy/review", 404)


def test_a_verdict_of_the_page_and_of_the_command_are_the_same_bytes(copies: Path) -> None:
    file = copies / "catalog" / "toys" / "reviews.csv"
    ids = [doubt.id for doubt in likewise.reviews("toys").doubts]
    given = [("kept", "two cameras, öffen"), ("dropped", ""), ("wrong", 'a "quote"')]
    for one, (verdict, note) in zip(ids, given, strict=True):
        words = ("review", "toys", one, f"--verdict={verdict}", f"--note={note}")
        done = forked.run(copies, "likewise", *words, "--expect=none")
        assert done.returncode == 0, done.stderr
    by_command = file.read_bytes()
    assert forked.run(copies, "likewise", "review", "toys", *ids, "--undo").returncode == 0
    with opened() as page:
        answers = [
            page.post(
                f"{REVIEW}s",
                json={"ids": [one], "verdict": verdict, "note": note, "expect": None},
            )
            for one, (verdict, note) in zip(ids, given, strict=True)
        ]
        assert [(one["open"], one["judged"]) for one in answers] == [(2, 1), (1, 2), (0, 3)]
        assert file.read_bytes() == by_command
        assert page.get(REVIEW)["doubts"] == []
        judged = page.get(f"{REVIEW}?show=judged")["doubts"]
        assert [(d["verdict"], d["note"] or "") for d in judged] == given
        page.post(f"{REVIEW}s", json={"ids": ids[:1], "verdict": None, "expect": "kept"})
        assert page.get(REVIEW)["open"] == 1


def test_a_verdict_of_somebody_else_is_not_replaced(copies: Path) -> None:
    one = likewise.reviews("toys").doubts[0].id
    likewise.review("toys", [one], verdict="kept")
    before = (copies / "catalog" / "toys" / "reviews.csv").read_bytes()
    with opened() as page:
        body = {"ids": [one], "verdict": "wrong", "expect": None}
        fault = page.post(f"{REVIEW}s", json=body, status=409)
        assert fault["changes"] == [
            {"item_id": one, "column": "verdict", "present": "kept", "expected": None}
        ]
        assert "is kept, not open as expected; nothing was changed" in fault["what"]
    assert (copies / "catalog" / "toys" / "reviews.csv").read_bytes() == before
    done = forked.run(
        copies, "likewise", "review", "toys", one, "--verdict=wrong", "--expect=none"
    )
    assert done.returncode == 4
    assert likewise.review("toys", [one], verdict="wrong", expect="kept").changed == 1


def test_a_note_of_somebody_else_is_not_replaced(copies: Path) -> None:
    one = likewise.reviews("toys").doubts[0].id
    likewise.review("toys", [one], verdict="kept", note="two cameras")
    seen = {"ids": [one], "verdict": "kept", "note": "mine", "expect": "kept"}
    with opened() as page:
        fault = page.post(f"{REVIEW}s", json={**seen, "expect_note": ""}, status=409)
        assert fault["changes"] == [
            {"item_id": one, "column": "note", "present": "two cameras", "expected": None}
        ]
        assert "is 'two cameras', not '' as expected; nothing was changed" in fault["what"]
        both = {**seen, "expect": None, "expect_note": "one camera"}
        fault = page.post(f"{REVIEW}s", json=both, status=409)
        assert [change["column"] for change in fault["changes"]] == ["verdict", "note"]
        page.post(f"{REVIEW}s", json={**seen, "expect_note": 5}, status=422)
        page.post(f"{REVIEW}s", json={**seen, "expect_note": "two cameras"})
    [doubt] = [d for d in likewise.reviews("toys", judged=True).doubts if d.id == one]
    assert doubt.note == "mine"
    words = ("likewise", "review", "toys", one, "--verdict=kept", "--expect-note=two cameras")
    assert forked.run(copies, *words).returncode == 4


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ids": ["0" * 16], "verdict": "kept"}, 404),
        ({"ids": [], "verdict": "kept"}, 422),
        ({"ids": "all", "verdict": "kept"}, 422),
        ({"ids": [1], "verdict": "kept"}, 422),
        ({"ids": ["ID"], "verdict": "maybe"}, 422),
        ({"ids": ["ID"], "verdict": ["kept"]}, 422),
        ({"ids": ["ID"], "verdict": "kept", "expect": "maybe"}, 422),
        ({"ids": ["ID"], "verdict": "kept", "note": "=cmd"}, 422),
        ({"ids": ["ID"], "verdict": "kept", "note": "a\nb"}, 422),
        ({"ids": ["ID"], "verdict": "kept", "note": "\ud800"}, 422),
        ({"ids": ["ID"], "verdict": "kept", "note": 5}, 422),
        ([], 422),
    ],
)
def test_a_wrong_verdict_is_refused(copies: Path, body: object, status: int) -> None:
    known = likewise.reviews("toys").doubts[0].id
    if isinstance(body, dict) and body["ids"] == ["ID"]:
        body = {**body, "ids": [known]}
    with opened() as page:
        page.post(f"{REVIEW}s", content=json.dumps(body), status=status, headers=JSON)
    assert not (copies / "catalog" / "toys" / "reviews.csv").exists()


def test_a_read_only_page_takes_no_verdict(copies: Path) -> None:
    one = likewise.reviews("toys").doubts[0].id
    with opened(Settings(port=8642, read_only=True)) as page:
        answer = page.client.post(
            f"{REVIEW}s", json={"ids": [one], "verdict": "kept"}, headers={**OWN, **JSON}
        )
        assert answer.status_code in (404, 405)
        assert page.get(REVIEW)["open"] == 3
