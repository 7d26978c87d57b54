"""The routes of runs: two runs query by query, and reports."""

from pathlib import Path

import pytest

import likewise
from page_client import OWN, opened

pytestmark = [pytest.mark.torch, pytest.mark.dvc]

PAIR = "/api/compare/emoji-tiny%40v1/emoji-tiny"


@pytest.fixture
def compared(alice: Path) -> "likewise.Comparison":
    """The comparison of both versions."""
    return likewise.compare("emoji-tiny@v1", "emoji-tiny")


def test_two_versions_of_a_run_are_compared(compared: "likewise.Comparison") -> None:
    with opened() as page:
        answer = page.get(f"{PAIR}?side=broken")
        assert page.get(f"{PAIR.removeprefix('/api')}.json?side=broken") == answer
    assert answer["counts"]["broken"] == len(compared.broken)
    assert answer["counts"]["fixed"] == len(compared.fixed)
    assert sum(answer["counts"].values()) == len(compared.queries)
    main = answer["metrics"][0]
    assert main["first"] == compared.rows[0].first
    assert main["first_interval"][0] <= main["first"] <= main["first_interval"][1]
    assert {q["item_id"] for q in answer["queries"]} == {q.item_id for q in compared.broken}
    for query in answer["queries"]:
        before, after = query["hits"]
        assert next(h for h in before if h["item_id"] != query["item_id"])["relevant"]
        assert not next(h for h in after if h["item_id"] != query["item_id"])["relevant"]
        assert query["thumb"].startswith("/t/")


def test_queries_are_sorted_by_loss_and_paged(compared: "likewise.Comparison") -> None:
    with opened() as page:
        losses = page.get(f"{PAIR}?sort=loss&limit=100")["queries"]
        deltas = [query["delta"] for query in losses if query["delta"] is not None]
        assert deltas == sorted(deltas)
        gains = page.get(f"{PAIR}?sort=gain&limit=5&offset=2")
        assert gains["total"] == len(losses)
        assert [q["delta"] for q in gains["queries"]] == deltas[::-1][2:7]
        subset = page.get(f"{PAIR}?subset=faces&limit=100")
        assert {query["subset"] for query in subset["queries"]} <= {"faces"}


def test_unknown_runs_and_sides_are_refused(compared: "likewise.Comparison") -> None:
    with opened() as page:
        page.refused("/api/compare/emoji-tinny/emoji-tiny", 404)
        page.refused("/api/compare/emoji-tiny%40v9/emoji-tiny", 404)
        page.refused(f"{PAIR}?side=both", 422)


def test_a_report_is_shown_without_rights(alice: Path) -> None:
    with opened() as page:
        fault = page.refused("/report/emoji-tiny.html", 409)
        assert fault["next"] == "likewise report emoji-tiny"
        written = likewise.report("emoji-tiny")
        answer = page.client.get("/report/emoji-tiny.html", headers=OWN)
        assert answer.text == (alice / written.page).read_text("utf-8")
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src")
        assert "allow-scripts" not in answer.headers["content-security-policy"]
        page.refused("/report/emoji-tinny.html", 404)


def test_the_item_shows_its_runs(alice: Path) -> None:
    with opened() as page:
        assert page.get("/api/sets")["sets"][0]["runs"][0]["metric"] == "all"
