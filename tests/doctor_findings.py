"""Problems that doctor finds, and edits of files that it reads."""

from pathlib import Path

import likewise


def found(check: str) -> list[tuple[str, str]]:
    """Return the texts and commands of one check of the doctor."""
    return [(p.what, p.command) for p in likewise.doctor() if p.check == check]


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
