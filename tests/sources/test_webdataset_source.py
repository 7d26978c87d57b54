"""WebDataset's shards: the files of a sample share one name."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives import Member, tarred
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

ENTRY = {"label": "owl", "licence": "CC0-1.0", "boxes": [{"box": [0, 0, 9, 9], "label": "eye"}]}
TRAIN = [
    ("0001.jpg", b"a"),
    ("0001.cls", b"7\n"),
    ("0001.txt", "sm\u00f8r".encode()),
    ("0002.JPG", b"b"),
    ("0002.json", json.dumps(ENTRY).encode()),
    ("sub/0003.left.png", b"c"),
    ("sub/0003.right.png", b"d"),
    ("sub/0003.cls", b"8"),
]
VAL = [("0001.webp", b"e"), ("0001.cls", b"7")]


def pack(path: Path, members: list[Member], mode: str = "w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tarred(members, mode))
    return path


def read(path: Path, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": "webdataset", **options}, "card")
    return source.read(source.open(path), path)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    pack(tmp_path / "set-train-000.tar", TRAIN)
    pack(tmp_path / "set-val-000.tar.gz", VAL, "w:gz")
    return tmp_path


def test_samples_are_items(shards: Path) -> None:
    reading = read(shards)
    assert reading.findings.is_empty()
    columns = ("item_id", "label", "text", "split", "licence")
    train = "set-train-000.tar"
    assert reading.items.select(columns).rows() == [
        (f"{train}/0001.jpg", "7", "sm\u00f8r", "train", None),
        (f"{train}/0002.JPG#1", "eye", None, "train", "CC0-1.0"),
        (f"{train}/sub/0003.left.png", "8", None, "train", None),
        (f"{train}/sub/0003.right.png", "8", None, "train", None),
        ("set-val-000.tar.gz/0001.webp", "7", None, "val", None),
    ]
    assert reading.items["box"].to_list()[1] == [0, 0, 9, 9]


def test_one_shard_is_a_data_set(shards: Path) -> None:
    items = read(shards / "set-train-000.tar").items
    assert items["image_id"].to_list() == [
        "0001.jpg",
        "0002.JPG",
        "sub/0003.left.png",
        "sub/0003.right.png",
    ]
    assert items["split"].unique().to_list() == ["train"]


def test_the_bytes_are_the_members(shards: Path) -> None:
    source = SOURCES.build({"kind": "webdataset"}, "card")
    files = source.open(shards)
    images = read(shards).items["image_id"]
    assert sorted(data for _, data in files.read_many(images)) == [b"a", b"b", b"c", b"d", b"e"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([("0009.cls", b"1")], ["dangling: x.tar/0009.cls"]),
        ([("0009.jpg", b""), ("0009.cls", b"\xff")], ["bad-annotation: x.tar/0009.cls"]),
        ([("0009.jpg", b""), ("0009.json", b"{")], ["bad-annotation: x.tar/0009.json"]),
        ([("0009.jpg", b""), ("0009.json", b"[1]")], ["bad-annotation: x.tar/0009.json"]),
        ([("0009.jpg", b""), ("0009.json", b"[" * 9999)], ["bad-annotation: x.tar/0009.json"]),
        (
            [("0009.jpg", b""), ("0009.json", b'{"boxes": 3}')],
            ["bad-annotation: x.tar/0009.json"],
        ),
        (
            [("0009.jpg", b""), ("0009.json", b'{"boxes": [{"box": [5, 5, 5, 5]}]}')],
            ["empty-box: x.tar/0009.jpg#1"],
        ),
        (
            [("0009.jpg", b""), ("0009.cls", b"1"), ("0009.json", b'{"label": "2"}')],
            ["two-labels: x.tar/0009.json"],
        ),
        ([("0009.jpg", b""), ("0009.npy", b"")], ["not-an-image: x.tar/0009.npy"]),
        ([("0009.jpg", b""), ("../0010.jpg", b"")], ["refused: x.tar/../0010.jpg"]),
        ([("0009.jpg", b""), (".hidden.cls", b"1")], ["not-an-image: x.tar/.hidden.cls"]),
    ],
)
def test_ten_kinds_of_damage(shards: Path, members: list[Member], expected: list[str]) -> None:
    pack(shards / "x.tar", members)
    reading = read(shards)
    ids = reading.findings["finding_id"].to_list()
    assert ids == expected
    assert reading.items["image_id"].str.starts_with("set-").sum() == 5


def test_a_truncated_shard_is_a_finding(shards: Path) -> None:
    path = shards / "set-train-000.tar"
    path.write_bytes(path.read_bytes()[:700])
    refused = read(shards).findings.filter(check="refused")["path"].to_list()
    assert [name.partition("/")[0] for name in refused] == ["set-train-000.tar"]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    names=st.lists(st.text(min_size=1, max_size=6), max_size=3, unique=True),
    kind=st.sampled_from(["cls", "txt", "json"]),
    data=st.one_of(
        st.binary(max_size=20),
        st.dictionaries(st.sampled_from(["label", "boxes", "x"]), st.floats() | st.text()).map(
            lambda entry: json.dumps(entry).encode("utf-8", "surrogatepass")
        ),
    ),
)
def test_whatever_samples_hold_no_traceback(
    shards: Path, names: list[str], kind: str, data: bytes
) -> None:
    members = []
    for name in names:
        plain = name.encode("utf-8", "ignore").decode().replace("\0", "")
        members += [(f"{plain}.jpg", b""), (f"{plain}.{kind}", data)]
    pack(shards / "x.tar", list(dict(members).items()))
    reading = read(shards)
    assert reading.items["item_id"].is_unique().all()
    assert reading.items["image_id"].str.starts_with("set-").sum() == 5


def test_more_shards_than_open_files(tmp_path: Path) -> None:
    import resource

    for number in range(40):
        pack(tmp_path / f"{number:03d}.tar", [(f"{number}.jpg", b"x"), (f"{number}.cls", b"1")])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, hard))
    os.close(used)
    try:
        source = SOURCES.build({"kind": "webdataset"}, "card")
        files = source.open(tmp_path)
        items = source.read(files, tmp_path).items
        assert len(list(files.read_many(items["image_id"]))) == 40
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
