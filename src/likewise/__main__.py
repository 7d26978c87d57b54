"""``python -m likewise``: the command line."""

import os
import signal
import sys
from types import FrameType

from likewise import SYSTEMS

_STOPPED = b"likewise: stopped; run the same command again to resume\n"


def main() -> None:
    """Run the command line; Ctrl-C and SIGTERM end its imports as they end a command."""
    if os.name != "posix":
        sys.stderr.write(f"likewise: {SYSTEMS}\n")
        sys.exit(1)
    _open_standard_streams()
    if sys.argv[1:2] == ["train"] and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        _report_sigterm()
    try:
        from likewise.cli import app
    except KeyboardInterrupt:
        sys.stderr.write("likewise: stopped\n")
        sys.exit(130)
    app.main()


def _open_standard_streams() -> None:
    """Open the streams that the caller has closed, as by ``2>&-``, on the null device.

    Otherwise the next file that is opened has the number of the stream, and messages of
    libraries are written into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number: that of the stream
            setattr(sys, name, os.fdopen(null, mode, encoding="utf-8"))


def _report_sigterm() -> None:
    """Let SIGTERM end this process with a line and the exit code of a stopped training.

    A training handles it itself while it learns. Other commands have nothing to save, so that
    SIGTERM ends them at once.
    """
    process = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            os.write(2, _STOPPED)
            os._exit(128 + number)  # an exception could be lost in the imports of a library
        signal.signal(number, signal.SIG_DFL)  # a child process of a pool
        signal.raise_signal(number)

    signal.signal(signal.SIGTERM, stop)


if __name__ == "__main__":
    main()
