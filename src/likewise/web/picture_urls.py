"""URLs of pictures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from likewise.web import grid_rows

if TYPE_CHECKING:
    from likewise.web.shelf import Opened
    from likewise.web.site import Site


def thumb(site: "Site", dataset: str, content: str, position: int) -> str:
    """Return the URL of the thumbnail of the item at ``position``."""
    hint = urlencode({"d": dataset, "p": position})
    return site.url(f"/t/{quote(content, safe='')}/256.jpg?{hint}")


def thumbs(site: "Site", opened: "Opened", rows: Sequence[int]) -> list[str]:
    """Return the URLs of the thumbnails of the items at ``rows``."""
    contents = grid_rows.values(opened, rows, ["content"])["content"]
    return [
        thumb(site, opened.name, content, row)
        for content, row in zip(contents, rows, strict=True)
    ]


def image(site: "Site", dataset: str, sha256: str, position: int) -> str:
    """Return the URL of the whole image of the item at ``position``."""
    return site.url(f"/img/{sha256}?{urlencode({'d': dataset, 'p': position})}")


def pictured(site: "Site", opened: "Opened", ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return position, thumbnail, label, text and role of items by their ids, by one read."""
    rows = grid_rows.rows_of(opened, list(dict.fromkeys(ids)))
    values = grid_rows.pictured(opened, list(rows.values()))
    return {
        name: {
            "row": row,
            "thumb": thumb(site, opened.name, content, row),
            "label": label,
            "text": text,
            "role": role,
        }
        for (name, row), (content, label, text, role) in zip(
            rows.items(), values.rows(), strict=True
        )
    }
