"""Check the names and annotations of a source against the grammar of its layout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from likewise.catalogue.finding_counts import SHOWN, Findings, listed
from likewise.formats.paths import StrPath
from likewise.sources import SOURCES
from likewise.sources.layout_hint import read_with_hint


def validate(
    source: str,
    path: StrPath,
    *,
    annotations: StrPath | None = None,
    options: Mapping[str, Any] | None = None,
    limit: int = SHOWN,
) -> Findings:
    """What names and annotations in ``path`` break of a layout's grammar; no catalogue needed.

    Nothing is written and no pixel is read: whether files are whole images, and whether boxes
    lie in them, ingest finds.

    Args:
        source: the layout, a kind of source.
        path: the folder or archive of images.
        annotations: the file or folder of the annotations; by default they lie in ``path``.
        options: what a card would say to the source.
        limit: so many findings at most.

    Raises:
        ConfigError: the source has no such option, or not that value.
        DataError: nothing in ``path`` fits the layout.
        UnknownNameError: no such kind of source.
    """
    layout = SOURCES.build({"kind": source, **(options or {})}, "source")
    reading = read_with_hint(
        layout, source, Path(path), Path(path if annotations is None else annotations)
    )
    return listed(f"{source}: {path}", len(reading.items), reading.findings, None, limit)
