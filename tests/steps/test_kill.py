"""A process may be killed at any moment: all tables keep one version, the next run resumes.

``make kills`` ends 366 commands.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import likewise
from likewise.storage import tables
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import digest_batches
from likewise.storage.schema import FINDINGS, IMAGES, ITEMS
from servers import DIE_AT_RENAME

pytestmark = pytest.mark.torch

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji" / "images"

SERVER = f"""{DIE_AT_RENAME}
import json, threading, warnings
# lance warns about every fork; none of its code has run here yet
warnings.simplefilter("ignore")
from pathlib import Path
import lance, timm, tqdm
import likewise.models.recipes.timm, likewise.models.training.encode
from likewise.catalogue import incremental_table
from likewise.imaging import image_table, probe_many
from likewise.steps import embed, ingest, publish

tqdm.tqdm.set_lock(threading.RLock())  # a barrier between processes would outlive a killed one
# Small parts, so that some are complete at the kill.
incremental_table.SAVED_SECONDS = incremental_table.SAVED_SHARE = 0
probe_many.CHUNK_FILES, image_table.SEGMENT_FILES = 8, 16


def pause_after(owner, name):
    before = getattr(owner, name)
    def after(*given):
        before(*given)
        signal.pause()
    setattr(owner, name, after)

print("ready", flush=True)
for line in sys.stdin:
    step, names, root, deadly, pausing = json.loads(line)
    child = os.fork()
    if not child:
        code = 1
        try:
            if deadly:
                die_at_rename(deadly)
            if pausing:
                pause_after(incremental_table.IncrementalTable, "save")
                pause_after(image_table.ImageStore, "_remember")
            getattr(likewise, step)(*names, workspace=Path(root))
            code = 0
        finally:
            os._exit(code)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs steps in processes that are forked from one with loaded libraries."""

STEPS = {"ingest": ["emoji"], "embed": ["emoji", "tiny"], "publish": ["emoji"]}
FOLLOWING = {"ingest": "embed", "embed": "publish", "publish": "done"}


class Server:
    """Runs a step in a separate process, which can be killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        assert self._answers.readline() == "ready\n"

    def start(self, root: Path, step: str, deadly: int = 0, *, pausing: bool = False) -> int:
        """Start ``step``; return its process id.

        It kills itself at rename ``deadly``, or stops after the first part that it has saved.
        """
        words = [step, STEPS[step], str(root), deadly, pausing]
        self._requests.write(json.dumps(words) + "\n")
        self._requests.flush()
        return int(self._answers.readline())

    def end(self) -> int:
        """Wait for the running step; return its exit code, negative if a signal ended it."""
        return int(self._answers.readline())

    def close(self) -> None:
        self._requests.close()
        self._process.wait()
        self._answers.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def kill(process: int) -> None:
    with suppress(ProcessLookupError):  # it has ended
        os.kill(process, signal.SIGKILL)


def kill_after(process: int, folder: Path, pattern: str) -> None:
    """Kill it as soon as such a file exists."""
    while not any(folder.glob(pattern)):
        os.kill(process, 0)  # which raises an error if the process has ended
        time.sleep(0.001)
    kill(process)


def staging(root: Path, step: str) -> Path:
    return root / ".likewise" / "staging" / "-".join((step, *STEPS[step]))


def table(root: Path, name: str) -> tables.Table:
    return tables.open_table(root / "catalog" / f"{name}.lance", "")


def said(root: Path, name: str) -> Digests:
    path = root / "catalog" / name
    return Digests.from_yaml(read_yaml(path), path.name)


def version(root: Path) -> dict[str, Digests]:
    """Return the digests of all tables; check that they are those of the contents.

    Tables with the same files are checked once.
    """
    files = sorted(path for path in (root / "catalog").rglob("*") if path.is_file())
    contents = hashlib.sha256()
    for path in files:
        contents.update(f"{path.relative_to(root)} {path.stat().st_size}\n".encode())
        contents.update(path.read_bytes())
    if contents.digest() not in _checked:
        _checked[contents.digest()] = _checked_version(root)
    return _checked[contents.digest()]


_checked: dict[bytes, dict[str, Digests]] = {}


def _checked_version(root: Path) -> dict[str, Digests]:
    found = {}
    for name, contract in (("images", IMAGES), ("items", ITEMS), ("findings", FINDINGS)):
        found[name] = said(root, f"emoji/columns/{name}.yaml")
        assert table(root, f"emoji/{name}").digest(contract) == found[name]
    for name, path, digests in (
        ("content", "emoji/embeddings/tiny", "emoji/columns/tiny.yaml"),
        ("item_id", "emoji", "emoji.columns.yaml"),
    ):
        opened = table(root, path)
        found[path] = said(root, digests)
        counted = digest_batches(opened.scan(opened.schema.names), name)
        assert counted.columns == found[path].columns
    return found


