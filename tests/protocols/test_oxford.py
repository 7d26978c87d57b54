"""Oxford5k agrees with the arithmetic of compute_ap.cpp, written here from its formula."""

import numpy as np
import polars as pl
import pytest

import likewise


def average_precision(ranked: list[str], relevant: set[str], junk: set[str]) -> float:
    """Sum trapezoids under the precision-recall curve; junk does not count as ranked."""
    recall, precision, total, hits, rank = 0.0, 1.0, 0.0, 0, 0
    for name in ranked:
        if name in junk:
            continue
        hits += name in relevant
        rank += 1
        total += (hits / len(relevant) - recall) * (precision + hits / rank) / 2
        recall, precision = hits / len(relevant), hits / rank
    return total


@pytest.mark.parametrize("protocol", ["oxford5k", "paris6k"])
def test_good_and_ok_are_relevant_and_junk_is_not_ranked(protocol: str) -> None:
    names = [f"g{number}" for number in range(8)]
    lists = {"good": [["g1", "g6"], ["g0"]], "ok": [["g3"], []], "junk": [["g2", "g4"], ["g7"]]}
    columns = {kind: [*value, *[None] * 8] for kind, value in lists.items()}
    items = pl.DataFrame(
        {"item_id": ["q1", "q2", *names], "role": ["query"] * 2 + ["gallery"] * 8, **columns}
    )
    angles = np.array([0, 0.37, 0.1, 0.3, 0.2, 0.6, 0.5, 0.9, 0.4, 0.8])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    result = likewise.score(protocol, embeddings=vectors, items=items)
    expected = []
    for query in (0, 1):
        order = np.argsort(np.abs(angles[2:] - angles[query]))
        relevant = {*lists["good"][query], *lists["ok"][query]}
        ranked = [names[at] for at in order]
        expected.append(average_precision(ranked, relevant, {*lists["junk"][query]}))
    assert result.queries["value"].to_list() == pytest.approx(expected, abs=1e-6)
    assert expected[1] == pytest.approx((0 + 1 / 6) / 2)
