"""Properties of all retrieval protocols: order, rotation, lists and printed switches."""

from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.storage.schema import QUERIES
from toy_items import everything

RETRIEVAL = [kind for kind in PROTOCOLS.kinds() if issubclass(PROTOCOLS.load(kind), Retrieval)]


def built(kind: str) -> Retrieval:
    """Build the protocol so that classes of five items are large enough."""
    base = PROTOCOLS.load(kind)
    assert issubclass(base, Retrieval)
    fewest = min(base.spec.min_class_size, 5)
    kept = {"name": kind, "spec": replace(base.spec, min_class_size=fewest)}
    smaller: type[Retrieval] = type(base.__name__, (base,), kept)
    return smaller()


@pytest.mark.no_cover  # the other tests run the same lines
# The zero scores of compcars-mips-valid tie, in the order of the rows.
@pytest.mark.parametrize("kind", [kind for kind in RETRIEVAL if kind != "compcars-mips-valid"])
def test_the_order_of_the_rows_does_not_matter(kind: str) -> None:
    vectors, rows = everything()
    if built(kind).spec.held_out:  # without this split, the first items of a class are held out
        fifth = pl.int_range(pl.len()) % 5 == 1
        rows = rows.with_columns(split=pl.when(fifth).then(pl.lit("val")).otherwise("split"))
    order = np.random.default_rng(1).permutation(len(rows))
    found = built(kind).evaluate_vectors(vectors, rows)
    shuffled = built(kind).evaluate_vectors(vectors[order], rows[order])
    assert shuffled.metrics == found.metrics
    assert list(found.statistics) == list(found.metrics)
    first, second = (r.queries.sort("item_id") for r in (found, shuffled))
    assert_frame_equal(first, second, abs_tol=1e-6)
    optional = ("by", "value_without")  # see score_by and RerankedEvaluation
    contract = [name for name in QUERIES.names() if name not in optional]
    assert first.columns[: len(contract)] == contract


@pytest.mark.no_cover  # the other tests run the same lines
@pytest.mark.parametrize("kind", RETRIEVAL)
def test_a_rotation_of_all_vectors_changes_nothing(kind: str) -> None:
    vectors, rows = everything()
    turned, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 8)))
    found = built(kind).evaluate_vectors(vectors, rows)
    assert built(kind).evaluate_vectors(vectors @ turned, rows).metrics == found.metrics


@pytest.mark.parametrize("kind", RETRIEVAL)
def test_full_lists_score_as_their_vectors(kind: str) -> None:
    protocol, (vectors, rows) = built(kind), everything()
    if protocol.spec.mask == "zero":
        return
    sets = protocol.query_sets(rows)
    scores = vectors[sets.queries] @ vectors[sets.gallery].T
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    found = protocol.evaluate_lists(order, rows, scores=ranked.astype(np.float32))
    expected = protocol.evaluate_vectors(vectors, rows)
    assert found.metrics == expected.metrics
    assert_frame_equal(found.queries, expected.queries, abs_tol=1e-6)


@pytest.mark.parametrize("kind", RETRIEVAL)
def test_every_switch_is_printed(kind: str) -> None:
    told = built(kind).describe()
    assert (told["name"], told["version"]) == (kind, 1)
    spec = {field.name for field in fields(ProtocolSpec)}
    renamed = {"metric_title", "subset_title", "min_class_size", "further_metrics"}
    described = {"held_out", "drop_first", "match"}  # by queries, left_out and relevant
    described |= {"further_by_subset"}  # by the metrics
    described |= {
        "labels",
        "excluded",
        "within",
        "among",
        "grades",
        "scale",
    }  # if they are used
    assert spec - {"subsets", *described, *renamed} <= set(told)
    assert "also" in told
    assert {"denominator", "depth", "ties", "direction", "score", "without_relevant"} <= set(
        told
    )
