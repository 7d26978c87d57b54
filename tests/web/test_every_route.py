"""Every route answers a good address, and refuses unknown names and hostile ones by itself."""

from pathlib import Path
from urllib.parse import quote

import pytest

import likewise
from learning import write
from likewise.web.application import ROUTES
from page_client import OWN, Page
from uploads import png

pytestmark = pytest.mark.torch

ITEM = "200_noto.jpg"
HASH = "0" * 64

GOOD = {
    "/": "/",
    "/index.json": "/index.json",
    "/api/sets": "/api/sets",
    "/api/jobs": "/api/jobs",
    "/api/d/{name}/pending": "/api/d/emoji/pending",
    "/api/d/{name}/labels": "/api/d/emoji/labels?like=2",
    "/api/d/{name}/tags": "/api/d/emoji/tags",
    "/api/d/{name}/selections": "/api/d/emoji/selections",
    "/api/d/{name}/suspects": "/api/d/emoji/suspects?model=tiny",
    "/d/{name}/suspects": "/d/emoji/suspects",
    "/d/{name}/suspects.json": "/d/emoji/suspects.json?model=tiny",
    "/d/{name}": "/d/emoji",
    "/d/{name}.json": "/d/emoji.json?limit=3",
    "/d/{name}/search": "/d/emoji/search",
    "/d/{name}/sketch": "/d/emoji/sketch",
    "/d/{name}/i/{item:path}": f"/d/emoji/i/{ITEM}",
    "/d/{name}/i/{item:path}.json": f"/d/emoji/i/{ITEM}.json",
    "/d/{name}/search.json": f"/d/emoji/search.json?id={ITEM}&k=2",
    "/d/{name}/sketch.json": "/d/emoji/sketch.json",
    "/api/d/{name}/page": "/api/d/emoji/page",
    "/api/d/{name}/facets": "/api/d/emoji/facets",
    "/api/d/{name}/scrubber": "/api/d/emoji/scrubber",
    "/api/d/{name}/groups": "/api/d/emoji/groups",
    "/api/d/{name}/positions": "/api/d/emoji/positions",
    "/api/d/{name}/item/{item:path}": f"/api/d/emoji/item/{ITEM}",
    "/api/d/{name}/context/{item:path}": f"/api/d/emoji/context/{ITEM}",
    "/api/d/{name}/why": "/api/d/emoji/why?model=tiny",
    "/api/d/{name}/search": f"/api/d/emoji/search?id={ITEM}&k=2",
    "/d/{name}/review": "/d/emoji/review",
    "/d/{name}/review.json": "/d/emoji/review.json?show=all",
    "/api/d/{name}/review": "/api/d/emoji/review",
    "/d/{name}/map": "/d/emoji/map",
    "/d/{name}/map.json": "/d/emoji/map.json",
    "/api/d/{name}/map": "/api/d/emoji/map",
    "/api/d/{name}/map/{map}/bounds": "/api/d/emoji/map/plane/bounds",
    "/api/d/{name}/map/{map}/points": "/api/d/emoji/map/plane/points",
    "/api/d/{name}/colours": "/api/d/emoji/colours?by=label",
    "/api/d/{name}/legend": "/api/d/emoji/legend?by=label",
    "/api/d/{name}/at": "/api/d/emoji/at?p=3",
    "/d/{name}/versions": "/d/emoji/versions",
    "/d/{name}/versions.json": "/d/emoji/versions.json",
    "/api/d/{name}/versions": "/api/d/emoji/versions",
    "/d/{name}/diff": "/d/emoji/diff",
    "/training": "/training",
    "/training.json": "/training.json",
    "/api/training": "/api/training",
    "/leaderboard": "/leaderboard",
    "/leaderboard.json": "/leaderboard.json",
    "/api/leaderboard": "/api/leaderboard",
    "/compare/{first}/{second}": "/compare/emoji-tiny/emoji-tiny",
    "/compare/{first}/{second}.json": "/compare/emoji-tiny/emoji-tiny.json",
    "/api/compare/{first}/{second}": "/api/compare/emoji-tiny/emoji-tiny",
    "/reports/{run}": "/reports/emoji-tiny",
    "/reports/{run}.json": "/reports/emoji-tiny.json",
    "/report/{run}.html": "/report/emoji-tiny.html",
}
"""Route that is read -> a good address. Pictures have addresses that answers give."""

