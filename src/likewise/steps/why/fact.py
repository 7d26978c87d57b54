"""A fact of where something comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing that a result hangs on, and what is to be said of it now."""

    what: str
    value: str
    remark: str = ""


def since(then: object, now: object) -> str:
    """What is to be said of a value that was ``then`` and is ``now``."""
    if isinstance(then, dict) and isinstance(now, dict):
        return "" if all(then.get(name) == value for name, value in now.items()) else "changed"
    return "" if then == now else "changed since; run: dvc repro"


def said(value: object) -> str:
    """A value in words."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {said(part)}" for name, part in value.items())
    return "none" if value is None else str(value)
