"""What a search is asked for: checked, read, and made comparable."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
import numpy.typing as npt
import polars as pl

from likewise import tables
from likewise.errors import DataError, hint
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage
from likewise.vectorfiles import read_array

if TYPE_CHECKING:
    import lance
    from PIL import Image

Picture: TypeAlias = Union[Path, str, bytes, "Image.Image"]
"""An image file, its bytes, or a picture that is open."""

Numbers: TypeAlias = Path | str | npt.NDArray[Any]
"""A vector, or a file with one."""

_NEAR_IDS = 2000
_NO_COLUMN = re.compile(r"No field named (.+?)\. |Column (\S+) does not exist")
_SYNTAX = re.compile(r"\(sql parser error: (.+)\)$", re.DOTALL)
_PLACE_IN_LANCE = re.compile(r", /\S+\.rs:\d+:\d+")
_ECHO = re.compile(r"^(?:Invalid user input|External error|[\w ]+ error): ")


@dataclass(frozen=True)
class Query:
    """Exactly one of ``image``, ``id`` and ``vector``, and how to look; see ``search``."""

    model: str | None = None
    image: Picture | None = None
    id: str | None = None
    vector: Numbers | None = None
    k: int = 10
    where: str | None = None
    index: str | None = None

    def check(self) -> None:
        """Refuse a query that does not say what to look for, or how many hits.

        Raises:
            DataError: nothing or several things are given, or ``k`` is no number from 1.
        """
        ways = {"image": self.image, "id": self.id, "vector": self.vector}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise DataError(f"search by one of image, id and vector; here is {found}")
        if self.k < 1:
            raise DataError(f"k is {self.k}; ask for at least 1 hit")


def picture(asked: Picture) -> "Image.Image":
    """The picture to look for, RGB, as it is stored: what a model is shown.

    Raises:
        DataError: there is no such file, or it is no image.
    """
    if not isinstance(asked, Path | str | bytes):
        return asked.convert("RGB")
    name = "the query" if isinstance(asked, bytes) else str(asked)
    try:
        return decode(encoded(asked))
    except BadImage as bad:
        raise DataError(f"{name}: {bad.detail}") from bad


def encoded(asked: Path | str | bytes) -> bytes:
    """The bytes of an image file.

    Raises:
        DataError: there is no such file.
    """
    if isinstance(asked, bytes):
        return asked
    try:
        return Path(asked).read_bytes()
    except OSError as error:
        raise DataError(f"{asked}: {error.strerror}; name an image file") from error


def vector(asked: Numbers) -> npt.NDArray[np.float64]:
    """The numbers to look for: (d,).

    Raises:
        DataError: they are not one vector of numbers.
    """
    name, values = "the query", np.asarray(asked)
    if isinstance(asked, Path | str):
        name, values = str(asked), read_array(Path(asked))
    if values.ndim == 2 and len(values) == 1:
        values = values[0]
    if values.ndim != 1 or values.dtype.kind not in "fiu":
        shape = " x ".join(map(str, values.shape)) or "no"
        raise DataError(f"{name} holds {shape} values of {values.dtype}; give one vector")
    return values.astype(np.float64)


def unit(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A vector (d,) of length 1 in the same direction.

    Raises:
        DataError: it has none: it is zero, or holds what is no number.
    """
    wide = values.astype(np.float64)
    if not np.isfinite(wide).all():
        wrong = np.flatnonzero(~np.isfinite(wide))
        raise DataError(
            f"{len(wrong):,} values of the vector are no number; the first: {wrong[0]}"
        )
    # The largest value first: its square could be beyond what a float64 holds.
    largest = np.abs(wide).max(initial=0)
    if not largest:
        raise DataError("all values of the vector are 0: it has no direction")
    wide /= largest
    scaled: npt.NDArray[np.float32] = (wide / np.linalg.norm(wide)).astype(np.float32)
    return scaled


def like(ids: pl.Series, wrong: str) -> Iterable[str]:
    """Ids that begin as ``wrong`` does, for a message; not millions of them."""
    for length in range(len(wrong), 0, -1):
        found = ids.filter(ids.str.starts_with(wrong[:length]))
        if len(found):
            return found.head(_NEAR_IDS).to_list()
    return ids.head(_NEAR_IDS).to_list()


def holds(table: "lance.LanceDataset", where: str) -> npt.NDArray[np.bool_]:
    """(n,) the rows of ``table`` that the SQL condition ``where`` holds for.

    Raises:
        DataError: it is no condition, or names a column that there is not.
    """
    columns = tables.metadata_columns(table)
    quoted = re.search(f'"({"|".join(columns)})"', where)
    if quoted:
        raise DataError(
            f"where: {quoted[0]} is a text, not the column; write {quoted[1]}, and texts in "
            "single quotes"
        )
    mask = np.zeros(table.count_rows(), bool)
    try:
        # The brackets keep out what is no condition: LIMIT 3, ; ...
        for batch in tables.scan(table, ["_rowoffset"], f"({where}\n)"):
            mask[batch.column(0).to_numpy()] = True
    except (ValueError, OSError, RuntimeError) as error:
        raise DataError(f"where: {_reason(str(error), columns)}") from error
    return mask


def _reason(said: str, columns: list[str]) -> str:
    """Lance's own words, without the Rust around them."""
    unknown = _NO_COLUMN.search(said)
    if unknown:
        name = (unknown[1] or unknown[2]).strip('`"')
        return f"no column {name!r}; {hint(name, columns)} Texts stand in single quotes"
    text = _PLACE_IN_LANCE.sub("", said)
    syntax = _SYNTAX.search(text)
    if syntax:
        return f"not SQL: {syntax[1]}"
    while (shorter := _ECHO.sub("", text)) != text:
        text = shorter
    return " ".join(text.split())