PICTURES = {
    "/t/{content}/{side:int}.jpg": f"/t/{HASH}/256.jpg?d=emoji&p=0",
    "/img/{sha256}": f"/img/{HASH}?d=emoji&p=0",
    "/eye/{upload}.png": f"/eye/{HASH}.png?d=emoji&model=tiny",
    "/api/jobs/{job}/log": "/api/jobs/0/log",
}
"""Route of pictures or jobs -> an address of one that nobody has."""

REVISIONS = {
    "/d/{name}/diff.json": "/d/emoji/diff.json?a=v1",
    "/api/d/{name}/diff": "/api/d/emoji/diff?a=v1",
}
"""Route of two versions -> an address; this catalogue is in no git repository."""

HOSTILE = (
    "..",
    "../../params.yaml",
    "emoji' OR 1=1 --",
    "<script>alert(1)</script>",
    "x" * 5_000,
    "%00",
    "\u202eemoji",
    "emoji/../../etc/passwd",
)


def test_every_route_has_a_case() -> None:
    read = {entry.path for entry in ROUTES if entry.method == "GET"}
    assert read == GOOD.keys() | PICTURES.keys() | REVISIONS.keys()


def test_every_route_answers_and_refuses(workspace: Path, page: Page) -> None:
    write(workspace, "maps", "plane", {"dataset": "emoji", "model": "tiny"})
    likewise.map("plane")
    likewise.evaluate("emoji-tiny")
    written = likewise.open().report_page("emoji-tiny")
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text("<!doctype html><title>A report</title>", "utf-8")
    for path, address in GOOD.items():
        answer = page.client.get(address, headers=OWN)
        assert answer.status_code == 200, (path, answer.text[:300])
        kind = (
            "application/json" if ".json" in path or path.startswith("/api/") else "text/html"
        )
        is_array = path.endswith(("/positions", "/points", "/colours"))
        expected = "application/octet-stream" if is_array else kind
        assert answer.headers["content-type"].startswith(expected), path
    shown = page.get("/reports/emoji-tiny.json")
    assert shown["metrics"]["all"] == likewise.show("emoji").runs[0].metrics["all"]  # type: ignore[index]
    assert page.client.get(shown["report"], headers=OWN).status_code == 200
    item = page.get(f"/api/d/emoji/item/{ITEM}")
    for address in (item["picture"]["url"], item["picture"]["thumb"]):
        assert page.client.get(address, headers=OWN).headers["content-type"] == "image/jpeg"
    drawn = page.send("/api/d/emoji/sketch?k=1", png(8, 8), status=200)
    assert page.client.get(drawn["eye"], headers=OWN).headers["content-type"] == "image/png"
    for path, address in REVISIONS.items():
        fault = page.refused(address, 502)
        assert "git" in fault["what"], path
    for path, address in PICTURES.items():
        assert page.client.get(address, headers=OWN).status_code in (404, 409, 410), path


def test_unknown_and_hostile_names_are_refused(page: Page) -> None:
    tried = {
        address.replace(f"/{value}", f"/{quote(name, safe='/')}")
        for address in (GOOD | PICTURES | REVISIONS).values()
        for name in ("emojy", *HOSTILE)
        for value in ("emoji-tiny", "emoji", ITEM, HASH)
    }
    refused = tried - {*GOOD.values(), *PICTURES.values(), *REVISIONS.values()}
    assert len(refused) > 200
    for address in sorted(refused):
        answer = page.client.get(address, headers=OWN)
        is_page = answer.headers["content-type"].startswith("text/html")
        assert answer.status_code < 500, (address, answer.text[:300])
        assert is_page or answer.status_code >= 400, (address, answer.text[:300])
