"""Columns from paths: groups, folders, values, joined tables; patterns cannot hang."""

import time
from typing import Any

import pytest

from likewise.errors import ConfigError, DataError
from memory_files import MARKET, findings, images, read_memory, rows

OPTIONS: dict[str, Any] = {
    "pattern": r"(bounding_box_.*|query)/(?P<label>-?\d+)_c(?P<camera>\d).*",
    "folders": "bounding_box_train: split=train; bounding_box_test: split=test role=gallery; "
    "query: split=test role=query",
    "values": "label: -1= 0000=",
}


def test_a_benchmark_of_persons() -> None:
    result = read_memory("pattern", MARKET, **OPTIONS)
    assert rows(result, "label", "camera", "split", "role") == {
        "bounding_box_train/0002_c1s1_000451_03.jpg": ["0002", 1, "train", None],
        "bounding_box_test/-1_c1s1_000401_03.jpg": [None, 1, "test", "gallery"],
        "bounding_box_test/0000_c1s1_000151_01.jpg": [None, 1, "test", "gallery"],
        "bounding_box_test/0001_c1s1_001051_03.jpg": ["0001", 1, "test", "gallery"],
        "query/0001_c2s1_000301_00.jpg": ["0001", 2, "test", "query"],
    }
    path = "gt_bbox/0001_c1s1_001051_00.jpg"
    assert findings(result) == {f"bad-name: {path}": "no pattern matches its path"}
    assert [(part.what, part.count) for part in result.left_over] == [
        ("images that no pattern matches", 1),
        ("columns without a meaning of their own, which are kept", 1),
    ]
    kept = read_memory("pattern", MARKET, **OPTIONS, unlisted="keep")
    assert path in rows(kept, "label")


def test_the_forms_of_folders_and_values_are_equal() -> None:
    folders = {
        "*_train": {"split": "train"},
        "bounding_box_test": {"split": "test", "role": "gallery"},
        "query": {"split": "test", "role": "query"},
    }
    values = {"label": {-1: None, "0000": None}}
    long = read_memory("pattern", MARKET, **{**OPTIONS, "folders": folders, "values": values})
    assert long.items.equals(read_memory("pattern", MARKET, **OPTIONS).items)


def test_several_patterns_and_joined_tables() -> None:
    files = {
        **images("t/train/n01/images/n01_0.JPEG", "t/val/images/val_0.JPEG", "t/test/x.JPEG"),
        "t/val/val_annotations.txt": "val_0.JPEG\tn02\t0\t32\t44\t62\n",
        "t/words.txt": "n01\tgoldfish\nn02\tbig fish, fish\n",
    }
    result = read_memory(
        "pattern",
        files,
        pattern=[
            r"(?P<split>train)/(?P<label>n\d+)/.*",
            r"(?P<split>val|test)/(.*/)?(?P<name>.*)",
        ],
        tables="val_annotations.txt(name label _ _ _ _) on name; "
        "words.txt(label text...) on label",
    )
    assert rows(result, "split", "label", "text") == {
        "t/train/n01/images/n01_0.JPEG": ["train", "n01", "goldfish"],
        "t/val/images/val_0.JPEG": ["val", "n02", "big fish, fish"],
        "t/test/x.JPEG": ["test", None, None],
    }
    assert set(findings(result)) == {
        "unjoined: pattern with t/val/val_annotations.txt",
        "unjoined: pattern with t/words.txt",
    }


def test_numbers_are_divided_into_blocks() -> None:
    files = images(*(f"full/ukbench{number:05}.jpg" for number in range(8)))
    options = {"pattern": r"ukbench(?P<label>\d+)\.jpg", "blocks": {"label": 4}}
    labels = list(rows(read_memory("pattern", files, **options), "label").values())
    assert labels == ["0"] * 4 + ["1"] * 4
    with pytest.raises(DataError, match=r"blocks: no group 'lable'; did you mean 'label'"):
        read_memory("pattern", files, **{**options, "blocks": {"lable": 4}})


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?P<label>", "unclosed group"),
        ("(?P<a>.)(?P<a>.)", "duplicate capture group name"),
        (r"(.)\1", "backreferences"),
        ("(?=a)b", "look-around"),
        ("a)|(b", "unopened group"),
        ("(?P<image>.*)", "without a group 'image'"),
        ("(?P<path>.*)", "without a group 'image' or 'path'"),
        ([], "it needs a pattern"),
        ("x" * 1001, "1,001 characters"),
        ("(?P<label>(a{99}){99})", "at most 1,000"),
        ("(a{9999999999999999999999})", "at most 1,000"),
        (7, "it must be a list"),
    ],
)
def test_a_wrong_pattern_is_one_error(pattern: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_memory("pattern", MARKET, pattern=pattern)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<label>(a+)+)$",
        r"(?P<label>(.*)*)*x",
        r"(?P<label>(a|aa|a?)*)b",
        r"(?P<label>((.?){30}){30}).*",
    ],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    files = images(*(f"{'a' * 200}{number}!.jpg" for number in range(30)))
    began = time.process_time()
    read_memory("pattern", files, pattern=pattern)
    assert time.process_time() - began < 5


def test_tables_of_a_pattern_need_a_key() -> None:
    files: dict[str, bytes | str] = {**MARKET, "t.csv": "a,b\n1,2\n"}
    with pytest.raises(ConfigError, match=r"needs a key \(on\)"):
        read_memory("pattern", files, pattern="(?P<label>.*)", tables="t.csv")
    with pytest.raises(DataError, match=r"no table has the column 'a', on which t\.csv"):
        read_memory("pattern", files, pattern="(?P<label>.*)", tables="t.csv on a")
