"""Stories of search and drawing in a real browser."""

import re
from pathlib import Path

import pytest

import likewise
from browser_tab import Tab
from shapes import strokes

expect = pytest.importorskip("playwright.sync_api", reason="no playwright").expect

pytestmark = [pytest.mark.browser, pytest.mark.torch]


def test_a_pasted_picture_finds_itself_and_a_dropped_one_is_added(
    tab: Tab, pages: Path
) -> None:
    page = tab.open("/d/emoji")
    expect(tab.tile(0)).to_be_visible()
    tab.give(pages / "emoji" / "images" / "400_noto.jpg", "paste")
    expect(page.locator(".hits .tile").first).to_have_attribute(
        "title", re.compile("400_noto.jpg$")
    )
    expect(page.locator("[data-made]")).to_contain_text("tiny, exact")
    tab.give(pages / "emoji" / "images" / "0_noto.jpg", "drop")
    expect(page.locator(".example img")).to_have_count(2)
    page.get_by_label("Combine examples").select_option("max")
    expect(page).to_have_url(re.compile("combine=max"))
    for place in (0, 1):
        hit = page.locator(".hits .tile").nth(place)
        expect(hit).to_have_attribute("title", re.compile(r" (0|400)_noto.jpg$"))


def test_a_chosen_file_that_is_not_a_picture_is_refused(tab: Tab, tmp_path: Path) -> None:
    page = tab.open("/d/emoji/search")
    file = tmp_path / "note.txt"
    file.write_text("no picture", "utf-8")
    page.get_by_label("Picture to search by").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("cannot read this file as a picture")


def test_a_number_of_hits_in_the_address_is_shown(tab: Tab) -> None:
    page = tab.open("/d/emoji/search?id=400_noto.jpg&k=3")
    expect(page.locator(".hits .tile")).to_have_count(3)
    expect(page.get_by_label("Hits", exact=True).locator("option:checked")).to_have_text("3")


def test_the_hits_of_an_item_are_those_of_the_command(tab: Tab, pages: Path) -> None:
    page = tab.open("/d/emoji/search?id=200_noto.jpg&model=tiny&k=20")
    expect(page.locator(".hits .tile")).to_have_count(20)
    expected = likewise.search("emoji", id="200_noto.jpg", model="tiny", k=20, workspace=pages)
    assert tab.names() == expected["item_id"].to_list()
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".hits .rank").first).to_have_text("21")
    page.get_by_label("Per label").select_option("1")
    expect(page.locator(".hits .tile")).to_have_count(6)
    page.get_by_role("group", name="subset").get_by_role("button", name="faces").click()
    expect(page.locator(".hits .tile")).to_have_count(1)


