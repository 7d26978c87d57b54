"""Facts about the origin of a result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One fact that a result depends on.

    Attributes:
        what: name of the fact.
        value: its value, as text.
        remark: a comment, such as a change since; "" for none.
    """

    what: str
    value: str
    remark: str = ""


def since(then: object, now: object) -> str:
    """Return a remark if a value has changed from ``then`` to ``now``."""
    if isinstance(then, dict) and isinstance(now, dict):
        return "" if all(then.get(name) == value for name, value in now.items()) else "changed"
    return "" if then == now else "changed since; run: dvc repro"


def readable(value: object) -> str:
    """Format a value as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {readable(part)}" for name, part in value.items())
    return "none" if value is None else str(value)
