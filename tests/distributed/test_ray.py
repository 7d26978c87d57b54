"""The engine of Ray: a real cluster with several nodes on this machine.

Every run gives the digests of one process, whatever dies.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import forked
import likewise
from dying_measures import DyingMeasures, PoisonedMeasures, SlowMeasures
from likewise.distributed import ENGINES, Done, shard_cuts
from likewise.errors import DataError
from likewise.retrieval.indexes import faiss
from likewise.steps.check import check_shards
from likewise.steps.evaluate import run_scoring
from likewise.storage import tables
from ray_cluster import MEGABYTE, RayCluster
from shard_works import TouchWork

ray = pytest.importorskip("ray")

pytestmark = [pytest.mark.ray, pytest.mark.torch]

TESTS = Path(__file__).parents[1]
SOURCES = Path(likewise.__file__).parents[1]
ROWS = 5
"""Rows of a shard; 24 drawings have five shards."""

PIXELS = Path("catalog/.pixels/emoji.yaml")


@pytest.fixture(scope="module")
def _cluster() -> Iterator[RayCluster]:
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(TESTS), str(SOURCES), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.delenv("RAY_ADDRESS", raising=False)
        cluster = RayCluster()
    yield cluster
    cluster.end()


@pytest.fixture
def cluster(_cluster: RayCluster) -> RayCluster:
    """Let the cluster have two nodes of one processor."""
    while _cluster.nodes < 2:
        _cluster.add_node()
    return _cluster


@pytest.fixture
def farm(workspace: Path, cluster: RayCluster, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name the cluster in params.yaml; no vector and no measure is there."""
    monkeypatch.setattr(shard_cuts, "FEWEST_ROWS", ROWS)
    monkeypatch.setattr(shard_cuts, "FEWEST_FILES", ROWS)
    monkeypatch.delenv("LIKEWISE_ENGINE", raising=False)
    text = (workspace / "params.yaml").read_text("utf-8")
    entry = f"engines:\n  farm: {{kind: ray, address: '{cluster.address}', workers: 2}}\n"
    (workspace / "params.yaml").write_text(text + entry, "utf-8")
    shutil.rmtree("catalog/emoji/embeddings")
    return workspace


@pytest.fixture
def connected(cluster: RayCluster) -> Iterator[None]:
    """Connect this process before the engine does, which uses and leaves the connection.

    The workers of a connection have loaded likewise after its first shards.
    """
    ray.init(cluster.address, log_to_driver=False)
    yield
    ray.shutdown()


def of_one_process(verb: Callable[[], object], digests: Path, table: Path) -> bytes:
    """Return the digests of a table that this process computes; the table is removed."""
    verb()
    content = digests.read_bytes()
    shutil.rmtree(table)
    return content


@pytest.fixture
def pixels(farm: Path) -> bytes:
    """The digests of the measures of one process."""
    table = Path("catalog/emoji/pixels.lance")
    return of_one_process(lambda: likewise.measure("emoji"), PIXELS, table)


def check_measures(digests: bytes) -> None:
    """Check that every row is there once, and that nothing of the shards is left."""
    assert PIXELS.read_bytes() == digests
    assert tables.open_table(Path("catalog/emoji/pixels.lance")).rows == 24
    assert likewise.measure("emoji", engine="farm").computed == 0
    assert not Path(".likewise/shards").exists()
    assert not list(Path(".likewise/staging").iterdir())


def use(patch: pytest.MonkeyPatch, work: type) -> None:
    """Let ``measure`` have other work."""
    patch.setattr(sys.modules["likewise.steps.measure"], "MeasureWork", work)


class StoreUse:
    """The largest number of bytes in the object stores of a cluster, seen while it works."""

    def __init__(self, address: str) -> None:
        """Connect to the cluster; an engine then uses this connection."""
        ray.init(address, log_to_driver=False)
        self.most = 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> None:
        """Disconnect."""
        self._ends.set()
        self._thread.join()
        ray.shutdown()

    def _look(self) -> None:
        name = "object_store_memory"
        while not self._ends.wait(0.02):
            free = ray.available_resources().get(name, 0)
            self.most = max(self.most, ray.cluster_resources().get(name, 0) - free)


