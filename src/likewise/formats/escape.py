"""Escape text from data where it leaves the program: in a terminal and in JSON.

A file name, a label or a server can hold any character. Control characters move the cursor or
change the title of a terminal; characters of direction reorder the text around them; a newline
begins a line that the program did not write.
"""

import json
import unicodedata

_KEPT = frozenset("\u200c\u200d")
"""Joiners, which are part of words and of emoji."""


def escape_line(text: str) -> str:
    r"""Return ``text`` as one line without control characters.

    Control characters are replaced by escapes as in Python: ``\n``, ``\x1b``, ``\u202e``.
    Spaces of all widths stay.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_plain(c) else _escaped(c) for c in text)


def escape_lines(text: str) -> str:
    """Return ``text`` without control characters except the ends of its lines."""
    if text.isprintable():
        return text
    return "\n".join(map(escape_line, text.split("\n")))


def escape_json(text: str) -> str:
    r"""Return the JSON document ``text`` without control characters; its values are the same.

    JSON itself escapes only those below U+0020, and its line ends are outside of its strings.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "\n".join(
        line
        if line.isprintable()
        else "".join(c if _is_plain(c) else json.dumps(c)[1:-1] for c in line)
        for line in text.split("\n")
    )


def _is_plain(character: str) -> bool:
    return (
        character.isprintable()
        or character in _KEPT
        or unicodedata.category(character) == "Zs"  # spaces
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
