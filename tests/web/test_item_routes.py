"""The routes of one item, and of its pictures."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

import likewise
from page_client import OWN, Page, opened

pytestmark = pytest.mark.torch

ITEM = "200_noto.jpg"


def test_an_item_has_all_columns_and_its_neighbours_in_order(page: Page) -> None:
    answer = page.get(f"/api/d/emoji/item/{ITEM}")
    items = likewise.open("emoji").items
    row = items["item_id"].to_list().index(ITEM)
    assert answer["row"] == row
    assert answer["item"] == items.row(row, named=True)
    assert answer["previous"] == items["item_id"][row - 1]
    assert answer["next"] == items["item_id"][row + 1]
    assert answer["missing"] is None
    assert answer["licence"]["spdx"] == "CC-BY-SA-4.0"
    assert page.get(f"/d/emoji/i/{ITEM}.json") == answer


def test_the_first_and_the_last_item_end_the_order(page: Page) -> None:
    ids = likewise.open("emoji").items["item_id"].to_list()
    assert page.get(f"/api/d/emoji/item/{ids[0]}")["previous"] is None
    assert page.get(f"/api/d/emoji/item/{ids[-1]}")["next"] is None


def test_an_unknown_item_names_similar_ones(page: Page) -> None:
    fault = page.refused("/api/d/emoji/item/200_notto.jpg", 404)
    assert ITEM in fault["what"]


def test_a_picture_is_the_file_unchanged(page: Page, workspace: Path) -> None:
    url = page.get(f"/api/d/emoji/item/{ITEM}")["picture"]["url"]
    answer = page.client.get(url, headers=OWN)
    assert answer.content == (workspace / "emoji" / "images" / ITEM).read_bytes()
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_thumbnail_is_small_and_kept(page: Page, workspace: Path) -> None:
    url = page.get("/api/d/emoji/page?limit=1")["thumbs"][0].replace("/256.jpg", "/64.jpg")
    answer = page.client.get(url, headers=OWN)
    assert max(Image.open(io.BytesIO(answer.content)).size) == 64
    content = page.get("/api/d/emoji/page?limit=1")["columns"]["content"][0]
    assert answer.headers["etag"] == f'"{content}"'
    assert list((workspace / ".likewise").glob("thumbnails-*.sqlite"))
    assert page.body(url) == answer.content


def test_a_picture_is_found_without_a_hint_and_with_a_wrong_one(page: Page) -> None:
    url = page.get("/api/d/emoji/page?limit=1&offset=3")["thumbs"][0]
    plain, _, _ = url.partition("&p=")
    assert page.body(plain) == page.body(f"{plain}&p=9") == page.body(url)


@pytest.mark.parametrize(
    "address",
    [
        "/t/x/256.jpg?d=emoji",
        f"/t/{'0' * 64}/100.jpg?d=emoji",
        "/img/params.yaml?d=emoji",
        f"/img/{'0' * 63}G?d=emoji",
    ],
)
def test_only_hashes_name_pictures(page: Page, address: str) -> None:
    page.refused(address, 422)


def test_a_picture_of_no_item_is_unknown(page: Page) -> None:
    page.refused(f"/img/{'0' * 64}?d=emoji&p=0", 404)
    page.refused(f"/t/{'0' * 64}/256.jpg?d=emoji&p=0", 404)


@pytest.mark.dvc
def test_pixels_that_were_not_pulled_are_grey_and_name_the_command(
    bob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bob)
    likewise.pull(["emoji"], images=False)
    with opened() as page:
        url = page.get("/api/d/emoji/page?limit=1")["thumbs"][0]
        answer = page.client.get(url, headers=OWN)
        assert answer.headers["x-missing"] == "1"
        assert answer.headers["content-type"] == "image/svg+xml"
        found = page.get(f"/api/d/emoji/item/{ITEM}")
        assert found["missing"]["next"] == "likewise pull emoji --images"
        assert not found["missing"]["small"], "the stage thumbs was not run"
        fault = page.refused(found["picture"]["url"], 409)
        assert fault["next"] == "likewise pull emoji --images"
    assert not list(bob.rglob("*.blob")), "the page fetched pixels"


def test_the_context_of_an_item_names_its_runs_and_copies(page: Page) -> None:
    likewise.evaluate("emoji-tiny")
    answer = page.get(f"/api/d/emoji/context/{ITEM}")
    assert answer["same"] == []
    [run] = answer["runs"]
    assert run["run"] == "emoji-tiny"
    assert run["relevant"] == 4
    assert 0 <= run["value"] <= 1
    assert answer["findings"] == []
    assert any(note.startswith("flags: ") for note in answer["notes"])


def test_the_same_pixels_are_found_in_other_items(workspace: Path) -> None:
    images = workspace / "emoji" / "images"
    shutil.copy(images / ITEM, images / "0_copy.jpg")
    likewise.ingest("emoji")
    likewise.embed("emoji", "tiny")
    likewise.publish("emoji")
    with opened() as page:
        same = page.get(f"/api/d/emoji/context/{ITEM}")["same"]
    assert [(one["dataset"], one["item_id"]) for one in same] == [("emoji", "0_copy.jpg")]


def test_why_traces_the_vectors(page: Page) -> None:
    answer = page.get("/api/d/emoji/why?model=tiny")
    facts = {fact["what"]: fact["value"] for fact in answer["facts"]}
    assert facts["model: backbone"] == "test_resnet.r160_in1k"
    page.refused("/api/d/emoji/why?model=tinny", 404)
    page.refused("/api/d/emoji/why", 422)
