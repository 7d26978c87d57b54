"""Engines call the work of every shard once; a killed worker is replaced, a fault is kept."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import likewise
from likewise.distributed import ENGINES, Done, Engine, Work, choose_engine, describe, restore
from likewise.distributed.engines import processes
from likewise.errors import ConfigError, DataError, UnknownNameError
from shard_works import BrokenWork, TouchWork

TESTS = Path(__file__).parents[1]
SOURCES = Path(likewise.__file__).parents[1]


def run(engine: Engine, work: Work, count: int = 5) -> dict[int, Done]:
    found = list(engine.run(work, range(count)))
    assert len(found) == count
    return {done.shard: done for done in found}


def made(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.isdecimal())


@pytest.fixture(autouse=True)
def _modules(monkeypatch: pytest.MonkeyPatch, unmeasured: None) -> None:
    """Let workers import the works of tests."""
    paths = [str(TESTS), str(SOURCES), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


def by_processes(workers: int = 2, **options: object) -> Engine:
    return ENGINES.build({"kind": "processes", "workers": workers, **options}, "test")


@pytest.fixture(params=["here", "processes"])
def engine(request: pytest.FixtureRequest, forked_python: None) -> Engine:
    if request.param == "processes":
        return by_processes()
    return ENGINES.build({"kind": "here"}, "test")


def test_every_shard_is_done_once_and_a_fault_leaves_the_others(
    engine: Engine, tmp_path: Path
) -> None:
    found = run(engine, TouchWork(str(tmp_path), poison=3))
    assert {shard: done.fault for shard, done in found.items() if done.fault} == {
        3: "it is poison"
    }
    assert made(tmp_path) == ["0", "1", "2", "4"]
    assert all(" on " in done.by for done in found.values())


def test_nothing_missing_starts_nothing(engine: Engine, tmp_path: Path) -> None:
    assert list(engine.run(TouchWork(str(tmp_path)), [])) == []


def test_a_bug_is_a_fault_with_a_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    [done] = ENGINES.build({"kind": "here"}, "test").run(BrokenWork(""), [7])
    assert done.fault == "TypeError: no shard 7"
    assert 'raise TypeError(f"no shard {shard}")' in capfd.readouterr().err


def test_a_killed_worker_is_replaced_and_its_shard_tried_again(tmp_path: Path) -> None:
    found = run(by_processes(1), TouchWork(str(tmp_path), deadly=1, deaths=1), count=3)
    assert {done.fault for done in found.values()} == {""}
    assert made(tmp_path) == ["0", "1", "2"]


def test_a_shard_that_kills_every_worker_is_named_and_the_rest_is_done(tmp_path: Path) -> None:
    found = run(by_processes(1, retries=1), TouchWork(str(tmp_path), deadly=1, deaths=9))
    assert [shard for shard, done in found.items() if done.fault] == [1]
    assert "its process ended by signal 9" in found[1].fault
    assert made(tmp_path) == ["0", "2", "3", "4"]
    assert len(list(tmp_path.glob("death*"))) == 1 + 1


def test_each_worker_has_one_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked_python: None
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert processes.visible_gpus() == ["4", "6"]
    part = ENGINES.build({"kind": "processes"}, "test")
    run(part, TouchWork(str(tmp_path), together=2), count=4)
    assert {(tmp_path / name).read_text("utf-8") for name in made(tmp_path)} == {"4", "6"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert processes.visible_gpus() == []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(processes, "_GPUS", tmp_path / "absent")
    assert processes.visible_gpus() == []


def test_workers_that_cannot_start_are_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))  # without the work
    with pytest.raises(DataError, match="a worker ended with exit code 1 before it computed"):
        list(by_processes(1).run(TouchWork(str(tmp_path)), range(3)))


RUNS = """
import sys
from likewise.distributed import ENGINES
from shard_works import TouchWork
engine = ENGINES.build({"kind": "processes", "workers": 2}, "test")
list(engine.run(TouchWork(sys.argv[1], seconds=60), range(4)))
"""


def test_workers_end_with_the_command_that_started_them(tmp_path: Path) -> None:
    command = subprocess.Popen([sys.executable, "-c", RUNS, str(tmp_path)])
    workers: list[int] = []
    while len(workers) < 2:
        assert command.poll() is None
        time.sleep(0.01)
        written = [path.read_text("utf-8") for path in tmp_path.glob("begun*")]
        workers = [int(text) for text in written if text]
    command.send_signal(signal.SIGKILL)
    command.wait()
    with suppress(ProcessLookupError):
        for worker in workers:
            while True:  # pytest's own limit ends a test that hangs
                os.kill(worker, 0)
                time.sleep(0.01)


def test_a_work_is_sent_as_json(tmp_path: Path) -> None:
    work = TouchWork(str(tmp_path), poison=1)
    assert restore(json.loads(json.dumps(describe(work)))) == work


def test_engines_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {"node": {"kind": "processes", "workers": 3}}
    monkeypatch.delenv("LIKEWISE_ENGINE", raising=False)
    assert type(choose_engine(entries)).__name__ == "Here"
    assert choose_engine(entries, "node") == by_processes(3)
    assert choose_engine(entries, "processes") == ENGINES.build({"kind": "processes"}, "")
    monkeypatch.setenv("LIKEWISE_ENGINE", "node")
    assert choose_engine(entries) == by_processes(3)
    assert type(choose_engine(entries, "here")).__name__ == "Here"
    monkeypatch.setenv("LIKEWISE_ENGINE", "nod")
    with pytest.raises(UnknownNameError, match="LIKEWISE_ENGINE: no engine named 'nod'; did"):
        choose_engine(entries)
    with pytest.raises(ConfigError, match=r"params\.yaml: engines\.node: worker: unknown key"):
        choose_engine({"node": {"kind": "processes", "worker": 3}}, "node")
