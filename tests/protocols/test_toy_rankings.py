"""A toy ranking for every protocol, with its value as arithmetic; and the crosswalk's list."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.definitions import DEFINITIONS
from likewise.evaluation.protocols.retrieval import Retrieval
from planted_errors import plant, value

RANKED = [kind for kind in PROTOCOLS.kinds() if issubclass(PROTOCOLS.load(kind), Retrieval)]
OPTIONS = {kind: {"min_images_per_class": 1} for kind in RANKED if kind.startswith("compcars")}
"""Options for toy rankings: classes of one image are large enough."""

ELSEWHERE = {
    "compcars-mips-valid": "test_compcars_protocols.py",
    "compcars-lopq-valid": "test_compcars_protocols.py",
    "ilias-text": "test_caption_retrieval.py",
    "image-text": "test_text_protocols.py",
    "image-text-1k": "test_caption_retrieval.py",
    "image-text-5k": "test_caption_retrieval.py",
    "knn": "test_classifiers.py",
    "linear-probe": "test_classifiers.py",
    "verification-easy": "test_verification.py",
    "verification-medium": "test_verification.py",
    "verification-hard": "test_verification.py",
    "zero-shot": "test_text_protocols.py",
}
"""Protocols with other toys: they classify, compare with texts, or hold images out."""


def test_every_protocol_has_a_toy() -> None:
    here = Path(__file__).parent
    for kind, module in ELSEWHERE.items():
        text = (here / module).read_text("utf-8")
        assert f'"{kind}"' in text or f'"{kind.rpartition("-")[0]}-' in text, kind
    assert {*RANKED, *ELSEWHERE} == {*PROTOCOLS.kinds()}


def one(labels: tuple[str, ...]) -> dict[str, Any]:
    """Return a query with all columns that protocols read."""
    lists = ("easy", "hard", "junk", "good", "ok", "relevant", "members")
    texts = {
        "item_id": "query",
        "image_id": "query",
        "label": labels[0] if labels else "a",
        "subset": "s",
        "split": "test",
        "role": "query",
        "viewpoint": "front",
        "camera": "c1",
    }
    return {**texts, **{name: [] for name in lists}}


@pytest.mark.parametrize("kind", [kind for kind in RANKED if kind not in ELSEWHERE])
def test_a_wrong_item_before_two_relevant_ones(kind: str) -> None:
    protocol = PROTOCOLS.build({"kind": kind, **OPTIONS.get(kind, {})}, "here")
    assert isinstance(protocol, Retrieval)
    spec = protocol.task_spec
    query = one(spec.labels)
    schema = {
        name: pl.List(pl.String) if isinstance(content, list) else pl.String
        for name, content in query.items()
    }
    vectors, rows = plant(spec, query, pl.DataFrame(schema=schema))
    result = protocol.evaluate_vectors(vectors, rows)
    (scored,) = result.queries.filter(item_id="query").to_dicts()
    met = ["wrong", "right 1", "right 2"]
    assert scored["hits"] == (["query", *met] if spec.query_in_gallery else met)
    assert scored["value"] == pytest.approx(value(spec, spec.metric))
    for metric in spec.further_metrics:
        assert scored[metric] == pytest.approx(value(spec, metric)), metric


def test_the_crosswalk_has_the_metric_of_every_ranking() -> None:
    shown = {definition.metric for definition in DEFINITIONS}
    for kind in RANKED:
        protocol = PROTOCOLS.load(kind)
        assert issubclass(protocol, Retrieval)
        assert protocol.spec.metric in shown, kind
