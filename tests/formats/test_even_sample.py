"""A few rows of many, evenly spread."""

import itertools

import pytest

from likewise.formats.even_sample import evenly


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 100, 50_001])
@pytest.mark.parametrize("most", [1, 2, 5, 50_000])
def test_rows_are_evenly_spread(count: int, most: int) -> None:
    rows = evenly(count, most).tolist()
    assert len(rows) == min(count, most)
    assert rows[:1] == [0][:count]
    if most > 1 and count:
        assert rows[-1] == count - 1
    if len(rows) > 1:
        gaps = {later - earlier for earlier, later in itertools.pairwise(rows)}
        assert max(gaps) - min(gaps) <= 1
