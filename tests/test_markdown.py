"""Markdown tables and escaping: no value breaks a row or becomes markup."""

from likewise.pages.markdown import code, inline, literal, table


def test_a_table_has_one_line_a_row_whatever_its_cells_hold() -> None:
    rows = [("a|b", None, 1 / 3), ("c\nd\r\ne\x00\x1b[31mf\x85\u2028", 2, "")]
    assert table(("name", "count", "share"), rows) == [
        "| name | count | share |",
        "| --- | --- | --- |",
        r"| a\|b |  | 0.333333 |",
        r"| c d e  \[31mf   | 2 |  |",
    ]


def test_code_keeps_backticks() -> None:
    assert code("0_a.jpg") == "`0_a.jpg`"
    assert code("a`b``c") == "``` a`b``c ```"


def test_literal_text_has_no_markup_and_one_line() -> None:
    assert literal("*a*\x00 <b>\n|") == r"\*a\* &lt;b&gt; \|"


def test_html_and_markup_of_a_label_are_text_in_tables_and_paragraphs() -> None:
    label = "<script>alert(1)</script> [x](y) \u202e*b*"
    shown = r"&lt;script&gt;alert(1)&lt;/script&gt; \[x\](y)  \*b\*"
    assert inline(label) == shown
    assert table(("label",), [(label,)])[-1] == f"| {shown} |"
    assert table(("label",), [(code("<b>|\n"),)])[-1] == r"| `<b>\| ` |"
