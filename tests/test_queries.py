"""Queries of every kind: pictures, boxes, words, pages, roles, tables, several data sets."""

import shutil
from pathlib import Path
from typing import Any

import lance
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import DataError, MissingArtefactError, UnknownNameError
from likewise.retrieval.selection import fuse_rankings

ITEM = "200_noto.jpg"


def ids(**query: Any) -> list[str]:
    found = likewise.search("emoji", **query)
    assert found["rank"].to_list() == list(
        range(1 + query.get("offset", 0), 1 + query.get("offset", 0) + len(found))
    )
    return found["item_id"].to_list()


def vectors() -> tuple[list[str], Any]:
    dataset = likewise.open("emoji")
    return dataset.items["item_id"].to_list(), dataset.vectors("tiny").astype(np.float64)


def ranked(scores: Any, without: tuple[str, ...] = ()) -> list[str]:
    names, _ = vectors()
    order = np.argsort(-np.asarray(scores, np.float32), kind="stable")
    return [names[row] for row in order if names[row] not in without]


def with_roles(role: dict[str, str]) -> None:
    path = "catalog/emoji.lance"
    table = lance.dataset(path).to_table()
    roles = pa.array([role.get(name) for name in table["item_id"].to_pylist()], pa.string())
    at = table.schema.get_field_index("role")
    changed = table.set_column(at, table.schema.field("role"), roles)
    lance.write_dataset(changed, path, mode="overwrite", data_storage_version="2.2")


def test_several_items_are_sought_by_their_mean_or_by_the_nearest(workspace: Path) -> None:
    names, all_vectors = vectors()
    two = ("0_noto.jpg", "800_noto.jpg")
    pair = all_vectors[[names.index(name) for name in two]]
    mean = ids(id=list(two), k=24)
    assert mean == ranked(all_vectors @ pair.mean(axis=0), two)
    nearest = ids(id=list(two), k=24, combine="max")
    assert nearest == ranked((all_vectors @ pair.T).max(axis=1), two)
    assert ids(id=list(two), k=5, combine="max") == nearest[:5]
    files = [workspace / "emoji" / "images" / name for name in two]
    assert set(ids(image=files, k=2, combine="max")) == set(two)


def test_a_box_is_what_a_cut_picture_is(workspace: Path) -> None:
    path = workspace / "emoji" / "images" / ITEM
    image = Image.open(path).convert("RGB")
    box = (10, 20, image.width - 5, image.height - 30)
    assert ids(image=path, box=box, k=5) == ids(image=image.crop(box), k=5)
    with pytest.raises(DataError, match=r"box 5,5,4,9 is not inside the image of \d+ x \d+"):
        likewise.search("emoji", image=path, box=(5, 5, 4, 9))
    with pytest.raises(DataError, match="give the image too"):
        likewise.search("emoji", id=ITEM, box=(0, 0, 1, 1))


def test_pages_follow_each_other(workspace: Path) -> None:
    whole = ids(id=ITEM, k=23)
    pages = [ids(id=ITEM, k=10, offset=start) for start in (0, 10, 20, 30)]
    assert pages == [whole[:10], whole[10:20], whole[20:], []]


def test_a_threshold_finds_all_that_score_as_much(workspace: Path) -> None:
    scores = likewise.search("emoji", id=ITEM, k=23)["score"]
    least = float(scores[13])
    assert len(ids(id=ITEM, min_score=least)) == 14
    assert len(ids(id=ITEM, min_score=least, k=4)) == 4
    assert ids(id=ITEM, min_score=2) == []
    assert len(ids(id=ITEM, min_score=-1)) == 23


def test_hits_per_label_are_limited(workspace: Path) -> None:
    found = likewise.search("emoji", id=ITEM, per_label=1, k=6)
    assert found["label"].n_unique() == len(found) == 6
    everything = likewise.search("emoji", id=ITEM, k=23)
    firsts = everything.frame.unique("label", keep="first", maintain_order=True)[
        "item_id"
    ].to_list()
    assert found["item_id"].to_list() == firsts
    assert len(ids(id=ITEM, per_label=2, k=24)) == 12
    assert ids(id=ITEM, per_label=2, k=3, offset=3) == ids(id=ITEM, per_label=2, k=6)[3:]