def test_embed_and_measure_give_the_digests_of_one_process(
    farm: Path, cluster: RayCluster, pixels: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    digests, table = Path("catalog/emoji/columns/tiny.yaml"), Path("catalog/emoji/embeddings")
    vectors = of_one_process(lambda: likewise.embed("emoji", "tiny"), digests, table)
    capfd.readouterr()
    before = {path: path.read_bytes() for path in farm.rglob("*.yaml")}
    embedded = likewise.embed("emoji", "tiny", engine="farm")
    assert (embedded.computed, embedded.shards and embedded.shards.computed) == (24, 5)
    assert digests.read_bytes() == vectors
    assert likewise.embed("emoji", "tiny", engine="farm").computed == 0
    assert likewise.measure("emoji", engine="farm").computed == 24
    check_measures(pixels)
    assert {path: path.read_bytes() for path in farm.rglob("*.yaml")} == before
    assert capfd.readouterr().out == ""
    assert not ray.is_initialized()


@pytest.mark.usefixtures("connected")
def test_ingest_and_index_give_those_of_one_process(
    farm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss, "ADDED", ROWS)
    text = Path("params.yaml").read_text("utf-8")
    cells = '  cells: {kind: faiss, factory: "IVF2,SQ8"}\n'
    Path("params.yaml").write_text(text.replace("indexes:\n", f"indexes:\n{cells}"), "utf-8")
    index = Path(".likewise/indexes/emoji/tiny/cells/index")
    likewise.index("emoji", "tiny", "cells")
    whole = index.read_bytes()
    index.unlink()
    indexed = likewise.index("emoji", "tiny", "cells", engine="farm")
    assert (indexed.shards and indexed.shards.computed, index.read_bytes()) == (5, whole)
    digests = [Path(f"catalog/emoji/columns/{name}.yaml") for name in ("images", "items")]
    before = [path.read_bytes() for path in digests]
    shutil.rmtree("catalog/emoji/images.lance")
    done = likewise.ingest("emoji", engine="farm")
    assert (done.read, done.shards and done.shards.computed) == (24, 5)
    assert [path.read_bytes() for path in digests] == before


@pytest.mark.usefixtures("connected")
def test_evaluate_and_check_give_the_results_of_one_process(
    farm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_scoring, "WHOLE_BYTES", 0)
    monkeypatch.setattr(check_shards, "MANY_HASHES", 0)
    params = farm / "params.yaml"
    params.write_text(f"{params.read_text('utf-8')}checks:\n  emoji: {{}}\n", "utf-8")
    likewise.measure("emoji")
    likewise.evaluate("emoji-tiny")
    flags = likewise.check("emoji")
    files = [*farm.glob("reports/emoji-tiny.*"), *farm.glob("catalog/.flags/emoji.yaml")]
    before = {path: path.read_bytes() for path in files}
    assert len(before) >= 4
    evaluated = likewise.evaluate("emoji-tiny", engine="farm")
    assert evaluated.shards is not None
    assert evaluated.shards.computed == 2
    checked = likewise.check("emoji", engine="farm")
    assert checked == flags
    assert checked.shards is not None
    assert checked.shards.computed == 16
    assert {path: path.read_bytes() for path in files} == before
    assert not Path(".likewise/shards").exists()


def test_no_rows_are_in_the_object_store(
    farm: Path, cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = StoreUse(cluster.address)
    try:
        with monkeypatch.context() as patch:
            use(patch, SlowMeasures)
            likewise.measure("emoji", engine="farm")
        assert ray.is_initialized()
        assert stores.most < MEGABYTE
        kept = ray.put(bytes(2 * MEGABYTE))  # the measurement sees it
        while stores.most < 2 * MEGABYTE:
            time.sleep(0.01)
        del kept
    finally:
        stores.end()


def test_a_killed_worker_loses_only_its_shard(
    farm: Path, pixels: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        use(patch, DyingMeasures)
        done = likewise.measure("emoji", engine="farm")
    assert len(list(farm.parent.glob("died-*"))) == 5
    assert done.shards is not None
    assert (done.shards.computed, done.shards.taken_over) == (5, 0)
    check_measures(pixels)


@pytest.mark.slow
def test_many_killed_workers(
    farm: Path, pixels: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measure four times, each time with five killed workers."""
    deaths = 0
    for _ in range(4):
        with monkeypatch.context() as patch:
            use(patch, DyingMeasures)
            likewise.measure("emoji", engine="farm")
        marks = list(farm.parent.glob("died-*"))
        deaths += len(marks)
        for mark in marks:
            mark.unlink()
        check_measures(pixels)
        shutil.rmtree("catalog/emoji/pixels.lance")
    assert deaths == 4 * 5


@pytest.mark.usefixtures("connected")
def test_a_poison_shard_is_named_and_the_others_are_kept(
    farm: Path, pixels: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        use(patch, PoisonedMeasures)
        with pytest.raises(DataError, match=r"1 of 5 shards .* shard 1 \(.*\): it is poison"):
            likewise.measure("emoji", engine="farm")
    [job] = likewise.status()
    assert (job.done, [one.shard for one in job.failed]) == (4, [1])
    done = likewise.measure("emoji", engine="farm")
    assert done.shards is not None
    assert (done.shards.taken_over, done.shards.computed) == (4, 1)
    check_measures(pixels)


def test_a_shard_that_kills_every_worker_is_named(cluster: RayCluster, tmp_path: Path) -> None:
    entry = {"kind": "ray", "address": cluster.address, "retries": 1}
    work = TouchWork(str(tmp_path), deadly=2, deaths=9)
    results: dict[int, Done] = {
        done.shard: done for done in ENGINES.build(entry, "test").run(work, range(4))
    }
    assert sorted(results) == [0, 1, 2, 3]
    assert [shard for shard, done in results.items() if done.fault] == [2]
    assert "WorkerCrashedError" in results[2].fault
    assert len(list(tmp_path.glob("death*"))) == 1 + 1


def test_a_removed_node_loses_only_its_shard_and_a_new_one_helps(
    farm: Path, cluster: RayCluster, pixels: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_nodes() -> None:
        while len(list(farm.parent.glob("node-*"))) < 3:
            time.sleep(0.01)
        cluster.remove_node()
        cluster.add_node()

    with monkeypatch.context() as patch:
        use(patch, SlowMeasures)
        changes = threading.Thread(target=change_nodes)
        changes.start()
        done = likewise.measure("emoji", engine="farm")
        changes.join()
    assert done.shards is not None
    assert (done.computed, done.shards.computed) == (24, 5)
    check_measures(pixels)


_DRIVER = """
import sys
import likewise
from dying_measures import EndlessMeasures
from likewise.distributed import shard_cuts
import likewise.steps.measure
shard_cuts.FEWEST_ROWS = int(sys.argv[1])
sys.modules["likewise.steps.measure"].MeasureWork = EndlessMeasures
likewise.measure("emoji", engine="farm")
"""


def test_a_killed_driver_is_continued_by_the_same_command(
    farm: Path, pixels: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(SOURCES)]))
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER, str(ROWS)])
    parts = Path(".likewise/shards/measure-emoji")
    while len(complete := list(parts.glob("*/parts/*.json"))) < 2:
        assert driver.poll() is None
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    done = likewise.measure("emoji", engine="farm")
    assert done.shards is not None
    assert len(complete) <= done.shards.taken_over < 5
    assert done.shards.taken_over + done.shards.computed == 5
    check_measures(pixels)


def test_a_cluster_that_is_absent_or_too_small_is_one_line(
    farm: Path, cluster: RayCluster
) -> None:
    text = Path("params.yaml").read_text("utf-8")
    entries = (
        f"  huge: {{kind: ray, address: '{cluster.address}', cpus: 1000}}\n"
        "  wrong: {kind: ray, address: '127.0.0.1:9'}\n"
    )
    Path("params.yaml").write_text(text + entries, "utf-8")
    with pytest.raises(
        DataError, match=r"no node of the Ray cluster has 1000 processors"
    ) as no:
        likewise.measure("emoji", engine="huge")
    assert "\n" not in str(no.value)
    done = forked.run(farm, "likewise", "measure", "emoji", "--engine", "wrong")
    assert done.returncode == DataError.exit_code
    assert len(done.stderr.splitlines()) == 1
    assert "there is no Ray cluster at '127.0.0.1:9' (" in done.stderr
