"""Searches by texts, through the text tower of a model, and by keywords."""

import json
from pathlib import Path
from typing import Any

import lance
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import likewise
from colour_words import ColourEncoder
from likewise.cli.app import app
from likewise.errors import DataError, StaleArtefactError
from likewise.models.passport import Passport
from likewise.models.text_encoder import TextEncoder
from tiny_towers import write_transformers

pytestmark = pytest.mark.torch

Array = npt.NDArray[np.float64]

ITEM = "200_noto.jpg"


def ids(**query: Any) -> list[str]:
    return likewise.search("emoji", **query)["item_id"].to_list()


def vectors() -> tuple[list[str], Array]:
    dataset = likewise.open("emoji")
    return dataset.items["item_id"].to_list(), dataset.vectors("colours").astype(np.float64)


def tower() -> TextEncoder:
    return ColourEncoder(Passport.read("models/colours"))


def embedded(*texts: str, templates: tuple[str, ...] = ("{}",)) -> Array:
    return tower().encode_texts(texts, templates).astype(np.float64)


def unit(vector: Array) -> Array:
    length: Array = np.linalg.norm(vector, axis=-1, keepdims=True)
    return vector / length


def ranked(scores: Array, without: tuple[str, ...] = ()) -> list[str]:
    names, _ = vectors()
    order = np.argsort(-np.asarray(scores, np.float32), kind="stable")
    return [names[row] for row in order if names[row] not in without]


def test_a_text_is_compared_with_images(coloured: Path) -> None:
    _, items = vectors()
    hits = likewise.search("emoji", text="a warm drawing", model="colours", k=24)
    scores = items @ embedded("a warm drawing")[0]
    assert hits["item_id"].to_list() == ranked(scores)
    assert hits[0].score == pytest.approx(scores.max(), abs=1e-6)
    assert hits.exact
    # The only model with a text tower is chosen.
    assert hits.frame.equals(likewise.search("emoji", text="a warm drawing", k=24).frame)
    least = float(hits["score"][4])
    assert len(ids(text="a warm drawing", min_score=least)) == 5


def test_several_texts_are_combined_by_mean_or_nearest(coloured: Path) -> None:
    _, items = vectors()
    both = embedded("red", "blue")
    assert ids(text=["red", "blue"], k=24) == ranked(items @ both.mean(axis=0))
    nearest = ids(text=["red", "blue"], k=24, combine="max")
    assert nearest == ranked((items @ both.T).max(axis=1))


def test_templates_are_averaged(coloured: Path) -> None:
    templates = ("a {} thing", "{} on blue")
    query = unit(np.stack([embedded(one.format("red"))[0] for one in templates]).mean(axis=0))
    _, items = vectors()
    assert ids(text="red", templates=templates, k=24) == ranked(items @ query)
    assert ids(text="red", templates="{} on blue", k=24) == ids(text="red on blue", k=24)


def test_a_text_is_added_to_an_item_and_negative_texts_are_subtracted(coloured: Path) -> None:
    names, items = vectors()
    own, text = unit(items[names.index(ITEM)]), embedded("green")[0]
    for weight, options in ((0.5, {}), (0.2, {"text_weight": 0.2}), (1.0, {"text_weight": 1})):
        total = unit((1 - weight) * own + weight * text)
        found = ids(id=ITEM, text="green", model="colours", k=23, **options)
        assert found == ranked(items @ total, (ITEM,))
    away = unit(text - 0.5 * embedded("red", "blue").mean(axis=0))
    assert ids(text="green", not_text=["red", "blue"], k=24) == ranked(items @ away)
    other = np.stack([unit(items[names.index("0_noto.jpg")]), embedded("red")[0]])
    away = unit(own - 0.5 * other.mean(axis=0))
    query = {"id": ITEM, "unlike": "0_noto.jpg", "not_text": "red", "k": 22}
    assert ids(**query) == ranked(items @ away, (ITEM, "0_noto.jpg"))
    pairs = ids(id=[ITEM, "0_noto.jpg"], text=["red", "blue"], combine="max", k=22)
    two = np.stack([own, unit(items[names.index("0_noto.jpg")])])
    sums = unit((two[:, None] + embedded("red", "blue")[None]).reshape(4, 3))
    assert pairs == ranked((items @ sums.T).max(axis=1), (ITEM, "0_noto.jpg"))


