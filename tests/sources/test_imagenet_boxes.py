"""ImageNet's boxes as items: XML of Kaggle and the official archives, and tables."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import likewise
from archives import Tree, placed, tarred
from likewise.errors import DataError
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

FOX, CRANE = "n02119789", "n02012849"
DATA, NOTES = "Data/CLS-LOC/", "Annotations/CLS-LOC/"
VAL = "ILSVRC2012_val_00000001"
TRAIN = (f"{FOX}_1", f"{FOX}_2", f"{CRANE}_3")


def xml(stem: str, *boxes: tuple[object, ...], size: tuple[int, int] = (500, 375)) -> bytes:
    """XML in ImageNet's form: file name without suffix, WNIDs as names."""
    inside = "".join(
        f"<object><name>{wnid}</name><pose>Unspecified</pose><truncated>0</truncated>"
        f"<bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox>"
        "</object>"
        for wnid, x1, y1, x2, y2 in boxes
    )
    width, height = size
    sides = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{stem}</filename>{sides}{inside}</annotation>".encode()


ONE, TWO, THREE = (FOX, 111, 108, 441, 193), (FOX, 0, 2, 499, 374), (CRANE, 7, 9, 70, 90)
SAID = {
    f"train/{FOX}/{FOX}_1": xml(f"{FOX}_1", ONE, TWO),
    f"val/{VAL}": xml(VAL, THREE),
}


def tree() -> Tree:
    """Make boxes for two of three training images (two, none, one) and the validation image."""
    return {
        **{f"{DATA}train/{name[:9]}/{name}.JPEG": name.encode() for name in TRAIN},
        f"{DATA}val/{VAL}.JPEG": b"",
        **{f"{NOTES}{name}.xml": data for name, data in SAID.items()},
        f"{NOTES}train/{FOX}/{FOX}_2.xml": xml(f"{FOX}_2"),
        "LOC_val_solution.csv": f"ImageId,X\n{VAL},{CRANE} 7 9 70 90 \n".encode(),
        "map_clsloc.txt": f"{FOX} 1 kit_fox\n{CRANE} 429 crane\n".encode(),
    }


def read(path: Path, annotations: Path | None = None, **options: object) -> SourceResult:
    said = {"kind": "imagenet", "items": "boxes", **options}
    source = SOURCES.build(said, "card")
    return source.read(source.open(path), annotations or path)


def rows(reading: SourceResult) -> list[tuple[object, ...]]:
    """Return name, label, class number and box of every item."""
    name = reading.items["item_id"].str.extract(r"([^/]*)\z").str.replace(r"\.JPEG", "")
    return list(
        reading.items.select(name, "label", "text", "box").with_columns(name).iter_rows()
    )


def found(reading: SourceResult) -> list[str]:
    return reading.findings["finding_id"].to_list()


BOXES = [
    (f"{CRANE}_3", CRANE, "crane", None),
    (f"{FOX}_1#1", FOX, "kit_fox", list(ONE[1:])),
    (f"{FOX}_1#2", FOX, "kit_fox", list(TWO[1:])),
    (f"{FOX}_2", FOX, "kit_fox", None),
    (f"{VAL}#1", CRANE, "crane", list(THREE[1:])),
]


def test_a_box_is_an_item_and_an_image_without_one_too(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, tree()))
    assert rows(reading) == BOXES
    assert reading.items["class_index"].to_list() == [0, 1, 1, 1, 0]
    assert dict(reading.findings.select("finding_id", "detail").iter_rows()) == {
        "no-boxes: train": "2 of 3 images have no box"
    }
    assert reading.image_sizes is not None
    assert reading.image_sizes.select("width", "height").unique().rows() == [(500, 375)]
    only = read(tmp_path, unboxed="drop")
    assert rows(only) == [row for row in BOXES if row[3]]
    counted = read(tmp_path, unboxed="drop", corners="1-based")
    assert [row[3] for row in rows(counted)] == [
        [111 - 1, 108 - 1, 441, 193],
        [0 - 1, 2 - 1, 499, 374],
        [7 - 1, 9 - 1, 70, 90],
    ]


def test_without_being_asked_items_are_whole_images(tmp_path: Path) -> None:
    reading = read(placed(tmp_path, tree()), items="images")
    assert [row[0] for row in rows(reading)] == [f"{CRANE}_3", f"{FOX}_1", f"{FOX}_2", VAL]
    assert reading.findings.is_empty()
    assert reading.items["box"].null_count() == 4


