"""A tab of a real browser, with what tests ask of every page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        ConsoleMessage,
        Locator,
        Page,
        Request,
        ViewportSize,
    )

WIDE: "ViewportSize" = {"width": 1400, "height": 900}
NARROW: "ViewportSize" = {"width": 390, "height": 844}


class Tab:
    """A page of a browser, and the faults that it reported."""

    def __init__(self, page: "Page", server: str) -> None:
        self.page = page
        self.server = server
        self.faults: list[str] = []
        self.refusals = False
        page.set_default_timeout(15_000)
        page.on("console", self._message)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._request)

    @classmethod
    def opened(cls, browser: "Browser", server: str, **options: Any) -> Iterator["Tab"]:
        """Yield a new tab; afterwards check that it reported no fault."""
        context = browser.new_context(
            **{"viewport": WIDE, "reduced_motion": "reduce"} | options
        )
        tab = cls(context.new_page(), server)
        yield tab
        context.close()
        assert not tab.faults, tab.faults

    def open(self, address: str) -> "Page":
        """Open an address of the server and wait for its content."""
        self.page.goto(self.server + address)
        return self.page

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
            self.faults.append(f"console: {message.type}: {message.text}")

    def _request(self, request: "Request") -> None:
        if not request.url.startswith((self.server, "blob:", "data:")):
            self.faults.append(f"foreign request: {request.url}")
