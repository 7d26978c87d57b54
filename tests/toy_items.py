"""Items and vectors small enough to count by hand."""

from typing import Any

import numpy as np
import polars as pl

from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Evaluation
from likewise.formats.array_types import Float32Array


def scored(kind: str, angles: list[float], rows: dict[str, list[Any]]) -> Evaluation:
    """Make unit vectors from angles in degrees: the nearer the angle, the higher the score."""
    radians = np.radians(np.array(angles))
    vectors = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    return PROTOCOLS.build({"kind": kind}, "here").evaluate_vectors(vectors, frame(rows))


def frame(rows: dict[str, list[Any]]) -> pl.DataFrame:
    count = len(next(iter(rows.values())))
    names = {"item_id": [f"i{row}" for row in range(count)]}
    absent = {name: [None] * count for name in ("label", "subset", "split", "role")}
    text = dict.fromkeys(absent, pl.String)
    return pl.DataFrame({**names, **absent, **rows}, schema_overrides=text)


def everything(count: int = 120) -> tuple[Float32Array, pl.DataFrame]:
    """Make vectors, and items with all columns of protocols: half queries, half gallery."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, count)
    vectors = rng.standard_normal((count, 8)) + 0.8 * labels[:, None]
    ids = [f"i{row}" for row in range(count)]
    gallery = ids[1::2]
    listed = [rng.permutation(gallery)[:9].tolist() for _ in ids]
    lists = [[some[part::3] for some in listed] for part in range(3)]
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), frame(
        {
            "label": [("tree", "horse")[label] for label in labels],
            "subset": rng.choice(["s", "t"], count).tolist(),
            "split": ["test"] * count,
            "role": ["query", "gallery"] * (count // 2),
            "viewpoint": ["front"] * count,
            "camera": rng.choice(["c", "d"], count).tolist(),
            "easy": lists[0],
            "hard": lists[1],
            "junk": lists[2],
            "good": lists[0],
            "ok": lists[1],
            "relevant": lists[0],
            "members": listed,
            "image_id": [f"p{row // 4}" for row in range(count)],
        }
    )
