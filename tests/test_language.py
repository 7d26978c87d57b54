"""Texts are plain English: no dialect word, and no docstring that begins as a question.

Checked are docstrings and comments of ``src``, ``tests`` and ``benchmarks``, every other text
in ``src`` and ``benchmarks`` (help, errors, progress, heads of tables), and the documentation.
A program finds only words and openings. Readers must find the rest.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from likewise import errors

ROOT = Path(__file__).parents[1]

RULES = {
    r"told|said|(?:tell|speak)s? of": 'write "report", "state" or the name of the value',
    r"anew|afresh": 'write "again"',
    r"beside": 'write "next to", "compared with" or "also"',
    r"(?:so|how) many times|so many|how manieth|manieth": "name the number",
    r"hangs? (?:on|upon)": 'write "depends on"',
    r"(?:is|are|was|were) to (?!the\b|a\b)[a-z]+": 'write "must" or an imperative',
    r"(?:go|goes|gone|going|went) on": 'write "continue" or "resume"',
    r"(?:broke|broken|breaks?) off": 'write "was interrupted"',
    r"(?:of which )?there (?:is|are) none of|of which there (?:is|are)": 'write "without"',
    r"(?<!there )(?:is|are|was|were) no\b(?! longer\b)": 'write "is not a"',
    r"that there (?:is|are) not": 'write "unknown" or "missing"',
    r"(?:stands?|stood)(?!-in| for\b)": 'write "is", "is written" or "is listed"',
    r"lies?|lain": 'write "is" or "is stored"',
    r"thing of|as it were|by that alone|save that|nothing but": "write the fact itself",
    r"taken (?:as|for)": 'write "treated as", "read as" or "mistaken for"',
    r"(?:in )?good order|lest|thereof|therein|whereof|wherein|whereby|upon|shall|ought":
        "use a modern word",
    r"nought|naught|hence|mends?|mended|bidden": "use a modern word",
}  # fmt: skip
"""Pattern of words -> what to do about it."""

OPENINGS = r"What|Whether|Which|That|So many|As many|How|The same|Of what|By what|From what"
"""A docstring begins with a verb or a noun, not with one of these."""

STORED = ("src/likewise/sources", "src/likewise/imaging", "src/likewise/formats/archives")
"""Folders whose texts become findings. Digests of findings are in people's history."""

NAMES = "said|told|found|named|there"
"""No variable has one of these names: they do not say what it holds."""

ALLOWED = {
    # `likewise init` recognises an unchanged dvc.yaml by its comments.
    "src/likewise/catalogue/templates/dvc.yaml": "params.yaml says what there is to make.",
    "src/likewise/steps/crosswalk.py": "beside:",  # a public attribute and key of JSON
    "src/likewise/steps/report/diagnostics.py": "found: str",  # a key of JSON
}
"""Module -> the only forbidden text in it that is allowed."""

_ANY = re.compile(rf"\b(?:{'|'.join(RULES)})\b", re.IGNORECASE)
_EACH = [(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), words) for words in RULES]
_OPENING = re.compile(rf"\s*(?:{OPENINGS})\b")
_OPENED = re.compile(rf'"""\s*(?:{OPENINGS})\b')
_JOINED = re.compile(r'["\']?\s*\n\s*(?:#\s?|[rf]?["\'])?')
_CODE = re.compile(r"``[^`]*``|`[^`\n]*`|^ *(?:>>>|\.\.\.).*$", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)# (?!noqa|type:|fmt:)([^\"']*)$")
_STRING = r'[rf]*"(?:\\.|[^"\\\n])*"' r"|[rf]*'(?:\\.|[^'\\\n])*'"
_TEXT = re.compile(rf'[rf]*"""(?s:.*?)"""|{_STRING}|#[^\n]*')
_VARIABLE = re.compile(rf"(?<![.\w])(?:{NAMES})(?!\w|=\w)")

Text = tuple[int, str]
"""Line and text."""


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def documents() -> list[Path]:
    folders = ("docs/**", "src/likewise/**/templates")
    patterns = ("*.md", "*/README.md", "*/*/README.md", *(f"{folder}/*" for folder in folders))
    files = {file for pattern in patterns for file in ROOT.glob(pattern)}
    files.discard(ROOT / "docs" / "columns.md")  # meanings of columns are stored in tables
    return sorted(file for file in files if file.suffix in {".md", ".html", ".yaml"})


def sentence(text: str, start: int) -> str:
    """Return the sentence of ``text`` that contains the position ``start``."""
    ends = [0, *(match.end() for match in re.finditer(r"[.:;!?|](?:\s+|$)", text)), len(text)]
    begin = max(end for end in ends if end <= start)
    return " ".join(text[begin : min(end for end in ends if end > start)].split())


