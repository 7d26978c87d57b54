"""Every format that a source reads is read back unchanged, for any data."""

import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import likewise
from likewise.errors import DataError
from likewise.exports import EXPORTS
from likewise.exports.base import Selection
from likewise.sources import SOURCES
from likewise.sources.box_bounds import clip_boxes
from likewise.storage.config import Card

BOXED = ("coco", "voc", "yolo", "csv", "table", "parquet", "webdataset")
EXPORTED = {"table": "csv"}
"""Source -> the format that it reads, where the names differ."""

RENAMED = ("voc", "yolo", "parquet", "webdataset")
"""Formats that rename images, or only those with unusual names."""

SPLITS = (None, "train", "val", "test")


@cache
def picture(number: int) -> tuple[bytes, str, tuple[int, int]]:
    """Draw a small picture: bytes, suffix and size."""
    size = (8 + 5 * number, 30 - 3 * number)
    rng = np.random.default_rng(number)
    kind, suffix = (("PNG", "png"), ("JPEG", "JPG"), ("GIF", "gif"))[number % 3]
    out = io.BytesIO()
    noise = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, kind)
    return out.getvalue(), suffix, size


@dataclass
class InMemory:
    """Return the bytes of the images of items, as ``ImageReader`` reads them."""

    data: list[bytes]

    def encoded(self, numbers: Sequence[int]) -> list[bytes]:
        return [self.data[number] for number in numbers]


NAME = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\"),
    min_size=1,
    max_size=6,
).filter(lambda name: not name.startswith(".") and "git~" not in name.lower())
LABEL = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="\u2028\u2029"),
    min_size=1,
    max_size=8,
).filter(
    lambda text: text == text.strip() and text.split() != [] and "git~" not in text.lower()
)
SPLIT = st.sampled_from(SPLITS)


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> list[tuple[str, list[float]]]:
    """Draw different labelled boxes inside an image, in quarters of pixels."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        edges = []
        for edge in size:
            low = draw(st.integers(0, 4 * edge - 1))
            edges.append((low / 4, draw(st.integers(low + 1, 4 * edge)) / 4))
        (x1, x2), (y1, y2) = edges
        found.append((draw(LABEL), [x1, y1, x2, y2]))
    return list({json.dumps(box): box for box in found}.values())


@st.composite
def boxed_sets(draw: st.DrawFn) -> pl.DataFrame:
    """Draw the items of a data set with boxes; some images have none."""
    rows = []
    for number, name in enumerate(draw(st.lists(NAME, min_size=1, max_size=4, unique=True))):
        _, suffix, size = picture(number)
        image = f"images/{name}.{suffix}"
        facts = {"image_id": image, "split": draw(SPLIT), **_facts(number)}
        inside = draw(boxes(size))
        rows += [
            {**facts, "item_id": f"{image}#{n}", "label": label, "box": box}
            for n, (label, box) in enumerate(inside, start=1)
        ]
        if not inside:
            rows.append({**facts, "item_id": image})
    return _items(rows)


def _facts(number: int) -> dict[str, Any]:
    data, _, size = picture(number)
    return {"number": number, "width": size[0], "height": size[1], "nbytes": len(data)}


def _items(rows: list[dict[str, Any]]) -> pl.DataFrame:
    texts = ("item_id", "image_id", "label", "text", "subset", "split", "role")
    schema: dict[str, Any] = {
        **dict.fromkeys(texts, pl.String),
        "box": pl.Array(pl.Float32, 4),
        **dict.fromkeys(("width", "height", "number"), pl.Int32),
        "nbytes": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema).with_columns(mode=pl.lit("RGB"))


def selection(items: pl.DataFrame) -> Selection:
    reader = InMemory([picture(number)[0] for number in items["number"]])
    card = Card(title="T", source={"kind": "csv"})
    mask = np.ones(len(items), bool)
    return Selection("any", card, items, cast("Any", reader), cast("Any", None), mask)


def back(kind: str, folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """Read ``folder`` with the source ``kind``: items (boxes in pixels) and findings."""
    source = SOURCES.build({"kind": kind}, "here")
    files = source.open(folder)
    reading = source.read(files, folder)
    # Bytes other than those of an exported picture raise a KeyError here.
    sizes = {picture(n)[0]: picture(n)[2] for n in range(4)}
    paths = reading.items["image_id"].unique().to_list()
    found = [(path, *sizes[files.read(path)], 1) for path in paths]
    columns = ("image_id", "width", "height", "orientation")
    facts = pl.DataFrame(found, schema=columns, orient="row")
    items, misfits = clip_boxes(reading.items, reading, facts)
    told = pl.concat([reading.findings, misfits]).rows()
    return items, [f"{row[0]}: {row[-1]}" for row in told]


def out_and_back(kind: str, chosen: Selection) -> tuple[pl.DataFrame, list[str]]:
    """Export all of ``chosen`` and return what ``back`` reads."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "out"
        folder.mkdir()
        assert (
            EXPORTS.build({"kind": EXPORTED.get(kind, kind)}, "here").write(chosen, folder)
            == []
        )
        return back(kind, folder)


