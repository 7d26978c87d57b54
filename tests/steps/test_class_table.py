"""The worst classes of a run: values, confusions, hard positives and negatives."""

import re
from pathlib import Path

import polars as pl
import pytest

import likewise
from likewise.steps.report.class_table import class_values, worst_classes

HITS = ["200_noto.jpg", "0_fluent.jpg", "400_noto.jpg", "200_fluent.jpg"]


def queries() -> pl.DataFrame:
    """Two queries of class 0, one of class 200, one that is not scored."""
    rows = [
        {
            "item_id": "0_noto.jpg",
            "label": "0",
            "value": 0.25,
            # The query itself does not count; one of the two wrong hits is a pen (400).
            "hits": ["0_noto.jpg", *HITS[:3]],
            "hit_relevant": [True, False, True, False],
            "missed": ["0_twemoji.jpg"],
            "missed_ranks": [9],
        },
        {
            "item_id": "0_openmoji.jpg",
            "label": "0",
            "value": 0.5,
            "hits": [HITS[0], HITS[3]],
            "hit_relevant": [False, False],
            "missed": ["0_twemoji.jpg", "0_fluent.jpg"],
            "missed_ranks": [12, None],
        },
        {
            "item_id": "200_noto.jpg",
            "label": "200",
            "value": 1.0,
            "hits": ["200_fluent.jpg"],
            "hit_relevant": [True],
            "missed": [],
            "missed_ranks": [],
        },
        {
            "item_id": "400_noto.jpg",
            "label": "400",
            "value": None,
            "hits": [],
            "hit_relevant": [],
            "missed": [],
            "missed_ranks": [],
        },
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def test_the_values_of_all_classes() -> None:
    assert class_values(queries()).rows() == [("0", 2, (0.25 + 0.5) / 2), ("200", 1, 1.0)]


def test_the_worst_class_and_what_it_is_confused_with(workspace: Path) -> None:
    dataset = likewise.open("emoji", workspace=workspace)
    first, second = worst_classes(queries(), dataset)
    names = dataset.frame().collect().select("item_id", pl.coalesce("text", "label"))
    text = dict(names.iter_rows())
    assert (first.label, first.queries, first.value) == (text["0_noto.jpg"], 2, 0.375)
    # Four wrong hits: 200_noto twice, 200_fluent once, 400_noto once.
    assert first.confused == [(text["200_noto.jpg"], 3 / 4), (text["400_noto.jpg"], 1 / 4)]
    assert first.hard_negatives == [
        ("200_noto.jpg", 2),
        ("200_fluent.jpg", 1),
        ("400_noto.jpg", 1),
    ]
    # An item that is not ranked is worse than any rank; otherwise the worst rank counts.
    assert first.hard_positives == [
        ("0_openmoji.jpg", "0_fluent.jpg", None),
        ("0_openmoji.jpg", "0_twemoji.jpg", 12),
    ]
    assert second.confused == []
    assert second.hard_positives == [("200_noto.jpg", "200_fluent.jpg", 1)]


@pytest.mark.torch
def test_the_report_has_the_classes(workspace: Path) -> None:
    likewise.evaluate("emoji-tiny", workspace=workspace)
    made = likewise.report("emoji-tiny", workspace=workspace)
    page = (workspace / made.page).read_text("utf-8")
    assert "Worst classes" in page
    assert "hard positives (relevant items with the worst ranks, and the query" in page
    text = (workspace / made.markdown).read_text("utf-8")
    head = re.search(r"\| class \| queries \| mean (.+?) \|", text)
    assert head, text
    assert f"| metric | {head[1]} |" in text
