"""Re-ranking by local features: matches by hand, and drawings that were turned."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import likewise
from likewise.errors import DataError
from likewise.retrieval.reranking.local_features import (
    GalleryPictures,
    extract,
    inliers,
    matched,
    root_sift,
)

pytest.importorskip("cv2")

ITEM = "200_noto.jpg"


def test_the_ratio_test_by_hand() -> None:
    """RootSIFT: the cosine of two descriptors is the sum of the roots of their products."""
    query = np.array([[4, 0, 0], [1, 1, 0]], np.uint8)
    hit = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8)
    assert root_sift(query) == pytest.approx(np.array([[1, 0, 0], [0.5, 0.5, 0]]) ** 0.5)
    # Cosines 1, 0, 0: the distances are 0 and the root of 2. The second feature has the
    # cosine 1 / sqrt(2) to two features, so its nearest one is not nearer than the second.
    own, other = matched(query, hit, 0.8)
    assert (own.tolist(), other.tolist()) == ([0], [0])
    assert matched(query, hit[:1], 0.8)[0].tolist() == []


def test_matches_of_one_transformation_are_counted() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 200, (40, 2)).astype(np.float32)
    turned = places @ np.array([[0.8, -0.6], [0.6, 0.8]], np.float32).T + np.float32(7)
    assert inliers(places, turned, 1.0) == 40
    turned[:15] = rng.uniform(0, 200, (15, 2))
    assert 25 <= inliers(places, turned, 1.0) <= 26
    assert inliers(places[:2], turned[:2], 1.0) == 0


def picture(seed: int) -> Image.Image:
    """Blobs, which have many features."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (24, 24), np.uint8))
    return small.resize((192, 192), Image.Resampling.BICUBIC)


def test_a_turned_picture_matches_its_original_only() -> None:
    query = extract(picture(0), 300, 480)
    turned = extract(picture(0).rotate(25, Image.Resampling.BICUBIC), 300, 480)
    other = extract(picture(1), 300, 480)
    counts = []
    for hit in (turned, other):
        own, theirs = matched(query.descriptors, hit.descriptors, 0.8)
        counts.append(inliers(query.places[own], hit.places[theirs], 5.0))
    assert counts[0] > 10 * max(counts[1], 1)


def test_features_are_reduced_limited_and_kept_within_the_memory() -> None:
    features = extract(picture(0), 20, 96)
    assert len(features.places) == len(features.descriptors) <= 20
    assert features.places.max() <= 96
    blank = extract(Image.new("RGB", (50, 50)), 20, 96)
    assert blank.descriptors.shape == (0, 128)
    read: list[int] = []

    def images_at(rows: Any) -> list[Image.Image]:
        read.extend(rows)
        return [picture(row) for row in rows]

    pictures = GalleryPictures(images_at, np.array([5, 6]), 8 * 30 * 136)
    first = pictures.of_rows(np.array([0, 0, 1]), 20, 96)
    assert read == [5, 6]
    pictures.of_rows(np.array([0]), 20, 96)
    assert read == [5, 6, 5]
    again = pictures.of_rows(np.array([0]), 20, 96)[0]
    assert again.descriptors.tobytes() == first[0].descriptors.tobytes()


def test_a_search_is_verified_by_the_images(workspace: Path) -> None:
    for query in ({"id": ITEM}, {"image": Path("emoji/images") / ITEM}):
        hits = likewise.search("emoji", k=5, rerank="local", **query)
        assert hits["score"].is_sorted(descending=True)
        assert all(score == int(score) for score in hits["score"])
    by_image = likewise.search("emoji", image=Path("emoji/images") / ITEM, k=1, rerank="local")
    assert by_image["item_id"].to_list() == [ITEM]
    many = likewise.search_many("emoji", np.zeros((0, 4)), rerank="local")
    assert len(many) == 0
    vector = likewise.open("emoji").vectors("tiny")[0]
    with pytest.raises(DataError, match="local compares images; search by one image or by one"):
        likewise.search("emoji", vector=vector, rerank="local")


@pytest.mark.torch
@pytest.mark.parametrize("index", ["exact", "flat"])
def test_a_run_is_verified_by_the_images(workspace: Path, index: str) -> None:
    path = workspace / "params.yaml"
    text = path.read_text("utf-8").replace(
        "index: exact, protocol: gpr1200",
        f"index: {index}, protocol: gpr1200-strict, rerank: {{kind: local, top: 5}}",
    )
    path.write_text(text.replace("indexes:\n", "indexes:\n  flat: {kind: faiss}\n"), "utf-8")
    result = likewise.evaluate("emoji-tiny")
    assert result.reranking is not None
    assert result.reranking.reranker["kind"] == "local"
    scores = result.queries["hit_scores"].list.head(5)
    assert all(score == int(score) for row in scores for score in row)
