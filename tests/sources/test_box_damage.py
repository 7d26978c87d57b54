"""Damaged annotations become findings or one clear error, never a traceback."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likewise.errors import LikewiseError
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

XML = """<annotation><filename>a.jpg</filename>
<size><width>64</width><height>48</height><depth>3</depth></size>
<object><name>cat</name><difficult>0</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object>
<object><name>dog</name>
<bndbox><xmin>5.5</xmin><ymin>2</ymin><xmax>25</xmax><ymax>40</ymax></bndbox></object>
</annotation>"""

COCO = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48},
        {"id": 2, "file_name": "b.JPG", "width": 64, "height": 48},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 30]},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [4.5, 1, 20.5, 39]},
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
}

CSV = "Image,label,x1,y1,x2,y2,split\na.jpg,cat,0,0,20,30,train\na.jpg,dog,4.5,1,25,40,train\n"


def put(path: Path, data: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def layout(kind: str, top: Path) -> Path:
    """Two images, two boxes in the first: the smallest example of each layout."""
    folder = {"voc": "JPEGImages"}.get(kind, "images")
    for name in ("a.jpg", "b.JPG"):
        put(top / folder / name, name)
    if kind == "voc":
        put(top / "Annotations" / "a.xml", XML)
        put(top / "ImageSets" / "Main" / "train.txt", "a\n")
        put(top / "ImageSets" / "Main" / "test.txt", "b\n")
    elif kind == "coco":
        put(top / "annotations" / "instances_train2017.json", json.dumps(COCO))
    elif kind == "yolo":
        put(top / "labels" / "a.txt", "0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.2 0.2\n")
        put(top / "data.yaml", "names: [cat, dog]\n")
    else:
        put(top / "boxes.csv", CSV)
    return top


NOTES = {
    "voc": "Annotations/a.xml",
    "coco": "annotations/instances_train2017.json",
    "yolo": "labels/a.txt",
    "csv": "boxes.csv",
}


def read(kind: str, path: Path, **options: object) -> SourceResult:
    source = SOURCES.build({"kind": kind, **options}, "card")
    return source.read(source.open(path), path)


def outcome(kind: str, path: Path, **options: object) -> tuple[int, list[str]] | str:
    """Return the number of boxes and the ids of findings, or the text of the error."""
    try:
        reading = read(kind, path, **options)
    except LikewiseError as error:
        return str(error)
    assert reading.items["item_id"].is_unique().all()
    assert reading.findings["finding_id"].is_unique().all()
    boxed = reading.items["box"].is_not_null().sum()
    return int(boxed), reading.findings["finding_id"].to_list()


@pytest.mark.parametrize("kind", NOTES)
def test_whole_layouts_have_no_findings(tmp_path: Path, kind: str) -> None:
    assert outcome(kind, layout(kind, tmp_path)) == (2, [])
    items = read(kind, tmp_path).items
    assert items["label"].to_list() == ["cat", "dog", None]
    assert items["item_id"].str.extract(r"([ab]\..*)\z").to_list() == [
        "a.jpg#1",
        "a.jpg#2",
        "b.JPG",
    ]


def swap(old: str, new: str) -> Callable[[str, Path], None]:
    """Return a damage that replaces ``old`` by ``new`` in the annotations."""

    def damage(kind: str, top: Path) -> None:
        text = (top / NOTES[kind]).read_text(encoding="utf-8")
        assert old in text
        (top / NOTES[kind]).write_text(text.replace(old, new, 1), encoding="utf-8")

    return damage


def write(name: str, data: str | bytes) -> Callable[[str, Path], None]:
    """Return a damage that adds or replaces a file."""
    return lambda _kind, top: put(top / name, data)


def lose(name: str) -> Callable[[str, Path], None]:
    return lambda _kind, top: (top / name).unlink()


A_XML, INSTANCES = NOTES["voc"], NOTES["coco"]

Outcome = tuple[int, list[str]] | str

DAMAGES: dict[str, list[tuple[Callable[[str, Path], None], Outcome]]] = {
    "voc": [
        (lose(A_XML), "no annotations: expected Annotations/{name}.xml"),
        (swap("</annotation>", ""), (0, [f"bad-annotation: {A_XML}"])),
        (write(A_XML, b""), (0, [f"bad-annotation: {A_XML}"])),
        (write(A_XML, b"\xff\xfe\x00"), (0, [f"bad-annotation: {A_XML}"])),
        (swap("<annotation>", "<!DOCTYPE a><annotation>"), (0, [f"bad-annotation: {A_XML}"])),
        (write(A_XML, "<html></html>"), (0, [f"bad-annotation: {A_XML}"])),
        (swap("cat", "c\xe4t"), (2, [])),
        (
            write(A_XML, XML.replace("cat", "c\xe4t").encode("latin-1")),
            (0, [f"bad-annotation: {A_XML}"]),
        ),
        (swap("<xmax>20", "<xmax>-5"), (1, ["reversed-box: JPEGImages/a.jpg#1"])),
        (swap("<xmax>20", "<xmax>"), (1, ["bad-box: JPEGImages/a.jpg#1"])),
        (swap("<xmin>1<", "<xmin>21<"), (1, ["empty-box: JPEGImages/a.jpg#1"])),
        (swap("5.5", "NaN"), (1, ["bad-box: JPEGImages/a.jpg#2"])),
        (
            write("Annotations/c.xml", XML.replace("a.jpg", "c.jpg")),
            (2, ["dangling: Annotations/c.xml"]),
        ),
        (write("Annotations/c.xml", XML), (2, ["twin: Annotations/c.xml"])),
        (
            write("ImageSets/Main/train.txt", "a\nz\n"),
            (2, ["dangling: ImageSets/Main/train.txt: z"]),
        ),
        (
            write("ImageSets/Main/test.txt", "a\nb\n"),
            (2, ["two-splits: ImageSets/Main/test.txt: a"]),
        ),
        (
            write("ImageSets/Main/test.txt", b"\xff\n"),
            (2, ["bad-annotation: ImageSets/Main/test.txt"]),
        ),
        (write("JPEGImages/Thumbs.db", "x"), (2, ["not-an-image: JPEGImages/Thumbs.db"])),
    ],
    "coco": [
        (lose(INSTANCES), "no annotations: expected annotations/instances_{split}.json"),
        (write(INSTANCES, b"{"), "is not COCO's JSON: Input data was truncated"),
        (write(INSTANCES, b"\xff\xfe"), "is not COCO's JSON"),
        (write(INSTANCES, b"[" * 100_000), "is not COCO's JSON"),
        (write(INSTANCES, b"{}"), "missing required field `images`"),
        (swap("[0, 0, 20, 30]", "[0, 0, 0, 30]"), (1, ["empty-box: images/a.jpg#1"])),
        (swap("[0, 0, 20, 30]", "[0, 0, -20, 30]"), (1, ["reversed-box: images/a.jpg#1"])),
        (swap("[0, 0, 20, 30]", '"x"'), (1, [f"bad-annotation: {INSTANCES}: annotations[0]"])),
        (swap("[0, 0, 20, 30]", "null"), (1, ["bad-box: images/a.jpg#1"])),
        (swap("[0, 0, 20, 30]", "[1e39, 0, 1e40, 30]"), (1, ["bad-box: images/a.jpg#1"])),
        (swap('"image_id": 1', '"image_id": 7'), (1, [f"dangling: {INSTANCES}: annotation 1"])),
        (
            swap('"category_id": 2', '"category_id": 3'),
            (2, [f"unknown-class: {INSTANCES}: annotation 2"]),
        ),
        (swap("b.JPG", "c.jpg"), (2, [f"dangling: {INSTANCES}: images: c.jpg"])),
        (swap("b.JPG", "a.jpg"), (2, [f"twin: {INSTANCES}: images: a.jpg"])),
        (swap('"id": 2, "file', '"id": 1, "file'), (2, [f"twin: {INSTANCES}: images: b.JPG"])),
        (
            write("annotations/instances_val.json", "[]"),
            (2, ["bad-annotation: annotations/instances_val.json"]),
        ),
    ],
    "yolo": [
        (lose("labels/a.txt"), "no annotations: expected labels/{name}.txt"),
        (write("data.yaml", "names: ["), "data.yaml: not YAML"),
        (write("data.yaml", "names: 3"), "data.yaml: names is neither a list"),
        (write("labels/a.txt", b"\xff\xfe0"), (0, ["bad-annotation: labels/a.txt"])),
        (swap("0 0.5", "x 0.5"), (1, ["bad-annotation: labels/a.txt: line 1"])),
        (swap("0.25 0.5", "0.25"), (1, ["bad-annotation: labels/a.txt: line 1"])),
        (swap("0.25 0.5", "0 0.5"), (1, ["empty-box: images/a.jpg#1"])),
        (swap("0.25 0.5", "-1 0.5"), (1, ["reversed-box: images/a.jpg#1"])),
        (swap("0.25 0.5", "inf 0.5"), (1, ["bad-box: images/a.jpg#1"])),
        (swap("1 0.1", "2 0.1"), (2, ["unknown-class: labels/a.txt: line 2"])),
        (swap("1 0.1", "-1 0.1"), (1, ["bad-annotation: labels/a.txt: line 2"])),
        (write("labels/c.txt", "0 1 1 1 1"), (2, ["dangling: labels/c.txt"])),
        (write("images/a.txt", "0 .5 .5 .5 .5"), (1, ["twin: labels/a.txt"])),
        (write("train.txt", "images/a.jpg\nz.jpg\n"), (2, ["dangling: train.txt: z.jpg"])),
    ],
    "csv": [
        (lose("boxes.csv"), "no annotations: expected a .csv with a header"),
        (write("boxes.csv", b""), "has no header: it is empty"),
        (
            write("boxes.csv", "imge,label\na.jpg,cat\n"),
            "no column of image names; did you mean 'imge'?",
        ),
        (swap("x2", "x3"), "incomplete box columns: only 'x1' (x1), 'y1' (y1), 'y2' (y2)"),
        (swap("y1", "x1"), "two columns have the name 'x1'"),
        (swap("label", "lable"), (2, ["odd-column: boxes.csv: lable"])),
        (swap("20,30", "20"), (1, ["bad-row: boxes.csv: line 2"])),
        (swap("20,30", "20,x"), (1, ["bad-box: images/a.jpg#1"])),
        (swap("20,30", "0,30"), (1, ["empty-box: images/a.jpg#1"])),
        (swap("20,30", "-9,30"), (1, ["reversed-box: images/a.jpg#1"])),
        (swap("a.jpg,cat", "z.jpg,cat"), (1, ["dangling: boxes.csv: line 2"])),
        (swap("a.jpg,cat", ",cat"), (1, ["bad-row: boxes.csv: line 2"])),
        (swap("40,train", "40,test"), (2, ["two-splits: boxes.csv: line 3"])),
        (
            write("boxes.csv", CSV.replace("cat", "c\xe4t").encode("cp1252")),
            (1, ["bad-row: boxes.csv: line 2"]),
        ),
        (write("boxes.csv", CSV.encode("utf-16")), (2, [])),
        (swap("a.jpg,dog", 'a.jpg,"dog'), (1, ["bad-row: boxes.csv: line 3"])),
        (
            swap("a.jpg,dog,4.5,1,25,40", "a.jpg,cat,0,0,20,30"),
            (1, ["twin-box: images/a.jpg#2"]),
        ),
        (
            write("images/x/a.jpg", "a"),
            (0, ["ambiguous-image: boxes.csv: line 2", "ambiguous-image: boxes.csv: line 3"]),
        ),
    ],
}

CASES = [(kind, n) for kind, damages in DAMAGES.items() for n in range(len(damages))]


@pytest.mark.parametrize(("kind", "number"), CASES)
def test_ten_kinds_of_damage(tmp_path: Path, kind: str, number: int) -> None:
    damage, expected = DAMAGES[kind][number]
    layout(kind, tmp_path)
    damage(kind, tmp_path)
    found = outcome(kind, tmp_path)
    if isinstance(expected, str):
        assert isinstance(found, str)
        assert expected in found
    else:
        assert found == expected


def test_names_may_lack_their_suffix(tmp_path: Path) -> None:
    layout("csv", tmp_path)
    put(tmp_path / "boxes.csv", "image_id,class\na,cat\nb,dog\nc,owl\n")
    reading = read("csv", tmp_path)
    assert reading.items.select("image_id", "label").rows() == [
        ("images/a.jpg", "cat"),
        ("images/b.JPG", "dog"),
    ]
    assert reading.findings["finding_id"].to_list() == ["dangling: boxes.csv: line 4"]


ODD = st.one_of(
    st.floats(),
    st.integers(-(10**30), 10**30),
    st.text(max_size=8),
    st.none(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
)


def note(kind: str, values: list[object], label: str, name: str) -> str:
    """Return annotations of one box with any ``values``."""
    x1, y1, x2, y2 = map(str, values)
    if kind == "voc":
        corners = f"<xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        inside = f"<object><name>{label}</name><bndbox>{corners}</bndbox></object>"
        return f"<annotation><filename>{name}</filename>{inside}</annotation>"
    if kind == "coco":
        image = {"id": values[0], "file_name": name, "width": values[1], "height": values[2]}
        box = {"id": 1, "image_id": values[0], "category_id": values[3], "bbox": values}
        category = {"id": values[3], "name": label}
        whole = {"images": [image], "annotations": [box], "categories": [category]}
        return json.dumps(whole)
    if kind == "yolo":
        return f"{x1} {y1} {x2} {y2} {label}"
    return f"image,label,x1,y1,x2,y2,width\n{name},{label},{x1},{y1},{x2},{y2},{label}\n"


@pytest.mark.no_cover  # the other tests run the same lines
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("kind", NOTES)
def test_whatever_annotations_hold_no_traceback(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    top = layout(kind, tmp_path)
    whole = (top / NOTES[kind]).read_bytes()
    if data.draw(st.booleans()):
        values = data.draw(st.lists(ODD, min_size=4, max_size=4))
        name = data.draw(st.one_of(st.just("a.jpg"), st.text(max_size=12)))
        text = note(kind, values, data.draw(st.text(max_size=6)), name)
        put(top / NOTES[kind], text.encode("utf-8", "surrogatepass"))
    else:
        at = data.draw(st.integers(0, len(whole)))
        cut = data.draw(st.integers(0, 12))
        put(
            top / NOTES[kind],
            whole[:at] + data.draw(st.binary(max_size=12)) + whole[at + cut :],
        )
    found = outcome(kind, top)
    if isinstance(found, str):
        assert len(found) < 1000
