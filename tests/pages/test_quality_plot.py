"""The plot of quality against cost: the models that no other one beats, by hand."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from likewise.pages.quality_plot import QualityPoint, not_beaten, quality_plot


def point(name: str, value: float, cost: float, spread: float | None = 0.1) -> QualityPoint:
    low, high = (None, None) if spread is None else (value - spread, value + spread)
    return QualityPoint(name, value, low, high, cost)


def test_models_that_no_other_one_beats_by_hand() -> None:
    large, small = point("large", 0.9, 1000), point("small", 0.5, 100)
    worse, equal = point("worse", 0.5, 200), point("equal", 0.5, 100)
    points = [large, small, worse, equal]
    cheap = not_beaten(points, less_is_better=True)
    assert [one.name for one in cheap] == ["large", "small", "equal"]
    fast = not_beaten(points, less_is_better=False)
    assert [one.name for one in fast] == ["large"]


@pytest.mark.parametrize("count", [1, 2, 20, 60])
def test_any_number_of_models_with_any_names_is_drawn(count: int) -> None:
    names = ["<script>" + "x" * 60, "狗", "$a_b$", "b & c"]
    points = [
        point(names[n % 4] + str(n), 0.9 - n / 100, 64 * (n + 1), None if n % 2 else 0.05)
        for n in range(count)
    ]
    drawn = quality_plot(points, "mAP", "dimensions", less_is_better=True)
    assert drawn == quality_plot(points, "mAP", "dimensions", less_is_better=True)
    assert "<script>" not in drawn
    texts = [e.text or "" for e in ET.fromstring(drawn).iter() if e.tag.endswith("text")]  # noqa: S314
    assert {"mAP", "dimensions, logarithmic scale"} <= set(texts)
    assert ("other models" in texts) == (count > 14)
    assert max(map(len, texts)) <= 48


def test_the_costs_of_few_models_are_its_marks() -> None:
    costs = [64, 128, 1280]
    points = [point(str(n), 0.5, cost) for n, cost in enumerate(costs)]
    drawn = quality_plot(points, "mAP", "dimensions", less_is_better=True)
    assert all(f">{cost:,}<" in drawn for cost in costs)
    assert all(b / a > 1.35 for a, b in pairwise(costs))


@pytest.mark.parametrize(
    "name", ["short", "a_model_with_a_name_of_sixty_characters_" + "x" * 20]
)
def test_the_legend_is_inside_the_figure(name: str) -> None:
    points = [point(name + str(n), 0.5, 64 * 2**n) for n in range(5)]
    drawn = quality_plot(points, "mAP", "dimensions", less_is_better=True)
    label = "no other model is better in both"
    root = ET.fromstring(drawn)  # noqa: S314
    [found] = [e for e in root.iter() if e.tag.endswith("text") and e.text == label]
    left = float(found.attrib["x"])
    assert 20 < left < float(root.attrib["width"].removesuffix("pt")) - 5 * len(label)
