"""A note is shown on a terminal only, and is gone afterwards."""

import io
import sys
import time

import pytest

from likewise.formats.progress_note import progress_note


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_note_of_a_slow_block(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("likewise.formats.progress_note._SECONDS", 0.01)
    with progress_note("load the model"):
        limit = time.monotonic() + 30
        while "load the model ..." not in terminal.getvalue() and time.monotonic() < limit:
            time.sleep(0.01)
    assert "load the model ..." in terminal.getvalue()


def test_a_quick_block_has_no_note(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_note("load the model"):
        pass
    assert terminal.getvalue() == ""


def test_nothing_is_shown_where_stderr_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Terminal()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_note("load the model"):
            pass


def test_a_pipe_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_note("load the model"):
        pass
    assert capsys.readouterr() == ("", "")
