"""index by shards: the same file, byte for byte."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forked
import likewise
from likewise.distributed import plans_of
from likewise.errors import ConfigError, DamagedError, DataError
from likewise.formats.array_types import Float32Array
from likewise.retrieval.indexes import faiss, faiss_shards
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.indexes.faiss import Faiss
from likewise.steps.index.index_shards import IndexWork
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.torch

ADDED = 5
"""Vectors of a part; 24 drawings have five shards."""

INDEXES = """\
indexes:
  exact: {kind: exact}
  cells: {kind: faiss, factory: "IVF2,SQ8", nprobe: 2}
  graph: {kind: faiss, factory: HNSW4}
"""
FOLDER = Path(".likewise/indexes/emoji/tiny")


@pytest.fixture
def indexed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(faiss, "ADDED", ADDED)
    monkeypatch.delenv("LIKEWISE_ENGINE", raising=False)
    text = Path("params.yaml").read_text("utf-8")
    text = text.replace("indexes:\n  exact: {kind: exact}\n", INDEXES)
    Path("params.yaml").write_text(text, "utf-8")
    return workspace


def index(name: str = "cells", **options: Any) -> Any:
    return likewise.index("emoji", "tiny", name, **options)


def file_of(name: str = "cells") -> bytes:
    return (FOLDER / name / "index").read_bytes()


def expected() -> bytes:
    """Return the file that this process makes; it is removed."""
    index()
    content = file_of()
    for path in (FOLDER / "cells").iterdir():
        path.unlink()
    return content


def clustered(rows: int, dim: int) -> Float32Array:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(rows, dim)).astype(np.float32)
    vectors += 4 * rng.normal(size=(8, dim)).astype(np.float32)[np.arange(rows) % 8]
    unit: Float32Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize(
    ("factory", "metric"),
    [
        ("IVF16,Flat", "dot"),
        ("IVF16,SQ8", "l2"),
        ("IVF16,PQ4x4", "dot"),
        ("OPQ2,IVF16,PQ2x2", "l2"),
        ("PCA4,IVF16_HNSW4,SQfp16", "dot"),
    ],
)
def test_four_shards_give_the_file_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: str, metric: str
) -> None:
    monkeypatch.setattr(faiss, "ADDED", 150)
    array = clustered(1000, 8)
    vectors = Vectors.from_array(array)
    options = Faiss.model_validate({"factory": factory, "metric": metric})
    assert faiss_shards.is_shardable(options, 1000, 8)
    options.build(vectors, tmp_path / "whole")
    faiss_shards.write_index(options.trained(vectors), tmp_path / "trained")
    trained = faiss_shards.read_index(tmp_path / "trained")
    cells = [
        faiss_shards.encode(options, trained, np.split(part, [150]))
        for part in np.split(array, [300, 600, 900])
    ]
    assert [len(one.ids) for one in cells] == [300, 300, 300, 100]
    faiss.save(faiss_shards.merge(trained, iter(cells)), tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("factory", ["Flat", "HNSW4", "IVF16,PQ4x4,RFlat", "IVF16,PQ4x4fs"])
def test_other_kinds_are_not_filled_in_shards(factory: str) -> None:
    assert not faiss_shards.is_shardable(Faiss(factory=factory), 1000, 8)


def test_four_tasks_give_the_file_of_one_process(indexed: Path) -> None:
    whole = expected()
    tasks = [index(shard=f"{number}/4") for number in range(4)]
    assert [task.shards.computed for task in tasks] == [2, 1, 1, 1]
    assert not (FOLDER / "cells" / "index").exists()
    assert index(shard="0/4").shards.taken_over == 2
    done = index()
    assert (done.state, done.covered) == ("current", 24)
    assert (done.shards.planned, done.shards.taken_over, done.shards.computed) == (5, 5, 0)
    assert file_of() == whole
    assert not Path(".likewise/shards").exists()
    assert index().shards is None
    assert index(shard="0/4").shards.planned == 0


def test_processes_compute_what_is_missing(indexed: Path, forked_python: None) -> None:
    whole = expected()
    index(shard="1/4")
    done = index(engine="processes")
    assert (done.shards.taken_over, done.shards.computed, done.shards.rows) == (1, 4, 19)
    assert file_of() == whole


def test_a_kind_without_cells_is_one_line(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options in ({"shard": "0/2"}, {"engine": "processes"}):
        for name in ("graph", "exact"):
            with pytest.raises(
                ConfigError, match=rf"indexes\.{name}: only faiss indexes of th"
            ):
                index(name, **options)
    monkeypatch.setenv("LIKEWISE_ENGINE", "processes")
    assert index("graph").shards is None


def test_shards_of_other_vectors_are_not_used(indexed: Path) -> None:
    whole = expected()
    index(shard="0/2")
    [plan] = plans_of(Workspace(indexed), "index-emoji-tiny-cells")
    [problem] = [p for p in likewise.doctor() if "index-emoji" in p.what]
    assert problem.command == "likewise index emoji tiny cells"
    likewise.publish("emoji")
    with pytest.raises(DataError, match="the vectors of emoji or the options of cells have"):
        IndexWork(str(indexed), "emoji", "tiny", "cells", plan.id)(1)
    done = index()
    assert (done.shards.taken_over, done.shards.computed, done.shards.discarded) == (0, 5, 3)
    assert file_of() == whole


def test_a_damaged_trained_index_is_not_read(indexed: Path) -> None:
    index(shard="0/2")
    [plan] = plans_of(Workspace(indexed), "index-emoji-tiny-cells")
    (plan.folder / "trained").write_bytes(b"native code must not read this")
    with pytest.raises(DamagedError, match="trained is missing or damaged; to compute"):
        IndexWork(str(indexed), "emoji", "tiny", "cells", plan.id)(1)


def test_forget_removes_shards_of_an_index(indexed: Path) -> None:
    index(shard="0/2")
    likewise.forget("emoji", ["0_noto.jpg"], reason="request 1")
    assert not any(Path(".likewise/shards").iterdir())


def test_the_commands_print_shards(indexed: Path) -> None:
    words = ("likewise", "index", "emoji", "tiny", "cells")
    done = forked.run(indexed, *words, "--shard", "0/1")
    assert done.stdout == "0 of 1 shard of process 0/1 taken over, 1 computed\n"
    assert "next: after all processes: likewise index emoji tiny cells" in done.stderr
    lines = forked.run(indexed, *words).stdout.splitlines()
    assert lines[0] == "1 of 1 shard taken over, 0 computed"
    assert lines[1].startswith("cells of emoji by tiny: 24 of 24 items")
