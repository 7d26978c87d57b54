"""Validate the file names and annotations of a source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from likewise.catalogue.finding_counts import SHOWN, Findings, count_findings
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
    """Find names and annotations in ``path`` that a layout does not allow; needs no catalogue.

    The function writes nothing and reads no pixels. Damaged images and boxes outside their
    image are found by ``ingest``.

    Args:
        source: the layout, a kind of source.
        path: folder or archive of the images.
        annotations: file or folder of the annotations; by default ``path``.
        options: options of the source, as in a card.
        limit: maximum number of listed findings.

    Raises:
        ConfigError: the source has no such option, or does not accept the value.
        DataError: nothing in ``path`` fits the layout.
        UnknownNameError: there is no such kind of source.

    Example:
        >>> found = likewise.validate("gpr1200", "pictures")
        >>> found.items, found.total
        (23, 0)
    """
    layout = SOURCES.build({"kind": source, **(options or {})}, "source")
    reading = read_with_hint(
        layout, source, Path(path), Path(path if annotations is None else annotations)
    )
    return count_findings(
        f"{source}: {path}", len(reading.items), reading.findings, None, limit
    )
