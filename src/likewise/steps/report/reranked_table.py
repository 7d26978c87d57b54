"""The metrics of a run without and with its re-ranker, as the report shows them."""

from collections.abc import Mapping
from typing import Any

HEADS = ("metric", "without", "with", "difference", "95 % CI", "p")

CAPTION = "Without and with the re-ranker"

NOTE = (
    "The same queries without and with the re-ranker: CI of the difference (bootstrap over "
    "classes) and p of the paired permutation test; p of subsets is corrected by Holm's method."
)


def reranked_rows(
    reranking: Mapping[str, Any] | None, decimals: int
) -> list[tuple[str, str, str, str, str, str]]:
    """Return one row per metric; none for a run without a re-ranker.

    Args:
        reranking: fields of ``RerankedMetrics``, from the statistics of the run.
        decimals: number of decimals of values.
    """
    if reranking is None:
        return []
    return [_row(metric, decimals) for metric in reranking["metrics"]]


def _row(metric: Mapping[str, Any], decimals: int) -> tuple[str, str, str, str, str, str]:
    difference = metric["difference"]
    low, high = difference["low"], difference["high"]
    between = "" if low is None else f"{low:+.{decimals}f} to {high:+.{decimals}f}"
    p = difference["p"] if metric["p_holm"] is None else metric["p_holm"]
    return (
        metric["metric"],
        f"{metric['first']:.{decimals}f}",
        f"{metric['second']:.{decimals}f}",
        f"{difference['value']:+.{decimals}f}",
        between,
        f"{p:.4f}",
    )
