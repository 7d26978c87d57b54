"""Search as users call it, in a real catalogue of 24 drawings."""

import shutil
from pathlib import Path
from typing import Any

import lance
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

import likewise
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    StaleArtefactError,
    UnknownNameError,
    UnknownOptionError,
)

COLUMNS = {
    "rank": pl.Int64,
    "score": pl.Float32,
    "item_id": pl.String,
    "label": pl.String,
    "text": pl.String,
    "subset": pl.String,
    "split": pl.String,
    "path": pl.String,
    "dataset": pl.String,
}
INDEXES = """\
indexes:
  exact: {kind: exact}
  flat: {kind: faiss}
  cells: {kind: faiss, factory: "IVF2,Flat", nprobe: 2}
  stored: {kind: lance}
"""
FEW_CELLS = 'few: {kind: faiss, factory: "IVF4,Flat", nprobe: 1}'
KINDS = [None, "exact", "flat", "cells", "stored"]
ITEM = "200_noto.jpg"


@pytest.fixture
def indexed(workspace: Path) -> Path:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("indexes:\n  exact: {kind: exact}\n", INDEXES), "utf-8")
    return workspace


def oracle(vector: Any, allowed: "pl.Series | None" = None) -> list[str]:
    """Return all items, nearest first, by sorting all scores."""
    dataset = likewise.open("emoji")
    scores = dataset.vectors("tiny").astype(np.float64) @ np.asarray(vector, np.float64)
    order = np.argsort(-scores.astype(np.float32), kind="stable")
    ids = dataset.items["item_id"]
    kept = set(ids if allowed is None else ids.filter(allowed))
    return [i for i in ids[order] if i in kept]


def vector_of(item: str) -> Any:
    dataset = likewise.open("emoji")
    return dataset.vectors("tiny")[dataset.items["item_id"].index_of(item)]


@pytest.mark.parametrize("index", KINDS)
def test_an_items_neighbours_are_those_that_sorting_finds(
    indexed: Path, index: str | None
) -> None:
    hits = likewise.search("emoji", id=ITEM, k=6, index=index)
    assert dict(hits.frame.schema) == COLUMNS
    assert hits["rank"].to_list() == [1, 2, 3, 4, 5, 6]
    assert hits["item_id"].to_list() == [i for i in oracle(vector_of(ITEM)) if i != ITEM][:6]
    assert hits["score"].is_sorted(descending=True)
    nearest = vector_of(hits["item_id"][0])
    assert hits["score"][0] == pytest.approx(float(vector_of(ITEM) @ nearest), abs=1e-5)


@pytest.mark.parametrize("index", KINDS)
def test_where_means_the_same_for_every_index(indexed: Path, index: str | None) -> None:
    items = likewise.open("emoji").items
    where = "subset IN ('inat', 'faces') AND item_id <> '1000_noto.jpg'"
    allowed = items["subset"].is_in(["inat", "faces"]) & (items["item_id"] != "1000_noto.jpg")
    hits = likewise.search("emoji", vector=vector_of(ITEM), k=24, where=where, index=index)
    assert hits["item_id"].to_list() == oracle(vector_of(ITEM), allowed)
    assert len(hits) == 7
    without = likewise.search("emoji", id=ITEM, k=24, where=where, index=index)
    assert without["item_id"].to_list() == [i for i in hits["item_id"] if i != ITEM]


@pytest.mark.parametrize("index", KINDS)
def test_a_filter_that_nothing_passes_gives_an_empty_frame(
    indexed: Path, index: str | None
) -> None:
    hits = likewise.search("emoji", id=ITEM, where="label = 'no such'", index=index)
    assert dict(hits.frame.schema) == COLUMNS
    assert not hits
    assert len(hits.frame) == 0


def test_more_hits_than_items_gives_all(workspace: Path) -> None:
    assert len(likewise.search("emoji", vector=vector_of(ITEM), k=10**9)) == 24
    assert len(likewise.search("emoji", id=ITEM, k=10**9)) == 23
    assert len(likewise.search("emoji", id=ITEM, k=23)) == 23
    assert len(likewise.search("emoji", id=ITEM, k=1)) == 1


def test_a_vectors_length_is_of_no_matter(workspace: Path) -> None:
    vector = vector_of(ITEM)
    plain = likewise.search("emoji", vector=vector)
    for same in (vector * 8, vector.astype(np.float64) * 2.0**900, vector[None, :] / 4):
        assert likewise.search("emoji", vector=same).frame.equals(plain.frame)


