"""Commands in a real pseudo-terminal of a chosen width."""

import fcntl
import os
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len

from forked import search_path


def typed(
    arguments: Sequence[str],
    columns: int = 80,
    *,
    program: Sequence[str] = ("likewise",),
    folder: Path | None = None,
    answers: str = "",
    **variables: str,
) -> list[str]:
    """The lines that a command writes to a terminal, stdout and stderr together.

    ``answers`` are the keys that are pressed; the terminal shows them too.
    """
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "DVC_STAGE")}
    environment |= {"PATH": search_path(), **variables}
    process = subprocess.Popen(
        [*program, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment,
    )
    os.close(theirs)
    os.write(ours, answers.encode())
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # Linux reports the end of a terminal so
        pass
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n").splitlines()


def widest(lines: Sequence[str]) -> int:
    """The number of columns of the widest line; a CJK character has two."""
    return max(map(cell_len, lines), default=0)
