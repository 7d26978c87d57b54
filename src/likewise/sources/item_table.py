"""Items that users provide as a file: a table, or the ground truth of a landmark benchmark."""

from pathlib import Path

import polars as pl

from likewise.errors import DataError, bounded, hint
from likewise.formats.paths import StrPath
from likewise.formats.pickles import read_structure
from likewise.sources.revisited import ground_truth

OPTIONAL_COLUMNS = ("label", "subset", "split", "role")
"""Columns that protocols may need; they are null if the table does not have them."""

_SUFFIXES = (".csv", ".parquet", ".pkl")


def read_items(path: Path) -> pl.DataFrame:
    """Read the items of ``path``, one row per item, in the order of their vectors.

    - ``.csv``, ``.parquet``: ``item_id``, the columns that the protocol reads (``label``,
      ``split``, ``role``, ``subset``), and any others, such as ``camera``. Lists need Parquet.
    - ``.pkl``: ground truth of Revisited Oxford or Paris: the images of ``imlist``, then the
      queries of ``qimlist``.

    Raises:
        DataError: the file is missing or damaged, has another suffix or no ``item_id``, or an
            id is empty or repeated.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise DataError(f"{path}: expected a table that ends in {', '.join(_SUFFIXES)}")
    try:
        if suffix == ".pkl":
            return _read_ground_truth(path)
        frame = _read_csv(path) if suffix == ".csv" else pl.read_parquet(path)
        return checked_items(frame, path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


def _read_csv(path: Path) -> pl.DataFrame:
    # Sources load Arrow and Pillow, which other items do not need.
    from likewise.sources.delimited_text import read_every_row
    from likewise.sources.text_lines import TextFormat

    form = TextFormat(delimiter=",")
    return read_every_row(str(path), path.read_bytes(), form).drop(":where")


def _read_ground_truth(path: Path) -> pl.DataFrame:
    items = ground_truth(read_structure(path.read_bytes(), str(path)), str(path))
    query_suffix = pl.when(role="query").then(pl.lit("#1")).otherwise(pl.lit(""))
    return checked_items(items.with_columns(item_id=pl.col("name") + query_suffix), path)


def checked_items(frame: pl.DataFrame, where: StrPath) -> pl.DataFrame:
    """Check a table of items, and add missing ``OPTIONAL_COLUMNS`` as null.

    Args:
        frame: the table.
        where: origin of the table, for messages.

    Raises:
        DataError: ``item_id`` is missing, or an id is empty or repeated.
    """
    if "item_id" not in frame.columns:
        raise DataError(f"{where}: no column 'item_id'; {hint('item_id', frame.columns)}")
    ids = frame["item_id"].cast(pl.String)
    repeated = ids.filter(ids.is_duplicated()).unique().sort()
    if len(repeated) or ids.null_count():
        examples = bounded(repeated, len(repeated))
        problem = f"is repeated: {examples}" if len(repeated) else "is empty"
        raise DataError(f"{where}: an item_id {problem}")
    absent = [
        pl.lit(None, pl.String).alias(name)
        for name in OPTIONAL_COLUMNS
        if name not in frame.columns
    ]
    present = [pl.col(c).cast(pl.String) for c in OPTIONAL_COLUMNS if c in frame.columns]
    return frame.with_columns(ids, *present, *absent)


def gpr1200_items(images: Path) -> tuple[pl.DataFrame, int]:
    """Return the items of GPR1200's images, in the order of their vectors.

    Args:
        images: folder or archive of the images.

    Returns:
        item_id, label and subset of each item, and the number of other files.

    Raises:
        DataError: the folder or archive cannot be read.
    """
    # Sources load Arrow and Pillow, which vectors without pictures do not need.
    from likewise.formats.archives import open_files
    from likewise.sources.gpr1200 import Gpr1200Source

    read = Gpr1200Source().read(open_files(images, strict=True), images)
    left_out = read.findings["check"].is_in(["bad-name", "not-an-image"]).sum()
    return read.items.select("item_id", "label", "subset"), int(left_out)
