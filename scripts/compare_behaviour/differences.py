"""Differences between two records, their places, and which of them are intended."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

SHOWN = 300
"""Characters of a value that are printed."""

NOTHING = object()
"""What stands where a document has no such key."""


@dataclass(frozen=True)
class Intended:
    """What is meant to differ.

    Attributes:
        renamed: pattern of places (as in fnmatch) -> regular expression -> new name. It is
            applied to every key and string below these places of the old record before it is
            compared, so that what was renamed is still compared.
        differences: pattern of places -> the reason.
    """

    renamed: dict[str, dict[str, str]] = field(default_factory=dict)
    differences: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: dict[str, Any] | None) -> "Intended":
        """What a YAML document with these two keys says."""
        return cls(**{name: value or {} for name, value in (document or {}).items()})

    def reason(self, place: str) -> str | None:
        """Why ``place`` may differ; None if it may not."""
        reasons = (why for at, why in self.differences.items() if fnmatchcase(place, at))
        return next(reasons, None)

    def renamed_in(self, record: dict[str, Any]) -> dict[str, Any]:
        """The old record with new names."""
        found = {}
        for place, value in record.items():
            names = [n for at, n in self.renamed.items() if fnmatchcase(place, at)]
            together = {old: new for some in names for old, new in some.items()}
            found[place] = _renamed(value, list(together.items())) if together else value
        return found


def _renamed(value: Any, names: list[tuple[str, str]]) -> Any:
    if isinstance(value, dict):
        return {_name(key, names): _renamed(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [_renamed(part, names) for part in value]
    return _name(value, names) if isinstance(value, str) else value


def _name(text: str, names: list[tuple[str, str]]) -> str:
    """One pass over ``text``, so that a new name is not taken for another old one."""
    whole = "|".join(f"(?P<_{number}>{old})" for number, (old, _) in enumerate(names))

    def replacement(match: re.Match[str]) -> str:
        return next(
            new for number, (_, new) in enumerate(names) if match[f"_{number}"] is not None
        )

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
    if value is NOTHING:
        return "nothing"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text):,} characters)"
