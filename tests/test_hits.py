"""Hits are a list of rows, a polars frame, and a page of pictures."""

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

import likewise
from html_tags import BAD, tags
from likewise import Hit, Hits
from likewise.errors import DataError
from likewise.pages import gallery
from likewise.pages.query_sheet import CELL
from likewise.retrieval import hit_records
from likewise.storage import tables

ITEM = "200_noto.jpg"


def test_hits_are_a_list_of_rows(workspace: Path) -> None:
    hits = assert_type(likewise.search("emoji", id=ITEM, k=6), Hits)
    assert len(hits) == 6
    first = assert_type(hits[0], Hit)
    assert (first.rank, first.dataset, first.query) == (1, "emoji", None)
    assert [hit.item_id for hit in hits] == hits["item_id"].to_list()
    assert hits[-1].rank == 6
    assert [hit.rank for hit in hits[2:4]] == [3, 4]
    with pytest.raises(IndexError):
        hits[6]
    with pytest.raises(likewise.UnknownNameError, match="did you mean 'score'"):
        hits["scores"]


def test_hits_are_a_frame(workspace: Path) -> None:
    hits = likewise.search("emoji", id=ITEM, k=6)
    assert hits.columns == hits.frame.columns
    assert hits.to_polars() is hits.frame
    assert hits.to_dicts() == hits.frame.to_dicts()
    assert pl.DataFrame(hits).equals(hits.frame)
    assert pa.table(hits).num_rows == 6


def test_hits_of_many_items_are_read_until_the_searches_are_many(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [likewise.search("emoji", id=name, k=5).frame for name in ("0_noto.jpg", ITEM)]
    monkeypatch.setattr(hit_records, "_IN_MEMORY", 0)
    dataset = likewise.open("emoji")
    reads = []
    take = tables.Table.take

    def counted(table: tables.Table, *given: Any) -> Any:
        reads.append(given[1])
        return take(table, *given)

    monkeypatch.setattr(tables.Table, "take", counted)
    for number in range(hit_records._OFTEN + 4):
        for name, frame in zip(("0_noto.jpg", ITEM), expected, strict=True):
            assert dataset.search(id=name, k=2).frame.equals(frame.head(2)), number
    assert reads.count(hit_records._SHOWN) == hit_records._OFTEN


def test_hits_of_many_queries_are_distinguished(workspace: Path, tmp_path: Path) -> None:
    hits = likewise.search_many("emoji", pl.DataFrame({"id": [ITEM, "0_noto.jpg"]}), k=3)
    assert [hit.query for hit in hits] == [ITEM] * 3 + ["0_noto.jpg"] * 3
    parts = hits.by_query()
    assert list(parts) == [ITEM, "0_noto.jpg"]
    assert parts[ITEM]["item_id"].to_list() == hits["item_id"].to_list()[:3]
    parts[ITEM].to_html(tmp_path / "one.html")
    assert (tmp_path / "one.html").read_text("utf-8").count("data:image/jpeg") == 1 + 3
    hits.to_html(tmp_path / "all.html")
    assert (tmp_path / "all.html").read_text("utf-8").count("data:image/jpeg") == 2 + 6
    with pytest.raises(DataError, match="hits belong to one query"):
        likewise.search("emoji", id=ITEM).by_query()
    assert "data:image" not in hits._repr_html_()


def test_a_figure_of_queries_has_a_row_for_each(workspace: Path, tmp_path: Path) -> None:
    shutil.copy("emoji/images/400_noto.jpg", tmp_path / "pen.jpg")
    queries = tmp_path / "queries.csv"
    rows = ["query,image,label", "a pen,pen.jpg,400", "unknown,pen.jpg,"]
    queries.write_text("\n".join(rows) + "\n", "utf-8")
    hits = likewise.search_many("emoji", queries, k=4, workspace=workspace)
    hits.to_html(tmp_path / "rows.html", note="by tiny")
    page = (tmp_path / "rows.html").read_text("utf-8")
    right = sum(hit.label == "400" for hit in hits if hit.query == "a pen")
    assert page.count('aria-label="right"') == right
    assert page.count('aria-label="wrong"') == 4 - right  # the other query has no label
    hits.to_png(tmp_path / "rows.png")
    image = Image.open(tmp_path / "rows.png")
    assert image.width == 5 * (CELL + 10) + 20
    colours = image.convert("RGB").getcolors(1 << 20) or []
    green = sum(count for count, colour in colours if colour == (0x1C, 0x7C, 0x4A))
    frame = 4 * 4 * (CELL + 1) - 4 * 16  # four sides of four pixels, without common corners
    assert green == right * frame
    first = (tmp_path / "rows.png").read_bytes()
    hits.to_png(tmp_path / "rows.png")
    assert (tmp_path / "rows.png").read_bytes() == first


def test_a_query_without_hits_keeps_its_row(workspace: Path, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [ITEM, "0_noto.jpg"]})
    hits = likewise.search_many("emoji", frame, min_score=1.1, workspace=workspace)
    hits.to_html(tmp_path / "none.html")
    page = (tmp_path / "none.html").read_text("utf-8")
    assert (page.count("data:image/jpeg"), page.count("<p>no hits</p>")) == (2, 2)
    hits.to_png(tmp_path / "none.png")
    many = likewise.search_many("emoji", np.ones((501, hits_dim(workspace))), k=1)
    with pytest.raises(DataError, match="at most 500 queries"):
        many.to_html(tmp_path / "many.html")


