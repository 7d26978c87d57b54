"""Vectors have the same bits for every number of threads and every batch."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from threadpoolctl import threadpool_limits

from likewise.evaluation.ranking import Groups, rank_vectors
from likewise.formats.array_types import Float32Array
from likewise.models.passport import Passport
from likewise.models.training import backbones, single_thread
from likewise.models.training.encode import Encoder
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Vectors

pytestmark = pytest.mark.torch

BACKBONES = {"test_resnet": 96, "test_efficientnet": 96, "test_vit": 96, "test_convnext": 96}
BATCHES = {1: (1, 3, 4, 7, 64), 2: (3, 7), 4: (1, 4, 64)}
"""Number of threads -> sizes of batches."""


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def encoder(backbone: str) -> Encoder:
    model = backbones.create(backbone, seed=1)
    config = backbones.data_config(model, None)
    passport = Passport(
        recipe={"kind": "timm", "backbone": backbone},
        backbone=backbone,
        dim=64,
        weights_sha256="",
        weights_source="random seed 1",
        preprocessing=config,
        precision="float32",
        libraries={},
    )
    return Encoder(model, backbones.pixel_transform(config), passport, "cpu")


def pictures(count: int) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [
        Image.fromarray(random.integers(0, 256, (70 + n, 90, 3), np.uint8))
        for n in range(count)
    ]


def embedded(made: Encoder, images: list[Image.Image], batch: int) -> Float32Array:
    return np.concatenate([v for _, v in made.encode_stream(images, batch=batch)])


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_neither_threads_nor_batches_change_a_bit(backbone: str) -> None:
    made, images = encoder(backbone), pictures(9)
    torch.set_num_threads(1)
    expected = embedded(made, images, 64)
    queries = made.encode(images)
    for threads, batches in BATCHES.items():
        torch.set_num_threads(threads)
        for batch in batches:
            assert embedded(made, images, batch).tobytes() == expected.tobytes()
        assert made.encode(images).tobytes() == queries.tobytes()
        alone = np.concatenate([made.encode([image]) for image in images])
        assert alone.tobytes() == queries.tobytes()
        assert torch.get_num_threads() == threads
    np.testing.assert_allclose(queries, expected, atol=1e-5)


def test_forward_passes_have_one_thread_each_and_callers_keep_theirs() -> None:
    torch.set_num_threads(3)
    seen: list[tuple[int, str]] = []

    def forward(part: torch.Tensor) -> torch.Tensor:
        seen.append((torch.get_num_threads(), threading.current_thread().name))
        assert torch.is_inference_mode_enabled()
        return part * 2

    parts = list(torch.split(torch.arange(8), 1))
    assert torch.equal(
        torch.cat(single_thread.forward_each(forward, parts)), torch.arange(8) * 2
    )
    assert {threads for threads, _ in seen} == {1}
    assert threading.current_thread().name not in {name for _, name in seen}
    assert torch.get_num_threads() == 3
    with ThreadPoolExecutor(1) as other:  # a thread that asks for the first time
        assert other.submit(torch.get_num_threads).result() == 3


def test_a_failing_forward_pass_restores_the_threads() -> None:
    torch.set_num_threads(3)

    def forward(part: torch.Tensor) -> torch.Tensor:
        raise RuntimeError(f"no forward pass of {len(part)}")

    with pytest.raises(RuntimeError, match="no forward pass of 1"):
        single_thread.forward_each(forward, list(torch.split(torch.arange(2), 1)))
    with ThreadPoolExecutor(1) as other:
        assert other.submit(torch.get_num_threads).result() == 3


def test_callers_in_several_threads_restore_the_threads_once() -> None:
    torch.set_num_threads(3)
    made, images = encoder("test_resnet"), pictures(5)
    expected = embedded(made, images, 64)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: embedded(made, images, 2), range(6)):
            assert found.tobytes() == expected.tobytes()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(torch.get_num_threads).result() == 3


@pytest.mark.parametrize(("rows", "dim", "queries"), [(700, 96, 130), (333, 64, 17)])
def test_threads_change_no_score_and_no_rank(rows: int, dim: int, queries: int) -> None:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((rows, dim)).astype(np.float32)
    labels = random.integers(0, 20, rows)
    relevant = Groups.alike(labels[:queries], labels)
    index = INDEXES.build({"kind": "exact"}, "here").build(Vectors.from_array(vectors))
    found = set()
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            ranking = rank_vectors(vectors[:queries], vectors, relevant, top=20)
            scores, nearest = index.search(vectors[:queries], 10)
        parts = (ranking.ranked.ranks, ranking.top_rows, ranking.top_scores, scores, nearest)
        found.add(b"".join(part.tobytes() for part in parts))
    assert len(found) == 1