def faults(file: Path, texts: Iterator[Text]) -> Iterator[str]:
    """Yield file, line, sentence and rule of every forbidden word in ``texts``."""
    for line, text in texts:
        plain = _CODE.sub(lambda code: " " * len(code[0]), text)
        flat = re.sub(r"\s", " ", plain)
        for pattern, words in _EACH:
            for match in pattern.finditer(flat):
                place = line + plain.count("\n", 0, match.start())
                name, whole = file.relative_to(ROOT).as_posix(), sentence(flat, match.start())
                if ALLOWED.get(name) != whole:
                    yield f'{name}:{place}: "{whole}": "{match[0]}"; {RULES[words]}'


def literal(node: ast.AST) -> str:
    """Return the text of a string or f-string; fields become ``{}``."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(literal, node.values))
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "{}" if isinstance(node, ast.FormattedValue) else ""


def docstrings(tree: ast.Module) -> dict[ast.Constant, int]:
    """Return every text that is a statement, of attributes too, and its line."""
    return {
        node.value: node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def error_arguments(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the arguments of the errors of ``likewise.errors``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if hasattr(errors, node.func.id):
            yield from (part for value in node.args for part in ast.walk(value))


def strings_of(nodes: Iterator[ast.AST]) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Yield strings and f-strings, without the constants inside f-strings."""
    parts: set[ast.AST] = set()
    for node in nodes:  # a parent comes before its parts
        if isinstance(node, ast.JoinedStr):
            parts.update(node.values)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in parts:
            yield node


def texts_of(tree: ast.Module, source: str, strings: str) -> Iterator[Text]:
    """Yield docstrings, comments, and ``strings``: all, those of errors, or none."""
    known = docstrings(tree)
    yield from ((line, literal(node)) for node, line in known.items())
    nodes = {"all": ast.walk(tree), "errors": error_arguments(tree), "none": iter(())}[strings]
    yield from ((node.lineno, literal(node)) for node in strings_of(nodes) if node not in known)
    comments = [_COMMENT.search(line) for line in [*source.splitlines(), ""]]
    block: list[str] = []
    for number, match in enumerate(comments):
        if match:
            block.append(match[1])
        elif block:
            yield number - len(block) + 1, "\n".join(block)
            block = []


def module_faults(file: Path, strings: str) -> Iterator[str]:
    source = file.read_text(encoding="utf-8")
    if not _ANY.search(_JOINED.sub(" ", source)) and not _OPENED.search(source):
        return  # parsing costs most of the time
    tree = ast.parse(source)
    yield from faults(file, texts_of(tree, source, strings))
    for node, line in docstrings(tree).items():
        if _OPENING.match(literal(node)):
            first = sentence(" ".join(literal(node).split()), 0)
            yield f'{file.relative_to(ROOT)}:{line}: "{first}": begin with a verb or a noun'


@pytest.mark.parametrize(
    ("folder", "strings"), [("src/likewise", "all"), ("benchmarks", "all"), ("tests", "none")]
)
def test_the_texts_of_modules_are_plain_english(folder: str, strings: str) -> None:
    wrong: list[str] = []
    for file in modules(folder):
        stored = file.relative_to(ROOT).as_posix().startswith(STORED)
        if file != Path(__file__):
            wrong += module_faults(file, "errors" if stored else strings)
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_documentation_is_plain_english() -> None:
    wrong: list[str] = []
    for file in documents():
        wrong += faults(file, iter([(1, file.read_text(encoding="utf-8"))]))
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_variable_is_named_by_what_it_holds() -> None:
    wrong = []
    for file in modules("src/likewise"):
        code = _TEXT.sub(lambda text: "\n" * text[0].count("\n"), file.read_text("utf-8"))
        for number, line in enumerate(code.splitlines(), start=1):
            match = _VARIABLE.search(line)
            if match and line.strip() != ALLOWED.get(file.relative_to(ROOT).as_posix()):
                wrong.append(f"{file.relative_to(ROOT)}:{number}: {match[0]}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_tests_have_plain_names() -> None:
    pattern = re.compile(
        r"_(?:said|told|anew|beside|lies?|stands?|goes_on|(?:is|are)_no)(?:_|$)"
    )
    wrong = []
    for file in modules("tests"):
        names = re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))
        wrong += [f"{file.relative_to(ROOT)}: {name}" for name in names if pattern.search(name)]
    assert not wrong, "\n" + "\n".join(wrong)


SAMPLE = '''"""Whether it is done."""

def function():
    """Return the rows.

    The order is what the
    rows hang on.
    """
    # The list is made
    # anew.
    raise DataError(f"{1} is no "
                    "name")
'''


def test_a_fault_is_reported_with_its_place_and_rule() -> None:
    file = ROOT / "src" / "sample.py"
    tree = ast.parse(SAMPLE)
    assert list(faults(file, texts_of(tree, SAMPLE, "errors"))) == [
        'src/sample.py:7: "The order is what the rows hang on.": "hang on"; write "depends on"',
        'src/sample.py:11: "{} is no name": "is no"; write "is not a"',
        'src/sample.py:10: "The list is made anew.": "anew"; write "again"',
    ]
    assert _ANY.search(_JOINED.sub(" ", SAMPLE)), "a phrase over two lines is not skipped"
    assert _OPENED.search(SAMPLE)
