"""Retrieval by captions and by texts of objects agrees with the scripts of the papers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from likewise.errors import DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.text_protocol import TextProtocol

Vectors = npt.NDArray[np.float32]


def evaluated(kind: str, rows: pl.DataFrame, seed: int = 0) -> tuple[Evaluation, Any, Any]:
    """Score random unit vectors: those of the images of ``rows``, and those of its texts."""
    protocol = PROTOCOLS.build({"kind": kind}, "here")
    assert isinstance(protocol, TextProtocol)
    rng = np.random.default_rng(seed)
    images, texts = (
        rng.standard_normal((count, 6)).astype(np.float32)
        for count in (len(rows), len(protocol.texts(rows)))
    )
    images, texts = (one / np.linalg.norm(one, axis=1)[:, None] for one in (images, texts))
    return protocol.evaluate_texts(images, texts, rows), images, texts


def captioned(count: int, captions: int = 5, **columns: Any) -> pl.DataFrame:
    """Make images with captions, of which the first of all images are equal."""
    lists = [["a photo", *(f"{row} {n}" for n in range(1, captions))] for row in range(count)]
    return pl.DataFrame(
        {
            "item_id": [f"i{row:03d}" for row in range(count)],
            "label": None,
            "subset": None,
            "split": "test",
            "text": None,
            "content": [f"c{row}" for row in range(count)],
            "captions": lists,
            **columns,
        },
        schema_overrides=dict.fromkeys(("label", "subset", "text"), pl.String),
    )


def recalls(images: Vectors, texts: Vectors) -> list[float]:
    """Compute recall at 1, 5 and 10 as i2t and t2i of VSE++ (Apache-2.0) do, in percent.

    Caption 5 i to 5 i + 4 are those of image i. github.com/fartashf/vsepp, evaluation.py.
    """
    scores = images @ texts.T
    to_text = [
        min((row > row[5 * i + n]).sum() for n in range(5)) for i, row in enumerate(scores)
    ]
    to_image = [(column > column[t // 5]).sum() for t, column in enumerate(scores.T)]
    return [
        100 * float(np.mean(np.array(ranks) < k))
        for ranks in (to_text, to_image)
        for k in (1, 5, 10)
    ]


NAMES = [f"{way} recall@{k}" for way in ("image-to-text", "text-to-image") for k in (1, 5, 10)]


def test_five_captions_of_every_image_among_all_images() -> None:
    result, images, texts = evaluated("image-text-5k", captioned(30))
    found = [100 * result.unrounded[name] for name in NAMES]
    assert found == pytest.approx(recalls(images, texts), abs=1e-6)
    # Equal captions of several images are texts of their own.
    assert result.counts == {"queries": 180, "gallery": 180, "labels": 30}
    assert list(result.metrics) == NAMES
    # Captions behind the fifth are not used.
    more = evaluated("image-text-5k", captioned(30, captions=7))[0]
    assert more.unrounded == result.unrounded


def test_folds_are_averaged() -> None:
    folds = ["b"] * 10 + ["a"] * 14
    result, images, texts = evaluated("image-text-1k", captioned(24, fold=folds))
    parts = [
        recalls(images[part], texts[5 * part.start : 5 * part.stop])
        for part in (slice(0, 10), slice(10, 24))
    ]
    found = [100 * result.unrounded[name] for name in NAMES]
    assert found == pytest.approx(np.mean(parts, axis=0), abs=1e-6)
    assert "folds of 14, 10 images, whose means are averaged" in result.notes
    assert result.protocol["average"] == "over folds"
    statistic = result.statistics[NAMES[0]]
    assert statistic.low <= result.unrounded[NAMES[0]] <= statistic.high
    # Without the column, a fold is 1,000 images: here, all of them.
    whole, one = (evaluated(f"image-text-{size}", captioned(24))[0] for size in ("1k", "5k"))
    assert whole.unrounded == pytest.approx(one.unrounded)
    # With positions, a fold is the next 1,000 of them: here, the last images come first.
    count = 1004
    places = [count - row for row in range(count)]
    turned = evaluated("image-text-1k", captioned(count, captions=1, position=places))[0]
    assert "folds of 1,000, 4 images, whose means are averaged" in turned.notes
    stated = captioned(count, captions=1, fold=["b"] * 4 + ["a"] * 1000)
    assert turned.unrounded == evaluated("image-text-1k", stated)[0].unrounded
    with pytest.raises(DataError, match="the column position is not a number for every image"):
        evaluated("image-text-1k", captioned(2, position=["a", "b"]))
    with pytest.raises(DataError, match="the column fold has no value for 1 image"):
        evaluated("image-text-1k", captioned(2, fold=["a", None]))


def test_captions_by_hand() -> None:
    rows = captioned(2, captions=2)
    protocol = PROTOCOLS.build({"kind": "image-text-5k"}, "here")
    assert isinstance(protocol, TextProtocol)
    assert protocol.texts(rows) == ["a photo", "0 1", "a photo", "1 1"]
    radians = np.radians([0, 90]), np.radians([80, 60, 70, 20])
    images, texts = (np.stack([np.cos(one), np.sin(one)], 1) for one in radians)
    result = protocol.evaluate_texts(images, texts.astype(np.float32), rows)
    # From 0 degrees: 20 (image 1), 60 (own), 70, 80; from 90: 80 (image 0), 70 (own).
    assert result.unrounded["image-to-text recall@1"] == 0
    assert result.unrounded["image-to-text recall@5"] == 1
    # 80 is nearer to 90, 60 to 90, 70 to 90 (own), 20 to 0.
    assert result.unrounded["text-to-image recall@1"] == 1 / 4
    assert "images with fewer than 5 texts: 2" in result.notes


def test_texts_of_objects_find_their_images() -> None:
    rng = np.random.default_rng(5)
    labels = [f"o{row}" for row in range(12)]
    rows = pl.DataFrame(
        {
            "item_id": [f"i{row:03d}" for row in range(112)],
            "label": [*labels, "o0", *(rng.choice([*labels[:-1], "other"], 99).tolist())],
            "subset": None,
            "role": ["query"] * 13 + ["gallery"] * 99,
            # Two query images of o0 have the same text.
            "text": [*(f"a {label}" for label in labels), "a o0"] + [None] * 99,
        },
        schema_overrides={"subset": pl.String},
    )
    result, images, texts = evaluated("ilias-text", rows)
    assert len(texts) == 12
    values = []
    for text, label in zip(texts, labels, strict=True):
        order = np.argsort(-(images[13:] @ text), kind="stable")
        relevant = rows["label"].to_numpy()[13:][order] == label
        ranks = np.flatnonzero(relevant) + 1
        # ilias-vrg/ilias (MIT): the sum of precisions / min(k, positives); 0 without hits.
        total = (np.arange(1, len(ranks) + 1) / ranks).sum()
        values.append(total / min(1000, len(ranks)) if len(ranks) else 0.0)
    assert result.unrounded["mAP@1k"] == pytest.approx(100 * np.mean(values), abs=1e-6)
    assert result.counts == {"queries": 12, "gallery": 99, "labels": 12}
    assert "queries without relevant items, scored 0: 1" in result.notes
    assert result.queries["value"].to_list() == pytest.approx(values)
    bare = rows.with_columns(text=pl.lit(None, pl.String))
    with pytest.raises(DataError, match="no item with the role query has a label and a text"):
        evaluated("ilias-text", bare)
