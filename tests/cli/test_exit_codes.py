"""Exit codes of the command line: after a signal, damage, or a hostile text."""

import signal
import subprocess
import sys
from collections.abc import Callable

import pyarrow as pa
import pytest

from likewise.cli import app as command_line
from likewise.errors import DataError, MissingExtraError, Stopped

INTERRUPTED_IMPORT = """
import signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "likewise.cli.app":
            signal.raise_signal(int(sys.argv[2]))

sys.meta_path.insert(0, Finder())
from likewise.__main__ import main
main()
"""


def interrupted_import() -> None:
    """Do as a library that turns the interrupt of its import into an error of its own."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise MissingExtraError("pip install something") from None


def raises(error: BaseException) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "code", "said"),
    [
        (interrupted_import, 130, "likewise: stopped; run the same command again to resume"),
        (raises(KeyboardInterrupt()), 130, "likewise: stopped; run the same command"),
        (raises(Stopped("it was saved")), 143, "likewise: it was saved"),
        (raises(pa.ArrowInvalid("corrupt file, /x/y.rs:1:2")), 4, "run: likewise doctor"),
        (raises(OSError("LanceError(IO): gone, /x/y.rs:1:2")), 4, "run: likewise doctor"),
        (raises(OSError(27, "File too large")), 4, "larger than the system allows"),
        (raises(DataError("a\x1b]0;owned\x07\u202e")), 4, r"likewise: a\x1b]0;owned\x07\u202e"),
    ],
)
def test_an_error_has_its_code_and_one_line(
    run: Callable[[], None],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(command_line, "app", run)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert ended.value.code == code
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert line.isprintable()


def test_an_error_of_the_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "app", raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        command_line.main()


@pytest.mark.parametrize(
    ("verb", "number", "code", "message"),
    [
        ("train", signal.SIGINT, 130, "likewise: stopped\n"),
        (
            "train",
            signal.SIGTERM,
            143,
            "likewise: stopped; run the same command again to resume\n",
        ),
        ("list", signal.SIGTERM, -15, ""),  # nothing to save: it ends at once
    ],
)
@pytest.mark.usefixtures("measured_programs")
def test_a_signal_during_the_first_imports_has_its_code(
    verb: str, number: signal.Signals, code: int, message: str
) -> None:
    words = [sys.executable, "-c", INTERRUPTED_IMPORT, verb, str(int(number))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, message)
