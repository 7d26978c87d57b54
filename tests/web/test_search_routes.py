"""The routes of search: items, words, pictures, parts of pictures and sketches."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import likewise
from likewise.web.jobs import Job, Progress
from page_client import Page, opened

pytestmark = pytest.mark.torch

ITEM = "200_noto.jpg"


def hits(answer: dict[str, list[dict[str, object]]]) -> list[object]:
    return [hit["item_id"] for hit in answer["hits"]]


def test_items_similar_to_an_item(page: Page) -> None:
    answer = page.get(f"/api/d/emoji/search?id={ITEM}&k=5")
    expected = likewise.search("emoji", id=ITEM, k=5)
    assert hits(answer) == expected["item_id"].to_list()
    assert answer["hits"][0]["score"] == pytest.approx(expected[0].score)
    assert (answer["model"], answer["index"], answer["exact"]) == ("tiny", "exact", True)
    assert answer["more"]
    assert answer["ms"]["total"] > 0
    ids = likewise.open("emoji").items["item_id"].to_list()
    assert [ids[hit["row"]] for hit in answer["hits"]] == hits(answer)
    assert [hit["same"] for hit in answer["hits"]] == [
        str(name).startswith("200_") for name in hits(answer)
    ]


def test_pages_of_hits_join(page: Page) -> None:
    whole = page.get(f"/api/d/emoji/search?id={ITEM}&k=10")
    second = page.get(f"/api/d/emoji/search?id={ITEM}&k=5&offset=5")
    assert hits(whole)[5:] == hits(second)
    assert [hit["rank"] for hit in second["hits"]] == [6, 7, 8, 9, 10]


def test_several_items_and_negative_examples(page: Page) -> None:
    address = f"/api/d/emoji/search?id={ITEM}&id=200_fluent.jpg&k=22"
    both = page.get(address)
    expected = likewise.search("emoji", id=[ITEM, "200_fluent.jpg"], k=22)
    assert hits(both) == expected["item_id"].to_list()
    nearest = page.get(f"{address}&combine=max")
    other = likewise.search("emoji", id=[ITEM, "200_fluent.jpg"], k=22, combine="max")
    assert hits(nearest) == other["item_id"].to_list()
    away = page.get(f"{address}&unlike={hits(both)[0]}")
    assert hits(both)[0] not in hits(away)
    assert away["query"]["unlike"] == [hits(both)[0]]


def test_words_find_labels_and_texts(page: Page) -> None:
    answer = page.get("/api/d/emoji/search?keywords=scissors")
    expected = likewise.search("emoji", keywords="scissors", k=60)
    assert hits(answer) == expected["item_id"].to_list()
    assert answer["model"] is None


@pytest.fixture
def coloured_page(coloured: Path) -> Iterator[Page]:
    """A page of that catalogue with a model that has a text tower."""
    with opened() as page:
        yield page


def test_a_description_is_compared_with_images(coloured_page: Page) -> None:
    page = coloured_page
    [entry] = page.get("/api/sets")["sets"]
    assert entry["text_models"] == ["colours"]
    answer = page.get("/api/d/emoji/search?text=red&text=warm&template=a {}&not_text=blue")
    expected = likewise.search(
        "emoji", text=["red", "warm"], not_text="blue", templates="a {}", k=60
    )
    assert hits(answer) == expected["item_id"].to_list()
    assert answer["model"] == "colours"
    assert answer["query"]["not_text"] == ["blue"]
    mixed = page.get(f"/api/d/emoji/search?id={ITEM}&model=colours&text=red&text_weight=0.8")
    expected = likewise.search(
        "emoji", id=ITEM, model="colours", text="red", text_weight=0.8, k=60
    )
    assert hits(mixed) == expected["item_id"].to_list()
    fused = page.get("/api/d/emoji/search?text=red&keywords=elephant&k=9")
    expected = likewise.search("emoji", text="red", keywords="elephant", k=9)
    assert hits(fused) == expected["item_id"].to_list()
    fault = page.refused("/api/d/emoji/search?text=red&model=tiny", 422)
    assert "has no text tower" in fault["what"]
    page.refused("/api/d/emoji/search?" + "&".join(["text=red"] * 201), 422)


def test_the_text_tower_is_made_ready_in_a_job(coloured_page: Page) -> None:
    warm = {"kind": "warm", "dataset": "emoji", "model": "colours", "text": True}
    number = coloured_page.post("/api/jobs", status=202, json=warm)["id"]
    job = coloured_page.ended(number)["job"]
    assert (job["state"], job["text"]) == ("done", "")
    assert [one["id"] for one in coloured_page.get("/api/jobs")["jobs"]] == [number]


def test_a_model_is_made_ready_although_its_vectors_are(page: Page) -> None:
    """A page that needs the encoder, too, does not get the job of another page."""
    site = page.client.app.state.site  # type: ignore[attr-defined]
    gate = threading.Event()

    def wait(_: Progress) -> None:
        gate.wait(60)

    site.jobs.start(Job("", "gate", "emoji", None, None), wait)
    warm = {"kind": "warm", "dataset": "emoji", "model": "tiny"}
    asked = [
        page.post("/api/jobs", status=202, json={**warm, "encoder": encoder})["id"]
        for encoder in (False, True, True)
    ]
    gate.set()
    assert asked[0] != asked[1] == asked[2]
    assert {page.ended(job)["job"]["state"] for job in asked} == {"done"}


def test_a_set_without_a_text_tower_refuses_a_description(page: Page) -> None:
    fault = page.refused("/api/d/emoji/search?text=red", 422)
    assert "--keywords" in fault["what"]


def test_facets_and_a_condition_limit_the_hits(page: Page) -> None:
    address = f"/api/d/emoji/search?id={ITEM}&f.label=0&where=item_id LIKE '%25noto%25'"
    assert hits(page.get(address)) == ["0_noto.jpg"]


def test_the_items_that_a_role_leaves_out_are_counted(page: Page, workspace: Path) -> None:
    one = page.get(f"/api/d/emoji/search?id={ITEM}")
    assert one["role"] == {"of": "gallery", "left_out": None}, "no item has a role"
    queries = ["0_noto.jpg", "0_fluent.jpg", "400_noto.jpg"]
    likewise.correct("emoji", queries, {"role": "query"})
    likewise.publish("emoji")
    address = f"/api/d/emoji/search?id={ITEM}&k=24"
    gallery = page.get(address)
    assert gallery["role"] == {"of": "gallery", "left_out": {"role": "query", "items": 3}}
    assert len(gallery["hits"]) == 24 - 3 - 1
    within = page.get(f"{address}&where=label = '0'&f.role=query")
    assert within["role"]["left_out"] == {"role": "query", "items": 2}
    assert within["hits"] == []
    every = page.get(f"{address}&role=any")
    assert every["role"] == {"of": "any", "left_out": None}
    assert {hit["item_id"] for hit in every["hits"] if hit["role"] == "query"} == {*queries}
    queried = page.get(f"{address}&role=query")
    assert queried["role"] == {"of": "query", "left_out": None}, "none has the role gallery"


def test_hits_per_label_are_limited(page: Page) -> None:
    answer = page.get(f"/api/d/emoji/search?id={ITEM}&per_label=1")
    labels = [hit["label"] for hit in answer["hits"]]
    assert len(labels) == len(set(labels)) == 6


def test_a_sent_picture_is_searched_and_kept_for_further_pages(
    page: Page, workspace: Path
) -> None:
    data = (workspace / "emoji" / "images" / ITEM).read_bytes()
    first = page.send("/api/d/emoji/search?k=5", data, kind="image/jpeg")
    assert hits(first)[0] == ITEM
    assert first["hits"][0]["score"] == pytest.approx(1, abs=1e-4)
    [upload] = first["query"]["uploads"]
    assert (upload["width"], upload["height"]) == (160, 160)
    second = page.get(f"/api/d/emoji/search?k=5&offset=5&upload={upload['upload']}")
    whole = page.get(f"/api/d/emoji/search?k=10&upload={upload['upload']}")
    assert hits(whole) == hits(first) + hits(second)


def test_a_part_of_a_picture_is_searched(page: Page, workspace: Path) -> None:
    data = (workspace / "emoji" / "images" / ITEM).read_bytes()
    box = (20, 30, 120, 140)
    expected = likewise.search("emoji", image=data, box=box, k=5)["item_id"].to_list()
    sent = page.send("/api/d/emoji/search?k=5&box=20,30,120,140", data, kind="image/jpeg")
    assert hits(sent) == expected
    crop = page.get(f"/api/d/emoji/search?k=5&crop={ITEM}&box=20,30,120,140")
    assert hits(crop) == expected


def test_a_picture_that_is_not_kept_must_be_sent_again(page: Page) -> None:
    fault = page.refused(f"/api/d/emoji/search?upload={'0' * 64}", 409)
    assert fault["kind"] == "MissingUpload"


def test_a_sketch_finds_its_photo_and_shows_what_the_model_sees(
    page: Page, workspace: Path
) -> None:
    picture = Image.open(workspace / "emoji" / "images" / ITEM)
    drawing = io.BytesIO()
    picture.save(drawing, "PNG")
    answer = page.send(f"/api/d/emoji/sketch?k=3&target={ITEM}", drawing.getvalue())
    assert hits(answer)[0] == ITEM
    assert len(answer["hits"]) == 3
    assert answer["target"] == {"item_id": ITEM, "rank": 1, "of": 1000}
    seen = Image.open(io.BytesIO(page.body(answer["eye"])))
    assert (seen.format, seen.size) == ("PNG", (160, 160))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("search", 422),
        ("search?id=200_notto.jpg", 404),
        (f"search?id={ITEM}&model=tinny", 404),
        (f"search?id={ITEM}&index=hnws", 404),
        (f"search?id={ITEM}&role=none", 422),
        (f"search?id={ITEM}&where=lable=1", 422),
        (f"search?id={ITEM}&k=201", 422),
        (f"search?id={ITEM}&box=1,2,3", 422),
        (f"search?id={ITEM}&box=1,2,3,4", 422),
        ("search?unlike=" + ITEM, 422),
        ("search?upload=../../params.yaml", 422),
        (f"search?crop={ITEM}&box=900,900,901,901", 422),
    ],
)
def test_a_wrong_search_is_refused(page: Page, address: str, status: int) -> None:
    page.refused(f"/api/d/emoji/{address}", status)
