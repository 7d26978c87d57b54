"""FISSP: a tree of splits and classes, with this project's own annotation format."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likewise.errors import DataError
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

OWL = "train/animals/owl/1.jpg"
IMAGES = (OWL, "train/animals/owl/2.JPG", "val/food/ice-cream/3.png", "test/car/4.webp")
ENTRIES = [
    {
        "path": OWL,
        "label": "animals/owl",
        "licence": "CC-BY-4.0",
        "boxes": [{"box": [12, 8, 140, 200]}, {"box": [60, 20, 96, 51.5], "label": "head"}],
    },
    {"path": "3.png", "licence": "CC0-1.0", "year": 2021},
]
CSV = "path,x1,y1,x2,y2,licence\n4.webp,0,0,5,6,CC-BY-4.0\n"


def put(path: Path, data: str | bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for name in IMAGES:
        put(tmp_path / name, name)
    put(tmp_path / "annotations" / "a.json", json.dumps(ENTRIES))
    put(tmp_path / "annotations" / "b.csv", CSV)
    return tmp_path


def read(path: Path, place: Path | None = None, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": "fissp", **options}, "card")
    return source.read(source.open(path), place or path)


def found(path: Path) -> list[str]:
    return read(path).findings["finding_id"].to_list()


def test_images_without_annotations_are_left_over_only_if_others_have_some(top: Path) -> None:
    assert [(part.what, part.count) for part in read(top).left_over] == [
        ("images that no row names", 1),
        ("columns without a meaning of their own, which are kept", 3),
    ]
    shutil.rmtree(top / "annotations")
    reading = read(top)
    assert len(reading.items) == len(IMAGES)
    assert reading.left_over == ()


def test_the_tree_and_its_annotations(top: Path) -> None:
    reading = read(top)
    assert reading.findings.is_empty()
    columns = ("item_id", "label", "subset", "split", "licence", "year")
    assert reading.items.select(columns).rows() == [
        (f"{OWL}#1", "animals/owl", "animals", "train", "CC-BY-4.0", None),
        (f"{OWL}#2", "head", "animals", "train", "CC-BY-4.0", None),
        ("train/animals/owl/2.JPG", "animals/owl", "animals", "train", None, None),
        ("val/food/ice-cream/3.png", "food/ice-cream", "food", "val", "CC0-1.0", 2021),
        ("test/car/4.webp#1", "car", None, "test", "CC-BY-4.0", None),
    ]
    assert reading.items["box"].to_list()[1] == [60, 20, 96, 51.5]
    assert [c.name for c in reading.extra_columns] == ["licence", "year", "image_label"]
    assert reading.items["image_label"].to_list()[:2] == ["animals/owl"] * 2


def test_annotations_are_optional(tmp_path: Path) -> None:
    for name in IMAGES:
        put(tmp_path / name)
    reading = read(tmp_path)
    assert reading.items["item_id"].to_list() == list(IMAGES)
    assert reading.items["box"].null_count() == 4


def test_lines_and_lists_and_objects_are_the_same(top: Path) -> None:
    whole = read(top).items
    text = "\n".join(map(json.dumps, ENTRIES))
    put(top / "annotations" / "a.jsonl", text)
    put(top / "annotations" / "a.json", json.dumps({"images": []}))
    assert read(top).items.equals(whole)
    (top / "annotations" / "a.jsonl").unlink()
    put(top / "annotations" / "a.json", json.dumps({"images": ENTRIES, "version": 1}))
    assert read(top).items.equals(whole)


def test_boxes_are_numbered_in_their_order(top: Path) -> None:
    boxes = [{"box": [n, 0, n + 5, 5], "label": str(n)} for n in range(12)]
    entries = [{"path": "2.JPG", "boxes": boxes[:3]} for _ in range(12)]
    entries[11] = {"path": OWL, "boxes": boxes}
    put(top / "annotations" / "a.jsonl", "\n".join(map(json.dumps, entries)))
    (top / "annotations" / "a.json").unlink()
    owls = read(top).items.filter(image_id=OWL)
    assert owls["item_id"].to_list() == [f"{OWL}#{n}" for n in range(1, 13)]
    assert owls["label"].to_list() == [str(n) for n in range(12)]


def test_archives_replace_folders(top: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = read(top).items
    packed = tmp_path_factory.mktemp("packed")
    (packed / "train").mkdir(parents=True)
    with tarfile.open(packed / "train" / "animals.tar", "w") as tar:
        tar.add(top / "train" / "animals" / "owl", "owl")
    for name in ("val", "test", "annotations"):
        with tarfile.open(packed / f"{name}.tar.gz", "w:gz") as tar:
            tar.add(top / name, ".")
    reading = read(packed, packed / "annotations.tar.gz")
    assert reading.findings["check"].to_list() == []
    columns = ["label", "subset", "split", "box", "licence", "year"]
    assert reading.items.select(columns).equals(whole.select(columns))
    assert reading.items["image_id"][0] == "train/animals.tar/owl/1.jpg"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("trian/car/5.jpg", "", "bad-name: trian/car/5.jpg"),
        ("train/6.jpg", "", "bad-name: train/6.jpg"),
        ("train/Animals/OWL/7.jpg", "", "near-class: Animals/OWL"),
        ("train/animals/owl/notes.doc", "", "not-an-image: train/animals/owl/notes.doc"),
        ("annotations/c.json", "", "bad-annotation: annotations/c.json"),
        ("annotations/c.json", b"\xff\xfe[", "bad-annotation: annotations/c.json"),
        ("annotations/c.json", b"[" * 9999, "bad-annotation: annotations/c.json"),
        ("annotations/c.json", "[3]", "bad-annotation: annotations/c.json: entry 1"),
        (
            "annotations/c.json",
            '[{"label": "x"}]',
            "bad-annotation: annotations/c.json: entry 1",
        ),
        ("annotations/c.jsonl", '\n{"path"\n', "bad-annotation: annotations/c.jsonl: line 2"),
        ("annotations/c.json", '[{"path": "9.jpg"}]', "dangling: annotations/c.json: entry 1"),
        (
            "annotations/c.json",
            '[{"path": "2.jpg", "label": "emu"}]',
            "two-labels: annotations/c.json: entry 1",
        ),
        (
            "annotations/c.json",
            '[{"path": "2.jpg", "split": "test"}]',
            "two-splits: annotations/c.json: entry 1",
        ),
        (
            "annotations/c.json",
            '[{"path": "2.jpg", "lable": "x"}]',
            "odd-key: annotations/c.json: lable",
        ),
        (
            "annotations/c.json",
            '[{"path": "2.jpg", "boxes": [{"box": [1, 2, 1, 4]}]}]',
            "empty-box: train/animals/owl/2.JPG#1",
        ),
        (
            "annotations/c.json",
            '[{"path": "2.jpg", "boxes": {"box": []}}]',
            "bad-annotation: annotations/c.json: entry 1",
        ),
        ("annotations/c.csv", "path\n9.jpg\n", "dangling: annotations/c.csv: line 2"),
    ],
)
def test_ten_kinds_of_damage(top: Path, name: str, data: str | bytes, expected: str) -> None:
    put(top / name, data)
    assert expected in found(top)
    assert read(top).items["box"].is_not_null().sum() == 3


def test_near_misses_say_what_may_be_meant(top: Path) -> None:
    put(top / "trian" / "car" / "5.jpg")
    put(
        top / "annotations" / "c.json", '[{"path": "2.jpg", "boxes": [{"bbox": [1, 2, 3, 4]}]}]'
    )
    details = dict(read(top).findings.select("finding_id", "detail").iter_rows())
    assert details["bad-name: trian/car/5.jpg"].endswith("; did you mean 'train'?")
    assert details["odd-key: annotations/c.json: bbox"].endswith("did you mean 'box'?")
    (top / "annotations" / "c.json").unlink()
    put(top / "annotations" / "c.csv", "pth,label\n2.jpg,x\n")
    with pytest.raises(DataError, match="no column of image names; did you mean 'pth'"):
        read(top)


def test_a_tree_of_something_else_is_one_error(tmp_path: Path) -> None:
    put(tmp_path / "cat" / "1.jpg")
    with pytest.raises(DataError, match=r"no image in .*; found 'cat/1\.jpg'"):
        read(tmp_path)


def test_the_examples_of_the_grammar_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "annotations.md").read_text(encoding="utf-8")
    blocks = [block.partition("\n")[2] for block in page.split("```")[1::2]]
    entries, table = blocks[1:]
    owl = "train/animals/owl/0001.jpg"
    put(tmp_path / owl)
    put(tmp_path / "annotations" / "a.json", entries)
    reading = read(tmp_path)
    assert reading.findings.is_empty()
    assert reading.items.select("item_id", "label", "licence").rows() == [
        (f"{owl}#1", "animals/owl", "CC-BY-4.0"),
        (f"{owl}#2", "head", "CC-BY-4.0"),
    ]
    (tmp_path / "annotations" / "a.json").unlink()
    put(tmp_path / "annotations" / "a.csv", table)
    assert read(tmp_path).items["box"].to_list() == [[12, 8, 140, 200]]


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inside: st.one_of(
        st.lists(inside, max_size=5), st.dictionaries(st.text(max_size=5), inside, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["path", "label", "text", "split", "width", "height", "boxes", "licence", "Box", "x 1"]
)
ENTRY = st.dictionaries(KEYS, VALUES, max_size=4)
BOX = st.fixed_dictionaries({"box": st.lists(VALUES, max_size=5)}, optional={"label": VALUES})


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(entries=st.lists(ENTRY, max_size=3), boxes=st.lists(BOX, max_size=3), junk=st.binary())
def test_whatever_entries_hold_no_traceback(
    top: Path, entries: list[dict[str, object]], boxes: list[object], junk: bytes
) -> None:
    whole = [*entries, {"path": "2.JPG", "boxes": boxes}]
    put(top / "annotations" / "a.json", json.dumps(whole).encode("utf-8", "surrogatepass"))
    put(top / "annotations" / "c.jsonl", junk)
    reading = read(top)
    assert reading.items["item_id"].is_unique().all()
    assert set(reading.items["image_id"]) == set(IMAGES)
