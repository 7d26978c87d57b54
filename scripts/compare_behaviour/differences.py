"""Differences between two records, their places, and which of them are intended."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

SHOWN = 300
"""Characters of a value that are printed."""

NOTHING = ("nothing is there",)
"""What stands where a document has no such key."""


@dataclass(frozen=True)
class Intended:
    """What is meant to differ.

    Attributes:
        renamed: regular expression -> replacement, applied to every string and key of the old
            record before it is compared, so that renamed things are still compared.
        differences: pattern of places (as in fnmatch) -> the reason.
    """

    renamed: dict[str, str] = field(default_factory=dict)
    differences: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: dict[str, Any] | None) -> "Intended":
        """What a YAML document with these two keys says."""
        return cls(**{name: value or {} for name, value in (document or {}).items()})

    def reason(self, place: str) -> str | None:
        """Why ``place`` may differ; None if it may not."""
        reasons = (why for at, why in self.differences.items() if fnmatchcase(place, at))
        return next(reasons, None)

    def renamed_in(self, value: Any) -> Any:
        """``value`` with new names for old ones."""
        if isinstance(value, dict):
            return {self._new(key): self.renamed_in(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.renamed_in(part) for part in value]
        return self._new(value) if isinstance(value, str) else value

    def _new(self, text: str) -> str:
        """One pass over ``text``, so that a new name is not taken for another old one."""
        if not self.renamed:
            return text
        patterns = list(self.renamed.items())
        whole = "|".join(f"(?P<_{number}>{old})" for number, (old, _) in enumerate(patterns))

        def replacement(match: re.Match[str]) -> str:
            number = next(n for n in range(len(patterns)) if match[f"_{n}"] is not None)
            return patterns[number][1]

        return re.sub(whole, replacement, text)


def differences(old: Any, new: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """The places where two documents differ, and what stands there in each."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            below = f"{place} / {key}" if place else key
            yield from differences(old.get(key, NOTHING), new.get(key, NOTHING), below)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{place} / length", str(len(old)), str(len(new))
        for number, (was, now) in enumerate(zip(old, new, strict=False)):
            yield from differences(was, now, f"{place} / {number}")
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield place, _shown(old), _shown(new)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text):,} characters)"
