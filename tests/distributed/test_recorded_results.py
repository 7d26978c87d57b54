"""Equal records of git and DVC, whoever computes."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

import likewise
from forked import run_dvc
from likewise.distributed import shard_cuts
from likewise.steps.evaluate import run_scoring
from resilience import observed
from resilience.kills import differences

NEW = 7
"""New images: two shards."""

pytestmark = [pytest.mark.dvc, pytest.mark.torch]


def computed(root: Path, way: str) -> dict[str, str]:
    """Read new images, compute vectors and measures, and all that follows; return the state."""
    shards = [f"{number}/3" for number in range(3)] if way == "shards" else []
    engine = "processes" if way == "processes" else "here"
    for shard in shards:
        likewise.ingest("emoji", shard=shard, workspace=root)
    ingested = likewise.ingest("emoji", engine=engine, workspace=root)
    assert (ingested.read, ingested.images) == (0 if shards else NEW, 24 + NEW)
    for shard in shards:
        likewise.embed("emoji", "tiny", recompute=True, shard=shard, workspace=root)
        likewise.measure("emoji", shard=shard, workspace=root)
    embedded = likewise.embed("emoji", "tiny", recompute=True, engine=engine, workspace=root)
    measured = likewise.measure("emoji", engine=engine, workspace=root)
    expected = 0 if shards else 24 + NEW
    assert (embedded.computed, measured.computed) == (expected, expected)
    likewise.publish("emoji", workspace=root)
    for number in range(2 * bool(shards)):
        likewise.evaluate("emoji-tiny", shard=f"{number}/2", workspace=root)
    evaluated = likewise.evaluate("emoji-tiny", engine=engine, workspace=root)
    assert (evaluated.shards is None) == (way == "here")
    run_dvc(root, "commit", "--quiet", "--force")
    assert observed.leftovers(root) == []
    return observed.state(root) | {"dvc.lock": lock_without_files(root / "dvc.lock")}


def lock_without_files(path: Path) -> str:
    """Return dvc.lock without the facts of the files of tables, whose names are random."""
    text = path.read_text("utf-8")
    return re.sub(r"(path: \S+\.lance\n)(?: +(?:hash|md5|size|nfiles): .*\n)+", r"\1", text)


def test_every_way_records_the_same(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, forked_python: None
) -> None:
    monkeypatch.setattr(shard_cuts, "FEWEST_ROWS", 5)
    monkeypatch.setattr(run_scoring, "WHOLE_BYTES", 0)
    monkeypatch.setattr(shard_cuts, "FEWEST_FILES", 5)
    states = []
    for way in ("here", "processes", "shards"):
        root = recorded.with_name(way)
        shutil.copytree(recorded, root, symlinks=True)
        for number in range(NEW):
            picture = Image.new("RGB", (70, 60), (10 * number, 200, 90))
            picture.save(root / "emoji" / "images" / f"0_new{number}.jpg")
        states.append(computed(root, way))
    here, *others = states
    assert {"dvc.lock", "reports/emoji-tiny.json", "catalog/emoji/columns/tiny.yaml"} <= set(
        here
    )
    assert "catalog/emoji/pixels.lance" in here
    assert [differences(here, other) for other in others] == [[], []]
