"""Checkpoints, and damaged ones."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from disks import Disk
from likewise.errors import DataError
from likewise.models.training.checkpoint import Checkpoints
from likewise.storage.config import Params

pytestmark = pytest.mark.torch


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    assert checkpoints.load("last") is None
    checkpoints.save("last", {"weights": torch.arange(3)})
    found = checkpoints.load("last")
    assert found is not None
    assert found["weights"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("damage", [b"", b"damaged\n", bytes(100), None])
def test_a_damaged_checkpoint_says_how_to_start_over(
    tmp_path: Path, damage: bytes | None
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save("last", {"weights": torch.arange(300)})
    path = tmp_path / "last.pt"
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(DataError, match=r"last.pt is damaged \(.*; to start over: rm -r "):
        checkpoints.load("last")


def test_a_full_disk_leaves_the_checkpoint_before(disk: Disk) -> None:
    disk.mount(1 << 20)
    checkpoints = Checkpoints(disk.place)
    checkpoints.save("last", {"weights": torch.arange(3)})
    with pytest.raises(
        DataError, match=r"last\.pt cannot be written: no space left on the device"
    ):
        checkpoints.save("last", {"weights": torch.arange(3_000_000)})
    assert sorted(path.name for path in disk.place.iterdir()) == ["last.pt"]
    found = checkpoints.load("last")
    assert found is not None
    assert found["weights"].tolist() == [0, 1, 2]


def test_a_seed_is_a_count() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Params(seed=-3)


def test_a_checkpoint_that_this_checkout_did_not_write_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path / "0" / "checkpoints")
    checkpoints.save("last", {"weights": torch.arange(3)})
    last = tmp_path / "0" / "checkpoints" / "last.pt"
    for another in (tmp_path / "0" / "checkpoints" / "best.pt", tmp_path / "1.pt"):
        another.write_bytes(last.read_bytes())
    with pytest.raises(DataError, match=r"best\.pt is damaged \(or was not written by this"):
        checkpoints.load("best")
    torch.save({"weights": torch.arange(3)}, last)
    with pytest.raises(DataError, match=r"last\.pt is damaged \(or was not written by this"):
        checkpoints.load("last")
    last.write_bytes((tmp_path / "1.pt").read_bytes())
    assert checkpoints.load("last") is not None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of somebody else"))
    with pytest.raises(DataError, match=r"last\.pt is damaged \(or was not written by this"):
        checkpoints.load("last")
