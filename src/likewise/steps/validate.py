"""Validate the file names and annotations of a source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from likewise.catalogue.finding_counts import SHOWN, Findings, count_findings
from likewise.formats.archives.kept_listings import MemoryStore, listings_kept
from likewise.formats.object_storage import as_path
from likewise.formats.paths import StrPath
from likewise.sources import SOURCES
from likewise.sources.base import LeftOver
from likewise.sources.completeness import difference_findings
from likewise.sources.known.layout_choice import known_layout
from likewise.sources.layout_hint import read_with_hint
from likewise.storage.config import card_options, read_card

PREVIEWED = 5
"""Default number of items that are shown as they would be read."""


@dataclass(frozen=True)
class Validated(Findings):
    """Findings about a source, and a preview of its items.

    Attributes:
        rows: the first items as they would be read, without columns that have no value.
        box_unit: unit of the boxes in ``rows``; ``ingest`` turns fractions into pixels.
        left_over: images and columns that have no effect on labels, with their number.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    box_unit: Literal["pixels", "fractions"] = "pixels"
    left_over: Sequence[LeftOver] = ()


def validate(  # noqa: PLR0913 (options of the source, and of the output)
    source: str,
    path: StrPath,
    *,
    annotations: StrPath | None = None,
    options: Mapping[str, Any] | None = None,
    card: StrPath | None = None,
    limit: int = SHOWN,
    preview: int = PREVIEWED,
) -> Validated:
    """Find names and annotations in ``path`` that a layout does not allow; needs no catalogue.

    The function writes nothing and reads no pixels. Damaged images and boxes outside their
    image are found by ``ingest``. The result has the first items as they would be read, and
    what is left over, so that the options of a layout can be tried.

    Args:
        source: the layout, a kind of source, or the name of a public data set; its published
            counts are compared too.
        path: folder or archive of the images, or its address such as ``s3://bucket/prefix``.
        annotations: file or folder of the annotations; by default ``path``.
        options: options of the source, as in a card.
        card: a card; its options of the source are used where ``options`` has none.
        limit: maximum number of listed findings.
        preview: maximum number of items in ``rows``.

    Raises:
        ConfigError: the source has no such option, or does not accept the value.
        DataError: nothing in ``path`` fits the layout.
        UnknownNameError: there is no such kind of source and no such data set.

    Example:
        >>> found = likewise.validate("gpr1200", "pictures")
        >>> found.items, found.total
        (23, 0)
        >>> found.rows[0]["label"]
        '0'
    """
    template = None if card is None else read_card(Path(card).expanduser())
    with listings_kept(MemoryStore()):
        choice = None if template else known_layout(source, as_path(path))
        known = None if source in SOURCES.kinds() else choice
        given = known.source if known else card_options(template, source)
        layout = SOURCES.build({**given, **(options or {})}, "source")
        place = choice.path if choice else as_path(path)
        explained = choice.annotations if choice else place
        if annotations is not None:
            explained = as_path(annotations)
        reading = read_with_hint(layout, given["kind"], place, explained)
    findings = reading.findings
    if known is not None:
        findings = pl.concat([findings, difference_findings(reading.items, known.counts)])
    counted = count_findings(f"{source}: {path}", len(reading.items), findings, None, limit)
    return Validated(
        counted.of,
        counted.items,
        counted.total,
        counted.counts,
        counted.first,
        _first_rows(reading.items, preview),
        reading.box_unit,
        reading.left_over,
    )


def _first_rows(items: pl.DataFrame, most: int) -> list[dict[str, Any]]:
    """Return the first items, without ``image_id`` and columns that are null in all items."""
    names = [n for n in items.columns if items[n].null_count() < len(items)]
    shown = items.select(n for n in names if n != "image_id").head(most)
    return [
        {
            name: value.to_list() if isinstance(value, pl.Series) else value
            for name, value in row
        }
        for row in (zip(shown.columns, values, strict=True) for values in shown.iter_rows())
    ]
