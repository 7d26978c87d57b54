"""The library does not change the state of the process that uses it."""

import logging
import os
import random
import shutil
import signal
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import likewise
from learning import LEARNED, write
from likewise.storage.versions import Store, run_git
from servers import settle

pytestmark = pytest.mark.torch

ITEM = "0_noto.jpg"


def _failing(root: Path) -> None:
    with pytest.raises(likewise.LikewiseError):
        likewise.embed("emoji", "none", workspace=root)


def _failing_pull(root: Path) -> None:
    settle(root, "team", url=root / "gone")
    shutil.rmtree(Store(root).folder)
    with pytest.raises(likewise.VersionError):
        likewise.pull(workspace=root)


VERBS: dict[str, Callable[[Path], object]] = {
    "load": lambda root: likewise.load("tiny", workspace=root),
    "train": lambda root: likewise.train("learned", workspace=root),
    "ingest": lambda root: likewise.ingest("emoji", workspace=root),
    "embed": lambda root: likewise.embed("emoji", "tiny", workspace=root),
    "publish": lambda root: likewise.publish("emoji", workspace=root),
    "measure": lambda root: likewise.measure("emoji", workspace=root),
    "check": lambda root: likewise.check("emoji", workspace=root),
    "evaluate": lambda root: likewise.evaluate("emoji-tiny", workspace=root),
    "report": lambda root: likewise.report("emoji-tiny", workspace=root),
    "index": lambda root: likewise.index("emoji", "tiny", "hnsw", workspace=root),
    "search": lambda root: likewise.search("emoji", id=ITEM, index="hnsw", workspace=root),
    "search by a picture": lambda root: likewise.search(
        "emoji", image=root / "emoji" / "images" / ITEM, workspace=root
    ),
    "images": lambda root: likewise.open("emoji", workspace=root).images([ITEM]),
    "query": lambda root: likewise.query("select count(*) from emoji", workspace=root),
    "to_csv": lambda root: likewise.query("select item_id from emoji", workspace=root).to_csv(
        root / "ids.csv"
    ),
    "export": lambda root: likewise.export("emoji", "folder", root / "out", workspace=root),
    "show": lambda root: likewise.show("emoji", workspace=root),
    "describe": lambda root: likewise.describe("emoji", workspace=root),
    "findings": lambda root: likewise.findings("emoji", workspace=root),
    "why": lambda root: likewise.why("tiny", workspace=root),
    "correct": lambda root: likewise.correct("emoji", [ITEM], {"label": "1"}, workspace=root),
    "forget": lambda root: likewise.forget("emoji", [ITEM], reason="a test", workspace=root),
    "doctor": lambda root: likewise.doctor(workspace=root),
    "a verb that fails": _failing,
}
"""All kinds of work of the library, in an order in which each can run."""

WITH_A_REMOTE: dict[str, Callable[[Path], object]] = {
    "push": lambda root: likewise.push(workspace=root),
    "pull": lambda root: likewise.pull(verify=True, workspace=root),
    "open at a revision": lambda root: likewise.open("emoji", rev="v1", workspace=root).items,
    "log": lambda root: likewise.log("emoji", workspace=root),
    "diff": lambda root: likewise.diff("emoji", "v1", "v2", workspace=root),
    "forget": lambda root: likewise.forget("emoji", [ITEM], reason="a test", workspace=root),
    "a pull that fails": _failing_pull,
}
"""The verbs that call DVC."""


def _load_libraries() -> None:
    """Import the lazy imports of the verbs first, because their changes are not tested."""
    import accelerate  # noqa: F401
    import dvc.repo  # noqa: F401
    import dvclive.live  # noqa: F401
    import faiss  # noqa: F401
    import lance  # noqa: F401
    import lightly  # noqa: F401
    import matplotlib.pyplot as plt  # noqa: F401
    import polars as pl  # noqa: F401  # it sets _RJEM_MALLOC_CONF
    import ruamel.yaml  # noqa: F401
    import scipy.sparse
    import scipy.special  # noqa: F401
    import sklearn.manifold  # noqa: F401
    import timm  # noqa: F401


def state(loggers: list[str]) -> dict[str, Any]:
    """Return the state of the whole process."""
    import matplotlib as mpl
    import torch

    logs = [logging.getLogger(), *map(logging.getLogger, loggers)]
    return {
        "folder": os.getcwd(),  # noqa: PTH109 (what the process has, as text)
        "environment": dict(os.environ),
        "loggers": [(log.name, log.level, log.propagate, [*log.handlers]) for log in logs],
        "log levels": (logging.root.manager.disable, logging.raiseExceptions),
        "warnings": [*warnings.filters, warnings.showwarning],
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "torch's numbers": torch.get_rng_state().tolist(),
        "torch's settings": (
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark,
        ),
        "numpy's numbers": repr(np.random.get_state()),  # noqa: NPY002 (the global one)
        "python's numbers": random.getstate(),
        "matplotlib's settings": dict(mpl.rcParams),
        "memory pool": pa.default_memory_pool().backend_name,
        "umask": _umask(),
        "threads": {one.name for one in threading.enumerate() if not one.daemon},
    }


def _umask() -> str:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(line for line in lines if line.startswith("Umask"))


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the changed state; for a list, the elements that only one side has."""
    found = {}
    for name, was in before.items():
        now = after[name]
        if was != now and isinstance(was, list):
            found[name] = [[x for x in was if x not in now], [x for x in now if x not in was]]
        elif was != now:
            found[name] = [was, now]
    return found


def check(root: Path, verbs: dict[str, Callable[[Path], object]]) -> None:
    """Run every verb, and compare the process before and after it."""
    _load_libraries()
    loggers = [n for n, log in logging.root.manager.loggerDict.items() if hasattr(log, "level")]
    found = {}
    for name, verb in verbs.items():
        before = state(loggers)
        verb(root)
        if changed := changes(before, state(loggers)):
            found[name] = changed
    assert not found


def test_verbs_leave_the_process_as_it_was(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also run from another folder."""
    write(workspace, "trained", "learned", {**LEARNED, "epochs": 1})
    write(workspace, "indexes", "hnsw", {"kind": "faiss", "factory": "HNSW8"})
    text = (workspace / "params.yaml").read_text("utf-8")
    (workspace / "params.yaml").write_text(text + "checks: {emoji: {}}\n", "utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    check(workspace, VERBS)
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.dvc
@pytest.mark.slow
def test_verbs_that_dvc_does_leave_the_process_as_it_was(
    alice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    check(alice, WITH_A_REMOTE)


def test_weights_in_a_file_are_found_from_any_folder(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their path is relative to the catalogue."""
    likewise.load("tiny", workspace=workspace)
    kept = workspace / "kept" / "w.safetensors"
    kept.parent.mkdir()
    (workspace / "models" / "tiny" / "model.safetensors").rename(kept)
    entry = {"kind": "timm", "backbone": "test_resnet.r160_in1k"}
    write(workspace, "models", "copied", {**entry, "weights": "file:kept/w.safetensors"})
    monkeypatch.chdir(tmp_path)
    passport = likewise.load("copied", workspace=workspace)
    assert passport.weights_source.startswith("file:w.safetensors sha256 ")


def test_a_training_makes_no_repository_where_it_is_started(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default dvclive creates a DVC repository in the git repository of the folder."""
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    run_git(other, "init", "--quiet")
    write(workspace, "trained", "learned", {**LEARNED, "epochs": 1})
    monkeypatch.chdir(other)
    likewise.train("learned", workspace=workspace)
    assert [path.name for path in other.iterdir()] == [".git"]