def test_more_and_less_like_a_hit_by_keys(tab: Tab) -> None:
    page = tab.open("/d/emoji/search?id=200_noto.jpg&model=tiny")
    expect(page.locator(".hits .tile").first).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".hits .tile").first).to_be_focused()
    page.keyboard.press("m")
    expect(page.locator(".example")).to_have_count(2)
    expect(page.locator(".busy")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("M")
    expect(page.locator(".example.less")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Remove")).first.click()
    expect(page.locator(".example")).to_have_count(2)
    expect(page.locator(".hits .tile").first).to_be_visible()


def test_words_find_their_class(tab: Tab, pages: Path) -> None:
    page = tab.open("/d/emoji")
    page.keyboard.press("/")
    page.get_by_label("Search by words").fill("house")
    page.keyboard.press("Enter")
    expect(page.locator(".hits .tile").first).to_be_visible()
    expected = likewise.search("emoji", keywords="house", k=60, workspace=pages)[
        "item_id"
    ].to_list()
    assert tab.names() == expected
    expect(page.locator("[data-made]")).to_contain_text("words")


def test_a_description_finds_images_and_is_combined(tab: Tab, pages: Path) -> None:
    page = tab.open("/d/shapes")
    page.get_by_label("Kind of words").select_option("text")
    page.get_by_label("Search by words").fill("red")
    page.keyboard.press("Enter")
    expect(page.locator(".hits .tile").first).to_be_visible()
    expect(page.locator("[data-made]")).to_contain_text("colours, exact")
    expected = likewise.search("shapes", text="red", k=60, workspace=pages)
    assert tab.names() == expected["item_id"].to_list()
    page.get_by_label("Keywords").fill("ring")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("keywords=ring"))
    expect(page.locator("[data-made]")).to_contain_text("colours, keywords, exact")
    page.get_by_label("Keywords").fill("")
    page.get_by_label("Description of an image").fill("blue")
    page.get_by_label("Less like this description").click()
    expect(page.locator(".example.less")).to_contain_text("blue")
    expect(page).to_have_url(re.compile("not_text=blue"))
    expected = likewise.search("shapes", text="red", not_text="blue", k=60, workspace=pages)
    expect(page.locator(".busy")).to_have_count(0)
    assert tab.names() == expected["item_id"].to_list()
    page.get_by_role("button", name="Remove “blue”").click()
    expect(page.locator(".example")).to_have_count(0)


def test_a_part_of_an_item_is_searched(tab: Tab) -> None:
    page = tab.open("/d/emoji/i/0_noto.jpg")
    expect(page.locator("#pending")).to_be_visible()  # nothing moves the picture any more
    page.get_by_role("button", name="Part", exact=True).click()
    layer = page.locator(".partlayer").bounding_box()
    assert layer
    page.mouse.move(layer["x"] + 20, layer["y"] + 20)
    page.mouse.down()
    page.mouse.move(layer["x"] + layer["width"] / 2, layer["y"] + layer["height"] / 2, steps=4)
    page.mouse.up()
    page.locator(".part").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Search by this part").click()
    expect(page.locator(".hits .tile").first).to_be_visible()
    expect(page.locator(".example")).to_contain_text("part of")
    box = re.search(r"box=(\d+)%2C(\d+)%2C(\d+)%2C(\d+)", page.url)
    assert box
    left, top, right, bottom = map(int, box.groups())
    assert 0 <= left < right <= 160
    assert 0 <= top < bottom <= 160


def test_items_of_the_other_role_are_counted_and_included(tab: Tab) -> None:
    page = tab.open("/d/shapes/search?id=cross/cross00.png&model=tiny")
    expect(page.locator(".hits .tile")).to_have_count(9 - 2 - 1)
    expect(page.locator(".note")).to_contain_text("2 items with the role query are left out")
    page.get_by_role("button", name="Search all items").click()
    expect(page.locator(".hits .tile")).to_have_count(9 - 1)
    expect(page.locator(".hits .role")).to_have_text(["query", "query"])
    expect(page.locator(".note")).to_have_count(0)
    page.get_by_label("Hits are").select_option("gallery")
    expect(page.locator(".hits .tile")).to_have_count(9 - 2 - 1)


@pytest.mark.parametrize("shape", ["ring", "cross"])
def test_a_drawing_finds_its_class_first(tab: Tab, shape: str) -> None:
    page = tab.open(f"/d/shapes/sketch?target={shape}%2F{shape}12.png")
    canvas = page.get_by_role("img", name=re.compile("Canvas"))
    expect(page.locator(".aim img")).to_be_visible()  # nothing moves the canvas any more
    box = canvas.bounding_box()
    assert box
    scale = box["width"] / 512
    for line in strokes(shape):
        (x, y), *rest = line
        page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
        page.mouse.up()
    expect(page.locator(".hits .tile").first).to_have_attribute(
        "title", re.compile(f"^{shape}")
    )
    expect(page.locator("[data-rank]")).to_have_text(re.compile("rank [123]$"))
    expect(page.get_by_alt_text("The drawing as the model gets it")).to_be_visible()


def test_a_drawing_by_keys_is_undone_mirrored_and_cleared(tab: Tab) -> None:
    page = tab.open("/d/shapes/sketch")
    undo, clear = (
        page.get_by_role("button", name="Undo"),
        page.get_by_role("button", name="Clear"),
    )
    page.get_by_role("img", name=re.compile("Canvas")).focus()
    for key in ("ArrowLeft", "Space", "Shift+ArrowRight", "Shift+ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(page.locator(".hits .tile").first).to_be_visible()
    expect(undo).to_be_enabled()
    page.keyboard.press("z")
    expect(undo).to_be_disabled()
    page.keyboard.press("Z")
    page.keyboard.press("h")
    expect(clear).to_be_enabled()
    page.keyboard.press("c")
    expect(page.locator(".hits .tile")).to_have_count(0)
