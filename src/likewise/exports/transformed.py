"""Transform the images of a selection, and move their boxes with them."""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from PIL import Image

from likewise.errors import DataError
from likewise.exports.base import ExportFault, Selection
from likewise.exports.image_names import make_unique
from likewise.imaging.decode import decode
from likewise.imaging.image_reader import ImageReader
from likewise.imaging.parallel import map_in_order
from likewise.imaging.probe import BadImage
from likewise.imaging.transforms.base import Placement
from likewise.imaging.transforms.chain import Chain, encode_png

ARRAY_SUFFIX = ".npy"
_CORNERS = ("x1", "y1", "x2", "y2")


class FileReader(ImageReader):
    """Reads transformed images from files, one for each item."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Store the path of each item's image."""
        super().__init__(Path(), ())
        self._paths = paths

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._paths)

    def encoded(self, numbers: Iterable[int]) -> list[bytes]:
        """See ``ImageReader.encoded``."""
        return [self._paths[number].read_bytes() for number in numbers]


class _Done(NamedTuple):
    """A transformed image: its row, its file or a fault, and where its pixels are."""

    row: int
    nbytes: int
    placement: Placement
    fault: tuple[str, str] | None = None


def transform_selection(
    selection: Selection, chain: Chain, folder: Path
) -> tuple[Selection, list[ExportFault]]:
    """Write the transformed images to ``folder``, and return the items that remain.

    Images become PNG, or .npy if the chain makes arrays. Boxes are scaled, and cut to the
    result; those outside are faults, as are images that cannot be decoded.

    Raises:
        DataError: there are boxes, and a transform does not define where it puts pixels.
    """
    suffix = ARRAY_SUFFIX if chain.makes_array else ".png"
    results = list(_transformed(selection, chain, folder))
    names = selection.images["image_id"].to_list()
    faults = [(names[d.row], *d.fault) for d in results if d.fault]
    placed = pl.DataFrame(
        {
            "image_id": names,
            ":image": make_unique(names, suffix),
            ":file": range(len(names)),
            ":nbytes": [done.nbytes for done in results],
            ":kept": [done.fault is None for done in results],
            **{
                f":{name}": [getattr(done.placement, name) for done in results]
                for name in Placement._fields
            },
        },
        schema_overrides={":nbytes": pl.Int64, ":file": pl.Int64},
    )
    items = selection.items.join(placed, on="image_id", maintain_order="left")
    items = _with_boxes(items.filter(":kept"))
    outside = items.filter(pl.col("box").is_not_null() & ~pl.col(":inside"))
    detail = "nothing of it is in the transformed image"
    faults += [(item, "box-outside", detail) for item in outside["item_id"]]
    items = items.filter(pl.col("box").is_null() | pl.col(":inside"))
    paths = [folder / str(number) for number in items[":file"]]
    columns = selection.items.columns
    replaced = {
        "image_id": pl.col(":image"),
        "width": pl.col(":width"),
        "height": pl.col(":height"),
        "nbytes": pl.col(":nbytes"),
        "orientation": pl.lit(1),
        "mode": pl.lit("RGB"),
        "format": pl.lit(suffix[1:].upper()),
        "box": pl.col(":box"),
    }
    schema = selection.items.schema
    items = items.with_columns(
        value.cast(schema[name]).alias(name)
        for name, value in replaced.items()
        if name in schema
    ).select(columns)
    return Selection(
        selection.dataset,
        selection.card,
        items,
        FileReader(paths),
        selection.table,
        selection.mask,
        selection.extra_columns,
        selection.fetch_vectors,
    ), faults


def _transformed(selection: Selection, chain: Chain, folder: Path) -> Iterator[_Done]:
    """Write each transformed image to a file named by its row."""
    boxed = selection.boxed

    def transform(pair: tuple[int, bytes]) -> _Done:
        row, data = pair
        try:
            picture = decode(data)
        except BadImage as bad:
            return _Done(row, 0, Placement(1, 1), (bad.check, bad.detail))
        placement = _placement(chain, picture, boxed=boxed)
        content = _encoded(chain(picture))
        (folder / str(row)).write_bytes(content)
        return _Done(row, len(content), placement)

    yield from map_in_order(transform, selection.encoded())


def _placement(chain: Chain, picture: Image.Image, *, boxed: bool) -> Placement:
    try:
        return chain.place(*picture.size)
    except NotImplementedError as error:
        if boxed:
            raise DataError(
                f"{chain} does not define where it puts pixels, so boxes cannot be moved; "
                "define its method place"
            ) from error
        return Placement(*picture.size)


def _encoded(result: object) -> bytes:
    if isinstance(result, Image.Image):
        return encode_png(result)
    out = BytesIO()
    np.save(out, np.asarray(result), allow_pickle=False)
    return out.getvalue()


def _with_boxes(items: pl.DataFrame) -> pl.DataFrame:
    """Add ``:box``, the transformed and cut box, and ``:inside``: it has an area."""
    axes = ("x", "y", "x", "y")
    sides = {"x": (":scale_x", ":left", ":width"), "y": (":scale_y", ":top", ":height")}
    corners = []
    for number, (name, axis) in enumerate(zip(_CORNERS, axes, strict=True)):
        scale, start, size = map(pl.col, sides[axis])
        value = pl.col("box").arr.get(number).cast(pl.Float64) * scale + start
        corners.append(value.clip(0, size).cast(pl.Float32).alias(f":{name}"))
    moved = items.with_columns(corners)
    box = pl.concat_list(f":{name}" for name in _CORNERS).list.to_array(4)
    return moved.with_columns(
        pl.when(pl.col("box").is_not_null()).then(box).alias(":box"),
        ((pl.col(":x1") < pl.col(":x2")) & (pl.col(":y1") < pl.col(":y2"))).alias(":inside"),
    )
