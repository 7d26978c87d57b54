"""check by shards: the flags of one process."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

import forked
import likewise
from likewise.distributed import plans_of
from likewise.errors import DataError
from likewise.steps.check import check_shards
from likewise.steps.check.search_work import SearchWork
from likewise.storage import tables
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.torch

CHECK = "{near: 15, model: tiny, similar: 0.5, max_outlier: 0.9, label_model: tiny}"
FLAGS = Path("catalog/emoji/flags.lance")


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the searches of the tests count as large ones."""
    monkeypatch.setattr(check_shards, "MANY_HASHES", 0)
    monkeypatch.setattr(check_shards, "MANY_VECTORS", 0)
    monkeypatch.delenv("LIKEWISE_ENGINE", raising=False)


@pytest.fixture
def measured(workspace: Path) -> Path:
    """Add near copies to the data set, and measure it."""
    for name in ("0_noto", "200_noto", "150_fluent"):
        source = Path(f"emoji/images/{name}.jpg")
        if source.exists():
            Image.open(source).save(source.with_name(f"{name}_copy.jpg"), quality=80)
    likewise.ingest("emoji")
    likewise.embed("emoji", "tiny")
    likewise.measure("emoji")
    params = Path("params.yaml")
    text = params.read_text("utf-8")
    params.write_text(f"{text}\nchecks:\n  emoji: {CHECK}\n", "utf-8")
    return workspace


def flags() -> list[tuple[object, ...]]:
    rows = tables.open_table(FLAGS, "").read(["flag_id", "value", "other", "detail"]).rows()
    shutil.rmtree(FLAGS)
    return rows


def test_every_way_finds_the_same_flags(measured: Path, forked_python: None) -> None:
    plain = likewise.check("emoji")
    expected = flags()
    assert plain.shards is None
    assert {"near_duplicate", "similar"} <= plain.flags.keys()
    first = [likewise.check("emoji", shard=f"{number}/3") for number in range(3)]
    assert sum(one.computed for one in first) == sum(one.planned for one in first) == 16 + 2
    assert likewise.check("emoji", shard="0/3").computed == 0
    [job] = likewise.status()
    assert (job.job, job.done) == ("check-emoji", 18)
    done = likewise.check("emoji")
    assert done == plain
    assert done.shards is not None
    assert (done.shards.taken_over, done.shards.computed) == (18, 0)
    assert flags() == expected
    assert likewise.status() == []
    by_processes = likewise.check("emoji", engine="processes").shards
    assert by_processes is not None
    assert by_processes.computed == 18
    assert flags() == expected


def test_the_plain_command_searches_what_is_missing(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, expected = likewise.check("emoji"), flags()
    assert likewise.check("emoji", shard="1/4").computed == 5
    done = likewise.check("emoji")
    assert done == plain
    assert done.shards is not None
    assert (done.shards.taken_over, done.shards.computed) == (5, 13)
    assert flags() == expected
    monkeypatch.setattr(check_shards, "MANY_HASHES", 1000)
    assert likewise.check("emoji", shard="0/1").planned == 2  # only the vectors
    assert likewise.check("emoji") == plain
    assert flags() == expected


def test_vectors_that_have_changed_are_refused(measured: Path) -> None:
    likewise.check("emoji", shard="0/9")
    [plan] = plans_of(Workspace(measured), "check-emoji")
    work = SearchWork(str(measured), "emoji", plan.id)
    work(17)
    likewise.embed("emoji", "tiny", recompute=True)
    with pytest.raises(DataError, match="the vectors of emoji or its check have changed"):
        SearchWork(str(measured), "emoji", plan.id)(17)
    assert likewise.check("emoji").flags
    assert likewise.status() == []


def test_small_searches_have_no_shards(measured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_shards, "MANY_HASHES", 1000)
    monkeypatch.setattr(check_shards, "MANY_VECTORS", 1000)
    done = forked.run(measured, "likewise", "check", "emoji", "--shard", "0/2")
    assert done.stdout == "0 of 0 shards of process 0/2 taken over, 0 computed\n"
    assert likewise.check("emoji", engine="processes").shards is None