def test_a_query_finds_the_gallery_and_not_other_queries(workspace: Path) -> None:
    before = ids(id=ITEM, k=24)
    with_roles({ITEM: "query", "0_noto.jpg": "query", "0_fluent.jpg": "gallery"})
    assert ids(id=ITEM, k=24) == [i for i in before if i != "0_noto.jpg"]
    assert ids(id=ITEM, k=24, role="any") == before
    assert "0_fluent.jpg" not in ids(id=ITEM, k=24, role="query")
    assert "0_noto.jpg" in ids(id=ITEM, k=24, role="query")
    where = "label = '0'"
    assert len(ids(id=ITEM, k=24, where=where)) == 3
    # The name of a column within a text is not a quoted column.
    assert ids(id=ITEM, k=24, where="item_id not like '%\"label\"%'", role="any") == before


def test_keywords_of_labels_and_texts_are_found(workspace: Path) -> None:
    found = likewise.search("emoji", keywords="elephants", k=24)
    items = likewise.open("emoji").items
    of = items.filter(pl.col("text").str.contains("elephant"))["item_id"]
    assert sorted(found["item_id"]) == sorted(of)
    assert (found["score"] > 0).all()
    assert ids(keywords="800", k=24) == items.filter(label="800")["item_id"].to_list()
    assert ids(keywords="elephant", where="item_id <> '200_noto.jpg'", k=1) == [of[0]]
    assert ids(keywords="nothingofthekind") == []
    with pytest.raises(DataError, match="no word to search for"):
        likewise.search("emoji", keywords=" ... ")
    with pytest.raises(DataError, match="no scale"):
        likewise.search("emoji", keywords="elephant", min_score=1)


def test_keywords_and_a_picture_are_fused_by_rank(workspace: Path) -> None:
    word, seen = ids(keywords="elephant", k=24), ids(id="0_noto.jpg", k=23, role="any")
    both = likewise.search("emoji", id="0_noto.jpg", keywords="elephant", k=24)
    lists = [["0_noto.jpg", *seen], word]
    want = {
        name: sum(1 / (60 + one.index(name) + 1) for one in lists if name in one)
        for name in seen
    }
    assert both["score"].to_list() == pytest.approx(sorted(want.values(), reverse=True))
    assert both["item_id"][0] in word


def test_reciprocal_ranks_add_up() -> None:
    scores, rows = fuse_rankings(np.array([4, 2, 9]), np.array([9, 4]))
    assert rows.tolist() == [4, 9, 2]
    wanted = [1 / 61 + 1 / 62, 1 / 63 + 1 / 61, 1 / 62]
    assert scores.tolist() == pytest.approx(wanted)


def test_a_table_published_without_words_names_the_command(workspace: Path) -> None:
    table = lance.dataset("catalog/emoji.lance")
    for name in ("text_words", "label_words"):
        table.drop_index(name)
    with pytest.raises(MissingArtefactError, match="dvc repro --force publish@emoji"):
        likewise.search("emoji", keywords="elephant")


@pytest.mark.parametrize("way", ["id", "image", "vector"])
def test_a_table_of_queries_is_answered_as_one_by_one(workspace: Path, way: str) -> None:
    names, all_vectors = vectors()
    chosen = [ITEM, "0_noto.jpg", "1000_noto.jpg"]
    columns: dict[str, Any] = {
        "id": chosen,
        "image": [f"emoji/images/{name}" for name in chosen],
        "vector": [all_vectors[names.index(name)].tolist() for name in chosen],
    }
    found = likewise.search_many("emoji", pl.DataFrame({way: columns[way]}), k=4)
    asked: list[dict[str, Any]] = [
        {way: np.array(one) if way == "vector" else one} for one in columns[way]
    ]
    alone = [likewise.search("emoji", **one, k=4) for one in asked]
    assert len(found) == 3 * 4
    assert found["item_id"].to_list() == [i for one in alone for i in one["item_id"]]
    assert found["query"].unique(maintain_order=True).to_list() == (
        ["0", "1", "2"] if way == "vector" else columns[way]
    )
    assert found["score"].to_list() == pytest.approx(
        [s for one in alone for s in one["score"]], abs=1e-5
    )