def test_official_archives_explain_official_tars(tmp_path: Path) -> None:
    content = tree()
    classes = {
        f"{w}.tar": tarred({f"{n}.JPEG": b"" for n in TRAIN if n[:9] == w})
        for w in (FOX, CRANE)
    }
    train = {
        "n02119789/n02119789_1.xml": SAID[f"train/{FOX}/{FOX}_1"],
        "n02119789/n02119789_2.xml": xml(f"{FOX}_2"),
    }
    archives = {
        "ILSVRC2012_img_train.tar": tarred(classes),
        "ILSVRC2012_img_val.tar": tarred({f"{VAL}.JPEG": b""}),
        "ILSVRC2012_bbox_train_v2.tar.gz": tarred(train, "w:gz"),
        "ILSVRC2012_bbox_val_v3.tgz": tarred({f"val/{VAL}.xml": SAID[f"val/{VAL}"]}, "w:gz"),
        **{name: content[name] for name in ("LOC_val_solution.csv", "map_clsloc.txt")},
    }
    reading = read(placed(tmp_path / "all", archives))
    assert rows(reading) == BOXES
    assert found(reading) == ["no-boxes: train"]
    lists = {name: data for name, data in archives.items() if "_img_" not in name}
    images = {name: data for name, data in archives.items() if "_img_" in name}
    apart = read(placed(tmp_path / "images", images), placed(tmp_path / "lists", lists))
    assert rows(apart) == BOXES


def test_tables_say_what_no_xml_says(tmp_path: Path) -> None:
    content = {name: data for name, data in tree().items() if NOTES not in name}
    train = f"{FOX}_1,{FOX} 111 108 441 193 {FOX} 0 2 499 374 \n"
    content["LOC_train_solution.csv"] = f"ImageId,PredictionString\n{train}".encode()
    assert rows(read(placed(tmp_path / "tables", content))) == BOXES
    # If both describe an image, the XML is used.
    other = {"LOC_train_solution.csv": train.replace("111", "5").encode()}
    both = read(placed(tmp_path / "both", {**tree(), **other}))
    assert rows(both) == BOXES


def test_a_subset_asks_for_no_others_boxes(tmp_path: Path) -> None:
    content = {**tree(), "mine.txt": FOX.encode()}
    del content[f"{DATA}train/{CRANE}/{CRANE}_3.JPEG"]
    content[f"{NOTES}train/{CRANE}/{CRANE}_3.xml"] = xml("", (CRANE, 5, 5, 1, 1))
    reading = read(placed(tmp_path, content), subset="mine.txt")
    assert rows(reading) == BOXES[1:4]
    assert found(reading) == ["no-boxes: train"]
    assert reading.items["class_index"].to_list() == [0, 0, 0]


def test_boxes_go_through_the_catalogue(tmp_path: Path, pictures: Path) -> None:
    drawings = sorted(pictures.iterdir())
    data = {f"{DATA}train/{FOX}/{FOX}_{n}.JPEG": drawings[n].read_bytes() for n in range(3)} | {
        f"{NOTES}train/{FOX}/{FOX}_0.xml": xml("", (FOX, 2, 3, 9, 9), size=(9, 9)),
        f"{NOTES}train/{FOX}/{FOX}_1.xml": xml("", (FOX, -8, 3, 9, 9), (FOX, 5000, 1, 5001, 2)),
    }
    root = tmp_path / "catalogue"
    likewise.init(root)
    (root / "params.yaml").write_text("seed: 0\n", encoding="utf-8")  # is not a model
    options = {"items": "boxes"}
    top = placed(tmp_path / "data", data)
    likewise.add("inet", source="imagenet", path=top, options=options, workspace=root)
    done = likewise.ingest("inet", workspace=root)
    assert (done.items, done.images) == (3, 3)
    assert done.findings == {
        "box-clipped": 1,
        "box-outside": 1,
        "no-boxes": 1,
        "size-differs": 2,
    }
    likewise.publish("inet", workspace=root)
    table = likewise.open(workspace=root)["inet"].frame().collect()
    assert table["box"].to_list() == [[2, 3, 9, 9], [0, 3, 9, 9], None]
    assert table["label"].to_list() == [FOX] * 3


XML_1, XML_VAL = f"{NOTES}train/{FOX}/{FOX}_1.xml", f"{NOTES}val/{VAL}.xml"
ITEM_1, IMAGE_VAL = f"{DATA}train/{FOX}/{FOX}_1.JPEG#1", f"{DATA}val/{VAL}.JPEG"
SOLUTION = "LOC_train_solution.csv"


