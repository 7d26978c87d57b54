"""The rules of security: one test per rule, and the matrix of all of them together."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from likewise.web.answers import RefusedError
from likewise.web.application import ROUTES, RouteEntry, create_app
from likewise.web.guard import CSP, Guard
from likewise.web.routes import job_routes
from likewise.web.settings import Settings
from page_client import ADDRESS, OWN, Page, opened

OWN_HOST = "127.0.0.1:8642"


def refusal(settings: Settings, method: str, path: str, **headers: str) -> int:
    """The status with which the guard refuses a request; 0 if it lets it pass."""

    async def answer(*_: object) -> None:
        raise AssertionError

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        Guard(answer, settings).check(method, path, Headers({"host": OWN_HOST, **named}))
    except RefusedError as error:
        return error.status
    return 0


HOSTS = {OWN_HOST: 0, "localhost:8642": 0, "[::1]:8642": 0, "evil.example": 421}
SITES = {"same-origin": 0, None: None, "none": 403, "same-site": 403, "cross-site": 403}
ORIGINS = {ADDRESS: 0, None: 403, "null": 403, "http://evil.example": 403}
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE")
KINDS = {"application/json": 0, "image/png": 0, "text/plain": 415, None: 415}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("host", HOSTS)
def test_the_matrix_of_hosts_methods_sites_origins_and_types(method: str, host: str) -> None:
    for site, origin, kind in itertools.product(SITES, ORIGINS, KINDS):
        given = {"sec_fetch_site": site, "origin": origin, "content_type": kind}
        headers = {name: value for name, value in given.items() if value is not None}
        expected = HOSTS[host]
        if not expected and method not in ("GET", "POST"):
            expected = 405
        if not expected and method == "GET":
            expected = 0 if site in (None, "same-origin", "none") else 403
        if not expected and method == "POST":
            own = {"127.0.0.1:8642": ADDRESS}.get(host, "") == origin
            by_origin = 0 if own else 403
            by_site = SITES[site]
            expected = (by_origin if by_site is None else by_site) or KINDS[kind]
        status = refusal(Settings(port=8642), method, "/api/sets", **{**headers, "host": host})
        assert status == expected, (method, host, given)


def test_a_host_must_be_known_on_every_route(workspace: Path) -> None:
    for host in ("evil.example", "127.0.0.1", "127.0.0.1:80", "localhost.evil:8642", ""):
        assert refusal(Settings(port=8642), "GET", "/", host=host) == 421, host
    with opened() as page:
        for route in ROUTES:
            address = route.path.replace("{", "").replace("}", "")
            headers = {**OWN, "host": "evil.example:8642"}
            answer = page.client.request(route.method, address, headers=headers)
            assert answer.status_code == 421, route.path


def test_hosts_of_proxies_are_allowed_by_name() -> None:
    settings = Settings(port=8642, allowed_hosts=("Lab.Example", "hub.example:443"))
    for host in ("lab.example", "lab.example:8642", "LAB.example:1", "hub.example:443"):
        assert refusal(settings, "GET", "/", host=host) == 0, host
    for host in ("hub.example", "hub.example:1", "lab.example:x", "xlab.example"):
        assert refusal(settings, "GET", "/", host=host) == 421, host


def test_a_link_of_another_site_opens_the_page_but_cannot_embed_it() -> None:
    settings = Settings(port=8642)
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert refusal(settings, "GET", "/d/emoji", **link) == 0
    assert refusal(settings, "POST", "/api/jobs", **link) == 403
    for mode in ("no-cors", "cors", "websocket"):
        embedding = {"sec_fetch_site": "cross-site", "sec_fetch_mode": mode}
        assert refusal(settings, "GET", "/t/x/256.jpg", **embedding) == 403


def test_every_answer_has_the_headers_of_security(workspace: Path) -> None:
    with opened() as page:
        for address in ("/", "/api/sets", "/nothing", "/api/d/emojy/page", "/favicon.ico"):
            answer = page.client.get(address, headers=OWN)
            assert answer.headers["content-security-policy"] == CSP, address
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert "set-cookie" not in answer.headers


def test_the_policy_allows_only_the_page_itself() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in CSP.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for words in ("unsafe", "http", "*", "wasm"):
        assert words not in CSP


TOKEN = Settings(host="192.0.2.7", port=8642, token="t" * 43, session="s" * 43)
REMOTE = {"host": "192.0.2.7:8642", "sec_fetch_site": "same-origin"} | {
    "content_type": "application/json"
}


@pytest.fixture
def remote(workspace: Path) -> Iterator[Page]:
    """A page that other machines can reach."""
    address = "http://192.0.2.7:8642"
    with TestClient(create_app(TOKEN), base_url=address) as client:
        yield Page(client)


def test_other_machines_need_the_token(remote: Page) -> None:
    assert remote.client.get("/").status_code == 200, "the shell reads the token"
    for address in ("/api/sets", "/index.json", "/d/emoji.json", "/t/x/256.jpg", "/img/x"):
        assert remote.client.get(address).status_code == 401, address
    for address in ("/events", "/report/emoji-tiny.html", "/eye/x.png"):
        assert remote.client.get(address).status_code == 401, address
    own = {"sec-fetch-site": "same-origin"}
    wrong = remote.client.post("/api/session", json={"token": "x"}, headers=own)
    assert wrong.status_code == 401
    right = remote.client.post("/api/session", json={"token": TOKEN.token}, headers=own)
    assert right.status_code == 204
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN.token not in cookie
    assert remote.client.get("/api/sets").status_code == 200


SHELL = ("/", "/d/e", "/d/e/i/x", "/d/e/i/a/x.jpg", "/d/e/search", "/d/e/sketch")
FURTHER = (
    "/d/e/suspects",
    "/d/e/review",
    "/d/e/map",
    "/d/e/versions",
    "/d/e/diff",
    "/training",
    "/leaderboard",
)
OPEN = (*SHELL, *FURTHER, "/compare/a/b", "/reports/a", "/static/page.js", "/favicon.ico")
CONTROLS = ("%0A", "%0D", "%00", "%09", "%7F", "%C2%85")


def addresses() -> Iterator[tuple[RouteEntry, str]]:
    """Every route, with a value for each of its placeholders."""
    for entry in ROUTES:
        yield (
            entry,
            re.sub(r"\{(\w+)[^}]*\}", lambda name: VALUES.get(name[1], "x"), entry.path),
        )


SHELLS = {
    "/",
    "/d/{name}",
    "/d/{name}/i/{item:path}",
    "/d/{name}/search",
    "/d/{name}/sketch",
    "/d/{name}/review",
    "/d/{name}/map",
    "/d/{name}/versions",
    "/d/{name}/diff",
    "/training",
    "/leaderboard",
    "/d/{name}/suspects",
    "/compare/{first}/{second}",
    "/reports/{run}",
}
"""Routes of the shell, which reads the token from the fragment of its address."""

VALUES = {"name": "emoji", "item": "200_noto.jpg", "run": "emoji-tiny", "side": "256"}


def test_every_route_but_the_shell_needs_the_token(remote: Page) -> None:
    for entry, address in addresses():
        free = entry.answer is job_routes.session or entry.path in SHELLS
        status = refusal(TOKEN, entry.method, address, **REMOTE)
        assert status == (0 if free else 401), address
    for path in OPEN:
        assert refusal(TOKEN, "GET", path, **REMOTE) == 0, path
    closed = (
        "",
        "//",
        "/d/",
        "/d/e/",
        "/d/e/other",
        "/d/e/map/",
        "/d/e/review.json",
        "/training.json",
        "/leaderboard/x",
        "/static",
        "/favicon.ico/",
        "/api/session/x",
    )
    for path in (
        *closed,
        "/d/e/i/x.json",
        "/static/x.json",
        "/D/e.JSON/x",
        "/events",
        "/other",
    ):
        assert refusal(TOKEN, "GET", path, **REMOTE) == 401, path


def test_a_control_character_opens_no_route(remote: Page) -> None:
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/json"}
    for entry, address in addresses():
        for control in CONTROLS:
            answer = remote.client.request(entry.method, address + control, headers=headers)
            assert answer.status_code == 400, (address, control)
            assert answer.json()["what"] == "the address contains a control character"
    answer = remote.client.get("/d/emoji/search.json%0A?keywords=x", headers=headers)
    assert answer.status_code == 400


def test_a_control_character_is_refused_without_a_token_too(workspace: Path) -> None:
    with opened() as page:
        page.refused("/index.json%0A", 400)
        page.refused("/d/emoji/i/200_noto.jpg.json%0A", 400)


@pytest.mark.parametrize("token", ["\ud800", "\u00e9", "", None, 5, ["x"]])
def test_a_wrong_token_of_any_characters_is_refused(remote: Page, token: object) -> None:
    own = {"sec-fetch-site": "same-origin", "content-type": "application/json"}
    body = json.dumps({"token": token})
    answer = remote.client.post("/api/session", content=body, headers=own)
    assert answer.status_code == 401


def test_the_token_is_in_no_page_and_no_answer(remote: Page) -> None:
    for address in ("/", "/api/sets", "/static/favicon.svg"):
        assert TOKEN.token not in remote.client.get(address).text


COOKIES = [
    "",
    "likewise-8642=",
    "likewise-8642=x",
    "=;;\x01",
    "likewise-8642=\u00e9",
    'likewise-8642="\\351"',
]


@pytest.mark.parametrize("cookie", COOKIES)
def test_a_wrong_cookie_is_refused(cookie: str) -> None:
    assert refusal(TOKEN, "GET", "/api/sets", **REMOTE, cookie=cookie) == 401


def test_a_read_only_server_has_no_route_that_writes() -> None:
    writing = RouteEntry("/api/write", job_routes.start, "table", "POST", writes=True)
    for read_only in (True, False):
        routes = create_app(Settings(read_only=read_only), (*ROUTES, writing)).routes
        paths = {getattr(route, "path", "") for route in routes}
        assert paths >= {route.path for route in ROUTES if not route.writes}
        assert ("/api/write" in paths) is not read_only
    posts = {route.path for route in ROUTES if route.method == "POST" and not route.writes}
    assert posts == {
        "/api/d/{name}/search",
        "/api/d/{name}/sketch",
        "/api/d/{name}/suspects",
        "/api/jobs",
        "/api/session",
    }, "a route that changes the catalogue has writes=True"


WRITING = sorted(entry.path.replace("{name}", "emoji") for entry in ROUTES if entry.writes)


@pytest.mark.parametrize("path", WRITING)
def test_a_route_that_writes_accepts_this_page_and_json_alone(
    workspace: Path, path: str
) -> None:
    def state() -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in (workspace / "catalog").rglob("*.csv")}

    before = state()
    body = json.dumps({"items": ["0_noto.jpg"], "name": "x", "add": ["x"]} | CHANGE)
    foreign: tuple[tuple[dict[str, str], int], ...] = (
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
        ({**OWN, "host": "evil.example:8642"}, 421),
        ({**OWN, "content-type": "text/plain"}, 415),
        ({**OWN, "content-type": "application/x-www-form-urlencoded"}, 415),
        ({**OWN, "content-type": "image/png"}, 415),
    )
    with opened() as page:
        for headers, status in foreign:
            answer = page.client.post(path, content=body, headers={**JSON, **headers})
            assert answer.status_code == status, (headers, answer.text)
        page.post(path, content=b"[" * 100_000, headers=JSON, status=422)
        page.post(path, content=b" " * ((16 << 20) + 1), headers=JSON, status=413)
        for name in ("emojy", "..%2f..%2fparams.yaml", "emoji%0a", "x" * 500):
            answer = page.client.post(
                path.replace("emoji", name), content=body, headers={**OWN, **JSON}
            )
            assert answer.status_code in (400, 404, 422), (name, answer.text)
        assert page.get("/api/jobs") == {"jobs": []}
    assert state() == before


CHANGE = {"values": {"label": "400"}, "expect": {"label": "0"}}


def test_bodies_are_bounded_while_they_are_read(workspace: Path) -> None:
    large = b"\x89PNG\r\n\x1a\n" + bytes(16 << 20)

    def parts() -> Iterator[bytes]:
        for start in range(0, len(large), 1 << 20):
            yield large[start : start + (1 << 20)]

    with opened() as page:
        fault = page.send("/api/d/emoji/search", large, status=413)
        assert fault["kind"] == "TooLarge"
        chunked = {**OWN, "content-type": "image/png"}
        answer = page.client.post("/api/d/emoji/search", content=parts(), headers=chunked)
        assert answer.status_code == 413
        page.post("/api/jobs", content=b"{" * 2_000_000, status=422, headers=JSON)


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "warm", "dataset": "emojy", "model": "tiny"}, 404),
        ({"kind": "warm", "dataset": "../emoji", "model": "tiny"}, 404),
        ({"kind": "warm", "dataset": "emoji", "model": "tiny; rm -r ."}, 404),
        ({"kind": "warm", "dataset": ["emoji"], "model": "tiny"}, 422),
        ({"kind": "publish", "dataset": "emoji", "model": "tiny"}, 422),
        ({"kind": ["warm"]}, 422),
        ([], 422),
    ],
)
def test_a_job_has_a_known_kind_and_known_names(
    workspace: Path, body: object, status: int
) -> None:
    with opened() as page:
        page.post("/api/jobs", json=body, status=status)
        assert page.get("/api/jobs") == {"jobs": []}


def test_a_path_is_never_read_from_a_request(workspace: Path) -> None:
    paths = ("params.yaml", "/etc/passwd", "../params.yaml", "emoji/images/0_noto.jpg")
    with opened() as page:
        for path in paths:
            for address in (f"search?image={path}", f"search?vector={path}"):
                page.refused(f"/api/d/emoji/{address}", 422)
            page.refused(f"/api/d/emoji/search?upload={path}", 422)
            page.send("/api/d/emoji/search", path.encode(), status=422)
            answer = page.client.get(f"/static/../{path}", headers=OWN)
            assert answer.status_code == 404
            answer = page.client.get(f"/static/%2e%2e/{path}", headers=OWN)
            assert answer.status_code == 404
            answer = page.client.get(f"/report/..%2f{path}.html", headers=OWN)
            assert answer.status_code == 404


def test_sql_reads_the_data_set_only(workspace: Path) -> None:
    for where in ("1 = 1) UNION (SELECT 1", "read_csv('/etc/passwd')", "1; DROP TABLE emoji"):
        with opened() as page:
            page.refused(f"/api/d/emoji/page?where={where}", 422)
