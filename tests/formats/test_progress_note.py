"""A note is shown on a terminal only, and is gone afterwards."""

import io
import sys

import pytest

from likewise.formats.progress_note import progress_note


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_note_while_the_block_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_note("load the model"):
        assert "load the model ..." in terminal.getvalue()


def test_a_pipe_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_note("load the model"):
        pass
    assert capsys.readouterr() == ("", "")
