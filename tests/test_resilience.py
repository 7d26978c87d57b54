"""A few kills and a damaged byte; ``make kills`` and ``make flips`` run more."""

import shutil
from pathlib import Path

import pytest

from resilience import flips, kills
from resilience.team import States

pytestmark = [pytest.mark.dvc, pytest.mark.torch, pytest.mark.usefixtures("unmeasured")]


@pytest.fixture
def states(team: Path, tmp_path: Path) -> States:
    """The states of a team whose catalogue is that of the other tests."""
    (tmp_path / "states").mkdir()
    shutil.copytree(team, tmp_path / "states" / "made", symlinks=True)
    (tmp_path / "work").mkdir()
    return States(tmp_path / "states")


@pytest.mark.parametrize("verb", ["correct", "tag", "ingest", "embed-shards"])
def test_a_killed_command_leaves_the_old_or_the_new_state(
    states: States, tmp_path: Path, verb: str
) -> None:
    killer = kills.Killer(states, tmp_path / "work")
    last = killer.undisturbed(verb).writes - 1
    kill = killer.run(kills.Kill(verb, "write", last))
    assert kill.landed
    assert kill.faults == []


def test_doctor_names_and_repairs_a_damaged_byte(states: States, tmp_path: Path) -> None:
    flipper = flips.Flipper(states, tmp_path / "work")
    (flip,) = flipper.plan("digests", 1, seed=0)
    flipper.run(flip)
    assert flip.named
    assert flip.faults == []
