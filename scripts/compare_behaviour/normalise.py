"""Replace what differs in every run by its name, and nothing else."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

MEASURED = {
    "build_s",
    "chosen",
    "exact_ms",
    "hours",
    "images_per_second",
    "ms",
    "queries_per_s",
    "seconds",
}
"""Keys of measured times, and of what is chosen by them, in whatever document."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


class Normaliser:
    """Normalises documents of one run in the folder ``top``."""

    def __init__(self, top: Path) -> None:
        """Know no commit yet."""
        self._top = str(top)
        self._commits: dict[str, str] = {}
        self._today = datetime.now(UTC).date()

    def know(self, commit: str, name: str) -> None:
        """Call ``commit`` by ``name`` where it is written in full or shortened."""
        self._commits[commit] = f"<{name}>"

    def plain(self, value: Any) -> Any:
        """``value`` without what differs in every run."""
        if isinstance(value, dict):
            return {
                self.text(str(key)): "<measured>" if key in MEASURED else self.plain(part)
                for key, part in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.plain(part) for part in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """``text`` without paths of this run, times, ids of files and commits."""
        text = text.replace(self._top, "<top>")
        for commit, name in self._commits.items():
            text = text.replace(commit, name)
            for length in (10, 7):
                text = re.sub(rf"\b{commit[:length]}\b", name, text)
        text = _TIME.sub("<time>", _UUID.sub("<uuid>", text))
        for days in (0, 1):  # a run may go on past midnight
            text = text.replace((self._today + timedelta(days)).isoformat(), "<today>")
        return text
