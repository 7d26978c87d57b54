"""The routes of maps: places, colours, regions, and the item at a position."""

from pathlib import Path

import numpy as np
import pytest

import likewise
from learning import write
from likewise.errors import DataError, UnknownNameError
from likewise.retrieval.browsing.polygon import COMPILED_FROM, inside
from page_client import Page

MAP = "/api/d/emoji/map"


def mapped(root: Path) -> "likewise.Dataset":
    write(root, "maps", "plane", {"dataset": "emoji", "model": "tiny"})
    likewise.map("plane", workspace=root)
    return likewise.open("emoji", workspace=root)


def test_a_point_is_inside_by_the_even_odd_rule() -> None:
    star = [(0, 0), (4, 6), (8, 0), (0, 4), (8, 4)]  # its middle is crossed twice
    points = np.array([[4, 5.5], [0.1, 3], [4, 3], [9, 2], [np.nan, 1]], np.float32)
    assert inside(points, star).tolist() == [True, False, False, False, False]
    many = np.tile(points, (COMPILED_FROM // 5 + 1, 1))
    np.testing.assert_array_equal(inside(many, star)[:5], inside(points, star))
    squares = [[(0, 0), (1, 0), (1, 1), (0, 1)], [(1, 0), (2, 0), (2, 1), (1, 1)]]
    edge = np.array([[1, 0.5]], np.float32)
    assert sum(int(inside(edge, square)[0]) for square in squares) == 1
    for wrong in ([(0, 0), (1, 1)], [(0, 0, 1)] * 3, ["a", "b", "c"], [(0, np.inf)] * 3):
        with pytest.raises(DataError, match="corner"):
            inside(points, wrong)  # type: ignore[arg-type]


def test_points_are_places_on_a_grid(workspace: Path, page: Page) -> None:
    opened = mapped(workspace)
    assert [(one.name, one.model, one.made) for one in opened.maps] == [("plane", "tiny", True)]
    bounds = page.get(f"{MAP}/plane/bounds")
    grid = np.frombuffer(page.body(f"{MAP}/plane/points"), "<u2").reshape(-1, 2)
    assert (bounds["items"], bounds["placed"], len(grid)) == (24, 24, 24)
    found = np.array([bounds["x"], bounds["y"]]) + grid * (bounds["extent"] / bounds["grid"])
    step = bounds["extent"] / bounds["grid"]
    np.testing.assert_allclose(found, opened.places("plane"), atol=step)
    listed = page.get(MAP)
    assert listed == page.get("/d/emoji/map.json")
    assert listed["columns"][0] == "label"
    page.refused(f"{MAP}/plain/bounds", 404)
    with pytest.raises(UnknownNameError, match="did you mean 'plane'"):
        opened.places("plain")


def test_colours_have_a_legend(workspace: Path, page: Page) -> None:
    opened = mapped(workspace)
    codes = np.frombuffer(page.body("/api/d/emoji/colours?by=label"), np.uint8)
    legend = page.get("/api/d/emoji/legend?by=label")
    names = [one["value"] for one in legend["values"]]
    assert [names[code] for code in codes] == opened.items["label"].to_list()
    assert (legend["others"], legend["missing"]) == (0, 0)
    assert all(one["count"] == 4 for one in legend["values"])
    scale = page.get("/api/d/emoji/legend?by=nbytes")
    sizes = opened.items["nbytes"]
    assert (scale["kind"], scale["low"], scale["high"]) == ("scale", sizes.min(), sizes.max())
    codes = np.frombuffer(page.body("/api/d/emoji/colours?by=nbytes"), np.uint8)
    assert (codes.min(), codes.max()) == (0, 253)
    assert int(codes.argmax()) == sizes.arg_max()
    many = page.get("/api/d/emoji/legend?by=item_id")
    assert (len(many["values"]), many["others"]) == (18, 6)
    page.refused("/api/d/emoji/colours?by=lable", 404)
    page.refused("/api/d/emoji/colours?by=box", 422)


def test_a_region_of_a_map_filters_all_pages(workspace: Path, page: Page) -> None:
    opened = mapped(workspace)
    places = opened.places("plane")
    middle = float(np.median(places[:, 0]))
    low, high = places.min() - 1, places.max() + 1
    corners = [(low, low), (middle, low), (middle, high), (low, high)]
    wanted = np.flatnonzero(places[:, 0] < middle)
    np.testing.assert_array_equal(opened.inside("plane", corners), wanted)
    browsed = opened.browse(positions=wanted.tolist(), facets=["label"], limit=3)
    assert browsed.total == len(wanted) == browsed.counts["label"]["items"].sum()
    region = "plane:" + ",".join(str(value) for corner in corners for value in corner)
    shown = page.get(f"/api/d/emoji/page?region={region}&limit=200")
    assert shown["rows"] == wanted.tolist()
    texts: dict[str, object] = {"likewise": likewise}
    first, second = shown["copy"]["python"].split("\n")
    exec(first, texts)  # noqa: S102 (what the page offers to copy)
    assert eval(second, texts)["item_id"].to_list() == shown["columns"]["item_id"]  # noqa: S307
    positions = np.frombuffer(page.body(f"/api/d/emoji/positions?region={region}"), "<i4")
    np.testing.assert_array_equal(positions, wanted)
    both = page.get(f"/api/d/emoji/page?region={region}&f.label=0")
    assert both["total"] == int((opened.items["label"][wanted] == "0").sum())
    facets = page.get(f"/api/d/emoji/facets?of=label&region={region}")
    assert facets["total"] == len(wanted)
    for wrong in ("plane", "plane:1,2", "plane:1,2,3,4,5", "plane:a,b,c,d,e,f", "plane:"):
        page.refused(f"/api/d/emoji/page?region={wrong}", 422)
    page.refused("/api/d/emoji/page?region=plain:0,0,1,0,1,1", 404)
    with pytest.raises(DataError, match="no item at position 24"):
        opened.browse(positions=[24])


def test_a_selection_of_a_region_has_only_its_items(workspace: Path, page: Page) -> None:
    opened = mapped(workspace)
    places = opened.places("plane")
    middle = float(np.median(places[:, 0]))
    low, high = places.min() - 1, places.max() + 1
    region = f"plane:{low},{low},{middle},{low},{middle},{high},{low},{high}"
    left = opened.items.filter(places[:, 0] < middle)
    address = f"/api/d/emoji/selections?region={region}"
    assert page.post(address, json={"name": "left"})["items"] == len(left)
    kept = likewise.browse("emoji", selection="left", limit=24).rows
    assert kept["item_id"].to_list() == left["item_id"].to_list()
    both = page.post(f"{address}&f.label=0", json={"name": "both"})
    assert both["items"] == len(left.filter(label="0"))
    chosen = opened.items["item_id"].head(2).to_list()
    assert page.post(address, json={"name": "two", "items": chosen})["items"] == 2
    beyond = f"plane:{high},{high},{high + 1},{high},{high},{high + 1}"
    page.post(f"/api/d/emoji/selections?region={beyond}", json={"name": "none"}, status=422)


def test_the_item_at_a_position(workspace: Path, page: Page) -> None:
    item = page.get("/api/d/emoji/at?p=3")
    assert item["item_id"] == likewise.open("emoji").items["item_id"][3]
    assert item["thumb"].startswith("/t/")
    page.refused("/api/d/emoji/at?p=24", 422)
    page.refused("/api/d/emoji/at?p=-1", 422)


def test_a_map_that_was_not_made_names_the_command(workspace: Path, page: Page) -> None:
    write(workspace, "maps", "plane", {"dataset": "emoji", "model": "tiny"})
    fault = page.refused(f"{MAP}/plane/points", 409)
    assert fault["next"] == "dvc repro map@plane"
    assert not page.get(MAP)["maps"][0]["made"]