def test_keywords_and_a_text_are_fused_by_rank(coloured: Path) -> None:
    word, seen = ids(keywords="elephant", k=24), ids(text="red", k=24)
    both = likewise.search("emoji", keywords="elephant", text="red", k=24)
    want = {
        name: sum(1 / (61 + one.index(name)) for one in (seen, word) if name in one)
        for name in seen
    }
    assert both["score"].to_list() == pytest.approx(sorted(want.values(), reverse=True))


def test_a_table_of_texts_is_answered_as_one_by_one(coloured: Path) -> None:
    (coloured / "q.csv").write_text("query,text\na,red\nb,a blue thing\n", "utf-8")
    hits = likewise.search_many("emoji", "q.csv", k=4, templates="{} on green")
    assert hits["query"].unique(maintain_order=True).to_list() == ["a", "b"]
    alone = [ids(text=f"{one} on green", k=4) for one in ("red", "a blue thing")]
    assert hits["item_id"].to_list() == [name for part in alone for name in part]
    with pytest.raises(DataError, match="templates are sentences for a column text"):
        likewise.search_many(
            "emoji", pl.DataFrame({"id": [ITEM]}), templates="{}", model="tiny"
        )


def test_a_clip_model_is_searched_as_its_library_does(workspace: Path) -> None:
    import torch
    from transformers import AutoTokenizer

    library = write_transformers(workspace / "clip", "clip")
    tokenizer = AutoTokenizer.from_pretrained(str(workspace / "clip"))
    options = {"model": "folder:clip"}
    likewise.add_model("pairs", kind="transformers", options=options, data=["emoji"])
    likewise.load("pairs")
    likewise.embed("emoji", "pairs")
    likewise.publish("emoji")
    with torch.inference_mode():
        tokens = tokenizer(["a red shoe with laces"], return_tensors="pt")
        text = library.get_text_features(**tokens).pooler_output[0].double().numpy()
    dataset = likewise.open("emoji")
    scores = dataset.vectors("pairs").astype(np.float64) @ unit(text)
    hits = dataset.search(text="a red shoe with laces", k=24)
    assert dict(zip(hits["item_id"], hits["score"], strict=True)) == pytest.approx(
        dict(zip(dataset.items["item_id"], scores, strict=True)), abs=1e-5
    )


def test_texts_of_several_data_sets_are_searched_as_one(coloured: Path) -> None:
    text = (coloured / "params.yaml").read_text("utf-8")
    text = text.replace("datasets:\n", "datasets:\n  more: {path: emoji/images, annotations: "
                        "emoji/categories.json}\n")  # fmt: skip
    text = text.replace(
        "embeddings:\n", "embeddings:\n  more: {dataset: more, model: colours}\n"
    )
    (coloured / "params.yaml").write_text(text, "utf-8")
    card = (coloured / "catalog" / "emoji.yaml").read_text("utf-8")
    (coloured / "catalog" / "more.yaml").write_text(card, "utf-8")
    likewise.ingest("more")
    likewise.embed("more", "colours")
    likewise.publish("more")
    hits = likewise.search(["more", "emoji"], text="red", not_text="blue", k=48)
    one = likewise.search("emoji", text="red", not_text="blue", k=24)
    assert hits.frame.filter(dataset="emoji")["item_id"].to_list() == one["item_id"].to_list()
    assert hits["score"].is_sorted(descending=True)


