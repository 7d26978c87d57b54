"""Text for a terminal: its width, escaped characters, shortened and wrapped text."""

import re
import shutil
import sys
from collections.abc import Iterator
from typing import TextIO

NARROWEST = 20
"""Smallest width; a narrower terminal is treated as if it had this width."""

_WORD = re.compile(r"\S+")
_ARGUMENT = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
_COMMAND = re.compile(r"(?<![\w-])(?:run|next): ")


def terminal_width(stream: TextIO) -> int | None:
    """Return the width of the terminal of ``stream``; None if it is not a terminal.

    The variable COLUMNS sets another width.
    """
    if not stream.isatty():
        return None
    return max(NARROWEST, shutil.get_terminal_size().columns)


def width(text: str) -> int:
    """Return the number of columns that ``text`` takes; a CJK character takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def shortened(text: str, most: int) -> str:
    """Shorten ``text`` to at most ``most`` characters; "…" replaces its middle."""
    if width(text) <= most:
        return text
    mark = "…" if _is_unicode() else "..."
    room = max(0, most - width(mark))
    # The end of a path tells more than its beginning.
    tail = _ending(text, (room + 1) // 2)
    head = _beginning(text, room - width(tail))
    return (head + mark + tail) if room else mark[:most]


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def _beginning(text: str, most: int) -> str:
    end = min(len(text), most)
    while width(text[:end]) > most:
        end -= 1
    return text[:end]


def _ending(text: str, most: int) -> str:
    start = max(0, len(text) - most)
    while width(text[start:]) > most:
        start += 1
    return text[start:]


def wrapped(text: str, most: int) -> list[str]:
    """Break ``text`` between words into lines of ``most`` characters; shorten longer words."""
    return _lines((shortened(word, most) for word in _WORD.findall(text)), most)


def wrapped_command(text: str, most: int) -> list[str]:
    r"""Break a command between arguments; each line but the last ends with a backslash."""
    arguments = _ARGUMENT.findall(text)
    lines = _lines(iter(arguments), most - 2)
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def _lines(words: Iterator[str], most: int, first: int | None = None) -> list[str]:
    """Fill lines of at most ``most`` characters with words; the first has ``first``."""
    lines = [""]
    for word in words:
        line = f"{lines[-1]} {word}" if lines[-1] else word
        room = most if first is None or len(lines) > 1 else first
        if lines[-1] and width(line) > room:
            lines.append(word)
        else:
            lines[-1] = line
    return lines


def paragraph(text: str, most: int) -> Iterator[str]:
    """Yield the lines of a message, each at most ``most`` characters wide.

    If a line of ``text`` ends with a command, the command is broken between arguments, and a
    shell still reads the broken lines as one command.
    """
    for line in text.split("\n"):
        if width(line) <= most:
            yield line
            continue
        indent = " " * (len(line) - len(line.lstrip(" ")))
        inner = indent + "  "
        room = most - len(inner)
        starts = [match.start() for match in _COMMAND.finditer(line)]
        prose, command = (line[: starts[-1]], line[starts[-1] :]) if starts else (line, "")
        words = (shortened(word, room) for word in _WORD.findall(prose))
        first, *rest = _lines(words, room, most - len(indent))
        yield from [indent + first] * bool(first)
        yield from (inner + piece for piece in rest)
        if command:
            start = inner if first else indent
            yield from (start + piece for piece in wrapped_command(command, most - len(start)))
