"""The routes of tags, selections and likely wrong labels."""

from pathlib import Path
from typing import Any

import pytest

import forked
import likewise
from page_client import Page

pytestmark = pytest.mark.torch

HOUSES = ["0_fluent.jpg", "0_noto.jpg"]
TAGS, SELECTIONS = "/api/d/emoji/tags", "/api/d/emoji/selections"


def text(root: Path, name: str) -> bytes | None:
    path = root / "catalog" / "emoji" / name
    return path.read_bytes() if path.is_file() else None


def test_tags_are_those_of_the_command_and_python(page: Page, workspace: Path) -> None:
    done = page.post(TAGS, json={"items": HOUSES, "add": ["house", "öffnung 2"]})
    assert (done["changed"], done["tags"]) == (4, {"house": 2, "öffnung 2": 2})
    written = text(workspace, "tags.csv")
    page.post(TAGS, json={"items": HOUSES, "remove": ["house", "öffnung 2"]})
    likewise.tag("emoji", HOUSES, add=["house", "öffnung 2"])
    assert text(workspace, "tags.csv") == written
    likewise.tag("emoji", HOUSES, remove=["house", "öffnung 2"])
    words = ("tag", "emoji", *HOUSES, "--add", "house", "--add", "öffnung 2")
    assert forked.run(workspace, "likewise", *words).returncode == 0
    assert text(workspace, "tags.csv") == written
    assert page.get(TAGS)["tags"] == {"house": 2, "öffnung 2": 2}


def test_tags_are_a_facet_and_a_filter_at_once(page: Page) -> None:
    before = page.get("/api/d/emoji/facets")
    assert before["facets"][0]["column"] != "tags"
    page.post(TAGS, json={"items": HOUSES, "add": ["house"]})
    page.post(
        TAGS, json={"items": [HOUSES[0], "200_noto.jpg"], "add": ['it\'s "odd"']}, status=422
    )
    page.post(TAGS, json={"items": [HOUSES[0], "200_noto.jpg"], "add": ["to look at"]})
    facet = page.get("/api/d/emoji/facets")["facets"][0]
    assert (facet["column"], facet["kind"]) == ("tags", "list")
    assert {one["value"]: one["count"] for one in facet["values"] if one["value"]} == {
        "house": 2,
        "to look at": 2,
    }
    version = before["v"]
    tagged = page.get(f"/api/d/emoji/page?f.tags=house&v={version}")
    assert (tagged["total"], tagged["columns"]["item_id"]) == (2, HOUSES)
    assert page.get("/api/d/emoji/page?f.tags=house&f.tags=to look at")["total"] == 3
    empty = page.get("/api/d/emoji/page?f.tags=&limit=30")
    assert empty["total"] == 24 - 3
    assert page.get(f"/api/d/emoji/item/{HOUSES[0]}")["item"]["tags"] == ["house", "to look at"]
    rows = likewise.query(tagged["copy"]["sql"])
    assert rows["item_id"].to_list() == HOUSES
    assert len(likewise.query(empty["copy"]["sql"])) == 21
    page.refused("/api/d/emoji/page?sort=tags", 404)
    likewise.tag("emoji", HOUSES, remove=["house"])
    assert page.get("/api/d/emoji/page?f.label=0&f.tags=to look at")["total"] == 1


def test_a_selection_is_that_of_the_command_and_python(page: Page, workspace: Path) -> None:
    done = page.post(SELECTIONS, json={"name": "chosen", "items": [*HOUSES, "200_noto.jpg"]})
    assert (done["items"], done["added"]) == (3, 3)
    query = "?f.label=0&f.label=200&where=item_id LIKE '%25noto%25'"
    done = page.post(SELECTIONS + query, json={"name": "filtered"})
    assert done["items"] == 2
    everything = page.post(SELECTIONS, json={"name": "all"})
    assert everything["items"] == 24
    written = {
        name: text(workspace, f"selections/{name}.csv") for name in ("chosen", "filtered")
    }
    for name in written:
        (workspace / "catalog" / "emoji" / "selections" / f"{name}.csv").unlink()
    likewise.select("emoji", "chosen", ["200_noto.jpg", *HOUSES])
    where = "label IN ('0', '200') AND item_id LIKE '%noto%'"
    words = ("select", "emoji", "filtered", "--where", where)
    assert forked.run(workspace, "likewise", *words).returncode == 0
    for name, content in written.items():
        assert text(workspace, f"selections/{name}.csv") == content
    names = [one["name"] for one in page.get(SELECTIONS)["selections"]]
    assert names == ["all", "chosen", "filtered"]
    assert page.get("/api/d/emoji/page?f.selections=chosen")["total"] == 3
    page.post(f"{SELECTIONS}?f.selections=chosen&f.label=0", json={"name": "both"})
    assert likewise.browse("emoji", selection="both").total == 2


