"""The guard in front of all routes: host, origin, method, type of body, token and headers.

Every rule is one function over the facts of a request. The first rule that refuses decides.
"""

import hmac
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from likewise.web.answers import RefusedError
from likewise.web.settings import Settings

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""Types of images that a request may contain."""

READING = ("GET", "HEAD")
METHODS = (*READING, "POST")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-src 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""Content security policy of the page, which loads only its own files."""

HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""Headers of every answer; a route may set a stricter policy."""

_SHELL = re.compile(
    r"/|/d/[^/]+(/search|/sketch|/suspects|/review|/map|/versions|/diff|/i/.+)?"
    r"|/compare/[^/]+/[^/]+|/reports/[^/]+|/training|/leaderboard"
)
"""Paths of the shell, which reads the token from the fragment of its URL."""

_OPEN = re.compile(rf"{_SHELL.pattern}|/static/.+|/favicon\.ico|/api/session")
"""Paths that need no token unless they end with ``.json``; all other paths need it."""


class Guard:
    """Check every request by the rules, and add the headers to every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Guard ``app``."""
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self.check(scope["method"], scope["path"], Headers(scope=scope))
        except RefusedError as error:
            await error.answer()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def check(self, method: str, path: str, headers: Headers) -> None:
        """Refuse a request that breaks a rule.

        Raises:
            RefusedError: the request breaks a rule; the error has the status.
        """
        check_host(headers, self._settings)
        check_method(method)
        check_path(path)
        check_site(method, headers)
        check_body_type(method, headers)
        check_token(path.removeprefix(self._settings.root_path), headers, self._settings)


def check_host(headers: Headers, settings: Settings) -> None:
    """Refuse an unknown ``Host``, as under DNS rebinding, where it is the attacker's name.

    Raises:
        RefusedError: 421; the header is missing, repeated or unknown.
    """
    given = headers.getlist("host")
    if len(given) == 1 and settings.accepts(given[0]):
        return
    shown = ", ".join(given)[:100] or "none"
    raise RefusedError(
        421,
        "UnknownHost",
        f"this server has no name {shown!r}; it answers {', '.join(sorted(settings.hosts))}",
        next_step="likewise serve --allow-host NAME",
    )


def check_method(method: str) -> None:
    """Refuse all methods but GET, HEAD and POST.

    Raises:
        RefusedError: 405.
    """
    if method not in METHODS:
        raise RefusedError(405, "BadMethod", f"no route answers {method[:20]!r}")


def check_path(path: str) -> None:
    """Refuse control characters: patterns of routes match before a final line break.

    Raises:
        RefusedError: 400.
    """
    if any(unicodedata.category(character) == "Cc" for character in path):
        raise RefusedError(400, "BadAddress", "the address contains a control character")


def check_site(method: str, headers: Headers) -> None:
    """Refuse requests that another site caused.

    A browser reports the cause in ``Sec-Fetch-Site``. Where it does not, as for plain HTTP at
    an address that is not loopback, a POST needs an ``Origin`` that equals the host. Another
    site may link to a page, but may not embed or read anything.

    Raises:
        RefusedError: 403.
    """
    site = headers.get("sec-fetch-site")
    if method in READING:
        navigates = headers.get("sec-fetch-mode") == "navigate"
        if site in (None, "same-origin", "none") or navigates:
            return
    elif site == "same-origin" or (site is None and _own_origin(headers)):
        return
    raise RefusedError(403, "Forbidden", "the request does not come from this page")


def _own_origin(headers: Headers) -> bool:
    scheme, _, host = headers.get("origin", "").partition("://")
    return scheme in ("http", "https") and host.lower() == headers["host"].lower()


def check_body_type(method: str, headers: Headers) -> None:
    """Refuse a POST whose body is neither JSON nor an image; a form of another site is both.

    Raises:
        RefusedError: 415.
    """
    if method in READING:
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and kind not in IMAGE_TYPES:
        known = ", ".join(["application/json", *sorted(IMAGE_TYPES)])
        raise RefusedError(415, "UnsupportedType", f"the body must be one of {known}")


def check_token(path: str, headers: Headers, settings: Settings) -> None:
    """Refuse data of the catalogue without the cookie, where a token is needed.

    Raises:
        RefusedError: 401.
    """
    if not settings.token or (_OPEN.fullmatch(path) and not path.endswith(".json")):
        return
    if not equal_secrets(_cookie(headers, settings.cookie), settings.session):
        what = "open the page by the address with the token that `likewise serve` printed"
        raise RefusedError(401, "TokenNeeded", what)


def equal_secrets(given: str, expected: str) -> bool:
    """Return True for equal texts; the time does not depend on the first difference."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _cookie(headers: Headers, name: str) -> str:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    """Return ``send`` with the headers of every answer."""

    async def send_with(message: Message) -> None:
        if message["type"] == "http.response.start":
            add_headers(MutableHeaders(scope=message), HEADERS)
        await send(message)

    return send_with


def add_headers(headers: MutableHeaders, defaults: Mapping[str, str]) -> None:
    """Add ``defaults`` unless the route has set its own."""
    for name, value in defaults.items():
        headers.setdefault(name, value)
