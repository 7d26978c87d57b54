"""Protocols that compare items with texts: zero-shot classification, image-text retrieval."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

import likewise
from likewise.errors import ConfigError, DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.text_protocol import TextProtocol
from likewise.formats.array_types import Float32Array

LABELS = ["sea_lion", "bus", "sea_lion", "bus", "cat", None]


def protocol(kind: str, **options: Any) -> TextProtocol:
    built = PROTOCOLS.build({"kind": kind, **options}, "here")
    assert isinstance(built, TextProtocol)
    return built


def rows(**columns: Any) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    names = ("label", "subset", "split", "text", "content")
    given = {name: columns.get(name, [None] * count) for name in names}
    ids = [f"i{n}" for n in range(count)]
    return pl.DataFrame(
        {"item_id": ids, **given}, dict.fromkeys(["item_id", *names], pl.String)
    )


def unit(angles: list[float]) -> Float32Array:
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_an_item_has_the_class_of_the_nearest_name() -> None:
    zero_shot, given = protocol("zero-shot"), rows(label=LABELS)
    assert zero_shot.texts(given) == ["bus", "cat", "sea lion"]
    # Names at 0, 40 and 90 degrees: borders at 20 and 65 degrees.
    found = zero_shot.evaluate_texts(unit([80, 10, 30, 25, 45, 50]), unit([0, 40, 90]), given)
    assert found.queries["predicted"].to_list() == [
        "sea_lion", "bus", "cat", "cat", "cat", "cat"
    ]  # fmt: skip
    assert found.queries["value"].to_list() == [1, 1, 0, 0, 1, None]
    assert found.unrounded["accuracy"] == pytest.approx(3 / 5)
    assert found.unrounded["accuracy@5"] == 1
    # sea_lion 1 of 2, bus 1 of 2, cat 1 of 1
    assert found.unrounded["accuracy by class"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    assert found.counts == {"queries": 5, "gallery": 3, "labels": 3}
    assert "items without a label, not scored: 1" in found.notes


def test_only_test_items_are_classified_but_all_labels_compete() -> None:
    given = rows(label=["a", "b", "c"], split=["train", "test", "test"], subset=["x", "x", "y"])
    zero_shot = protocol("zero-shot")
    assert zero_shot.texts(given) == ["a", "b", "c"]
    found = zero_shot.evaluate_texts(unit([0, 45, 80]), unit([40, 60, 90]), given)
    assert found.queries["item_id"].to_list() == ["i1", "i2"]
    assert found.queries["predicted"].to_list() == ["a", "c"]
    assert found.metrics["accuracy x"] == 0
    assert found.metrics["accuracy y"] == 1


def test_of_equal_names_the_first_label_wins_and_top_5_counts_ties() -> None:
    given = rows(label=[*"abcdef"])
    found = protocol("zero-shot").evaluate_texts(unit([0] * 6), unit([0] * 6), given)
    assert found.queries["predicted"].to_list() == ["a"] * 6
    assert found.unrounded["accuracy"] == pytest.approx(1 / 6)
    assert found.unrounded["accuracy@5"] == pytest.approx(5 / 6)


def test_names_come_from_texts_labels_or_the_run() -> None:
    given = rows(label=["1", "1", "2", "a_b"], text=["sea lion", "sea lion", "bus", None])
    assert protocol("zero-shot").texts(given) == ["sea lion", "bus", "a b"]
    assert protocol("zero-shot", names="label").texts(given) == ["1", "2", "a b"]
    names = {"1": "x", "2": "y", "a_b": "z"}
    assert protocol("zero-shot", names=names).texts(given) == ["x", "y", "z"]
    with pytest.raises(DataError, match="1 of 3 labels have no name: 2"):
        protocol("zero-shot", names={"1": "x", "a_b": "z"}).texts(given)
    with pytest.raises(DataError, match="these labels have none or several: a_b"):
        protocol("zero-shot", names="text").texts(given)
    same = protocol("zero-shot", names={"1": "x", "2": "x", "a_b": "z"})
    found = same.evaluate_texts(unit([0, 0, 0, 90]), unit([0, 0, 90]), given)
    assert any(note.startswith("1 name belongs to several classes") for note in found.notes)


def test_zero_shot_is_that_of_open_clip() -> None:
    torch = pytest.importorskip("torch")
    open_clip = pytest.importorskip("open_clip")
    rng = np.random.default_rng(3)
    templates, names = ("a photo of a {}.", "the {}", "{}"), [f"c{n}" for n in range(9)]
    sentences = [one.replace("{}", name) for name in names for one in templates]
    tokens = dict(zip(sentences, rng.standard_normal((len(sentences), 8)), strict=True))
    items = rng.standard_normal((300, 8)).astype(np.float32)
    labels = [names[n] for n in rng.integers(0, 9, len(items))]

    class Tower:
        def encode_text(self, texts: Any, *, normalize: bool) -> Any:
            return torch.nn.functional.normalize(texts, dim=-1) if normalize else texts

    def tokenize(texts: list[str]) -> Any:
        return torch.tensor(np.array([tokens[text] for text in texts], np.float32))

    theirs = open_clip.build_zero_shot_classifier(Tower(), tokenize, names, templates)
    normed = torch.nn.functional.normalize(torch.tensor(items), dim=-1)
    best = (100.0 * normed @ theirs).topk(5, dim=1)[1].numpy()
    own = np.array([names.index(label) for label in labels])[:, None]
    expected = {k: float((best[:, :k] == own).any(axis=1).mean()) for k in (1, 5)}

    parts = tokenize(sentences).numpy()
    means = (parts / np.linalg.norm(parts, axis=1, keepdims=True)).reshape(9, 3, 8).mean(axis=1)
    found = protocol("zero-shot").evaluate_texts(items, means, rows(label=labels))
    assert found.unrounded["accuracy"] == pytest.approx(expected[1])
    assert found.unrounded["accuracy@5"] == pytest.approx(expected[5])
    assert found.queries["predicted"].to_list() == [names[n] for n in best[:, 0]]


def test_images_find_their_texts_and_texts_their_images() -> None:
    image_text = protocol("image-text")
    given = rows(text=["p", "q", "r", None], content=["A", "B", "C", "D"])
    assert image_text.texts(given) == ["p", "q", "r"]
    # Images at 0, 60, 90 degrees; texts p at 10, q at 85, r at 50.
    found = image_text.evaluate_texts(unit([0, 60, 90, 0]), unit([10, 85, 50]), given)
    # A: p. B: r (10), q (25). C: q (5), r (40).
    assert found.queries["value"].to_list() == [1, 0, 0]
    # p: A. q: C (5), B (25). r: B (10), C (40).
    assert found.queries["text-to-image recall@1"].to_list() == [1, 0, 0]
    assert found.queries["text-to-image recall@5"].to_list() == [1, 1, 1]
    assert found.unrounded["image-to-text recall@1"] == pytest.approx(1 / 3)
    assert found.unrounded["image-to-text recall@5"] == 1
    assert found.unrounded["text-to-image recall@1"] == pytest.approx(1 / 3)
    assert next(iter(found.metrics)) == "image-to-text recall@1"
    assert "items without a text, left out: 1" in found.notes


def test_an_image_may_have_several_texts_and_a_text_several_images() -> None:
    image_text = protocol("image-text")
    # A has the texts p and q; q belongs to A and B.
    given = rows(text=["p", "q", "q", "r"], content=["A", "A", "B", "C"])
    assert image_text.texts(given) == ["p", "q", "r"]
    found = image_text.evaluate_texts(unit([0, 0, 50, 90]), unit([40, 10, 60]), given)
    # Images at 0, 50, 90; texts p 40, q 10, r 60. A: q is nearest. B: p and r (10 each), then
    # q (40): rank 3. C: r.
    assert found.queries["value"].to_list() == [1, None, 0, 1]
    # p at 40: B (10), A (40): 0. q at 10: A: 1. r at 60: B (10), C (30): 0.
    assert found.queries["text-to-image recall@1"].to_list() == [0, 1, None, 0]
    assert found.unrounded["image-to-text recall@1"] == pytest.approx(2 / 3)
    assert found.unrounded["text-to-image recall@1"] == pytest.approx(1 / 3)
    assert found.unrounded["text-to-image recall@5"] == 1


def test_all_captions_of_an_image_are_texts() -> None:
    image_text = protocol("image-text")
    given = rows(text=["p", "r"], content=["A", "B"]).with_columns(
        pl.Series("captions", [["p", "q"], None], pl.List(pl.String))
    )
    assert image_text.texts(given) == ["p", "q", "r"]
    # Images at 0 and 90 degrees; p 10, q 80, r 60. A: p is nearest. B: q (10), r (30): 0.
    found = image_text.evaluate_texts(unit([0, 90]), unit([10, 80, 60]), given)
    assert found.queries["value"].to_list() == [1, 0]
    # p: A is nearest: 1. q: B: 0. r: B: 1. The row of A has the mean of p and q.
    assert found.queries["text-to-image recall@1"].to_list() == [1 / 2, 1]
    assert found.unrounded["text-to-image recall@1"] == pytest.approx(2 / 3)
    assert found.counts["queries"] == 2 + 3


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("zero-shot", {"templates": ["a photo"]}, "each template has {} once"),
        ("zero-shot", {"names": "words"}, "names"),
        ("image-text", {"names": "label"}, "names: unknown key"),
    ],
)
def test_a_wrong_option_is_named(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        protocol(kind, **options)


def test_items_without_words_are_refused() -> None:
    with pytest.raises(DataError, match="no item has a label"):
        protocol("zero-shot").texts(rows(label=[None]))
    with pytest.raises(DataError, match="no item has a text"):
        protocol("image-text").texts(rows(label=["a"], content=["A"], text=[" "]))
    with pytest.raises(DataError, match="needs a model with a text tower"):
        protocol("zero-shot").evaluate_vectors(unit([0]), rows(label=["a"]))
    with pytest.raises(DataError, match="needs a model with a text tower"):
        likewise.score("image-text", embeddings=unit([0, 1]), items=rows(text=["a", "b"]))


@pytest.mark.torch
def test_runs_of_a_catalogue_embed_texts_by_the_tower_of_the_model(coloured: Path) -> None:
    (coloured / "names.csv").write_text("label,name\n0,red\n200,blue\n400,green\n600,warm\n"
                                        "800,red blue\n1000,green blue\n", "utf-8")  # fmt: skip
    options = {"names": "names.csv", "templates": ["a {}", "{} on red"]}
    run = likewise.add_run("emoji", "colours", "zero-shot", options=options)
    entry = yaml.safe_load((coloured / "params.yaml").read_text("utf-8"))["runs"][run]
    assert entry["names"]["800"] == "red blue"
    found = likewise.evaluate(run)

    dataset = likewise.open("emoji")
    names, labels = entry["names"], dataset.items["label"].to_list()
    order = sorted(names)
    from colour_words import ColourEncoder
    from likewise.models.passport import Passport

    tower = ColourEncoder(Passport.read("models/colours"))
    classes = tower.encode_texts([names[one] for one in order], ("a {}", "{} on red"))
    best = (dataset.vectors("colours") @ classes.T).argmax(axis=1)
    right = [order[at] == label for at, label in zip(best, labels, strict=True)]
    assert found.unrounded["accuracy"] == pytest.approx(np.mean(right))

    pairs = likewise.add_run("emoji", "colours", "image-text")
    found = likewise.evaluate(pairs)
    assert (found.counts["labels"], len(found.queries)) == (6, 24)
    assert likewise.report(pairs).page.endswith(".html")
    compared = likewise.compare(pairs, pairs)
    assert compared.queries["first_hit"].null_count() == 24

    other = likewise.add_run("emoji", "tiny", "zero-shot")
    with pytest.raises(DataError, match="model 'tiny' has no text tower"):
        likewise.evaluate(other)


@pytest.mark.torch
def test_runs_depend_on_the_texts_and_the_tower(coloured: Path) -> None:
    def recorded() -> dict[str, Any]:
        content = yaml.safe_load((coloured / "catalog" / "emoji.columns.yaml").read_text())
        ann: dict[str, Any] = content["ann"]
        return ann

    before = recorded()
    assert {"text_tower", "text", "content"} <= set(before["colours"])
    assert not {"text_tower", "text", "content"} & set(before["tiny"])
    likewise.correct("emoji", ["0_noto.jpg"], {"text": "another word"})
    likewise.publish("emoji")
    after = recorded()
    assert after["colours"]["text"] != before["colours"]["text"]
    assert after["colours"]["text_tower"] == before["colours"]["text_tower"]
    assert after["tiny"] == before["tiny"]
