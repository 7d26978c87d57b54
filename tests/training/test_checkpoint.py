"""Checkpoints that a disk has damaged."""

from pathlib import Path

import pytest
import torch

from likewise.errors import DataError
from likewise.training.checkpoint import Checkpoints

pytestmark = pytest.mark.torch


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert checkpoints.load("last") is None
    checkpoints.save("last", {"weights": torch.arange(3)})
    found = checkpoints.load("last")
    assert found is not None
    assert found["weights"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("damage", [b"", b"damaged\n", bytes(100), None])
def test_a_damaged_checkpoint_says_how_to_begin_anew(
    tmp_path: Path, damage: bytes | None
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save("last", {"weights": torch.arange(300)})
    path = tmp_path / "last.pt"
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(DataError, match=r"last.pt is damaged \(.*; to begin anew: rm -r "):
        checkpoints.load("last")