def test_an_array_of_vectors_is_a_table_of_queries(workspace: Path) -> None:
    names, all_vectors = vectors()
    by_array = likewise.search_many("emoji", all_vectors[:2], k=4)
    frame = pl.DataFrame({"vector": all_vectors[:2].tolist()})
    assert by_array.frame.equals(likewise.search_many("emoji", frame, k=4).frame)
    assert by_array.frame.equals(likewise.search_many("emoji", frame.lazy(), k=4).frame)
    assert by_array["item_id"][0] == names[0]
    with pytest.raises(DataError, match=r"numbers of shape \(queries, dimensions\)"):
        likewise.search_many("emoji", all_vectors[0])


def test_an_array_of_pixels_is_a_picture(workspace: Path) -> None:
    path = workspace / "emoji" / "images" / ITEM
    image = Image.open(path).convert("RGB")
    assert ids(image=np.asarray(image), k=5) == ids(image=image, k=5)
    grey = np.asarray(image.convert("L"))
    assert ids(image=grey, k=5) == ids(image=image.convert("L"), k=5)
    with pytest.raises(DataError, match=r"160 x 160 values of float64; an image has height"):
        ids(image=np.zeros((160, 160)))


def test_a_table_of_queries_comes_from_a_file(workspace: Path) -> None:
    frame = pl.DataFrame({"query": ["a", "b"], "id": [ITEM, "0_noto.jpg"]})
    frame.write_csv(workspace / "q.csv")
    frame.write_parquet(workspace / "q.parquet")
    frame.write_ndjson(workspace / "q.jsonl")
    first = likewise.search_many("emoji", workspace / "q.csv", k=3, per_label=1)
    assert first["query"].to_list() == ["a"] * 3 + ["b"] * 3
    for name in ("q.parquet", "q.jsonl"):
        again = likewise.search_many("emoji", workspace / name, k=3, per_label=1)
        assert again.frame.equals(first.frame)
    none = likewise.search_many("emoji", frame.clear())
    assert none.columns == first.columns
    assert not none


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"item": [ITEM]}, "one column of id, image, vector and text; found only item"),
        ({"id": [ITEM], "image": ["x"]}, "found id and image"),
        ({"id": [ITEM, None]}, "the column id is empty in 1 row"),
        ({"id": ["a", "b"]}, "no item a, b"),
        ({"image": ["absent.png"]}, "absent.png: No such file"),
        ({"vector": [[1.0, 2.0]]}, "the query has 2 dimensions"),
    ],
)
def test_a_wrong_table_of_queries_is_reported(
    workspace: Path, frame: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        likewise.search_many("emoji", pl.DataFrame(frame))


@pytest.mark.parametrize("name", ["q.txt", "absent.csv"])
def test_a_wrong_file_of_queries_is_reported(workspace: Path, name: str) -> None:
    with pytest.raises(DataError, match=name):
        likewise.search_many("emoji", workspace / name)


@pytest.fixture
def two_sets(workspace: Path) -> Path:
    """Add a second data set to the catalogue: two of the six categories."""
    folder = workspace / "few"
    folder.mkdir()
    for name in ("0_noto.jpg", "0_fluent.jpg", "200_noto.jpg"):
        shutil.copy(workspace / "emoji" / "images" / name, folder / f"9{name}")
    (workspace / "emoji" / "few.json").write_text('{"90": "x", "9200": "y"}', "utf-8")
    params = workspace / "params.yaml"
    text = params.read_text("utf-8")
    text = text.replace(
        "datasets:\n", "datasets:\n  few: {path: few, annotations: emoji/few.json}\n"
    ).replace("embeddings:\n", "embeddings:\n  few-tiny: {dataset: few, model: tiny}\n")
    params.write_text(text, "utf-8")
    shutil.copy(workspace / "catalog" / "emoji.yaml", workspace / "catalog" / "few.yaml")
    likewise.ingest("few")
    likewise.embed("few", "tiny")
    likewise.publish("few")
    return workspace


def test_several_data_sets_are_searched_as_one(two_sets: Path) -> None:
    found = likewise.search(["emoji", "few"], id=ITEM, k=27)
    assert len(found) == 24 + 3 - 1
    assert found["score"].is_sorted(descending=True)
    assert (found[0].dataset, found[0].item_id) == ("few", "9200_noto.jpg")
    one = likewise.search("emoji", id=ITEM, k=24)
    assert found.frame.filter(dataset="emoji")["item_id"].to_list() == one["item_id"].to_list()
    page = likewise.search(["emoji", "few"], id=ITEM, k=5, offset=7)
    assert page.frame.equals(found[7:12].frame)
    swapped = likewise.search(["few", "emoji"], id=ITEM, k=26)
    assert swapped["item_id"][0] == "9200_noto.jpg"
    path = two_sets / "emoji" / "images" / ITEM
    assert set(likewise.search(["emoji", "few"], image=path, k=2)["dataset"]) == {
        "emoji",
        "few",
    }
    page.to_png(two_sets / "x.png")
    with Image.open(two_sets / "x.png") as sheet:
        assert sheet.width > 1000


def test_several_data_sets_have_one_model_and_vectors_only(two_sets: Path) -> None:
    with pytest.raises(DataError, match="one data set at a time"):
        likewise.search(["emoji", "few"], keywords="elephant")
    with pytest.raises(UnknownNameError, match="no item named 'none' in emoji and few"):
        likewise.search(["emoji", "few"], id="none")
    params = two_sets / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(
        text.replace("weights: random", "weights: random, input_size: 64"), "utf-8"
    )
    likewise.load("tiny")
    likewise.embed("few", "tiny")
    likewise.publish("few")
    with pytest.raises(DataError, match="from different versions of one model"):
        likewise.search(["emoji", "few"], id=ITEM)


def test_a_gallery_without_items_has_no_hits(workspace: Path) -> None:
    all_vectors = vectors()[1]
    path = "catalog/emoji.lance"
    table = lance.dataset(path).to_table()
    lance.write_dataset(table[:0], path, mode="overwrite", data_storage_version="2.2")
    found = likewise.search("emoji", vector=all_vectors[0], k=3)
    assert not found
    assert found.columns[:3] == ["rank", "score", "item_id"]


def test_the_picture_of_a_search_is_the_same_every_time(workspace: Path) -> None:
    path = workspace / "emoji" / "images" / ITEM
    hits = likewise.search("emoji", image=[path, path], k=7)
    for name in ("a.png", "b.png"):
        hits.to_png(workspace / name)
    assert (workspace / "a.png").read_bytes() == (workspace / "b.png").read_bytes()
    assert (workspace / "a.png").read_bytes().startswith(b"\x89PNG")
    hits.to_html(workspace / "a.html")
    # Both queries are the picture of a hit, which is embedded once.
    assert (workspace / "a.html").read_text("utf-8").count("data:image/jpeg") == 7
    likewise.search("emoji", image=path, box=(0, 0, 9, 9)).to_png(workspace / "c.png")
    with pytest.raises(DataError, match="cannot be written"):
        hits.to_png(workspace / "params.yaml" / "x")


def test_the_command_takes_all_of_it(workspace: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["search", "emoji", *words], catch_exceptions=False)

    path = str(workspace / "emoji" / "images" / ITEM)
    shown = run(
        "--image", path, "--image", path, "--box", "0,0,20,20", "-k", "2", "--png", "x.png"
    )
    assert shown.exit_code == 0
    assert (workspace / "x.png").is_file()
    (workspace / "q.csv").write_text(f"id\n{ITEM}\n", "utf-8")
    assert "200_fluent.jpg" in run("--queries", "q.csv", "-k", "23").stdout
    assert "elephant" in run("--keywords", "elephant", "--per-label", "1", "--json").stdout
    assert run("--image", path, "--box", "1,2").exit_code == 2
    assert run("--queries", "q.csv", "--id", ITEM).exit_code == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"id": ITEM, "offset": -1}, "offset is -1"),
        ({"id": ITEM, "per_label": 0}, "per_label is 0"),
        ({"id": ITEM, "combine": "sum"}, "combine is 'sum'; it is one of mean, max"),
        ({"id": ITEM, "role": "both"}, "role is 'both'; it is one of gallery, query, any"),
    ],
)
def test_numbers_out_of_range_are_reported(
    workspace: Path, query: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        likewise.search("emoji", **query)


def test_an_opened_transparent_picture_is_on_white_as_its_file_is(workspace: Path) -> None:
    path = workspace / "transparent.png"
    drawing = Image.new("RGBA", (40, 20), (200, 0, 0, 0))
    drawing.paste((200, 0, 0, 255), (5, 5, 15, 15))
    drawing.save(path)
    by_file = likewise.search("emoji", image=path, k=3)
    by_picture = likewise.search("emoji", image=drawing, k=3)
    assert by_picture.frame.equals(by_file.frame)