def test_the_command_searches_by_texts(coloured: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["search", "emoji", *words], catch_exceptions=False)

    done = run("--text", "red", "--text", "warm", "--not-text", "blue", "--template", "a {}",
               "--keywords", "elephant", "--html", "x.html", "--json")  # fmt: skip
    expected = likewise.search(
        "emoji", text=["red", "warm"], not_text="blue", templates="a {}", keywords="elephant"
    )
    assert [hit["item_id"] for hit in json.loads(done.stdout)] == expected["item_id"].to_list()
    assert "Text: red, warm, not blue; keywords: elephant" in (coloured / "x.html").read_text(
        "utf-8"
    )
    weighted = run("--id", ITEM, "--text", "red", "--text-weight", "0.9", "--json")
    assert [hit["item_id"] for hit in json.loads(weighted.stdout)] == ids(
        id=ITEM, text="red", text_weight=0.9
    )


def test_a_model_without_a_text_tower_is_named(workspace: Path) -> None:
    done = CliRunner().invoke(app, ["search", "emoji", "--text", "red"])
    assert done.exit_code != 0
    with pytest.raises(
        DataError, match=r"no model of emoji has a text tower.*--keywords.*either"
    ):
        likewise.search("emoji", text="red")


def test_models_with_a_text_tower_are_named(coloured: Path) -> None:
    assert likewise.open("emoji").text_models == ["colours"]
    with pytest.raises(DataError, match=r"'tiny' has no text tower.*of emoji with .*: colours"):
        likewise.search("emoji", text="red", model="tiny")
    params = coloured / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(text.replace("  emoji-colours: {dataset: emoji, model: colours}\n", ""))
    likewise.publish("emoji")
    with pytest.raises(DataError, match="of the catalogue with a text tower: colours"):
        likewise.search("emoji", text="red")


def test_a_set_without_labels_and_texts_has_no_keywords(workspace: Path) -> None:
    path = "catalog/emoji.lance"
    table = lance.dataset(path).to_table()
    for name in ("label", "text"):
        at, none = table.schema.get_field_index(name), pa.nulls(len(table), pa.string())
        table = table.set_column(at, table.schema.field(name), none)
    written = lance.write_dataset(table, path, mode="overwrite", data_storage_version="2.2")
    for name in ("label", "text"):
        written.create_scalar_index(name, "INVERTED", name=f"{name}_words", with_position=False)
    with pytest.raises(DataError, match=r"no item of 'emoji' has a label or a text.*--text"):
        likewise.search("emoji", keywords="red")


def test_another_version_of_the_text_tower_is_refused(coloured: Path) -> None:
    passport = Passport.read("models/colours").model_copy(update={"weights_sha256": "1" * 64})
    passport.write("models/colours")
    with pytest.raises(StaleArtefactError, match="another version of 'colours'"):
        likewise.search("emoji", text="red")


def test_changed_templates_embed_nothing_and_change_queries(coloured: Path) -> None:
    before = coloured / "catalog" / "emoji" / "columns" / "colours.yaml"
    digests = before.read_text("utf-8")
    params = coloured / "params.yaml"
    text = params.read_text("utf-8").replace(
        "kind: colour-words", "kind: colour-words, templates: ['{} on blue']"
    )
    params.write_text(text, "utf-8")
    likewise.load("colours")
    done = likewise.embed("emoji", "colours")
    assert (done.computed, done.taken_over) == (0, 24)
    assert before.read_text("utf-8") != digests  # so DVC publishes and evaluates again
    likewise.publish("emoji")
    assert ids(text="red", k=24) == ids(text="red on blue", templates="{}", k=24)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"text": " "}, "text: ' ' is not a description"),
        ({"text": ["red", 3]}, "text: 3 is not a description"),
        ({"not_text": "red"}, "a search needs one of image, id and vector, or a text"),
        ({"text": "red", "text_weight": 0.3}, "give both"),
        ({"text": "red", "id": ITEM, "text_weight": 2}, "text_weight is 2; it must be from"),
        ({"text": "red", "templates": "a photo"}, "must have {} once"),
        ({"id": ITEM, "templates": "{}"}, "give one too"),
        ({"keywords": "red", "not_text": "blue"}, "not_text needs"),
        ({"text": "red", "keywords": "red", "min_score": 0.1}, "no scale"),
    ],
)
def test_a_wrong_query_is_reported(
    workspace: Path, query: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        likewise.search("emoji", **query)
