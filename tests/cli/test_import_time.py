import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"dvc", "faiss", "lancedb", "numba", "pandas.core", "scipy", "timm", "torch"}
TABLES = {"lance", "numpy", "polars", "pyarrow"}


def loaded(*arguments: str) -> set[str]:
    """Return the modules that a command tries to load."""
    command = [sys.executable, "-X", "importtime", "-m", "likewise", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize("arguments", [["--help"], ["query", "--help"], ["train", "--help"]])
def test_help_loads_nothing_but_the_command_line(arguments: list[str]) -> None:
    modules = loaded(*arguments)
    assert "typer" in modules
    assert not modules & (HEAVY | TABLES | {"PIL", "rich", "yaml"})


def test_list_loads_no_table_and_no_picture(workspace: Path) -> None:
    assert not loaded("list") & (HEAVY | TABLES | {"PIL"})


@pytest.mark.parametrize(
    "arguments",
    [["show", "emoji"], ["query", "select label, count(*) from emoji group by label"]],
    ids=["show", "query"],
)
def test_reading_metadata_loads_no_model_no_index_and_no_picture(
    workspace: Path, arguments: list[str]
) -> None:
    modules = loaded(*arguments)
    assert {"lance", "polars"} <= modules
    assert not modules & (HEAVY | {"PIL"})


def test_pyarrow_finds_pandas_when_a_conversion_needs_it() -> None:
    pytest.importorskip("pandas")
    check = (
        "import sys\n"
        "from likewise.cli.process_settings import prepare_process\n"
        "prepare_process()\n"
        "import pyarrow as pa, pyarrow.dataset\n"
        "values = pa.array([1, 2])\n"
        "assert 'pandas' not in sys.modules\n"
        "assert list(values.to_pandas()) == [1, 2]\n"
        "import pandas as pd\n"
        "assert pa.array(pd.Series([1, None])).null_count == 1\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_numba_loads_no_library_that_loops_do_not_need(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    check = (
        "import sys\n"
        "from likewise.cli.process_settings import prepare_process\n"
        "prepare_process()\n"
        "import numba, numpy as np\n"
        "assert numba.njit(lambda x: x.sum())(np.ones(3)) == 3\n"
        "assert not {'scipy', 'cffi', 'coverage'} & sys.modules.keys()\n"
        "import scipy.linalg\n"
    )
    # Without the variables by which the coverage of this run starts in child processes.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    subprocess.run([sys.executable, "-c", check], check=True, cwd=tmp_path, env=env)
