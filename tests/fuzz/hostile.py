"""Hostile values, and changes of documents that keep their structure mostly valid."""

import copy
import random
from typing import Any

OUTSIDE = "@OUTSIDE@"
"""Stands for the absolute path of a folder next to the workspace; the runner replaces it."""

STRINGS = (
    *("", " ", ".", "..", "...", "../x", "../../x.png", "../../../outside/x", "a/../../b"),
    *(f"{OUTSIDE}/x", "/etc/passwd", "~", "~root", "$HOME", "%s%n", "{}", "{0.__class__}"),
    *(".git/hooks/post-checkout", ".likewise/commits/a.json", "C:\\x", "a\\..\\b", "CON"),
    *(
        "a\0b",
        "a\nb",
        "a\rb",
        "a\tb",
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "\x7f",
        "\x9b31m",
    ),
    *("\u202egnp.x", "\ufeffbom", "é", "e\u0301", "日本語", "\U0001f600", "Größe", "\u200b"),
    *("x" * 255, "x" * 5000, "a/" * 200 + "b", "=1+1", "@cmd", "+1", "-rf", "--help", "-"),
    *(
        "<script>alert(1)</script>",
        "'; drop table x; --",
        '"',
        "'",
        "`id`",
        "$(id)",
        "a,b",
        "a;b",
    ),
    *("nan", "null", "None", "true", "1e400", "0x10", "-0", "9" * 40, "1_000", "٣", "1,5"),
    *("label", "item_id", "image_id", "split", "text", "box", "width", "taken", "reference"),
    *("label_said", "Text Said", "__class__", "select", "a.lance", ".yaml", "*", "[a-z]", "#"),
)
NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 0.5, -0.0, 1e-320, 1e308, -1e308, float("inf"), float("-inf"), float("nan")),
    *(2**31, 2**32, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, True, False),
)
OTHERS: tuple[Any, ...] = (None, [], {}, [[]], [None], {"": ""}, [{}], {"a": {"b": []}})


def value(rng: random.Random) -> Any:
    """Draw a hostile value of any type."""
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(STRINGS)
    return rng.choice(NUMBERS) if kind < 0.85 else copy.deepcopy(rng.choice(OTHERS))


def nested(rng: random.Random) -> Any:
    """Draw a deep list or mapping."""
    deep: Any = value(rng)
    for _ in range(rng.choice((10, 60, 150))):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    return deep


def change(document: Any, rng: random.Random, times: int = 0) -> Any:
    """Return ``document`` with some random places replaced, dropped, repeated or renamed."""
    document = copy.deepcopy(document)
    for _ in range(times or rng.choice((1, 1, 1, 2, 3, 6))):
        if not (holders := _holders(document)):
            return value(rng)
        _change_one(rng.choice(holders), rng)
    return document


def _holders(document: Any) -> list[Any]:
    """Return every list and mapping of ``document`` that is not empty."""
    found, left = [], [document]
    while left:
        one = left.pop()
        if isinstance(one, dict | list) and one:
            found.append(one)
            left.extend(one.values() if isinstance(one, dict) else one)
    return found


def _change_one(holder: Any, rng: random.Random) -> None:
    key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    way = rng.random()
    if way < 0.55:
        holder[key] = value(rng)
    elif way < 0.62:
        holder[key] = nested(rng)
    elif way < 0.75:
        del holder[key]
    elif isinstance(holder, dict):
        holder[rng.choice(STRINGS)] = holder.pop(key) if rng.random() < 0.5 else holder[key]
    else:
        holder.insert(key, copy.deepcopy(holder[key]))


def change_bytes(data: bytes, rng: random.Random) -> bytes:
    """Return ``data`` with flipped, cut, repeated or foreign bytes."""
    if not data:
        return rng.randbytes(40)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(changed)) if changed else 0
        way = rng.randrange(5)
        if way == 0 and changed:
            changed[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            del changed[at : at + rng.choice((1, 7, len(data)))]
        elif way == 2:
            changed[at:at] = changed[at : at + 64] * rng.choice((1, 3, 50))
        elif way == 3:
            changed[at:at] = rng.choice(
                (b"\0", b"\xff\xfe", b"\r", b'"', b"<", b"\xed\xa0\x80")
            )
        else:
            changed[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
    return bytes(changed)


def text_bytes(text: str, rng: random.Random) -> bytes:
    """Return ``text`` in a usual or an unusual encoding."""
    encoding = rng.choice(
        ("utf-8",) * 12 + ("utf-8-sig", "utf-16", "latin-1", "gb2312", "utf-7")
    )
    data = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
    return change_bytes(data, rng) if rng.random() < 0.1 else data
