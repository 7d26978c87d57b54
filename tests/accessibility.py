"""The rules of accessibility, as axe-core finds them in a page of a real browser."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


def violations(page: "Page", *rules: str) -> list[tuple[str, list[str]]]:
    """Return the rules of axe-core that the page violates, and where; all rules by default."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": [*rules]}
    name = "axe_playwright_python.sync_playwright"
    axe = pytest.importorskip(name, reason="no axe-core")
    found = axe.Axe().run(page, options=options).response["violations"]
    return [(one["id"], [node["html"][:150] for node in one["nodes"]]) for one in found]
