"""The tour runs as a script, on the catalogue of the tests."""

from pathlib import Path

import pytest

import forked

TOUR = Path(__file__).parents[1] / "docs" / "tour.py"


@pytest.mark.torch
def test_the_tour_runs(workspace: Path) -> None:
    done = forked.run(workspace, "python", str(TOUR))
    assert done.returncode == 0, done.stderr
    assert "data sets: emoji" in done.stdout
    assert "vectors: (24, 96) float32" in done.stdout
    assert "4 elephants of (160, 160) pixels" in done.stdout
    assert "24 items; (32, 32) 0" in done.stdout
