"""A picture that a page shows several times is embedded once."""

from collections.abc import Sequence

from html_tags import Element, sound_page
from likewise.pages.gallery import FlaggedItem, FlagSection, Tile, flags_page, search_page
from likewise.pages.query_sheet import QueryRow, RowSection, rows_page
from query_rows import PICTURES, rows


def of(rows: Sequence[QueryRow]) -> str:
    return rows_page("t", [RowSection("", "", rows)])


def shown(tree: Element) -> list[str]:
    """The picture of every place of a page, in order."""
    images = {one.attributes["id"]: one.attributes["href"] for one in tree.all("image")}
    pictures = []
    for mat in tree.all(kind="mat"):
        (one,) = [child for child in mat.children if isinstance(child, Element)]
        if one.tag == "img":
            pictures.append(one.attributes["src"])
        else:
            assert one.attributes["role"] == "img"
            pictures.append(images[one.one("use").attributes["href"].removeprefix("#")])
    return pictures


def test_a_page_grows_by_its_distinct_pictures_only() -> None:
    few, many = of(rows(2)), of(rows(42))
    assert few.count("data:image/jpeg") == many.count("data:image/jpeg") == 4
    markup = len(
        of([QueryRow(Tile("q"), [("", [Tile("i", None, "cat", 0.5, same=True)] * 4)])])
    )
    assert len(many) - len(few) < 40 * markup
    assert len(many) < len(few) + 40 * len(PICTURES[0])


def test_every_place_shows_its_picture_and_has_a_text() -> None:
    listed = rows(3)
    listed.append(QueryRow(Tile("once", PICTURES[4], "dog"), [("", [])]))
    tree = sound_page(of(listed))
    expected = [t.picture for row in listed for t in (row.query, *row.lists[0][1])]
    assert shown(tree) == expected
    labels = [one.attributes["aria-label"] for one in tree.one("main").all("svg")]
    assert labels[:3] == ["query 0, cat", "item 0, cat", "item 1, cat"]
    (image,) = tree.all("img")
    assert image.attributes == {"src": PICTURES[4], "alt": "once, dog"}


def test_pictures_that_differ_are_plain_images() -> None:
    hits = [Tile(str(n), one, score=0.5) for n, one in enumerate(PICTURES)]
    tree = sound_page(search_page("t", [], hits))
    assert [one.attributes["src"] for one in tree.all("img")] == PICTURES
    assert not tree.all("svg")


def test_a_flagged_item_with_several_flags_is_embedded_once() -> None:
    tiles = [Tile("a", PICTURES[0]), Tile("b", PICTURES[1])]
    sections = [FlagSection(name, 1, [FlaggedItem(tiles, "")]) for name in ("dark", "small")]
    page = flags_page("t", sections, "")
    assert page.count("data:image/jpeg") == 2
    assert shown(sound_page(page)) == 2 * PICTURES[:2]


def test_a_name_like_the_place_of_a_picture_stays_text() -> None:
    name = '<img src="picture:0" alt="x"></body>'
    tree = sound_page(search_page("t", [], [Tile(name, PICTURES[0]), Tile("b", PICTURES[0])]))
    assert shown(tree) == [PICTURES[0]] * 2
    assert tree.one("main").all(kind="name")[0].text == name
