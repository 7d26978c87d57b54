"""Cases of data sets: names, labels, boxes, and every format of annotations."""

import io
import pickle  # noqa: TID251 (the published ground truth of two benchmarks is a pickle)
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fuzz.case import JPEG, PNG, Case, Generator, csv, dump_json, ingest
from fuzz.hostile import NUMBERS, STRINGS, change, change_bytes, text_bytes, value
from fuzz.xml_text import element

WNID = "n02119789"
Files = dict[str | bytes, bytes]


def _pictures(*names: str) -> Files:
    return {f"data/{name}": PNG if name.endswith("png") else JPEG for name in names}


def names(rng: random.Random) -> Case:
    """Files, folders and splits with hostile names, in layouts that read names."""
    kind = rng.choice(("folder", "folder", "gpr1200", "sketch", "imagenet"))
    pattern = {
        "folder": "train/{0}/{1}.jpg",
        "gpr1200": "images/{2}_{1}.jpg",
        "sketch": "trainB/{1}.png",
        "imagenet": "Data/CLS-LOC/train/{0}/{0}_{1}.JPEG",
    }[kind]
    files: Files = dict(_pictures(pattern.format(WNID if kind == "imagenet" else "a", 1, 1)))
    for _ in range(rng.choice((1, 3))):
        parts = [rng.choice(STRINGS) or "x" for _ in range(3)]
        name: str | bytes = "data/" + pattern.format(*parts)
        if rng.random() < 0.2:
            name = change_bytes(str(name).encode("utf-8", "replace"), rng)
            name = b"data/" + name.lstrip(b"/")
        files[name] = JPEG
    return ingest({"kind": kind}, files, rng)


def _rows(rng: random.Random) -> list[list[object]]:
    return [
        [f"images/{n}.jpg", f"cat {n}", *(rng.randrange(1, 12) for _ in range(4))]
        for n in range(4)
    ]


_IMAGES = _pictures(*(f"images/{n}.jpg" for n in range(4)))


def labels(rng: random.Random) -> Case:
    """Labels and columns of hostile names and values in a CSV file."""
    header: list[object] = ["path", "label", "split", "colour", "age"]
    rows: list[list[object]] = [
        [f"images/{n}.jpg", f"cat {n % 2}", "train", "red", n] for n in range(4)
    ]
    for _ in range(rng.choice((1, 2, 4))):
        if rng.random() < 0.4:
            header[rng.randrange(1, 5)] = value(rng)
        else:
            rows[rng.randrange(4)][rng.randrange(1, 5)] = value(rng)
    return ingest({"kind": "csv"}, _IMAGES | {"data/a.csv": csv([header, *rows], rng)}, rng)


def boxes(rng: random.Random) -> Case:
    """Boxes of hostile numbers in a CSV, YOLO, COCO or VOC file."""
    numbers: list[Any] = [rng.randrange(1, 12) for _ in range(4)]
    for _ in range(rng.choice((1, 2, 4))):
        numbers[rng.randrange(4)] = rng.choice((*NUMBERS, *STRINGS[:12], 1e9, -5, 1e-9))
    kind = rng.choice(("csv", "yolo", "coco", "voc"))
    if kind == "csv":
        rows = [["path", "label", "x1", "y1", "x2", "y2"], ["images/0.jpg", "a", *numbers]]
        return ingest(
            {"kind": kind}, _IMAGES | {"data/a.csv": csv([*rows, *_rows(rng)], rng)}, rng
        )
    if kind == "yolo":
        return _yolo(rng, [[0, *numbers], [0, 0.5, 0.5, 0.2, 0.2]])
    if kind == "coco":
        document = _coco_document()
        document["annotations"][0]["bbox"] = numbers
        return _coco(rng, document)
    corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True))
    return _voc(rng, corners)


def csv_file(rng: random.Random) -> Case:
    """A CSV file with changed cells, rows, header, separators or encoding."""
    rows = [["path", "label", "x1", "y1", "x2", "y2"], *_rows(rng)]
    return ingest(
        {"kind": "csv"}, _IMAGES | {"data/a.csv": csv(_flat(change(rows, rng)), rng)}, rng
    )


