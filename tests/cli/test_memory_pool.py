"""Only the command line chooses Arrow's memory pool; an import of the library does not."""

import os
import subprocess
import sys

import pytest

COMMAND_LINE = """\
import contextlib, sys
from likewise.cli.app import main
sys.argv = ["likewise", "--version"]
with contextlib.suppress(SystemExit):
    main()
"""
LIBRARY = "import pyarrow as pa\nbefore = pa.default_memory_pool().backend_name\n"
SHOW = "import likewise.storage.tables\nimport pyarrow as pa\n"


def last_line(program: str, pool: str | None = None) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "ARROW_DEFAULT_MEMORY_POOL"}
    environment |= {} if pool is None else {"ARROW_DEFAULT_MEMORY_POOL": pool}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("pool", "expected"), [(None, "system"), ("system", "system"), ("mimalloc", "mimalloc")]
)
def test_the_command_line_uses_the_system_allocator(pool: str | None, expected: str) -> None:
    """The user's choice of a pool is respected."""
    show = SHOW + "print(pa.default_memory_pool().backend_name)"
    assert last_line(COMMAND_LINE + show, pool) == expected


def test_the_library_keeps_the_pool_of_its_process() -> None:
    show = SHOW + "print(before == pa.default_memory_pool().backend_name != 'system')"
    assert last_line(LIBRARY + show) == "True"
