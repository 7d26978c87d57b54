"""The keys of the page: a letter has one meaning, and the documentation lists them all."""

import re
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

ENTRY = re.compile(r"\[(\[(?:'[^']+'(?:, )?)+\]), ?(?:'([^']*)'|`([^`]*)`)")
"""An entry of a table of keys: names and meaning."""

VERDICT = re.compile(r"\['(\w+)', '(\w)', '\w+', '[^']+'\]")


def meanings() -> dict[str, set[str]]:
    """Return letter -> the first words of its meanings."""
    found: dict[str, set[str]] = defaultdict(set)
    for script in sorted((REPOSITORY / "src/likewise/web/static").glob("*.js")):
        text = script.read_text("utf-8")
        for names, quoted, template in ENTRY.findall(text):
            letters = re.findall(r"'([^']+)'", names)
            words = re.findall(r"\w+", quoted or template)
            for at, letter in enumerate(letters):
                if re.fullmatch(r"[A-Za-z]", letter):
                    # "next, previous query": the first word is that of the first letter
                    alone = len(words) < 2 or f"{words[0]}, {words[1]}" not in quoted
                    found[letter].add(words[0 if alone else at])
        for verdict, letter in VERDICT.findall(text):
            found[letter].add(verdict)
    return found


def test_a_letter_has_one_meaning_on_all_pages() -> None:
    found = meanings()
    assert {letter: words for letter, words in found.items() if len(words) > 1} == {}
    assert found["z"] == {"undo"}
    assert (found["j"], found["k"]) == ({"next"}, {"previous"})
    assert found["a"] == {"kept"}


def test_the_documentation_lists_every_letter() -> None:
    text = (REPOSITORY / "docs/page.md").read_text("utf-8")
    keys = text[text.index("## Keys") : text.index("## Start")]
    assert [one for one in sorted(meanings()) if f"`{one}`" not in keys] == []