@pytest.mark.parametrize(
    ("name", "data", "boxes", "finding"),
    [
        (XML_1, None, 1, "no-boxes: train"),
        (XML_1, SAID[f"train/{FOX}/{FOX}_1"][:-30], 1, f"bad-annotation: {XML_1}"),
        (XML_1, b"", 1, f"bad-annotation: {XML_1}"),
        (XML_1, b"\xff\xfe\x00", 1, f"bad-annotation: {XML_1}"),
        (XML_1, b"<!DOCTYPE a><annotation/>", 1, f"bad-annotation: {XML_1}"),
        (XML_1, b"<html/>", 1, f"bad-annotation: {XML_1}"),
        (XML_1, b"<a>" * 50_000, 1, f"bad-annotation: {XML_1}"),
        (XML_1, xml("", (FOX, 9, 1, 5, 8)), 1, f"reversed-box: {ITEM_1}"),
        (XML_1, xml("", (FOX, 5, 1, 5, 8)), 1, f"empty-box: {ITEM_1}"),
        (XML_1, xml("", (FOX, "x", 1, 5, 8)), 1, f"bad-box: {ITEM_1}"),
        (XML_1, xml("", ONE, ONE), 2, f"twin-box: {ITEM_1[:-1]}2"),
        (XML_1, xml("", (CRANE, *ONE[1:])), 2, f"contradiction: {ITEM_1}"),
        (XML_1, xml("", ("kit fox", *ONE[1:])), 2, f"unknown-class: {ITEM_1}"),
        (f"{NOTES}val/{FOX}_1.xml", xml("", ONE), 3, f"twin: {NOTES}val/{FOX}_1.xml"),
        (f"{NOTES}train/{FOX}/{FOX}_9.xml", xml("", ONE), 3, f"dangling: {NOTES}train"),
        (f"{NOTES}other.xml", xml("", ONE), 3, f"dangling: {NOTES[:-1]}"),
        (XML_VAL, None, 3, None),  # its box is in the table
        (SOLUTION, f"{FOX}_1,{FOX} 1 2 3\n".encode(), 3, f"bad-annotation: {SOLUTION}: boxes"),
        (SOLUTION, b"no comma\n", 3, f"bad-annotation: {SOLUTION}: boxes"),
        (SOLUTION, f"{FOX}_9,{FOX} 1 2 3 4\n".encode(), 3, f"dangling: {SOLUTION}"),
        (SOLUTION, f"{CRANE}_3,{CRANE} 1 2 x 4".encode(), 3, f"bad-box: {DATA}train/{CRANE}"),
    ],
)
def test_damage_is_a_finding(
    tmp_path: Path, name: str, data: bytes | None, boxes: int, finding: str | None
) -> None:
    content = tree()
    content.pop(name, None)
    if data is not None:
        content[name] = data
    reading = read(placed(tmp_path, content))
    assert reading.items["box"].is_not_null().sum() == boxes
    others = [name for name in found(reading) if name != "no-boxes: train"]
    if finding and finding != "no-boxes: train":
        assert len(others) == 1
        assert others[0].startswith(finding)
    else:
        assert not others
    assert reading.findings["detail"].str.len_chars().max() < 250  # type: ignore[operator]
    assert reading.items["image_id"].n_unique() == 4


def test_no_annotations_at_all_are_one_error(tmp_path: Path) -> None:
    content = {name: data for name, data in tree().items() if name.startswith(DATA)}
    with pytest.raises(DataError, match=r"no annotations: expected Annotations/CLS-LOC"):
        read(placed(tmp_path, content))
    broken = {
        **content,
        "ILSVRC2012_bbox_val_v3.tgz": tarred({"a.xml": b"x" * 999}, "w:gz")[:90],
    }
    with pytest.raises(DataError, match=r"bbox_val_v3\.tgz is damaged or truncated"):
        read(placed(tmp_path, broken))


ODD = st.one_of(
    st.sampled_from([FOX, CRANE, "1", "-5", "1e39", "nan", "", "x"]), st.text(max_size=5)
)


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(st.tuples(ODD, ODD, ODD, ODD, ODD), max_size=3),
    stem=st.one_of(st.sampled_from([f"{FOX}_1", VAL, "x"]), st.text("n0_.", max_size=4)),
    cut=st.integers(0, 40),
    line=st.one_of(st.binary(max_size=30), st.text(f"{FOX}_1, ", max_size=60).map(str.encode)),
)
def test_any_annotations_give_a_reading_or_one_error(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[tuple[str, ...]],
    stem: str,
    cut: int,
    line: bytes,
) -> None:
    data = xml(stem, *values)
    said = {f"{NOTES}val/{stem or 'a'}.xml": data[: len(data) - cut], SOLUTION: line}
    top = placed(tmp_path_factory.mktemp("fuzz"), {**tree(), **said})
    with suppress(DataError):
        reading = read(top)
        assert reading.items["item_id"].is_unique().all()
        assert reading.findings["finding_id"].is_unique().all()
        assert reading.items["image_id"].n_unique() == 4
