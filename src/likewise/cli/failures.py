"""Ends of commands that were interrupted or failed: message and exit code."""

import signal
import sys
from types import FrameType
from typing import NoReturn

import likewise
from likewise.cli.output import print_note


def record_interrupts() -> list[int]:
    """Return a list that holds a number after Ctrl-C was pressed."""
    interrupts: list[int] = []

    def record(number: int, frame: FrameType | None) -> NoReturn:
        interrupts.append(number)
        raise KeyboardInterrupt

    # A parent, such as `nohup`, may have chosen to ignore it.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, record)
    return interrupts


def exit_with_error(error: BaseException) -> NoReturn:
    """Report an error that a user can cause; any other one is a bug and keeps its traceback."""
    if not isinstance(error, likewise.LikewiseError):
        error = _missing_extra(error) or error
    if isinstance(error, likewise.LikewiseError):
        print_note(f"likewise: {error}")
        sys.exit(error.exit_code)
    message = _system_error(error)
    if not message:
        raise error
    print_note(f"likewise: {message}")
    sys.exit(likewise.DataError.exit_code)


def _missing_extra(error: BaseException) -> BaseException | None:
    from likewise.errors import missing_extra

    return missing_extra(error)


def _system_error(error: BaseException) -> str:
    """Return the message for an error of the disk or of a damaged table; "" for others."""
    from likewise.errors import cannot_write, table_damage

    if isinstance(error, PermissionError) and error.filename:  # when reading or writing it
        return f"{error.filename}: {error.strerror}"
    if message := cannot_write(error):
        return message
    damage = table_damage(error)
    return damage and f"a table of the catalogue is damaged ({damage}); run: likewise doctor"
