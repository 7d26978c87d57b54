import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"dvc", "faiss", "lancedb", "numba", "timm", "torch"}
TABLES = {"lance", "numpy", "polars", "pyarrow"}


def loaded(*arguments: str) -> set[str]:
    """Return the top-level modules that a command loads."""
    command = [sys.executable, "-X", "importtime", "-m", "likewise", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["query", "--help"], ["train", "--help"]])
def test_help_loads_nothing_but_the_command_line(arguments: list[str]) -> None:
    modules = loaded(*arguments)
    assert "typer" in modules
    assert not modules & (HEAVY | TABLES | {"PIL", "rich", "yaml"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["show", "emoji"],
        ["query", "select label, count(*) from emoji group by label"],
    ],
    ids=["list", "show", "query"],
)
def test_reading_metadata_loads_no_model_and_no_index(
    workspace: Path, arguments: list[str]
) -> None:
    assert not loaded(*arguments) & HEAVY