def test_a_filter_of_an_older_version_selects_nothing(page: Page, workspace: Path) -> None:
    version = page.get("/api/d/emoji/page")["v"]
    likewise.correct("emoji", HOUSES, {"label": "200"})
    likewise.publish("emoji")
    address = f"{SELECTIONS}?f.label=0&v={version}"
    fault = page.post(address, json={"name": "houses"}, status=409)
    assert "a newer version of emoji is here" in fault["what"]
    assert text(workspace, "selections/houses.csv") is None


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    (TAGS, {"items": HOUSES}),
    (TAGS, {"items": [], "add": ["a"]}),
    (TAGS, {"items": HOUSES, "add": "house"}),
    (TAGS, {"items": HOUSES, "add": ["=1+1"]}),
    (TAGS, {"items": HOUSES, "add": ["a\x1b[2J"]}),
    (TAGS, {"items": HOUSES, "add": ["../tag"] * 2, "remove": [5]}),
    (TAGS, {"items": ["../../params.yaml"], "add": ["a"]}),
    (TAGS, {"items": HOUSES, "add": [f"t{number}" for number in range(51)]}),
    (SELECTIONS, {"items": HOUSES}),
    (SELECTIONS, {"name": "../houses", "items": HOUSES}),
    (SELECTIONS, {"name": "a/b", "items": HOUSES}),
    (SELECTIONS, {"name": "Houses", "items": HOUSES}),
    (SELECTIONS, {"name": "x\x00", "items": HOUSES}),
    (SELECTIONS, {"name": "x" * 201, "items": HOUSES}),
    (SELECTIONS, {"name": ["x"], "items": HOUSES}),
    (f"{SELECTIONS}?where=1 = 1) OR (1 = 1", {"name": "x"}),
    (f"{SELECTIONS}?f.label=nothing'", {"name": "x"}),
]


@pytest.mark.parametrize(("address", "body"), HOSTILE)
def test_a_hostile_body_changes_nothing(
    page: Page, workspace: Path, address: str, body: dict[str, Any]
) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*.csv")}
    answer = page.client.post(address, json=body, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["what"]
    assert {path: path.read_bytes() for path in workspace.rglob("*.csv")} == before


def test_likely_wrong_labels_are_a_queue_of_the_filter(page: Page) -> None:
    address = "/api/d/emoji/suspects?model=tiny"
    assert page.get(address)["compared"] is False
    job = page.post("/api/d/emoji/suspects", json={"model": "tiny"}, status=202)["id"]
    assert page.ended(job)["job"]["state"] == "done"
    found = likewise.suspects("emoji", "tiny").rows
    queue = page.get(address)
    assert queue["compared"] is True
    assert queue["total"] == len(found) > 2
    assert [one["item_id"] for one in queue["suspects"]] == found["item_id"].to_list()
    assert {one["item_id"] for one in queue["suspects"][0]["neighbours"]} < queue[
        "pictures"
    ].keys()
    label = queue["suspects"][0]["label"]
    own = page.get(f"{address}&f.label={label}&limit=1")
    assert own["total"] == (found["label"] == label).sum()
    assert len(own["suspects"]) == 1
    page.refused("/api/d/emoji/suspects", 422)
    page.refused("/api/d/emoji/suspects?model=other", 404)
    page.post("/api/d/emoji/suspects", json={"model": ["tiny"]}, status=422)
    page.post("/api/d/emojy/suspects", json={"model": "tiny"}, status=404)
