"""Numbers have the right noun and verb, and every message takes them from one function."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from likewise.formats.counted_nouns import counted

SOURCE = Path(__file__).parents[1] / "src" / "likewise"

PLURAL = re.compile(r" (?:[a-z-]+ ){0,2}?([a-z]+s)\b")

NO_NOUNS = frozenset(
    ("as", "bytes", "does", "has", "is", "its", "less", "needs", "pixels", "was")
)
"""Words on -s that do not follow a number as its noun, and units of any number."""

BREAKS = frozenset(
    ("a", "and", "are", "as", "between", "by", "from", "have", "in", "of", "the")
)
"""Words after which a noun is not that of the number before."""


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("item",), "0 items"),
        (1, ("item",), "1 item"),
        (1234, ("query",), "1,234 queries"),
        (2, ("class", "is", "are"), "2 classes are"),
        (1, ("class", "is", "are"), "1 class is"),
        (3, ("box", "lies", "lie"), "3 boxes lie"),
        (2, ("judged label",), "2 judged labels"),
        (2, ("day",), "2 days"),
        (2, ("file of the cache", "is", "are"), "2 files of the cache are"),
        (1, ("query of emoji", "has", "have"), "1 query of emoji has"),
    ],
)
def test_a_noun_and_its_verb_follow_the_number(
    number: int, words: tuple[str, ...], text: str
) -> None:
    assert counted(number, *words) == text


def test_no_message_prints_a_number_with_a_fixed_plural() -> None:
    faults = [
        f"{path.relative_to(SOURCE)}:{line}: {text!r}; use counted(...)"
        for path in sorted(SOURCE.rglob("*.py"))
        for line, text in fixed_plurals(path.read_text("utf-8"))
    ]
    assert not faults, "\n".join(faults)


def test_a_fixed_plural_is_found() -> None:
    texts = (
        "f'{n:,} items'",
        "f'{len(rows)} judged labels are'",
        "f'{a:,} of {len(rows):,} images'",
    )
    assert [len([*fixed_plurals(text)]) for text in texts] == [1, 1, 1]
    others = (
        "f'{n:,} bytes'",
        "f'{n} items'",  # a name, or a number that is a text
        "f'{MOST:,} items'",  # a constant
        "f'{n:,} of the items'",
        "f'{n:,} by its columns'",
    )
    assert not [fault for text in others for fault in fixed_plurals(text)]


def fixed_plurals(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each plural after a number: with a comma, or a length."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            expression = ast.unparse(value.value)
            form = value.format_spec
            has_comma = form is not None and ast.unparse(form) == "f','"
            is_length = form is None and re.fullmatch(r"len\(.*\)", expression) is not None
            if not (has_comma or is_length) or re.fullmatch(r"[A-Z_]+", expression):
                continue
            found = PLURAL.match(str(after.value))
            if found is None or found[1] in NO_NOUNS:
                continue
            if not BREAKS.intersection(found[0].split()):
                yield node.lineno, f"{expression}{found[0]}"
