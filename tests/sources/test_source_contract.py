"""The contract of every registered source."""

import io
import json
import pickle  # noqa: TID251 (what the published files are)
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import likewise
from likewise.errors import ConfigError, LikewiseError
from likewise.schema import PUBLISHED
from likewise.sources import SOURCES
from likewise.sources.base import FINDING_COLUMNS, ITEM_COLUMNS, SourceResult

WNID = "n02119789"


def encoded(mode: str, kind: str, **options: object) -> bytes:
    """A picture of 40 x 30 pixels with an edge in it."""
    image = Image.new(mode, (40, 30))
    image.paste(Image.new(mode, (20, 30), {"I;16": 40_000}.get(mode, "white")), (0, 0))
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded("RGB", "JPEG", exif=exif)


def animated() -> bytes:
    frames = [Image.new("P", (40, 30), n) for n in (0, 9)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()


PICTURES: list[tuple[str, bytes, str, int]] = [
    (".jpg", encoded("RGB", "JPEG"), "RGB", 1),
    (".JPG", encoded("L", "JPEG"), "L", 1),
    (".jpeg", encoded("CMYK", "JPEG"), "CMYK", 1),
    (".png", encoded("I;16", "PNG"), "I;16", 1),
    (".PNG", encoded("RGBA", "PNG"), "RGBA", 1),
    (".gif", animated(), "P", 1),
    (".Jpeg", turned(), "RGB", 6),
    (".webp", encoded("RGB", "WEBP"), "RGB", 1),
    (".tif", encoded("1", "TIFF"), "1", 1),
    (".bmp", encoded("RGB", "BMP"), "RGB", 1),
]
"""Suffix, bytes, mode and orientation of pictures that every source must read."""

CUT = (".jpg", PICTURES[0][1][:-40])
"""A truncated picture."""

PLACES: dict[str, Callable[[int, str], str]] = {
    "coco": lambda n, s: f"images/{n}{s}",
    "compcars": lambda n, s: f"data/image/1/{n + 1}/2014/{n}{s}",
    "csv": lambda n, s: f"images/{n}{s}",
    "cvat": lambda n, s: f"images/{n}{s}",
    "fissp": lambda n, s: f"train/animals/owl/{n}{s}",
    "folder": lambda n, s: f"train/owl/{n}{s}",
    "good-ok-junk": lambda n, s: f"jpg/{n}{s}",
    "gpr1200": lambda n, s: f"images/{n}_a{s}",
    "imagefolder": lambda n, s: f"train/{n}{s}",
    "imagenet": lambda n, s: f"Data/CLS-LOC/train/{WNID}/{WNID}_{n}{s}",
    "labelme": lambda n, s: f"images/{n}{s}",
    "labelstudio": lambda n, s: f"images/{n}{s}",
    "parquet": lambda n, s: f"images/{n}{s}",
    "pattern": lambda n, s: f"owl/{n}{s}",
    "qrels": lambda n, s: f"images/{n}{s}",
    "roxford5k": lambda n, s: f"jpg/{n}{s}",
    "rparis6k": lambda n, s: f"jpg/{n}{s}",
    "sketch": lambda n, s: f"trainB/{n}{s}",
    "table": lambda n, s: f"images/{n}{s}",
    "via": lambda n, s: f"images/{n}{s}",
    "voc": lambda n, s: f"JPEGImages/{n}{s}",
    "webdataset": lambda n, s: f"train/{n}{s}",
    "yolo": lambda n, s: f"images/train/{n}{s}",
}
"""Path of image ``n``, per kind."""

OPTIONS = {"pattern": {"pattern": "(?P<label>[^/]+)/[^/]+"}}
"""Options that a kind cannot do without."""


def voc(stem: str) -> str:
    corners = "<xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>9</ymax>"
    inside = f"<object><name>a</name><bndbox>{corners}</bndbox></object>"
    return f"<annotation><filename>{stem}</filename>{inside}</annotation>"


def coco(names: list[str]) -> str:
    images = [{"id": n, "file_name": name} for n, name in enumerate(names)]
    boxes = [{"image_id": n, "category_id": 1, "bbox": [1, 2, 8, 7]} for n in range(len(names))]
    categories = [{"id": 1, "name": "a"}]
    return json.dumps({"images": images, "annotations": boxes, "categories": categories})


def shapes(names: list[str]) -> dict[str, dict[str, str]]:
    """Return the box (1, 2, 9, 9) in every image of ``names``, as annotation tools write it."""
    points = {"label": "a", "points": [[1, 2], [9, 9]], "shape_type": "rectangle"}
    percent = {"x": 100 / 40, "y": 200 / 30, "width": 800 / 40, "height": 700 / 30}
    result = {
        "type": "rectanglelabels",
        "original_width": 40,
        "original_height": 30,
        "value": {**percent, "rectanglelabels": ["a"]},
    }
    rect = {"name": "rect", "x": 1, "y": 2, "width": 8, "height": 7}
    region = {"shape_attributes": rect, "region_attributes": {"class": "a"}}
    boxes = {"bbox": [[1, 2, 8, 7]], "categories": ["a"]}
    corners = 'xtl="1" ytl="2" xbr="9" ybr="9"'
    images = "".join(
        f'<image name="{name}"><box label="a" {corners}/></image>' for name in names
    )
    tasks = [
        {"id": n, "data": {"image": f"/data/{name}"}, "annotations": [{"result": [result]}]}
        for n, name in enumerate(names)
    ]
    rows = [{"file_name": Path(name).name, "objects": boxes} for name in names]
    return {
        "cvat": {"annotations.xml": f"<annotations>{images}</annotations>"},
        "imagefolder": {"train/metadata.jsonl": "\n".join(map(json.dumps, rows))},
        "labelme": {
            f"{Path(name).with_suffix('')}.json": json.dumps(
                {"imagePath": Path(name).name, "shapes": [points]}
            )
            for name in names
        },
        "labelstudio": {"tasks.json": json.dumps(tasks)},
        "via": {
            "via.json": json.dumps({n: {"filename": n, "regions": [region]} for n in names})
        },
    }


def notes(kind: str, names: list[str]) -> dict[str, str]:
    """Return annotations of the box (1, 2, 9, 9) in every image of ``names``."""
    stems = [Path(name).stem for name in names]
    line = f"0 {5 / 40} {5.5 / 30} {8 / 40} {7 / 30}\n"
    rows = [f"{name},a,1,2,9,9" for name in names]
    entry = {"boxes": [{"box": [1, 2, 9, 9], "label": "a"}]}
    entries = [json.dumps({"path": name, **entry}) for name in names]
    made = {
        "coco": {"annotations/instances_train.json": coco(names)},
        "compcars": {
            f"data/label/1/{n + 1}/2014/{n}.txt": "1\n1\n2 3 9 9\n" for n in range(len(names))
        },
        "csv": {"boxes.csv": "\n".join(["path,label,x1,y1,x2,y2", *rows])},
        "table": {"boxes.csv": "\n".join(["path,label,x1,y1,x2,y2", *rows])},
        "fissp": {"annotations/a.jsonl": "\n".join(entries)},
        "good-ok-junk": {
            "all_souls_1_query.txt": f"{stems[0]} 1 2 9 9",
            **{f"all_souls_1_{kind}.txt": "\n".join(stems) for kind in ("good", "ok", "junk")},
        },
        "qrels": {
            "corpus.jsonl": "\n".join(json.dumps({"id": n, "image": n}) for n in names[1:]),
            "queries.jsonl": json.dumps({"id": "q", "image": names[0], "relevant": names[1:]}),
        },
        "voc": {f"Annotations/{stem}.xml": voc(stem) for stem in stems},
        "webdataset": {f"train/{stem}.json": json.dumps(entry) for stem in stems},
        "yolo": {f"labels/train/{stem}.txt": line for stem in stems},
        **shapes(names),
    }
    return made.get(kind, {})


def truth(stems: list[str]) -> bytes:
    """Return the file in which a box of another image queries the gallery ``stems``."""
    entry = {"bbx": [1.0, 2.0, 9.0, 9.0], "easy": [0], "hard": [1], "junk": []}
    return pickle.dumps({"imlist": stems, "qimlist": ["query_1"], "gnd": [entry]}, protocol=2)


TOOLS = ("cvat", "imagefolder", "labelme", "labelstudio", "via")
TABLES = ("csv", "parquet", "table")
BOXED = ("coco", "compcars", "fissp", "voc", "webdataset", "yolo", *TABLES, *TOOLS)


def layout(kind: str, top: Path, *, cut: bool = False, backwards: bool = False) -> Path:
    """Make a small data set of ``kind`` in ``top``, with files written in either order."""
    place = PLACES[kind]
    pictures = [(suffix, data) for suffix, data, _, _ in PICTURES] + ([CUT] if cut else [])
    files = {place(n, suffix): data for n, (suffix, data) in enumerate(pictures)}
    names = list(files)
    said = {name: text.encode() for name, text in notes(kind, names).items()}
    if kind == "parquet":
        box = {"x1": 1.0, "y1": 2.0, "x2": 9.0, "y2": 9.0, "label": "a"}
        table = pa.Table.from_pylist([{"path": name, **box} for name in names])
        stream = io.BytesIO()
        pq.write_table(table, stream)
        said["train.parquet"] = stream.getvalue()
    if kind in ("roxford5k", "rparis6k"):
        said[f"gnd_{kind}.pkl"] = truth([Path(name).stem for name in names])
        said["jpg/query_1.png"] = PICTURES[4][1]
    if kind == "sketch":
        said["trainA/0_1.png"] = PICTURES[4][1]
    for name, data in sorted({**files, **said}.items(), reverse=backwards):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    return top


def read(kind: str, path: Path) -> SourceResult:
    source = SOURCES.build({"kind": kind, **OPTIONS.get(kind, {})}, "card")
    return source.read(source.open(path), path)


def test_every_source_is_tested() -> None:
    assert sorted(PLACES) == SOURCES.kinds()


@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_a_reading_is_by_the_contract(tmp_path: Path, kind: str) -> None:
    reading = read(kind, layout(kind, tmp_path))
    items = reading.items
    assert items.columns == [*ITEM_COLUMNS, *(c.name for c in reading.extra_columns)]
    assert {name: items.schema[name] for name in ITEM_COLUMNS} == ITEM_COLUMNS
    fields = [("item_id", pa.string()), *((c.name, c.type) for c in reading.extra_columns)]
    further = pa.schema(fields)
    assert items.select(further.names).to_arrow().cast(further).num_rows == len(items)
    assert not {c.name for c in reading.extra_columns} & set(PUBLISHED.names())
    assert items["item_id"].is_unique().all()
    assert items["item_id"].null_count() == items["image_id"].null_count() == 0
    listing = (
        SOURCES.build({"kind": kind, **OPTIONS.get(kind, {})}, "card")
        .open(tmp_path)
        .listing()["path"]
    )
    assert items["image_id"].is_in(listing.implode()).all()
    assert reading.findings.columns == list(FINDING_COLUMNS)
    # This small copy lacks CompCars' tables of names and lists of splits.
    assert reading.findings.filter(pl.col("check") != "absent").is_empty()
    assert (items["box"].null_count() == 0) == (kind in BOXED)


@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_the_order_is_nobodys_but_the_sources(tmp_path: Path, kind: str) -> None:
    one = read(kind, layout(kind, tmp_path / "a"))
    other = read(kind, layout(kind, tmp_path / "b", backwards=True))
    assert one.items.equals(other.items)
    assert read(kind, tmp_path / "a").items.equals(one.items)


@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_archives_are_read_as_folders(tmp_path: Path, kind: str) -> None:
    top = layout(kind, tmp_path / "top")
    expected = read(kind, top).items
    files = [path for path in sorted(top.rglob("*"), reverse=True) if path.is_file()]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in files:
            archive.write(path, path.relative_to(top))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for path in files:
            tar.add(path, path.relative_to(top))
    for name in ("a.zip", "a.tar.gz"):
        assert read(kind, tmp_path / name).items.equals(expected), name


@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_an_unknown_option_names_the_nearest(kind: str) -> None:
    with pytest.raises(ConfigError, match="did you mean 'exclude'"):
        SOURCES.build({"kind": kind, **OPTIONS.get(kind, {}), "exclud": []}, "card")


@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_nothing_of_the_layout_is_one_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(LikewiseError, match="does not exist"):
        read(kind, tmp_path / "nowhere")
    (tmp_path / "notes.md").write_text("no images here", encoding="utf-8")
    with pytest.raises(LikewiseError) as caught:
        read(kind, tmp_path)
    assert 20 < len(str(caught.value)) < 600


@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_every_encoding_goes_through(tmp_path: Path, kind: str) -> None:
    path = layout(kind, tmp_path / "data", cut=True)
    (tmp_path / "catalog").mkdir()
    card = json.dumps({"title": kind, "source": {"kind": kind, **OPTIONS.get(kind, {})}})
    (tmp_path / "catalog" / "x.yaml").write_text(card, encoding="utf-8")
    entry = f"datasets:\n  x: {{path: {path}, annotations: {path}}}\n"
    (tmp_path / "params.yaml").write_text(entry, encoding="utf-8")
    done = likewise.ingest("x", workspace=tmp_path)
    turned = {"turned-image": 1} if kind in BOXED else {}
    found = {k: n for k, n in done.findings.items() if k != "absent"}
    assert found == {"truncated": 1, **turned}
    place = PLACES[kind]
    images = likewise.query("select * from x_images", workspace=tmp_path)
    facts = {name: (mode, turn) for name, mode, turn in
             images.frame.select("image_id", "mode", "orientation").iter_rows()}  # fmt: skip
    for number, (suffix, _, mode, orientation) in enumerate(PICTURES):
        assert facts[place(number, suffix)] == (mode, orientation)
    if kind in BOXED:
        items = likewise.query("select * from x_items", workspace=tmp_path)
        assert items["box"].to_list() == [[1, 2, 9, 9]] * len(PICTURES)
        assert items.frame.select(pl.col("content").n_unique()).item() == len(PICTURES)


def tarred(top: Path, mode: str = "w", *more: tarfile.TarInfo) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:  # type: ignore[call-overload]
        tar.add(top, ".", filter=lambda info: info.replace(mtime=0, deep=False))
        for member in more:
            tar.addfile(member)
    return stream.getvalue()


def zipped(top: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(top.rglob("*")):
            archive.write(path, path.relative_to(top))
    return stream.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(255 - byte for byte in data[at : at + 40]) + data[at + 40 :]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


FINDING = "refused"
PARTLY = "the items before the cut, and a finding; or an error about what is missing"
DAMAGED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "cut.tar": (lambda top: half(tarred(top)), PARTLY),
    "cut.tar.gz": (lambda top: half(tarred(top, "w:gz")), PARTLY),
    "cut.zip": (lambda top: half(zipped(top)), "is damaged or truncated"),
    "flipped.tar.gz": (
        lambda top: flipped(tarred(top, "w:gz"), 200),
        "is damaged or truncated",
    ),
    "flipped.zip": (lambda top: flipped(zipped(top), -60), "is damaged or truncated"),
    "empty.tar": (lambda _: b"", "is an empty file; download or create it again"),
    "page.zip": (lambda _: b"<html>Please log in</html>", "is damaged or truncated"),
    "other.7z": (lambda _: b"7z\xbc\xaf\x27\x1c" + bytes(600), "is a 7z archive"),
    "hollow.tar": (lambda _: bytes(10240), "contains no files"),
    "twins.tar": (
        lambda top: tarred(top, "w", member("a.jpg"), member("./a.jpg")),
        FINDING,
    ),
    "out.tar": (lambda top: tarred(top, "w", member("../../a.jpg")), FINDING),
    "link.tar": (lambda top: tarred(top, "w", member("a.jpg", tarfile.SYMTYPE, "/x")), FINDING),
}
"""Damaged archives of a layout, and the place that the error names: archive or member."""


@pytest.mark.no_cover  # test_damaged_archives.py covers the same lines
@pytest.mark.parametrize("kind", SOURCES.kinds())
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_archive_is_one_error_or_a_finding(
    tmp_path: Path, kind: str, name: str
) -> None:
    make, said = DAMAGED[name]
    archive = tmp_path / name
    archive.write_bytes(make(layout(kind, tmp_path / "top")))
    if said == FINDING:
        reading = read(kind, archive)
        expected = read(kind, tmp_path / "top")
        assert reading.items.equals(expected.items)
        new = set(reading.findings["check"]) - set(expected.findings["check"])
        assert new == {FINDING}
        return
    if said == PARTLY:
        with suppress(LikewiseError):
            assert FINDING in set(read(kind, archive).findings["check"])
        return
    with pytest.raises(LikewiseError) as caught:
        read(kind, archive)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.no_cover  # the damage tests of each source cover the same lines
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_any_byte_may_be_another(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    top = tmp_path / "top"
    if not top.exists():
        layout(kind, top)
    pictures = {suffix.lower() for suffix, *_ in PICTURES}
    explain = [p for p in sorted(top.rglob("*.*")) if p.suffix.lower() not in pictures]
    packed = data.draw(st.sampled_from(["a.tar", "a.tar.gz", "a.zip", *map(str, explain)]))
    path, place = Path(packed), top
    if path in explain:
        whole = path.read_bytes()
    else:
        path = place = tmp_path / packed
        modes = {".tar": "w", ".gz": "w:gz"}
        mode = modes.get(path.suffix)
        whole = tarred(top, mode) if mode else zipped(top)
    at = data.draw(st.integers(0, len(whole)))
    new = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from([b"\xff", b"{", b'"'])))
    path.write_bytes(whole[:at] + new + whole[at + data.draw(st.integers(0, 9)) :])
    try:
        with suppress(LikewiseError):
            reading = read(kind, place)
            assert reading.items["item_id"].is_unique().all()
            assert reading.findings["finding_id"].is_unique().all()
            files = SOURCES.build({"kind": kind, **OPTIONS.get(kind, {})}, "card").open(place)
            list(files.read_many(reading.items["image_id"].unique()))
    finally:
        path.write_bytes(whole)
