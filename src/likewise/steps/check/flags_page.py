"""Flags of a check as one page of pictures, each next to its copy."""

from collections.abc import Iterator

import polars as pl

from likewise.catalogue.doubts import FLAG, without_judged
from likewise.catalogue.ingested_tiles import ingested_tiles
from likewise.formats.counted_nouns import counted
from likewise.pages.gallery import FlaggedItem, FlagSection, Tile, flags_page
from likewise.storage import artefacts, tables, versions
from likewise.storage.schema import FLAGS
from likewise.storage.workspace import Workspace

SHOWN = 60
"""Maximum number of items per flag that are shown."""

_MEANINGS = {
    "duplicate": "The file has the same bytes as an earlier image.",
    "near_duplicate": "The perceptual hash is close to that of an earlier image.",
    "similar": "The vector is close to that of an earlier item.",
    "split_leak": "An earlier split (train, val, others) has a copy or near copy of the image.",
    "leak": "Another data set has a copy or near copy of the image.",
    "few_bytes": "The file has fewer bytes than min_bytes.",
    "small": "A side of the image is shorter than min_side.",
    "dark": "The mean brightness is below min_brightness.",
    "bright": "The mean brightness is above max_brightness.",
    "blurred": "The sharpness is below min_sharpness.",
    "unreadable": "The file cannot be decoded.",
    "outlier": "The vector is far from the mean vector, by the mean |z| of its dimensions.",
    "suspect": "Most of the nearest items have another label, and confident learning agrees.",
}
"""Flag -> one sentence for readers of the page."""


def flagged_pictures(
    ws: Workspace, dataset: str, most: int = SHOWN, *, judged: bool = False
) -> str:
    """Return the page of the last check of ``dataset``, with at most ``most`` items per flag.

    Flags with a verdict are on it only if ``judged``.

    Raises:
        MissingArtefactError: the data set was not checked, or its images are not pulled.
    """
    command = artefacts.table(ws, dataset, "flags").command
    path = versions.locate(ws, ws.table(dataset, "flags"))
    flagged = tables.open_table(path, command).read(FLAGS.names())
    if not judged:
        flagged, _ = without_judged(ws, dataset, flagged, FLAG)
    sections = list(_sections(ws, dataset, flagged, most))
    note = (
        f"{counted(flagged['image_id'].n_unique(), 'image', 'is', 'are')} flagged; no image "
        "is deleted"
    )
    return flags_page(ws.card(dataset).title, sections, note)


def _sections(
    ws: Workspace, dataset: str, flagged: pl.DataFrame, most: int
) -> Iterator[FlagSection]:
    name = pl.concat_str("flag", "other_dataset", separator=": ", ignore_nulls=True)
    for (flag,), rows in flagged.with_columns(name=name).group_by("name", maintain_order=True):
        shown = rows.sort("flag_id").head(most)
        own = pl.coalesce("item_id", "image_id")
        pairs = shown.select(own.alias("own"), "other", "other_dataset", "detail")
        mine = ingested_tiles(ws, dataset, [*pairs["own"], *_here(pairs)])
        theirs = {
            other: ingested_tiles(
                ws, other, pairs.filter(pl.col("other_dataset") == other)["other"]
            )
            for other in pairs["other_dataset"].drop_nulls().unique()
        }
        items = [_doubt(row, mine, theirs) for row in pairs.iter_rows()]
        meaning = _MEANINGS.get(rows["flag"][0], "")
        yield FlagSection(str(flag), len(rows), items, meaning)


def _here(pairs: pl.DataFrame) -> pl.Series:
    """Return the copies that are in the same data set."""
    return pairs.filter(pl.col("other_dataset").is_null())["other"].drop_nulls()


def _doubt(
    row: tuple[str, str | None, str | None, str],
    mine: dict[str, Tile],
    theirs: dict[str, dict[str, Tile]],
) -> FlaggedItem:
    own, other, where, detail = row
    pictures = [mine[own]]
    if other is not None:
        pictures.append(mine[other] if where is None else theirs[where][other])
    return FlaggedItem(pictures, detail)