@pytest.fixture(scope="module")
def grown(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make the catalogue before each step: forty new images, three removed, one damaged."""
    places = {}
    root = tmp_path_factory.mktemp("grown") / "ingest"
    shutil.copytree(_catalogue, root)
    images = root / "emoji" / "images"
    for path in [p for p in sorted(SAMPLES.iterdir()) if not (images / p.name).exists()][:40]:
        shutil.copy(path, images / f"0_{path.name}")
    for name in ("200_noto.jpg", "400_noto.jpg", "600_noto.jpg"):
        (images / name).unlink()
    (images / "800_empty.jpg").touch()
    for step, following in (("ingest", "embed"), ("embed", "publish"), ("publish", "done")):
        places[step] = root
        after = root.with_name(following)
        shutil.copytree(root, after)
        args = ["emoji", "tiny"] if step == "embed" else ["emoji"]
        getattr(likewise, step)(*args, workspace=after)
        root = after
    return {**places, "done": root}


@pytest.fixture
def copies(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes copies, each in its own folder."""
    made = 0

    def copy(root: Path) -> Path:
        nonlocal made
        made += 1
        return Path(shutil.copytree(root, tmp_path / str(made)))

    return copy


@pytest.mark.parametrize(("step", "kills"), [("ingest", 4), ("embed", 3), ("publish", 3)])
def test_killed_at_any_moment(
    server: Server,
    grown: dict[str, Path],
    copies: Callable[[Path], Path],
    step: str,
    kills: int,
) -> None:
    before, after = version(grown[step]), version(grown[FOLLOWING[step]])
    assert before != after
    begun = time.monotonic()
    server.start(copies(grown[step]), step)
    assert server.end() == 0
    took = time.monotonic() - begun
    moments, landed = random.Random(kills), 0  # noqa: S311 (moments, no secrets)
    while landed < kills:
        root = copies(grown[step])
        process = server.start(root, step)
        time.sleep(took * moments.random())
        kill(process)
        if server.end() == -signal.SIGKILL:
            landed += 1
        else:
            took *= 0.8  # this machine is faster now
        likewise.open(workspace=root)  # which completes the decided take-down
        assert version(root) in (before, after)
        getattr(likewise, step)(*STEPS[step], workspace=root)
        assert version(root) == after
        assert not staging(root, step).exists()


@pytest.mark.parametrize("step", ["ingest", "publish"])
def test_killed_at_every_rename(
    server: Server, grown: dict[str, Path], copies: Callable[[Path], Path], step: str
) -> None:
    before, after = version(grown[step]), version(grown[FOLLOWING[step]])
    found: list[bool] = []
    code = -signal.SIGKILL
    while code:
        root = copies(grown[step])
        server.start(root, step, deadly=len(found) + 1)
        code = server.end()
        likewise.open(workspace=root)
        found.append(version(root) == after)
        assert found[-1] or version(root) == before
    assert found == sorted(found)  # the old version before one moment, the new one after it
    assert len(found) > 5
    assert not found[0]


def test_a_killed_embed_keeps_what_it_saved(
    server: Server, grown: dict[str, Path], copies: Callable[[Path], Path]
) -> None:
    root = copies(grown["embed"])
    shutil.rmtree(root / "catalog" / "emoji" / "embeddings")
    process = server.start(root, "embed", pausing=True)
    kill_after(process, staging(root, "embed"), "tiny.lance/_versions/*.manifest")
    assert server.end() == -signal.SIGKILL
    done = likewise.embed("emoji", "tiny", workspace=root)
    assert done.taken_over >= 32
    assert 0 < done.computed < 32
    assert done.computed + done.taken_over == said(root, "emoji/columns/items.yaml").rows
    file = "emoji/columns/tiny.yaml"
    assert said(root, file) == said(grown["publish"], file)


def test_a_killed_ingest_keeps_what_it_wrote(
    server: Server, grown: dict[str, Path], copies: Callable[[Path], Path]
) -> None:
    root = copies(grown["ingest"])
    shutil.rmtree(root / "catalog" / "emoji")
    process = server.start(root, "ingest", pausing=True)
    kill_after(process, staging(root, "ingest"), "seen/*.arrow")
    assert server.end() == -signal.SIGKILL
    done = likewise.ingest("emoji", workspace=root)
    assert done.kept >= 16
    assert done.read + done.kept == done.images
    for name in ("images", "items", "findings"):
        file = f"emoji/columns/{name}.yaml"
        assert said(root, file) == said(grown["embed"], file)
