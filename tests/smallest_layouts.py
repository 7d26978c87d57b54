"""The smallest example of the layout of every source."""

import io
import json
import pickle  # noqa: TID251 (what the published files are)
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from likewise.sources import SOURCES
from likewise.sources.base import SourceResult

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
