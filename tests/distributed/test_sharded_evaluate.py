"""evaluate by shards: the report of one process, byte for byte."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import forked
import likewise
from likewise.distributed import plans_of
from likewise.errors import ConfigError, DamagedError, DataError
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.stored_vectors import (
    divided,
    gallery_tiles,
    stored_norms,
)
from likewise.evaluation.ranking import (
    TILE_ROWS,
    BlockedGallery,
    BlockedQueries,
    Groups,
    QueryGroups,
    Ranking,
    ShardOfGallery,
    count_shard,
    own_scores,
    rank_blocks,
    rank_run,
    rank_runs,
    shard_scores,
)
from likewise.formats.array_types import Float32Array
from likewise.formats.vector_blocks import VectorBlocks
from likewise.steps.evaluate import run_scoring
from likewise.steps.evaluate.planned_ranking import PlannedRanking
from likewise.steps.evaluate.rank_shards import RankWork
from likewise.storage import journal
from likewise.storage.workspace import Workspace

RUN = "emoji-tiny"


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the galleries of the tests count as large ones."""
    monkeypatch.setattr(run_scoring, "WHOLE_BYTES", 0)
    monkeypatch.delenv("LIKEWISE_ENGINE", raising=False)


def ranked_in_shards(
    queries: Float32Array, gallery: Float32Array, groups: QueryGroups, tiles: int, run: int
) -> Ranking:
    """Rank in shards of ``tiles`` tiles and ``run`` queries, with 5 first hits."""
    starts = range(0, len(gallery), tiles * TILE_ROWS)
    rows = [slice(at, min(at + tiles * TILE_ROWS, len(gallery))) for at in starts]
    runs = []
    for start in range(0, len(queries), run):
        chosen = slice(start, min(start + run, len(queries)))
        part = groups.part(chosen)
        shards = [
            ShardOfGallery(queries[chosen], one.start, [*cut(gallery[one])], part)
            for one in rows
        ]
        own = own_scores(part, [shard_scores(shard) for shard in shards], rows)
        counted = [count_shard(shard, own, 5) for shard in shards]
        runs.append(rank_run(part, own, counted, 5))
    return rank_runs(groups.relevant, len(gallery), runs)


def cut(gallery: Float32Array) -> Iterator[Float32Array]:
    for start in range(0, len(gallery), TILE_ROWS):
        yield gallery[start : start + TILE_ROWS]


@pytest.mark.parametrize(("tiles", "run"), [(1, 256), (2, 512)])
def test_ranks_by_gallery_shards_are_those_of_the_whole(tiles: int, run: int) -> None:
    rng = np.random.default_rng(tiles)
    gallery = rng.standard_normal((2 * TILE_ROWS + 300, 6), np.float32).round(1)
    gallery[TILE_ROWS:] = gallery[: len(gallery) - TILE_ROWS]  # equal scores in two shards
    queries = gallery[rng.integers(0, len(gallery), 300)]
    classes = rng.integers(0, 60, len(gallery))
    classes[: len(gallery) // 2] %= 12  # of some classes more than 400 items
    relevant = Groups.alike(rng.integers(-1, 60, 300), classes)
    left_out = (
        Groups.one(rng.integers(-1, len(gallery), 300)),
        Groups.of([rng.permutation(len(gallery))[:9] for _ in range(300)]),
    )
    whole = rank_blocks(
        BlockedQueries(300, lambda chosen: queries[chosen], 512),
        BlockedGallery(len(gallery), lambda: cut(gallery)),
        relevant,
        left_out,
        top=5,
    )
    found = ranked_in_shards(queries, gallery, QueryGroups(relevant, left_out), tiles, run)
    assert np.array_equal(found.items, whole.items)
    assert np.array_equal(found.top_rows, whole.top_rows)
    assert found.top_scores.tobytes() == whole.top_scores.tobytes()
    for name in ("offsets", "ranks", "relevant", "depth", "complete"):
        assert np.array_equal(getattr(found.ranked, name), getattr(whole.ranked, name))


def report(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "reports").glob(f"{RUN}.*")}


def forget_report(root: Path) -> None:
    for path in (root / "reports").glob(f"{RUN}.*"):
        path.unlink()


@pytest.fixture
def expected(workspace: Path) -> dict[str, bytes]:
    """The report of one process; its files are removed."""
    likewise.evaluate(RUN)
    files = report(workspace)
    assert len(files) == 4
    forget_report(workspace)
    return files


def test_every_way_writes_the_same_report(
    workspace: Path, expected: dict[str, bytes], forked_python: None
) -> None:
    first = [likewise.evaluate(RUN, shard=f"{number}/2") for number in range(2)]
    assert [(one.planned, one.computed, one.waiting) for one in first] == [(1, 1, 0)] * 2
    assert report(workspace) == {}
    again = likewise.evaluate(RUN, shard="1/2")
    assert (again.taken_over, again.computed) == (1, 0)
    [job] = likewise.status()
    assert (job.job, job.planned, job.done) == (f"evaluate-{RUN}", 2, 2)
    done = likewise.evaluate(RUN).shards
    assert done is not None
    assert (done.planned, done.taken_over, done.computed) == (2, 2, 0)
    assert report(workspace) == expected
    assert likewise.status() == []
    assert not Path(".likewise/shards").exists()
    forget_report(workspace)
    done = likewise.evaluate(RUN, engine="processes").shards
    assert done is not None
    assert (done.planned, done.taken_over, done.computed) == (2, 0, 2)
    assert report(workspace) == expected
    assert likewise.evaluate(RUN).shards is None


