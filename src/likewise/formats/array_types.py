"""Names for the types of NumPy arrays, by element type or by meaning.

Use these instead of a local alias of ``npt.NDArray``. The type checker knows the element type
only; write the shape in the docstring of the function, as in ``(queries, k) float32``.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

AnyArray: TypeAlias = npt.NDArray[Any]
"""Any element type: files of numbers that users bring, and code that keeps the type it gets."""

GenericArray: TypeAlias = npt.NDArray[np.generic]
"""Any NumPy scalar type, where values are moved and compared but not computed with."""

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
"""Floating-point numbers of any width: vectors as a table stores them."""

Float32Array: TypeAlias = npt.NDArray[np.float32]
"""Embeddings, similarities and distances."""

Float64Array: TypeAlias = npt.NDArray[np.float64]
"""Metric values, statistics, and matrices that are solved."""

Int16Array: TypeAlias = npt.NDArray[np.int16]

Int32Array: TypeAlias = npt.NDArray[np.int32]
"""Positions of rows, where there are many of them."""

Int64Array: TypeAlias = npt.NDArray[np.int64]
"""Row numbers, class codes and counts; -1 stands for "none"."""

UInt8Array: TypeAlias = npt.NDArray[np.uint8]
"""Bytes that are not pixels, such as codes of a product quantiser."""

UInt16Array: TypeAlias = npt.NDArray[np.uint16]

UInt32Array: TypeAlias = npt.NDArray[np.uint32]

BoolArray: TypeAlias = npt.NDArray[np.bool_]
"""Masks: True selects a row."""

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""Pixels of colour images: (height, width, 3) or (3, height, width), with a leading batch axis
where a function says so."""

GreyPixels: TypeAlias = npt.NDArray[np.uint8]
"""(height, width) grey values of one image."""
