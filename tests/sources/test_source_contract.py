"""The contract of every registered source."""

import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import likewise
from likewise.errors import ConfigError, LikewiseError
from likewise.sources import SOURCES
from likewise.sources.base import FINDING_COLUMNS, ITEM_COLUMNS
from likewise.storage.schema import PUBLISHED
from smallest_layouts import OPTIONS, PICTURES, PLACES, layout, read

TOOLS = ("cvat", "imagefolder", "labelme", "labelstudio", "via")
TABLES = ("csv", "parquet", "table")
BOXED = ("coco", "compcars", "fissp", "voc", "webdataset", "yolo", *TABLES, *TOOLS)


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
