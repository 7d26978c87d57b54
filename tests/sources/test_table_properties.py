"""Every row of random tables and every path of random patterns is in the items or the findings.

``make properties`` tries 5,000 examples; the ordinary run tries a few, which never change.
"""

import csv
import io
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from likewise.errors import LikewiseError
from likewise.sources.base import SourceResult
from likewise.sources.delimited_text import read_delimited
from likewise.sources.plain_text_table import read_plain
from likewise.sources.text_lines import TextFormat
from memory_files import images, read_memory

CASES = int(os.environ.get("CASES", "0"))
"""Number of examples of all properties; 0 for a few that are the same in every run."""

trials = settings(
    max_examples=-(-CASES // 5) or 25,
    derandomize=not CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

IMAGES = ("a.jpg", "x/a.jpg", "x/b.png", "y/b.png", "y/c d.jpg", "é.jpg", "1.jpg")
REFERENCES = (*IMAGES, "b.png", "c d.jpg", "X/A.JPG", "c d", "gone.jpg", "1", "y\\b.png", "")
KEYS = ("1", "2", "3", "k 4", "", "01")
NUMBERS = ("0", "1", "2.5", "7", "9", "-3", "1e2", "nan", "inf", "", "x", "1e999")
TEXTS = ("cat", "dog", "a b", "", "{}", '{"class": "owl"}', "[1]", "0", '"', "é", "train", "=1")
CELLS = ("1 2 5 6", "[1, 2, 5, 6]", "[[1,2,5,6],[0,0,2,2]]", "[]", "1 2", "x", "", "[[[", "{}")

Files = dict[str, bytes | str]


@dataclass
class Drawn:
    """Files and options of a data set, and what its tables have.

    ``marks`` are the marks of the rows of the first table, one per row, with its place.
    """

    files: Files
    options: dict[str, Any]
    marks: dict[str, str]
    keys: list[str] = field(default_factory=list)
    joined: list[tuple[str, str, str]] = field(default_factory=list)


def written(rows: list[list[str]], delimiter: str) -> str:
    """Return rows as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


@st.composite
def data_sets(draw: st.DrawFn) -> Drawn:
    """Draw images, a table of rows, and perhaps a table that is joined with it."""
    here = draw(st.lists(st.sampled_from(IMAGES), min_size=1, unique=True))
    delimiter = draw(st.sampled_from(",;\t|"))
    shape = draw(st.sampled_from(("none", "corners", "sizes", "cell", "centre")))
    sides = {
        "none": [],
        "corners": ["x1", "y1", "x2", "y2"],
        "sizes": ["x", "y", "w", "h"],
        "centre": ["cx", "cy", "w", "h"],
        "cell": ["box"],
    }[shape]
    names = ["mark", "image", "label", "text", "id", *sides]
    rows = [
        [
            draw(st.sampled_from(REFERENCES)),
            draw(st.sampled_from(TEXTS)),
            draw(st.sampled_from(TEXTS)),
            draw(st.sampled_from(KEYS)),
            *(draw(st.sampled_from(CELLS if shape == "cell" else NUMBERS)) for _ in sides),
        ]
        for _ in range(draw(st.integers(0, 6)))
    ]
    options: dict[str, Any] = {
        "delimiter": draw(st.sampled_from(("auto", {"\t": "tab"}.get(delimiter, delimiter)))),
        "corners": draw(st.sampled_from(("half-open", "inclusive", "1-based"))),
        "unit": draw(st.sampled_from(("pixels", "shares"))),
    }
    if shape == "cell":
        options |= {"box": "box", "box_format": draw(st.sampled_from(("auto", "xywh", "xyxy")))}
    marked = [[f"m{n}", *row] for n, row in enumerate(rows)]
    files: Files = {**images(*here), "t/rows.csv": written([names, *marked], delimiter)}
    first = 2
    if draw(st.booleans()):
        files["t/rows.csv"] = written(marked, delimiter)
        options["columns"], first = names, 1
    marks = {f"m{n}": f"t/rows.csv: line {n + first}" for n in range(len(rows))}
    drawn = Drawn(files, options, marks, [row[3] for row in rows])
    if draw(st.booleans()):
        _join(draw, drawn, names)
    return drawn


def _join(draw: st.DrawFn, drawn: Drawn, names: list[str]) -> None:
    """Add a table that is joined by ``id``."""
    rows = draw(st.lists(st.sampled_from(KEYS), max_size=5))
    lines = [[key, f"j{n}"] for n, key in enumerate(rows)]
    drawn.files["t/more.txt"] = written(lines, ",")
    many = draw(st.booleans())
    form = {"delimiter": ",", "columns": ["id", "joined"]}
    more = {"file": "more.txt", "on": "id", "many": many, **form}
    own = {"columns": drawn.options.pop("columns")} if "columns" in drawn.options else {}
    drawn.options |= {"tables": [{"file": "rows.csv", **own}, more]}
    drawn.joined = [(key, f"j{n}", f"t/more.txt: line {n + 1}") for n, key in enumerate(rows)]


def told(result: SourceResult) -> list[str]:
    """Return the paths of all findings."""
    return result.findings["path"].to_list()


def check_frames(result: SourceResult) -> None:
    """Check what holds for every result."""
    assert result.items["item_id"].is_unique().all()
    assert result.findings["finding_id"].is_unique().all()
    assert not result.items["image_id"].has_nulls()


@trials
@given(drawn=data_sets())
def test_every_row_of_a_table_is_in_the_items_or_the_findings(drawn: Drawn) -> None:
    result = read_memory("table", drawn.files, **drawn.options)
    check_frames(result)
    items, paths = result.items, told(result)
    kept = set(items["mark"]) if "mark" in items.columns else set()
    texts = {t for cell in _column(items, "captions") for t in cell or ()} | {*items["text"]}
    bad_boxes = [path for path in paths if path.rpartition("#")[2].isdigit()]
    counts: dict[str, int] = {}
    for mark, place in drawn.marks.items():
        is_named = any(
            path == place or path.startswith((f"{place},", f"{place} ")) for path in paths
        )
        if mark in kept or is_named:
            continue
        counts[mark] = 1
    # A row that is in neither has a faulty box, which is named by its item, or a further text.
    further = [path for path in paths if path.startswith("t/rows.csv: ")]
    assert len(counts) <= len(bad_boxes) + (len(texts) if further else 0), (counts, paths)


def _column(items: pl.DataFrame, name: str) -> list[Any]:
    return items[name].to_list() if name in items.columns else []


@trials
@given(drawn=data_sets().filter(lambda drawn: drawn.joined))
def test_every_row_of_a_joined_table_is_used_or_in_the_findings(drawn: Drawn) -> None:
    result = read_memory("table", drawn.files, **drawn.options)
    paths, used = told(result), set(drawn.keys)
    many = drawn.options["tables"][1]["many"]
    for number, (key, mark, place) in enumerate(drawn.joined):
        is_first = key not in [earlier for earlier, *_ in drawn.joined[:number]]
        if not key or (not is_first and not many):
            assert place in paths, (key, mark)
        elif key not in used:
            assert "t/more.txt" in paths, (key, mark)
    details = dict(result.findings.select("path", "detail").iter_rows())
    unused = [j for j in drawn.joined if j[0] and j[0] not in used]
    if unused and many:
        assert details["t/more.txt"].startswith(f"{len(unused):,} of ")


@trials
@given(
    table=st.binary(max_size=300)
    | st.text(max_size=200).map(str.encode)
    | st.lists(
        st.lists(st.sampled_from((*TEXTS, *REFERENCES, *NUMBERS, *CELLS)), max_size=6)
    ).map(lambda rows: written(rows, ",").encode()),
    options=st.fixed_dictionaries(
        {},
        optional={
            "columns": st.lists(
                st.sampled_from(("image", "label", "_", "x1", "y1", "w", "h", "box"))
            ),
            "header": st.booleans(),
            "skip": st.integers(0, 3),
            "comment": st.sampled_from(("#", '"', "")),
            "quote": st.sampled_from(('"', "'", "")),
            "delimiter": st.sampled_from(("auto", ",", "tab", "whitespace")),
            "encoding": st.sampled_from(("utf-8", "utf-16", "gb18030", "ascii", "cp1252")),
            "labels": st.sampled_from(("*", "label", "a*")),
            "lists": st.sampled_from(("label", "image")),
            "values": st.just({"label": {"cat": "dog", "1": None}}),
            "constants": st.just({"image": "a.jpg", "split": "train"}),
            "polygon": st.sampled_from(("label", "box")),
            "image": st.sampled_from(("label", "image")),
        },
    ),
)
@example(table=b"image,label\na.jpg,x", options={})
def test_any_bytes_are_a_table_or_one_error(table: bytes, options: dict[str, Any]) -> None:
    files: Files = {**images(*IMAGES), "t.csv": table}
    with suppress(LikewiseError):
        result = read_memory("table", files, **options)
        check_frames(result)
        assert {*result.items["image_id"]} == {*IMAGES}


PLAIN = (
    "a",
    " b ",
    "",
    "\xa0x\x85",
    "é",
    "1,",
    '"',
    "\r",
    "\x1f",
    "\u2028",
    "c\x0bd",
    "\ufeff",
)


@trials
@given(
    lines=st.lists(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=3)),
    end=st.sampled_from(("\n", "\r\n", "\n\n")),
    final=st.sampled_from(("", "\n")),
    header=st.booleans(),
)
@example(lines=[["\ufeff", "a"]], end="\n", final="", header=True)
def test_a_table_is_read_at_once_as_line_by_line(
    lines: list[list[str]], end: str, final: str, *, header: bool
) -> None:
    text = end.join(",".join(line) for line in (["a", "b"], *lines))
    data = f"{text}{final}".encode()
    form = TextFormat(delimiter=",", columns=None if header else ("a", "b"))
    slow, findings = read_delimited("t.csv", data, form)
    quick = read_plain(data, "t.csv", ["a", "b"], ",", '"', int(header), least=0)
    assert quick is None or (quick.equals(slow) and not findings)
    is_plain = all(len(line) == 2 and not {*line} & {"1,", '"', "\r", "\x1f"} for line in lines)
    is_plain &= "\ufeff" not in [line[0] for line in lines[:1]]
    assert quick is not None or not is_plain or end == "\n\n" or not lines


def test_a_large_table_has_the_numbers_of_its_lines() -> None:
    rows = "".join(f"{number}.jpg,{number % 7}\n" for number in range(20_000))
    frame, _ = read_delimited("t.csv", f"image,label\n{rows}".encode(), TextFormat())
    assert frame[":where"][[0, 997, 998, 19_999]].to_list() == [
        "t.csv: line 2",
        "t.csv: line 999",
        "t.csv: line 1,000",
        "t.csv: line 20,001",
    ]


PIECES = (
    *("(?P<label>[^/]+)", "(?P<split>train|test)", r"(?P<camera>\d+)", "(?P<pair>.*)", "(a|b)"),
    *(
        "/",
        ".*",
        r"\.jpg",
        "[a-z]",
        "a",
        "x",
        "(?:y|x)?",
        "+",
        "*",
        "?",
        "|",
        "^",
        "$",
        "(",
        ")",
    ),
    *("{2}", "{1,3}", "[", "]", "(?i)", r"\b", r"\w", "é"),
)
PATHS = st.text("abxy12_/ é.-#?", max_size=12).map(lambda text: f"{text.strip('/ .')}.jpg")


@trials
@given(
    pattern=st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(max_size=8),
    paths=st.lists(PATHS, min_size=1, max_size=6, unique=True),
    unlisted=st.sampled_from(("keep", "drop")),
    folders=st.dictionaries(
        st.sampled_from(("a", "x*", "**/y", "*")), st.just({"role": "query", "label": "z"})
    ),
)
def test_every_path_is_in_the_items_or_the_findings(
    pattern: str, paths: list[str], unlisted: str, folders: dict[str, Any]
) -> None:
    paths = [path for path in paths if "//" not in path and "/." not in path and path[0] != "."]
    options = {"unlisted": unlisted, "folders": folders}
    try:
        result = read_memory("pattern", images(*paths), pattern=pattern, **options)
    except LikewiseError:
        return
    check_frames(result)
    unmatched = set(result.findings.filter(check="bad-name")["path"])
    expected = set(paths) - (unmatched if unlisted == "drop" else set())
    assert {*result.items["image_id"]} == expected
