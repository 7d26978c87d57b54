"""One random hostile case of each kind; ``python tests/fuzz --cases 10000`` runs many."""

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.__main__ import GENERATORS

REPOSITORY = Path(__file__).parents[1]


def run_cases(*options: str) -> str:
    words = [sys.executable, "tests/fuzz", *options]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.torch
def test_one_case_of_each_kind(recorded: Path) -> None:
    count = len(GENERATORS)
    printed = run_cases("--cases", str(count), "--jobs", "1", "--catalogue", str(recorded))
    assert f"{count} cases, 0 faults" in printed


@pytest.mark.slow
@pytest.mark.torch
def test_many_cases(recorded: Path) -> None:
    assert " 0 faults" in run_cases("--cases", "600", "--catalogue", str(recorded))
