"""Search on a GPU returns the hits of the CPU; these tests skip without a GPU."""

import numpy as np
import numpy.typing as npt
import pytest

from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.indexes.faiss import FaissSearch
from likewise.retrieval.indexes.faiss_door import load_faiss

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not load_faiss().get_num_gpus(), reason="there is no GPU"),
]


@pytest.fixture(scope="module")
def vectors() -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((64, 64))
    found = centres[rng.integers(0, 64, 20_000)] + rng.standard_normal((20_000, 64)) / 2
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found, np.float32)


@pytest.mark.parametrize("metric", ["dot", "l2"])
def test_exact_search_is_exact(vectors: npt.NDArray[np.float32], metric: str) -> None:
    index = INDEXES.build({"kind": "exact", "metric": metric}, "x").build(
        Vectors.from_array(vectors)
    )
    scores, rows = index.search(vectors[:500], 100)
    everything = np.ones(len(vectors), bool)  # a filter is the processor's work
    wanted = index.search(vectors[:500], 100, everything)
    assert np.array_equal(rows, wanted[1])
    assert np.array_equal(scores, wanted[0])


@pytest.mark.parametrize("factory", ["Flat", "IVF64,Flat", "IVF64,PQ16", "PCA32,IVF64,Flat"])
def test_an_index_finds_the_same(vectors: npt.NDArray[np.float32], factory: str) -> None:
    part = INDEXES.build({"kind": "faiss", "factory": factory, "metric": "l2"}, "x")
    built = part.build(Vectors.from_array(vectors))
    assert isinstance(built, FaissSearch)
    assert built._gpu is not None
    _, rows = built.search(vectors[:500], 20)
    assert built._gpu is not None  # the GPU has searched
    built._gpu = None
    _, wanted = built.search(vectors[:500], 20)
    same = [len(set(a) & set(b)) / 20 for a, b in zip(rows, wanted, strict=True)]
    assert np.mean(same) > 0.99


def test_a_graph_stays_with_the_processor(vectors: npt.NDArray[np.float32]) -> None:
    part = INDEXES.build({"kind": "faiss", "factory": "HNSW16"}, "x")
    built = part.build(Vectors.from_array(vectors))
    assert isinstance(built, FaissSearch)
    assert built._gpu is None
    assert (built.search(vectors[:20], 5)[1][:, 0] == np.arange(20)).all()