def _flat(rows: Any) -> list[list[object]]:
    """Return rows whatever a change made of them."""
    listed = rows if isinstance(rows, list) else [rows]
    return [row if isinstance(row, list) else [row] for row in listed]


def _coco_document() -> dict[str, Any]:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 40, "height": 30} for n in range(4)]
    annotations = [
        {
            "id": n,
            "image_id": n,
            "category_id": 1,
            "bbox": [1, 2, 8, 7],
            "iscrowd": 0,
            "area": 56,
        }
        for n in range(4)
    ]
    categories = [{"id": 1, "name": "a", "supercategory": "b"}]
    licences = [{"id": 1, "name": "CC0", "url": "https://example.org"}]
    return {
        "info": {"year": 2020},
        "images": images,
        "annotations": annotations,
        "categories": categories,
        "licenses": licences,
    }


def _coco(rng: random.Random, document: Any) -> Case:
    data = text_bytes(dump_json(document), rng)
    return ingest(
        {"kind": "coco"}, _IMAGES | {"data/annotations/instances_train.json": data}, rng
    )


def coco(rng: random.Random) -> Case:
    """A COCO file with changed members."""
    return _coco(rng, change(_coco_document(), rng))


def _voc(rng: random.Random, corners: dict[str, Any]) -> Case:
    box = {key: str(number) for key, number in corners.items()}
    content = {"name": "a", "pose": "left", "truncated": "0", "difficult": "0", "bndbox": box}
    size = {"width": "40", "height": "30", "depth": "3"}
    document = {"filename": "0.jpg", "size": size, "object": [content, content]}
    files = _pictures("JPEGImages/0.jpg", "JPEGImages/1.jpg")
    changed = change(document, rng) if rng.random() < 0.8 else document
    files["data/Annotations/0.xml"] = text_bytes(element("annotation", changed, rng), rng)
    files["data/ImageSets/Main/train.txt"] = text_bytes(f"0\n1\n{rng.choice(STRINGS)}\n", rng)
    return ingest({"kind": "voc"}, files, rng)


def voc(rng: random.Random) -> Case:
    """A VOC file with changed elements, or a list with a hostile line."""
    return _voc(rng, {"xmin": 2, "ymin": 3, "xmax": 9, "ymax": 9})


def _yolo(rng: random.Random, lines: list[list[object]]) -> Case:
    files = _pictures("images/train/0.jpg", "images/train/1.jpg")
    text = "\n".join(" ".join(str(cell) for cell in line) for line in lines)
    files["data/labels/train/0.txt"] = text_bytes(text, rng)
    yaml = {"path": ".", "train": "images/train", "val": "images/val", "nc": 1, "names": ["a"]}
    if rng.random() < 0.5:
        yaml = change(yaml, rng)
    files["data/data.yaml"] = text_bytes(dump_json(yaml), rng)
    return ingest({"kind": "yolo"}, files, rng)


def yolo(rng: random.Random) -> Case:
    """Label files and data.yaml of YOLO with changed values."""
    lines: list[list[object]] = [[0, 0.5, 0.5, 0.2, 0.2], [0, 0.4, 0.4, 0.2, 0.2, 0.9]]
    return _yolo(rng, _flat(change(lines, rng)))


def _cell(rng: random.Random) -> tuple[pa.Array, str]:
    """Return a column of four rows of some Arrow type."""
    day = 86_400_000
    columns: tuple[pa.Array, ...] = (
        pa.array([1, None, 3, 4], pa.duration("ms")),
        pa.array([{"a": b"x"}, None, {"a": b""}, {"a": b"y"}]),
        pa.array([[b"x"], [], None, [b"y", b"z"]]),
        pa.array([2**64 - 1, 0, None, 1], pa.uint64()),
        pa.array([day, None, 2 * day, 0], pa.date64()),
        pa.array(["1.23", None, "4", "5"]).cast(pa.decimal128(10, 2)),
        pa.array(["a", None, "b", "a"]).dictionary_encode(),
        pa.array([float("nan"), None, float("inf"), -0.0], pa.float16()),
        pa.array([[1.0, 2.0], None, [3.0], []], pa.list_(pa.float32())),
        pa.array([rng.choice(STRINGS).encode("utf-8", "replace").decode() for _ in range(4)]),
        pa.nulls(4),
        pa.array([True, None, False, True]),
        pa.array([b"\xff\xfe", b"", None, b"x"]),
    )
    name = rng.choice(STRINGS).encode("utf-8", "replace").decode()
    return rng.choice(columns), rng.choice((name, "label", "split", "box", "x1", "extra"))


