"""Tables in MATLAB's .mat files of version 5, as devkits of data sets hold them."""

from io import BytesIO
from typing import Any

from likewise.errors import DataError, bounded

_HDF5 = b"\x89HDF\r\n\x1a\n"


def variables(where: str, data: bytes) -> dict[str, Any]:
    """The variables of a .mat file: name -> array; nothing in it can be run.

    Raises:
        DataError: it is no .mat of version 5, or damaged.
    """
    if _HDF5 in data[:520] or data.startswith(b"MATLAB 7.3"):
        raise DataError(f"{where} is a .mat of version 7.3; save it in MATLAB as '-v7'")
    if not data.startswith(b"MATLAB 5.0"):
        raise DataError(f"{where} is no .mat of version 5; fetch it again")
    from scipy.io import loadmat  # late: it takes a quarter of a second to load

    try:
        found = loadmat(BytesIO(data), verify_compressed_data_integrity=True)
    except MemoryError:
        raise
    except Exception as error:
        # A damaged file meets any of a dozen exceptions on its way through the reader.
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{where} is damaged or cut short ({said}); fetch it again") from error
    return {name: value for name, value in found.items() if not name.startswith("__")}


def cells(where: str, data: bytes, name: str, columns: int) -> list[tuple[str | int, ...]]:
    """The rows of the cell array ``name``: texts and whole numbers, "" where a cell is empty.

    Raises:
        DataError: there is no such variable, or it has another shape or other values.
    """
    there = variables(where, data)
    if name not in there:
        raise DataError(
            f"{where} holds no variable {name!r}; there is: {bounded(there, len(there))}"
        )
    value = there[name]
    if value.dtype != object or value.ndim != 2 or columns not in value.shape:
        raise DataError(
            f"{where}: {name} is no cell array of {columns} columns, "
            f"but {value.dtype} of shape {value.shape}"
        )
    rows = value if value.shape[1] == columns else value.T
    return [tuple(_plain(where, name, cell) for cell in row) for row in rows]


def _plain(where: str, name: str, cell: Any) -> str | int:
    if getattr(cell, "size", None) == 0:
        return ""
    if getattr(cell, "size", None) == 1 and cell.dtype != object:
        value = cell.item()
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int | float) and value == int(value):
            return int(value)
    raise DataError(f"{where}: a cell of {name} is no text and no whole number")
