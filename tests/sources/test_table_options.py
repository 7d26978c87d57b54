"""Options of tables: ranges, prefixes, patterns in cells, partial tables, left-out folders."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from known_miniatures import packed
from likewise.errors import ConfigError, DataError
from likewise.sources import SOURCES
from likewise.sources.table_files import TableFile
from memory_files import findings, images, read_memory, rows


def read(table: str, options: dict[str, Any], **source: Any) -> Any:
    files = {**images("a/1.jpg", "b/1.jpg", "b/2.jpg"), "t.csv": table}
    return read_memory("table", files, tables=[{"file": "t.csv", **options}], **source)


NUMBERS = "image,class\na/1.jpg,1\nb/1.jpg,98\nb/2.jpg,99\n"


def test_a_range_replaces_all_its_numbers() -> None:
    values = {"split": {"1..98": "train", "99..196": "test"}}
    result = read(NUMBERS, {}, split="class", values=values)
    assert rows(result, "split") == {"a/1.jpg": "train", "b/1.jpg": "train", "b/2.jpg": "test"}
    assert findings(result) == {}
    short = read(NUMBERS, {}, split="class", values="split: 1..98=train 99..196=test")
    assert short.items.equals(result.items)


def test_a_number_outside_all_ranges_stays_and_an_exact_value_has_precedence() -> None:
    values = {"label": {"1..98": "low", "98": "edge"}}
    result = read(NUMBERS, {}, label="class", values=values)
    assert rows(result, "label") == {"a/1.jpg": "low", "b/1.jpg": "edge", "b/2.jpg": "99"}
    assert list(findings(result)) == ["unmapped-value: t.csv: label"]
    empty = read(NUMBERS, {}, label="class", values={"label": {"1..98": None}})
    assert rows(empty, "label") == {"a/1.jpg": None, "b/1.jpg": None, "b/2.jpg": "99"}
    wide = read(NUMBERS, {}, label="class", values={"label": {"0..999999999999999999": "x"}})
    assert set(rows(wide, "label").values()) == {"x"}


def test_a_prefix_distinguishes_equal_names() -> None:
    table = "image,label\n1.jpg,x\n"
    assert rows(read(table, {"prefix": {"image": "b/"}}, unlisted="drop"), "label") == {
        "b/1.jpg": "x"
    }
    assert "ambiguous-image: t.csv: line 2" in findings(read(table, {}))
    with pytest.raises(DataError, match=r"t\.csv: prefix: no column 'imag'; did you mean"):
        read(table, {"prefix": {"imag": "b/"}})


def test_columns_come_from_the_texts_of_cells() -> None:
    table = "image\na/1.jpg\nb/1.jpg\nb-2\n"
    pattern = r"(?P<label>[a-z])/(?P<number>\d)\.jpg"
    result = read(table, {"extract": {"image": pattern}}, unlisted="drop")
    assert rows(result, "label", "number") == {"a/1.jpg": ["a", 1], "b/1.jpg": ["b", 1]}
    assert findings(result)["bad-value: t.csv: image"] == (
        "1 of 3 rows do not match the pattern: t.csv: line 4"
    )
    with pytest.raises(ConfigError, match="unclosed group"):
        read(table, {"extract": {"image": "(?P<label>"}})
    own = {"extract": {"image": r"(?P<image>[^#]*)#\d"}}
    replaced = read("image,label\nb/2.jpg#0,x\n", own, unlisted="drop")
    assert rows(replaced, "label") == {"b/2.jpg": "x"}
    with pytest.raises(DataError, match="the table has a column 'label' already"):
        read("image,label\na/1.jpg,x\n", {"extract": {"image": "(?P<label>.*)"}})


@pytest.mark.parametrize(("partial", "expected"), [(True, 0), (False, 2)])
def test_a_partial_table_is_not_reported(*, partial: bool, expected: int) -> None:
    files = {
        **images("a.jpg", "b.jpg"),
        "l.csv": "image,label\na.jpg,x\nb.jpg,y\n",
        "names.csv": "label,text\nx,ex\nz,zet\n",
    }
    table = {"file": "names.csv", "on": "label", "partial": partial}
    result = read_memory("table", files, tables=["l.csv", table])
    assert rows(result, "text") == {"a.jpg": "ex", "b.jpg": None}
    assert len(findings(result)) == expected


def test_folders_are_left_out_without_a_finding() -> None:
    files = images("x/a/1.jpg", "x/gt/a/1.jpg", "x/gt_b/a/1.jpg", "gt.jpg")
    options = {"pattern": r"(?P<label>\w)/\d\.jpg", "omit": "gt gt_*"}
    result = read_memory("pattern", files, **options)
    assert rows(result, "label") == {"x/a/1.jpg": "a"}
    assert list(findings(result)) == ["bad-name: gt.jpg"]


def test_the_word_on_may_be_written_in_the_long_form() -> None:
    table = yaml.safe_load("{file: classes.txt, columns: class label, on: class}")
    assert TableFile.model_validate(table).on == {"class": "class"}


@pytest.mark.parametrize("name", ["part.zip", "part.tar", "part.tar.gz"])
def test_archives_in_a_folder_are_read_as_folders(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(packed(name, {"cat/1.jpg": b"", "dog/2.jpg": b""}))
    (tmp_path / "split.csv").write_text("image,split\ncat/1.jpg,test\n")
    options = {"tables": "split.csv", "nested": True, "unlisted": "drop"}
    source = SOURCES.build({"kind": "table", **options}, "source")
    result = source.read(source.open(tmp_path), tmp_path)
    assert rows(result, "split") == {f"{name}/cat/1.jpg": "test"}
    folder = SOURCES.build({"kind": "folder", "nested": True}, "source")
    assert set(rows(folder.read(folder.open(tmp_path), tmp_path), "label").values()) == {
        "cat",
        "dog",
    }


def test_lists_of_image_names_become_ids_of_items() -> None:
    """A name means an image by its stem; names without one are dropped, with a finding."""
    files = {
        **images("index/a1.jpg", "index/b2.jpg", "test/q.jpg", "test/r.jpg"),
        "index.csv": "id\na1\nb2\n",
        "truth.csv": "id,Hits\nq,b2 c3 a1\nr,\n",
    }
    options = {
        "tables": [
            {"file": "index.csv", "constants": {"role": "gallery"}},
            {"file": "truth.csv", "constants": {"role": "query"}},
        ],
        "image": "id",
        "references": "Hits",
    }
    for name, rename in (("hits", {}), ("relevant", {"Hits": "relevant"})):
        result = read_memory("table", files, **options, rename=rename)
        assert rows(result, name) == {
            "index/a1.jpg": None,
            "index/b2.jpg": None,
            "test/q.jpg": ["index/b2.jpg", "index/a1.jpg"],
            "test/r.jpg": None,
        }
        assert findings(result) == {
            f"dangling: {name}": "1 of 3 listed names have no image: c3"
        }
    with pytest.raises(DataError, match="no column 'hit'; there are: id, role"):
        read_memory("table", files, **{**options, "references": "hit"})


def test_parts_of_the_path_of_a_table_are_columns() -> None:
    files = {
        **images("1.jpg", "2.jpg"),
        "split.dress.val.json": '["1"]',
        "split.shirt.test.json": '["2"]',
        "split.odd.json": '["2"]',
    }
    pattern = r"split\.(?P<subset>[a-z]+)\.(?P<split>[a-z]+)\.json"
    table = {"file": "split.*.json", "columns": {"column 1": "image"}, "path": pattern}
    result = read_memory("table", files, tables=table)
    expected = {"1.jpg": ["dress", "val"], "2.jpg": ["shirt", "test"]}
    assert rows(result, "subset", "split") == expected
    assert set(findings(result)) == {"bad-name: split.odd.json"}
    partial = read_memory("table", files, tables={**table, "partial": True})
    assert findings(partial) == {}
    with pytest.raises(DataError, match="path: the table has a column 'image' already"):
        read_memory("table", files, tables={**table, "path": r"(?P<image>.*)\.json"})


def test_files_to_ignore_are_not_reported() -> None:
    files = {**images("a/1.jpg", "a/mask.png"), "a/1_url.txt": "", "a/2.log": ""}
    options = {"pattern": r"(?P<label>\w)/\d\.jpg", "ignore": "*_url.txt mask.png"}
    assert set(findings(read_memory("pattern", files, **options))) == {"not-an-image: a/2.log"}