def test_a_picture_is_embedded_as_the_items_were(workspace: Path) -> None:
    path = workspace / "emoji" / "images" / ITEM
    ways: list[Any] = [path, str(path), path.read_bytes(), Image.open(path)]
    found = [likewise.search("emoji", image=image, k=3) for image in ways]
    assert found[0]["item_id"][0] == ITEM
    assert found[0]["score"][0] == pytest.approx(1, abs=1e-5)
    assert all(hits.frame.equals(found[0].frame) for hits in found)


def test_an_open_data_set_answers_again_and_again(workspace: Path) -> None:
    dataset = likewise.open("emoji")
    first = dataset.search(id=ITEM, k=4)
    assert dataset.search(id=ITEM, k=4).frame.equals(first.frame)
    assert dataset.searcher("tiny", "exact") is dataset.searcher("tiny", "exact")
    assert dataset.search(id=ITEM, where="subset = 'inat'")["item_id"].len() == 3


def test_a_vector_comes_from_a_file(workspace: Path) -> None:
    pytest.importorskip("likewise.formats.arrays")
    np.save(workspace / "q.npy", vector_of(ITEM)[None, :])
    hits = likewise.search("emoji", vector=workspace / "q.npy", k=5)
    assert hits.frame.equals(likewise.search("emoji", vector=vector_of(ITEM), k=5).frame)
    np.save(workspace / "two.npy", np.ones((2, 5)))
    with pytest.raises(DataError, match=r"two\.npy has 2 x 5 values .*; give one vector"):
        likewise.search("emoji", vector=workspace / "two.npy")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "found none of them"),
        ({"id": ITEM, "image": b"x"}, "found image and id"),
        ({"id": ITEM, "k": 0}, "k is 0; ask for at least 1 hit"),
        ({"vector": np.ones(7)}, "the query has 7 dimensions, the vectors of 'tiny' have "),
        ({"vector": np.ones((2, 3))}, "2 x 3 values of float64; give one vector"),
        ({"vector": np.array(["a"])}, "give one vector"),
        ({"vector": np.array(1.0)}, "give one vector"),
        ({"id": ITEM, "min_score": float("nan")}, "min_score is NaN"),
        ({"image": Path("absent.png")}, "absent.png: No such file"),
        ({"image": Path("params.yaml")}, "params.yaml: it does not begin as any image"),
        ({"image": Path("catalog")}, "catalog: Is a directory"),
        ({"image": b""}, "the query: the file has 0 bytes"),
        ({"id": ITEM, "where": "labl = 'x'"}, "no column 'labl'; did you mean 'label'?"),
        ({"id": ITEM, "where": "label = house"}, "no column 'house'"),
        ({"id": ITEM, "where": "label = "}, "'label =' ends too early; a value is missing"),
        ({"id": ITEM, "where": " "}, "where: the condition is empty; write for example"),
        ({"id": ITEM, "where": "label = 'x"}, 'a text in "label = \'x" has no closing quote'),
        ({"id": ITEM, "where": "label"}, "'label' is not a condition; write for example"),
        (
            {"id": ITEM, "where": "label = 3"},
            "where: 3 does not fit the column, which is text: put",
        ),
        ({"id": ITEM, "where": "label = '0' LIMIT 3"}, "where: not SQL: Expected: )"),
        ({"id": ITEM, "where": "label = '0'; drop"}, "where: not SQL: Expected: )"),
        ({"id": ITEM, "where": "width = 'wide'"}, "where: "),
        ({"id": ITEM, "where": "nothing(label) = 1"}, "Invalid function 'nothing'"),
        ({"id": ITEM, "where": "cast(text AS int) = 1"}, "Cannot cast string"),
        ({"id": ITEM, "where": "\"label\" = '0'"}, "single quotes"),
    ],
    ids=str,
)
def test_a_wrong_query_is_reported_in_a_line(
    workspace: Path, query: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError) as caught:
        likewise.search("emoji", **query)
    text = str(caught.value)
    assert said in text
    assert "\n" not in text
    assert ".rs:" not in text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.nan, "1 value of the vector is NaN or infinite; the first is at position 3"),
        (np.inf, "infinite"),
    ],
)
def test_what_has_no_direction_is_not_a_query(workspace: Path, value: float, said: str) -> None:
    vector = vector_of(ITEM).copy()
    vector[3] = value
    with pytest.raises(DataError, match=said):
        likewise.search("emoji", vector=vector)
    with pytest.raises(DataError, match="all values of the vector are 0"):
        likewise.search("emoji", vector=np.zeros_like(vector))


