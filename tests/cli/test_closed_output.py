"""Outputs that nobody reads, or that the caller has closed, end no work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import forked
import likewise

pytestmark = pytest.mark.torch


def closed_pipe() -> int:
    """Return the end of a pipe to write to; the other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def ended(root: Path, *words: str, **environment: str) -> int:
    """Run a command whose stdout and stderr are closed; return its exit code."""
    output = closed_pipe()
    try:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=root,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            check=False,
        ).returncode
    finally:
        os.close(output)


def test_a_stage_does_not_fail_at_a_closed_output(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    assert ended(workspace, "likewise", "publish", "emoji", DVC_STAGE="publish@emoji") == 0
    assert likewise.open("emoji")["0_noto.jpg"]["label"] == "200"
    assert ended(workspace, "likewise", "evaluate", "emoji-tiny", DVC_STAGE="evaluate") == 0
    assert Path("reports/emoji-tiny.json").is_file()
    assert ended(workspace, "likewise", "publish", "emojy", DVC_STAGE="publish@emojy") == 2
    assert ended(workspace, "likewise", "list") == 1  # no stage: the reader has seen enough


@pytest.mark.parametrize("stream", ["2>&-", "<&- >&- 2>&-"])
def test_a_command_runs_without_standard_streams(workspace: Path, stream: str) -> None:
    (workspace / "catalog" / "emoji.lance").rename(workspace / "before")
    command = f'exec "$0" -m likewise "$@" {stream}'
    words = ["sh", "-c", command, sys.executable, "publish", "emoji"]
    done = subprocess.run(words, cwd=workspace, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(likewise.open("emoji")) == 24


@pytest.mark.dvc
def test_dvc_records_the_stages(recorded: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    output = closed_pipe()
    words = ("dvc", "repro", "--quiet")  # otherwise DVC itself ends at its next line
    done = subprocess.run(
        words,
        env={**os.environ, "PATH": forked.search_path()},
        stdout=output,
        stderr=output,
        check=False,
    )
    os.close(output)
    assert done.returncode == 0
    assert forked.run_dvc(recorded, "status").strip() == "Data and pipelines are up to date."
