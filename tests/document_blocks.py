"""The blocks of code in a page of the documentation: they run in order.

A page begins with ``<!-- runs in: FOLDER -->``, a folder that the tests prepare. Every
block of ``sh`` and ``python`` runs in it, in order. A block of ``text`` below such a block is
its output: a line ``...`` is any number of lines, ``...`` in a line any text, and a decimal
number may differ by a few percent, as machines do. A comment before a block excepts it:

    <!-- not run: REASON -->
    <!-- slow: REASON -->
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import forked

_PART = re.compile(
    r"(?:<!-- (?P<mark>not run|slow): (?P<reason>[^>]+) -->\n+)?"
    r"^```(?P<language>sh|python)\n(?P<code>.*?)^```$"
    r"(?P<between>\n\n```text\n)?(?P<output>(?<=text\n).*?^```$)?",
    re.MULTILINE | re.DOTALL,
)
_FOLDER = re.compile(r"\A(?:<!--[^>]*-->\s*)*?<!-- runs in: ([\w-]+) -->")
_NUMBER = re.compile(r"\d+\.\d+(?:e-?\d+)?")
_VARIABLE = re.compile(rf"({_NUMBER.pattern}|\.\.\.)")
_SPACES = re.compile(r"[ \t]+")
TOLERANCE = 0.05
"""Relative difference of decimal numbers that different machines may have."""


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        line: its line in the page.
        language: ``sh`` or ``python``.
        code: its lines.
        output: the output in the page; None if the page shows none.
        mark: ``not run``, ``slow`` or "".
        reason: the reason for the mark.
        span: place of the output in the text of the page.
    """

    line: int
    language: str
    code: str
    output: str | None
    mark: str
    reason: str
    span: tuple[int, int]


def folder_of(page: Path) -> str:
    """Return the name of the folder in which the blocks of a page run."""
    match = _FOLDER.match(page.read_text(encoding="utf-8"))
    assert match, f"{page}: begin with <!-- runs in: FOLDER -->"
    return match[1]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for match in _PART.finditer(text):
        output = match["output"]
        yield Block(
            text.count("\n", 0, match.start("code")),
            match["language"],
            match["code"],
            None if output is None else output.removesuffix("```"),
            match["mark"] or "",
            (match["reason"] or "").strip(),
            match.span("output"),
        )


def run_block(block: Block, folder: Path, number: int) -> str:
    """Run a block in a folder, and return its standard output."""
    if block.language == "sh":
        # The folder of a `cd` in an earlier block is kept.
        place = folder / ".place"
        start = f'cd "$(cat {place} 2>/dev/null || pwd)"\n'
        done = forked.run(folder, "bash", "-ec", f"{start}{block.code}\npwd > {place}")
    else:
        script = folder / f".block{number}.py"
        script.write_text(block.code, encoding="utf-8")
        place = folder / ".place"
        root = Path(place.read_text().strip()) if place.exists() else folder
        done = forked.run(root, "python", str(script))
    assert done.returncode == 0, f"line {block.line}: {done.stdout}{done.stderr}"
    return done.stdout


def differs(expected: str, output: str) -> str:
    """Return the first line of the page that the output does not have; "" if it has all."""
    wanted = [_plain(line) for line in expected.rstrip().splitlines()]
    lines = [_plain(line) for line in output.rstrip().splitlines()]
    position, skips = 0, False
    for line in wanted:
        if line == "...":
            skips = True
            continue
        places = range(position, len(lines)) if skips else range(position, position + 1)
        place = next((i for i in places if i < len(lines) and _equal(line, lines[i])), None)
        if place is None:
            return line
        position, skips = place + 1, False
    if position < len(lines) and not skips:
        return f"(the output continues: {lines[position]})"
    return ""


def _plain(line: str) -> str:
    return _SPACES.sub(" ", line).strip()


def _equal(expected: str, line: str) -> bool:
    """Compare two lines: ``...`` is any text, and decimal numbers differ a little."""
    shape, numbers = "", []
    for part in _VARIABLE.split(expected):
        if _NUMBER.fullmatch(part):
            shape += rf"({_NUMBER.pattern})"
            numbers.append(float(part))
        else:
            shape += ".*" if part == "..." else re.escape(part)
    match = re.fullmatch(shape, line)
    return match is not None and all(
        abs(number - float(other)) <= TOLERANCE * max(abs(number), 0.02)
        for number, other in zip(numbers, match.groups(), strict=True)
    )


def rewrite(page: Path, outputs: dict[Block, str]) -> None:
    """Replace the outputs of a page, for people who changed the code that it shows."""
    text = page.read_text(encoding="utf-8")
    for block in sorted(outputs, key=lambda one: one.span, reverse=True):
        start, end = block.span
        text = f"{text[:start]}{outputs[block].rstrip()}\n```{text[end:]}"
    page.write_text(text, encoding="utf-8")
    sys.stderr.write(f"wrote {page}\n")
