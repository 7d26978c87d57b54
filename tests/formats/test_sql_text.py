"""Keywords and names within quoted texts and comments do not count."""

import pytest

from likewise.formats.sql_text import without_texts


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("note like '%\"label\"%'", "note like ''"),
        ("a = 'it''s \"b\"' and \"c\" = 1", "a = '' and \"c\" = 1"),
        ("\"it's\" = 'x' -- drop 'y'\n", "\"it's\" = ''  \n"),
        ("a /* ' */ = 'b'", "a   = ''"),
        ("a = ''", "a = ''"),
        ("a = 'open", "a = 'open"),
    ],
)
def test_texts_are_emptied(sql: str, plain: str) -> None:
    assert without_texts(sql) == plain
