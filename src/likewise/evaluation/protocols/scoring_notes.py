"""Remarks of retrieval protocols on vectors, and on queries that are not scored."""

from collections.abc import Iterator

import numpy as np

from likewise.evaluation.protocols.query_sets import RetrievalTask
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.formats.array_types import BoolArray, Float64Array

# Norms of normalised float16 vectors differ from 1 by 0.001 at most.
_UNIT = 0.01


def norm_notes(name: str, spec: ProtocolSpec, norms: Float64Array) -> Iterator[str]:
    """Describe vectors whose norms matter to the protocol ``name``.

    Args:
        name: name of the protocol.
        spec: its specification.
        norms: (n,) norms of the vectors as given.
    """
    zero = int((norms == 0).sum())
    if zero:
        yield f"zero vectors, whose scores all tie, in the items' order: {zero:,}"
    unit = spec.normalise or np.allclose(norms, 1, rtol=0, atol=_UNIT)
    if not unit:
        yield (
            f"the vectors are not L2-normalised (norms {norms.min():.4g} to "
            f"{norms.max():.4g}); {name} compares them as they are, by inner product"
        )


def nothing_scored(spec: ProtocolSpec, task: RetrievalTask) -> str:
    """Describe why no query of ``task`` can be scored."""
    if spec.relevant == ("label",) and not task.labelled.any():
        return (
            "nothing can be scored: no query has a label; give labels by the source or by "
            "likewise correct"
        )
    if spec.relevant == ("label",) and not spec.queries and not spec.gallery:
        return "nothing can be scored: no two items have the same label"
    return "nothing can be scored: no query has a relevant item in the gallery"


def scored_notes(task: RetrievalTask, relevant: BoolArray, scored: BoolArray) -> Iterator[str]:
    """Count the queries that are not scored, or scored 0 for another reason than ranks.

    Args:
        task: the task of the protocol.
        relevant: (q,) whether a query has a relevant item.
        scored: (q,) whether it is scored.
    """
    without = int((~task.labelled).sum())
    alone, empty = int((task.labelled & ~scored).sum()), int((scored & ~relevant).sum())
    if without:
        yield f"queries without a label, not scored: {without:,}"
    if alone:
        yield f"queries whose label nothing else has, not scored: {alone:,}"
    if empty:
        yield f"queries without relevant items, scored 0: {empty:,}"
