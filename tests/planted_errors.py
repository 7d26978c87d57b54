"""A query whose nearest item is wrong, for any retrieval protocol, and its values by hand.

The query is at 0 degrees. At half a degree are items that its protocol does not rank: those
of its camera or of another part, junk, distractors that are taken out. Then follow a wrong
item at 1 degree, and the two relevant items at 2 and 3 degrees. All other items are at 90
degrees and more.
"""

import math
from typing import Any

import numpy as np
import polars as pl

from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.formats.array_types import Float32Array

AP = (1 / 2 + 2 / 3) / 2
"""The precisions at the ranks 2 and 3 of the two relevant items."""

GAINS = (1 / math.log2(3) + 1 / math.log2(4)) / (1 / math.log2(2) + 1 / math.log2(3))
"""The gains at the ranks 2 and 3, divided by those at the ranks 1 and 2."""

VALUES: dict[str, float] = {
    **dict.fromkeys(("recall@1", "acc@1", "cmc@1", "precision@1", "mp@1"), 0 / 1),
    **dict.fromkeys((f"recall@{k}" for k in (2, 3, 4, 5, 8, 10, 16, 20, 30, 32, 40, 50)), 1),
    **dict.fromkeys(("recall@100", "recall@1000", "acc@5", "acc@10"), 1),
    **dict.fromkeys(("cmc@5", "cmc@10", "cmc@20"), 1),
    **dict.fromkeys(("ir-recall@10", "ir-recall@100", "ir-recall@1000"), 2 / 2),
    **dict.fromkeys(("ap", "ap@20", "ap@100", "ap-hits", "ap-hits@20", "ap-hits@200"), AP),
    **dict.fromkeys(("ap-smaller@100", "ap-smaller@200", "ap-smaller@1000"), AP),
    # From rank 2 on, the largest precision is 2/3, that at rank 3.
    **dict.fromkeys(("ap-interpolated", "ap-interpolated@200"), (2 / 3 + 2 / 3) / 2),
    # The mean of the precisions before and at each relevant item: 0/1 and 1/2, 1/2 and 2/3.
    "ap-trapezoid": ((0 / 1 + 1 / 2) / 2 + (1 / 2 + 2 / 3) / 2) / 2,
    "map@r": (0 + 1 / 2) / 2,
    "r-precision": 1 / 2,
    **dict.fromkeys(("mrr", "mrr@10"), 1 / 2),
    **dict.fromkeys(("mmp@5", "mmp@100", "mmp@200"), 1 / 2),
    # Precision at the rank of the last relevant item, 3, which is before 5 and 10.
    **dict.fromkeys(("mp@5", "mp@10"), 2 / 3),
    "precision@20": 2 / 20,
    "precision@100": 2 / 100,
    "precision@200": 2 / 200,
    "ndcg": GAINS,
    "ndcg-linear@1": 0,
    **dict.fromkeys(("ndcg-linear@5", "ndcg-linear@10", "ndcg-linear@100"), GAINS),
    "ndcg-exponential@10": GAINS,
}
"""Metric -> the value of the query, if it is not ranked itself."""

WITH_ITSELF: dict[str, float] = {
    # The query is at rank 1, the wrong item at 2, the two relevant items at 3 and 4.
    **dict.fromkeys(("ap", "ap-hits"), (1 / 1 + 2 / 3 + 3 / 4) / 3),
    "precision@4": 3 / 4,
}
"""Metric -> the value of the query, if it ranks itself as relevant."""

RELEVANT = ["right 1", "right 2"]


def value(spec: ProtocolSpec, metric: str) -> float:
    """Return the value of the query by hand."""
    return (WITH_ITSELF if spec.query_in_gallery else VALUES)[metric]


def plant(
    spec: ProtocolSpec, query: dict[str, Any], others: pl.DataFrame
) -> tuple[Float32Array, pl.DataFrame]:
    """Return vectors and items: the query, the items that it meets first, and ``others``.

    Args:
        spec: the specification of the protocol.
        query: the item of the query.
        others: further items.
    """
    if spec.relevant != ("label",):
        first, *further = spec.relevant
        query |= {first: RELEVANT, **{column: [] for column in further}}
        query |= {"grades": [1, 1]} if "grades" in query else {}
    query |= {column: ["junk"] for column in spec.junk}
    query |= {column: [*RELEVANT, "wrong"] for column in spec.among}
    met = [query, item(spec, query, "wrong", label=another_label(spec, query))]
    met += [item(spec, query, name, label=query["label"]) for name in RELEVANT]
    degrees = [0.0, 1.0, 2.0, 3.0]
    unranked = [item(spec, query, "junk", label=query["label"])] if spec.junk else []
    if spec.left_out:
        same = {column: query[column] for column in spec.left_out}
        unranked.append(item(spec, query, "same", label=query["label"]) | same)
    distractor, elsewhere = (
        item(spec, query, name, label=query["label"]) for name in ("taken out", "elsewhere")
    )
    unranked += [distractor | {column: some[0]} for column, some in spec.excluded.items()]
    unranked += [elsewhere | {column: "x"} for column in spec.within]
    met += unranked
    degrees += [0.5] * len(unranked)
    schema: dict[str, Any] = dict(others.schema)
    schema.update({name: pl.String for name in ("image_id", "camera") if name in query})
    planted = pl.DataFrame(met, schema=schema, orient="row")
    kept = others.filter(pl.col("label").ne_missing(query["label"]) | pl.col("label").is_null())
    rows = pl.concat([planted, kept.cast({c: schema[c] for c in kept.columns})])
    degrees += [90 + 0.1 * n for n in range(len(kept))]
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32), rows


def item(
    spec: ProtocolSpec, query: dict[str, Any], name: str, *, label: str | None
) -> dict[str, Any]:
    """Return an item of the gallery like the query, but of another image and camera."""
    lists = {c: None for c, content in query.items() if isinstance(content, list)}
    other = {"item_id": name, "image_id": name, "label": label, "camera": "other"}
    if "role" in spec.gallery:
        other["role"] = spec.gallery["role"][0]
    return query | lists | {c: content for c, content in other.items() if c in query}


def another_label(spec: ProtocolSpec, query: dict[str, Any]) -> str:
    """Return a label that the protocol knows, and the query does not have."""
    known = (label for label in spec.labels if label.lower() != str(query["label"]).lower())
    return next(known, "another")
