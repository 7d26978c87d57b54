"""One random hostile case of each kind; ``python tests/fuzz --cases 10000`` runs many."""

from pathlib import Path

import pytest

import forked
from fuzz.__main__ import GENERATORS

REPOSITORY = Path(__file__).parents[1]

PARTS = 3
"""Number of tests that share the kinds."""


def run_cases(*options: str) -> str:
    done = forked.run(REPOSITORY, "python", "tests/fuzz", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.torch
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("part", range(PARTS))
def test_one_case_of_each_kind(recorded: Path, part: int) -> None:
    kinds = sorted(GENERATORS)[part::PARTS]
    count = str(len(kinds))
    printed = run_cases(
        "--cases", count, "--jobs", "1", "--catalogue", str(recorded), "--only", *kinds
    )
    assert f"{count} cases, 0 faults" in printed


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.usefixtures("unmeasured")
def test_many_cases(recorded: Path) -> None:
    assert " 0 faults" in run_cases("--cases", "600", "--catalogue", str(recorded))