def as_rows(items: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(items.select(*columns, "box").rows(), key=str)


@pytest.mark.parametrize("kind", BOXED)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(items=boxed_sets())
def test_boxes_come_back_equal(kind: str, items: pl.DataFrame) -> None:
    found, findings = out_and_back(kind, selection(items))
    assert findings == []
    columns = ["label", "split"]
    if kind not in RENAMED:
        columns += ["item_id", "image_id"]
    assert as_rows(found, *columns) == as_rows(items, *columns)


FOLDER = LABEL.filter(
    lambda t: not t.startswith(".") and t not in {*SPLITS, "valid", "validation", "__MACOSX"}
).map(lambda t: t.replace("/", "-").replace("\\", "-"))


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(data=st.data(), with_splits=st.booleans())
@pytest.mark.parametrize("kind", ["folder", "csv", "parquet", "webdataset"])
def test_labels_of_whole_images_come_back_equal(
    kind: str, data: st.DataObject, *, with_splits: bool
) -> None:
    rows = []
    for number, name in enumerate(
        data.draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    ):
        image = f"images/{name}.{picture(number)[1]}"
        split = data.draw(st.sampled_from(SPLITS[1:])) if with_splits else None
        label = data.draw(st.none() | FOLDER) if with_splits else data.draw(FOLDER)
        rows.append(
            {
                "image_id": image,
                "item_id": image,
                "split": split,
                "label": label,
                **_facts(number),
            }
        )
    items = _items(rows)
    found, findings = out_and_back(kind, selection(items))
    assert findings == []
    assert as_rows(found, "label", "split") == as_rows(items, "label", "split")


@pytest.mark.parametrize("kind", ["csv", "parquet", "webdataset"])
def test_all_that_is_known_of_boxes_and_of_whole_images_comes_back(kind: str) -> None:
    rows = []
    for item, text in (("a.png", "a cat"), ("b.png#1", "an eye"), ("b.png#2", None)):
        box = [float(item[-1]), 0, 4, 4] if "#" in item else None
        image, facts = item.partition("#")[0], _facts("ab".index(item[0]))
        rows.append({"image_id": image, "item_id": item, "text": text, "box": box, **facts})
    own = {
        "licence": ["CC-BY-4.0", "CC0-1.0", "CC0-1.0"],
        "score": [0.5, None, 2.25],
        "tags": [["x", 'a "b", c'], None, []],
    }
    items = _items(rows).with_columns(
        *pl.DataFrame(own), label=pl.lit("cat"), split=pl.lit("val")
    )
    chosen = replace(selection(items), extra_columns=tuple(own))
    found, findings = out_and_back(kind, chosen)
    assert findings == []
    tags = ['["x","a \\"b\\", c"]', None, "[]"]
    told = found.sort("text", nulls_last=True).with_columns(
        pl.col("tags").str.replace_all('", "', '","', literal=True)  # the writer of JSON
    )
    assert told["box"].to_list() == [None, [1, 0, 4, 4], [2, 0, 4, 4]]
    for name in ("label", "split", "text", "licence", "score"):
        assert told[name].to_list() == items[name].to_list(), name
    assert told["tags"].to_list() == tags


def test_labels_of_whole_images_are_not_boxes() -> None:
    rows = [{"image_id": "a.png", "item_id": "a.png", "label": "cat", **_facts(0)}]
    chosen = selection(_items(rows))
    with tempfile.TemporaryDirectory() as place:
        with pytest.raises(DataError, match="1 labelled item has none; set whole"):
            EXPORTS.build({"kind": "coco"}, "here").write(chosen, Path(place))
        EXPORTS.build({"kind": "coco", "whole": "box"}, "here").write(chosen, Path(place))
        text = (Path(place) / "annotations" / "instances_all.json").read_text("utf-8")
    (found,) = json.loads(text)["annotations"]
    assert found["bbox"] == [0, 0, 8, 30]


def test_what_a_format_cannot_hold_is_refused() -> None:
    row = {"image_id": "a.png", "item_id": "a.png#1", "box": [0.0, 0, 4, 4], **_facts(0)}
    with tempfile.TemporaryDirectory() as place:
        unnamed = selection(_items([row]))
        for kind in ("coco", "voc", "yolo"):
            with pytest.raises(DataError, match=r"these have none: a\.png#1"):
                EXPORTS.build({"kind": kind}, "here").write(unnamed, Path(place))
        odd = selection(_items([{**row, "label": "a\nb"}]))
        for kind in ("voc", "yolo"):
            with pytest.raises(DataError, match="cannot represent the labels"):
                EXPORTS.build({"kind": kind}, "here").write(odd, Path(place))
        with pytest.raises(
            DataError, match=r"one label per image, but any has boxes: a\.png#1"
        ):
            EXPORTS.build({"kind": "folder"}, "here").write(odd, Path(place))
        parent = {"image_id": "a.png", "item_id": "a.png", "label": "..", **_facts(0)}
        with pytest.raises(DataError, match=r"'\.\.' cannot be folder names"):
            EXPORTS.build({"kind": "folder"}, "here").write(
                selection(_items([parent])), Path(place)
            )


@pytest.mark.parametrize("kind", BOXED)
def test_real_boxes_come_back_equal_through_ingest(
    kind: str, cards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    likewise.export("cards", EXPORTED.get(kind, kind), out, workspace=cards)
    root = tmp_path / "catalogue"
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(
        f"datasets:\n  again: {{path: {out}, annotations: {out}}}\n", "utf-8"
    )
    card = f"title: Again\nsource: {{kind: {kind}}}\n"
    (root / "catalog" / "again.yaml").write_text(card, "utf-8")
    done = likewise.ingest("again", workspace=root)
    assert done.findings == {}
    likewise.publish("again", workspace=root)
    columns = ("label", "split", "width", "height", "sha256")
    first = likewise.open("cards", workspace=cards).items
    again = likewise.open("again", workspace=root).items
    assert as_rows(again, *columns) == as_rows(first, *columns)