def test_a_misspelt_keyword_is_met_with_the_nearest(workspace: Path) -> None:
    options: dict[str, Any] = {"id": ITEM, "per_lable": 1}
    said = r"search has no option 'per_lable'; did you mean 'per_label'"
    with pytest.raises(TypeError, match=said):
        likewise.search("emoji", **options)
    with pytest.raises(UnknownOptionError, match=said):
        likewise.open("emoji").search(**options)
    with pytest.raises(likewise.LikewiseError, match="search_many has no option 'id'; did"):
        likewise.search_many("emoji", pl.DataFrame({"id": [ITEM]}), id=ITEM)  # type: ignore[call-arg]


def test_unknown_names_are_met_with_the_nearest(workspace: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no data set named 'emojy'.*'emoji'"):
        likewise.search("emojy", id=ITEM)
    with pytest.raises(
        UnknownNameError, match=r"no item named '200_notto.jpg' in emoji; .*" + ITEM
    ):
        likewise.search("emoji", id="200_notto.jpg")
    with pytest.raises(UnknownNameError, match="no item named '§'"):
        likewise.search("emoji", id="§")
    with pytest.raises(UnknownNameError, match=r"no model named 'tyny'.*'tiny'"):
        likewise.search("emoji", id=ITEM, model="tyny")
    with pytest.raises(
        UnknownNameError, match=r"no index named 'exat' in params.yaml.*'exact'"
    ):
        likewise.search("emoji", id=ITEM, index="exat")


def test_exact_is_there_without_being_named(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text[: text.index("indexes:")], encoding="utf-8")
    assert len(likewise.search("emoji", id=ITEM, index="exact")) == 10


def test_an_index_that_does_not_suit_is_a_fault_of_the_configuration(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    wrong = (
        'indexes:\n  many: {kind: faiss, factory: "IVF99,Flat"}\n  odd: {kind: faiss, m: 3}\n'
    )
    params.write_text(text.replace("indexes:\n", wrong), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"'IVF99,Flat' of 24 vectors .* training points \(24\)"
    ):
        likewise.search("emoji", id=ITEM, index="many")
    with pytest.raises(ConfigError, match=r"params.yaml: indexes.odd: m: unknown key"):
        likewise.search("emoji", id=ITEM, index="odd")


def test_of_several_models_one_must_be_named(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    tiny = "  tiny: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}\n"
    other = tiny.replace("tiny", "other").replace("random", "random, input_size: 64")
    text = text.replace(tiny, tiny + other)
    entry = "  emoji-tiny: {dataset: emoji, model: tiny}\n"
    more = "  emoji-other: {dataset: emoji, model: other, dtype: float16}\n"
    params.write_text(text.replace(entry, entry + more), encoding="utf-8")
    likewise.load("other")
    likewise.embed("emoji", "other")
    likewise.publish("emoji")
    with pytest.raises(DataError, match="several models; name one: tiny, other"):
        likewise.search("emoji", id=ITEM)
    assert set(likewise.search("emoji", keywords="0")["label"]) == {"0"}  # they need no model
    one, two = (likewise.search("emoji", id=ITEM, model=m) for m in ("tiny", "other"))
    assert not one.frame.equals(two.frame)
    path = workspace / "emoji" / "images" / ITEM
    same = likewise.search("emoji", image=path, model="other", k=1)
    assert same["item_id"].to_list() == [ITEM]
    assert same["score"][0] == pytest.approx(1, abs=2e-3)  # stored in half precision


def test_vectors_of_an_older_model_refuse_a_picture(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(
        text.replace("weights: random", "weights: random, input_size: 64"), "utf-8"
    )
    likewise.load("tiny")
    path = workspace / "emoji" / "images" / ITEM
    with pytest.raises(
        StaleArtefactError, match=r"another version of 'tiny'.*dvc repro publish@emoji"
    ):
        likewise.search("emoji", image=path)
    assert len(likewise.search("emoji", id=ITEM)) == 10


def test_a_model_that_is_not_here_refuses_a_picture(workspace: Path) -> None:
    shutil.rmtree(workspace / "models" / "tiny")
    with pytest.raises(
        MissingArtefactError, match=r"model 'tiny' is not on this machine.*load@tiny"
    ):
        likewise.search("emoji", image=workspace / "emoji" / "images" / ITEM)
    assert len(likewise.search("emoji", id=ITEM)) == 10


def test_what_was_not_published_cannot_be_searched(workspace: Path) -> None:
    shutil.rmtree(workspace / "catalog" / "emoji.lance")
    (workspace / "catalog" / "emoji.columns.yaml").unlink()
    with pytest.raises(MissingArtefactError, match="dvc repro publish@emoji"):
        likewise.search("emoji", id=ITEM)


def test_equal_items_are_in_the_data_sets_order(workspace: Path) -> None:
    table = lance.dataset(workspace / "catalog" / "emoji.lance")
    twins = ["0_fluent.jpg", "200_noto.jpg", "800_fluent.jpg", "1000_noto.jpg"]
    rows = table.to_table()
    at = rows.schema.get_field_index("tiny")
    vectors = np.stack(rows.column(at).to_pylist()).astype(np.float32)
    ids = rows["item_id"].to_pylist()
    vectors[[ids.index(t) for t in twins]] = vectors[ids.index(ITEM)]
    values = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    changed = rows.set_column(at, rows.schema.field(at), values)
    lance.write_dataset(changed, table.uri, mode="overwrite", data_storage_version="2.2")
    hits = likewise.search("emoji", vector=vectors[ids.index(ITEM)], k=4)
    assert hits["item_id"].to_list() == sorted(twins, key=ids.index)
    assert hits["score"].n_unique() == 1
    assert likewise.search("emoji", id=ITEM, k=3)["item_id"].to_list() == [
        t for t in sorted(twins, key=ids.index) if t != ITEM
    ]


def test_the_sheet_shows_the_query_and_the_hits(workspace: Path) -> None:
    hits = likewise.search("emoji", id=ITEM, k=5)
    page = workspace / "new" / "sheet.html"
    hits.to_html(page, note="tiny, exact")
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/jpeg;base64,") == 6
    assert "Emoji in GPR1200&#39;s layout" in text
    assert "tiny, exact" in text
    for item, score in hits.frame.select("item_id", "score").iter_rows():
        assert item in text
        assert f"{score:.4f}" in text
    path = workspace / "emoji" / "images" / ITEM
    for image in (path, path.read_bytes(), Image.open(path)):
        likewise.search("emoji", image=image, where="label = 'none'").to_html(page)
        text = page.read_text(encoding="utf-8")
        assert text.count("data:image/jpeg;base64,") == 1
        assert "Nothing was found" in text
    likewise.search("emoji", vector=vector_of(ITEM), k=5).to_html(str(page))
    assert page.read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 5


def test_a_sheet_that_cannot_be_written_is_reported(workspace: Path) -> None:
    hits = likewise.search("emoji", id=ITEM, k=1)
    with pytest.raises(DataError, match="cannot be written"):
        hits.to_html(workspace / "params.yaml" / "x.html")
    assert sorted(p.name for p in workspace.iterdir() if p.name.endswith(".html")) == []


@pytest.mark.parametrize("where", [None, "1 = 1", "subset IN ('inat', 'faces')"])
def test_an_index_of_few_cells_returns_as_many_hits_as_there_are(
    indexed: Path, where: str | None
) -> None:
    params = indexed / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(text.replace("indexes:\n", f"indexes:\n  {FEW_CELLS}\n"), "utf-8")
    exact = likewise.search("emoji", id=ITEM, k=500, where=where)
    few = likewise.search("emoji", id=ITEM, k=500, where=where, index="few")
    # 24 items, of which 8 are in these subsets, without the query.
    assert len(exact) == (8 if where and "subset" in where else 24) - 1
    assert few["item_id"].to_list() == exact["item_id"].to_list()
    queries = pl.DataFrame({"id": [ITEM, "0_noto.jpg"]})
    many = likewise.search_many("emoji", queries, k=500, where=where, index="few")
    assert many.by_query()[ITEM]["item_id"].to_list() == exact["item_id"].to_list()
