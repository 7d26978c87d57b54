"""Vectors divided by their lengths."""

import numpy as np
import pytest

from likewise.formats.unit_vectors import unit_vectors


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_vectors_have_length_one_and_zeros_stay_zero(dtype: type[np.floating]) -> None:
    vectors = np.array([[3, 4], [0, 0], [-5, 12]], dtype)
    units = unit_vectors(vectors)
    assert units.dtype == np.float32
    assert units.tolist() == pytest.approx(
        np.array([[3 / 5, 4 / 5], [0, 0], [-5 / 13, 12 / 13]]), abs=1e-7
    )
    assert vectors.tolist() == [[3, 4], [0, 0], [-5, 12]]
    assert unit_vectors(np.empty((0, 2), dtype)).shape == (0, 2)
