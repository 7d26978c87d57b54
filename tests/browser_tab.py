"""A tab of a real browser, with what tests ask of every page."""

import base64
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import (
        APIResponse,
        Browser,
        ConsoleMessage,
        Locator,
        Page,
        Request,
        Route,
        ViewportSize,
    )

WIDE: "ViewportSize" = {"width": 1400, "height": 900}
NARROW: "ViewportSize" = {"width": 390, "height": 844}


LATE = """
(() => {
  let state = SEED;
  const random = () => {
    state = (state + 0x6D2B79F5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
  const own = fetch.bind(window);
  window.fetch = async (address, options = {}) => {
    const answer = own(address, options);
    answer.catch(() => {});
    await new Promise((done, fail) => {
      const later = setTimeout(done, 800 * random());
      options.signal?.addEventListener('abort', () => {
        clearTimeout(later);
        fail(options.signal.reason);
      });
    });
    return answer;
  };
})();
"""
"""A page that runs this gets each answer up to 0.8 s late; many exchange their order."""


GIVE = """
([text, kind]) => {
  const bytes = Uint8Array.from(atob(text), one => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], 'pasted', {type: 'image/jpeg'}));
  const rest = {bubbles: true, cancelable: true};
  const event = kind === 'paste' ? new ClipboardEvent('paste', {clipboardData: data, ...rest})
    : new DragEvent('drop', {dataTransfer: data, ...rest});
  document.body.dispatchEvent(event);
}
"""


class Held:
    """Requests that wait until a test lets them go."""

    def __init__(self, page: "Page") -> None:
        self._page = page
        self._routes: list[tuple[Route, APIResponse | None]] = []
        self.seen = 0
        self.ends = False

    def hold(self, route: "Route") -> None:
        """Hold a request."""
        self.seen += 1
        if self.ends:
            route.continue_()
        else:
            self._routes.append((route, None))

    def until(self, number: int) -> None:
        """Wait until ``number`` requests have come."""
        while self.seen < number:
            self._page.wait_for_timeout(10)

    def answered(self) -> None:
        """Let the server answer what is held; the answers stay here."""
        self._routes = [(route, answer or route.fetch()) for route, answer in self._routes]

    def let_go(self) -> None:
        """Let go what is held."""
        routes, self._routes = self._routes, []
        for route, answer in routes:
            if answer is None:
                route.continue_()
            else:
                route.fulfill(response=answer)


class Tab:
    """A page of a browser, and the faults that it reported."""

    def __init__(self, page: "Page", server: str) -> None:
        self.page = page
        self.server = server
        self.faults: list[str] = []
        self.refusals = False
        page.set_default_timeout(30_000)
        page.on("console", self._message)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._request)
        if seed := os.environ.get("LATE"):
            page.add_init_script(LATE.replace("SEED", str(int(seed))))

    @classmethod
    def opened(cls, browser: "Browser", server: str, **options: Any) -> Iterator["Tab"]:
        """Yield a new tab; afterwards check that it reported no fault."""
        context = browser.new_context(
            **{"viewport": WIDE, "reduced_motion": "reduce"} | options
        )
        tab = cls(context.new_page(), server)
        yield tab
        tab.page.unroute_all(behavior="ignoreErrors")  # what the test still answers itself
        context.close()
        assert not tab.faults, tab.faults

    def open(self, address: str) -> "Page":
        """Open an address of the server and wait for its content."""
        self.page.goto(self.server + address)
        return self.page

    @contextmanager
    def held(self, address: str) -> Iterator["Held"]:
        """Hold requests whose URL contains ``address``, a regular expression, until the end."""
        held, pattern = Held(self.page), re.compile(address)
        self.page.route(pattern, held.hold)
        yield held
        held.ends = True
        held.let_go()
        self.page.unroute(pattern)

    def give(self, picture: Path, kind: str) -> None:
        """Give the page a picture as a user does: ``kind`` is paste or drop."""
        text = base64.b64encode(picture.read_bytes()).decode()
        self.page.evaluate(GIVE, [text, kind])

    def settled(self) -> None:
        """Wait until the page has drawn what has come, where the test expects no change."""
        self.page.evaluate("() => new Promise(done => setTimeout(done, 50))")

    def tile(self, index: int) -> "Locator":
        """The tile at a place of the grid."""
        return self.page.locator(f'.view .tile[data-i="{index}"]')

    def names(self, selector: str = ".hits .tile") -> list[str]:
        """The items of tiles, in the order of the page."""
        found: list[str] = self.page.locator(selector).evaluate_all(
            "tiles => tiles.map(tile => tile.title.split(' · ').at(-1))"
        )
        return found

    def _message(self, message: "ConsoleMessage") -> None:
        if "GL Driver Message (OpenGL, Performance" in message.text:
            return  # of a browser without a graphics card, which copies WebGL to the window
        if not (self.refusals and "Failed to load resource" in message.text):
            place = message.location.get("url", "")
            self.faults.append(f"console: {message.type}: {message.text} {place}")

    def _request(self, request: "Request") -> None:
        if not request.url.startswith((self.server, "blob:", "data:")):
            self.faults.append(f"foreign request: {request.url}")