def test_a_figure_reads_each_picture_once(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    thumbnail = gallery.thumbnail

    def counted(picture: Any, *given: Any) -> str | None:
        reads.append(hashlib.sha256(picture).hexdigest())
        return thumbnail(picture, *given)

    monkeypatch.setattr(gallery, "thumbnail", counted)
    shutil.copy("emoji/images/400_noto.jpg", tmp_path / "pen.jpg")
    names = likewise.open("emoji").items["item_id"].to_list()
    for queries in (
        pl.DataFrame({"id": names}),
        pl.DataFrame({"image": [str(tmp_path / "pen.jpg")] * 30, "query": range(30)}),
    ):
        reads.clear()
        hits = likewise.search_many("emoji", queries, k=10, role="any")
        hits.to_html(tmp_path / "rows.html")
        pictures = {*hits["item_id"], *queries[:, 0]}
        assert len(reads) == len(pictures)
        page = (tmp_path / "rows.html").read_text("utf-8")
        assert page.count("data:image/jpeg") == len(set(reads))
        assert page.count('<div class="mat">') == 11 * len(queries)


def test_queries_that_fit_no_image_are_refused_before_pictures_are_read(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = likewise.search_many("emoji", np.ones((400, hits_dim(workspace))), k=10)
    monkeypatch.delattr(gallery, "thumbnail")
    with pytest.raises(DataError, match="choose at most 344 queries, or write a page"):
        many.to_png(tmp_path / "many.png")
    assert not (tmp_path / "many.png").exists()


def hits_dim(workspace: Path) -> int:
    return int(likewise.open("emoji", workspace=workspace).vectors("tiny").shape[1])


def test_hits_print_well(workspace: Path) -> None:
    hits = likewise.search("emoji", id=ITEM, k=20)
    assert repr(hits).startswith("Hits, 20 rows\nshape: (20, 9)")
    page = hits._repr_html_()
    assert page.count("data:image/jpeg;base64,") == 12
    assert "20 hits in Emoji in GPR1200&#x27;s layout" in page
    assert not re.findall(r"""(?:href|src)=["'](?!data:)|url\(|@import|https?:""", page)
    later = likewise.search("emoji", id=ITEM, k=2, offset=5)._repr_html_()
    assert re.findall(r"<br>(\d+) · ", later) == ["6", "7"]
    assert likewise.search("emoji", id=ITEM, where="label = 'none'")._repr_html_()


def test_hits_whose_pictures_are_not_here_print_as_a_table(workspace: Path) -> None:
    hits = likewise.search("emoji", id=ITEM, k=2)
    shutil.rmtree(workspace / "catalog" / "emoji" / "images.lance")
    fresh = Hits(hits.frame, {"emoji": likewise.open("emoji")})
    assert "data:image" not in fresh._repr_html_()
    assert hits[0].item_id in fresh._repr_html_()


def test_no_text_of_a_hit_becomes_a_tag(workspace: Path) -> None:
    hits = likewise.search("emoji", id=ITEM, k=2)
    frame = hits.frame.with_columns(label=pl.lit(BAD), text=pl.lit(BAD))
    names = {
        tag for tag, _ in tags(Hits(frame, {"emoji": likewise.open("emoji")})._repr_html_())
    }
    assert "script" not in names
