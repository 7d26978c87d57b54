"""Characters of data that would steer a terminal are escapes; JSON keeps its values."""

import json

import pytest

from likewise.cli import output
from likewise.formats.escape import escape_json, escape_line, escape_lines

HOSTILE = "a\x1b]0;title\x07\x9b2J\u202eb\r\x7f\udc80\U000e0041"


def test_a_line_holds_no_control_character() -> None:
    assert escape_line("a\nb\tc\x1b[2J") == r"a\nb\tc\x1b[2J"
    assert escape_line(HOSTILE).isprintable()
    assert escape_line(r"a\nb") == r"a\nb"


def test_words_spaces_and_emoji_stay_as_they_are() -> None:
    for text in ("Zürich", "見　る", "1\u202f000", "👩\u200d👧", "a\u200cb"):
        assert escape_line(text) == text


def test_lines_keep_their_ends() -> None:
    assert escape_lines("one\ntwo\x07\n") == "one\ntwo\\x07\n"


def test_json_has_the_same_values_without_control_characters() -> None:
    document = json.dumps({HOSTILE: [HOSTILE, "é"]}, indent=2, ensure_ascii=False)
    safe = escape_json(document)
    assert json.loads(safe) == json.loads(document)
    assert all(line.isprintable() for line in safe.split("\n"))
    assert "é" in safe


@pytest.mark.parametrize("print_it", [output.print_line, output.print_note])
def test_what_is_printed_is_escaped(
    capsys: pytest.CaptureFixture[str], print_it: object
) -> None:
    assert callable(print_it)
    print_it(f"likewise: {HOSTILE}\nnext")
    printed = "".join(capsys.readouterr())
    assert printed.count("\n") == 2
    assert printed.replace("\n", "").isprintable()