def test_counts_wait_for_the_scores_of_all_processes(
    workspace: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = likewise.evaluate(RUN, shard="1/2")
    assert (later.computed, later.waiting) == (0, 1)
    [problem] = [p for p in likewise.doctor() if "are computed and not committed" in p.what]
    assert problem.command == f"dvc repro --force evaluate@{RUN}"
    assert likewise.evaluate(RUN, shard="0/2").computed == 1
    with monkeypatch.context() as patch:
        patch.setattr(journal.Staging, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            likewise.evaluate(RUN)  # this process computes the other shard
    assert report(workspace) == {}
    done = likewise.evaluate(RUN).shards
    assert done is not None
    assert (done.taken_over, done.computed) == (2, 0)
    assert report(workspace) == expected


def interrupted(staging: journal.Staging) -> None:
    raise KeyboardInterrupt


def items(rng: np.random.Generator, count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item_id": [f"{number:04}" for number in range(count)],
            "label": [f"c{code}" for code in rng.integers(0, 6, count)],
            "subset": rng.choice(["a", "b"], count),
            "split": rng.choice(["train", "test"], count),
            "role": rng.choice(["query", "gallery"], count),
            "viewpoint": ["front"] * count,
        }
    )


@pytest.mark.parametrize("kind", ["knn", "compcars-mips", "gpr1200", "market-1501"])
def test_protocols_score_the_ranking_of_shards_as_their_own(kind: str) -> None:
    """knn votes by the first hits; compcars-mips scores items 0; gpr1200 keeps the query."""
    rng = np.random.default_rng(5)
    rows = items(rng, 200).with_columns(camera=pl.col("subset"))
    vectors = VectorBlocks.from_array(rng.standard_normal((200, 5), np.float32).round(1))
    protocol = PROTOCOLS.build({"kind": kind}, "test")
    if kind == "compcars-mips":
        protocol = PROTOCOLS.build({"kind": kind, "min_images_per_class": 15}, "test")
    asked = protocol.gallery_ranking(rows)
    assert asked is not None
    planned = PlannedRanking.of(asked, stored_norms(vectors, rows["item_id"]))
    task, whole = planned.task(), slice(0, len(planned.gallery))
    tiles = gallery_tiles(vectors, task, planned.divisors, whole)
    queries = divided(vectors, task.queries, planned.divisors)
    shard = ShardOfGallery(queries, 0, [*tiles], planned.groups)
    own = own_scores(planned.groups, [shard_scores(shard)], [whole])
    counted = [count_shard(shard, own, planned.top)]
    run = rank_run(planned.groups, own, counted, planned.top)
    ranking = rank_runs(planned.groups.relevant, len(planned.gallery), [run])
    by_shards = protocol.evaluate_ranking(ranking, planned.norms, rows)
    expected = protocol.evaluate_vectors(vectors, rows)
    assert by_shards.metrics == expected.metrics
    assert by_shards.notes == expected.notes
    assert by_shards.queries.equals(expected.queries)


def test_protocols_without_one_gallery_have_no_shards() -> None:
    rows = items(np.random.default_rng(0), 40)
    for kind in ("verification-easy", "linear-probe"):
        assert PROTOCOLS.build({"kind": kind}, "test").gallery_ranking(rows) is None


def test_a_small_gallery_has_no_shards(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_scoring, "WHOLE_BYTES", 1 << 30)
    done = forked.run(workspace, "likewise", "evaluate", RUN, "--shard", "0/2")
    assert done.stdout == "0 of 0 shards of process 0/2 taken over, 0 computed\n"
    assert likewise.evaluate(RUN, engine="processes").shards is None
    with pytest.raises(ConfigError, match="K/N with K from 0"):
        likewise.evaluate(RUN, shard="2/2")


def test_what_has_changed_or_is_damaged_is_one_line(workspace: Path) -> None:
    likewise.evaluate(RUN, shard="0/1")
    [plan] = plans_of(Workspace(workspace), f"evaluate-{RUN}")
    [part] = (plan.folder / "arrays").glob("1-*.npz")
    part.write_bytes(b"other bytes")
    with pytest.raises(
        DamagedError, match=r"arrays/1-\w+\.npz is missing or damaged; .* rm -r"
    ):
        likewise.evaluate(RUN)
    part.unlink()
    inputs = plan.folder / "inputs" / "norms.npy"
    inputs.write_bytes(inputs.read_bytes()[:-1] + b"\1")
    with pytest.raises(DataError, match=r"1 of 2 shards .*/inputs is missing or damaged"):
        likewise.evaluate(RUN)
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "other"})
    likewise.publish("emoji")
    with pytest.raises(DataError, match="has changed since the shards were planned"):
        RankWork(str(workspace), RUN, plan.id)(1)
    assert likewise.evaluate(RUN).shards is None
    assert likewise.status() == []