def parquet(rng: random.Random) -> Case:
    """A Parquet file with columns of unusual types and names, or damaged bytes."""
    columns: dict[str, pa.Array] = {
        "path": pa.array([f"images/{n}.jpg" for n in range(4)]),
        "label": pa.array(["a", "b", "a", "b"]),
    }
    for _ in range(rng.choice((1, 2))):
        column, name = _cell(rng)
        columns[name] = column
    if rng.random() < 0.3:
        cells = [
            {"bytes": change_bytes(PNG, rng), "path": rng.choice(STRINGS)} for _ in range(4)
        ]
        columns["image"] = pa.array(cells)
        del columns["path"]
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    data = stream.getvalue()
    damaged = change_bytes(data, rng) if rng.random() < 0.2 else data
    return ingest({"kind": "parquet"}, _IMAGES | {"data/data/train-0.parquet": damaged}, rng)


def fissp(rng: random.Random) -> Case:
    """JSON lines of boxes and labels with changed members."""
    entries: list[Any] = [
        {"path": f"train/cat/{n}.jpg", "boxes": [{"box": [1, 2, 9, 9], "label": "a"}], "age": n}
        for n in range(4)
    ]
    changed = change(entries, rng)
    listed = changed if isinstance(changed, list) else [changed]
    data = text_bytes("\n".join(dump_json(entry) for entry in listed), rng)
    name = rng.choice(("a.jsonl", "a.json", "a.csv"))
    pictures = _pictures(*(f"train/cat/{n}.jpg" for n in range(4)))
    return ingest({"kind": "fissp"}, pictures | {f"data/annotations/{name}": data}, rng)


def lists(rng: random.Random) -> Case:
    """Lists of ImageNet, CompCars, sketches and GPR1200's texts with hostile lines."""
    line = rng.choice((rng.choice(STRINGS), f"{WNID} {value(rng)}", f"1 {rng.choice(STRINGS)}"))
    lines = text_bytes(f"{WNID}\n{line}\n", rng)
    which = rng.randrange(5)
    if which == 0:
        files = _pictures(f"Data/CLS-LOC/train/{WNID}/{WNID}_1.JPEG") | {"data/list.txt": lines}
        return ingest({"kind": "imagenet", "subset": "list.txt"}, files, rng)
    if which == 1:
        files = _pictures("data/image/1/1/2014/a.jpg")
        files["data/data/label/1/1/2014/a.txt"] = text_bytes(f"1\n1\n2 3 {line} 9\n", rng)
        files["data/data/train_test_split/classification/train.txt"] = lines
        return ingest({"kind": "compcars"}, files, rng)
    if which == 2:
        files = _pictures("s_photo/a.png", "s_sketch/a_1.png")
        files["data/photo_train.txt"] = text_bytes(f"a\n{line}\n", rng)
        return ingest({"kind": "sketch"}, files, rng)
    if which == 3:
        files = _pictures("images/1_a.jpg", "images/2_b.jpg")
        texts = change({"1": "tower", "2": "face"}, rng)
        files["data/categories.json"] = text_bytes(dump_json(texts), rng)
        return ingest({"kind": "gpr1200"}, files, rng)
    files = _pictures("jpg/a.jpg", "jpg/b.jpg")
    entry = {"bbx": [1.0, 2.0, 9.0, 9.0], "easy": [0], "hard": [1], "junk": []}
    document = change({"imlist": ["a"], "qimlist": ["b"], "gnd": [entry]}, rng)
    files["data/gnd_roxford5k.pkl"] = pickle.dumps(document, protocol=2)
    return ingest({"kind": "roxford5k"}, files, rng)


GENERATORS: dict[str, Generator] = {
    "names": names,
    "labels": labels,
    "boxes": boxes,
    "csv": csv_file,
    "coco": coco,
    "voc": voc,
    "yolo": yolo,
    "parquet": parquet,
    "fissp": fissp,
    "lists": lists,
}
