"""A full or read-only disk gives one clear error, and the tables stay unchanged."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import forked
import likewise
from disks import Disk
from likewise.errors import DataError

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji" / "images"


def content(root: Path) -> dict[str, bytes]:
    """Return all files of a catalogue."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for part in ("catalog", "models")
        for path in (root / part).rglob("*")
        if path.is_file()
    }


@pytest.fixture
def small_disk(workspace: Path, tmp_path: Path) -> Iterator[Path]:
    """Copy the catalogue to a small separate file system."""
    place = tmp_path / "disk"
    place.mkdir()
    size = sum(len(data) for data in content(workspace).values())
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size + (6 << 20)}", "tmpfs", place],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a file system")
    try:
        yield Path(shutil.copytree(workspace, place / "workspace"))
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(root: Path, left: int) -> Path:
    """Write a file that leaves this number of bytes free."""
    path = root / "rest"
    with path.open("wb") as file:
        file.write(bytes(shutil.disk_usage(root).free - left))
    return path


STEPS = {
    "ingest": ["emoji"],
    "load": ["tiny"],
    "embed": ["emoji", "tiny"],
    "publish": ["emoji"],
    "evaluate": ["emoji-tiny"],
}


@pytest.mark.torch
@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_is_reported_and_the_tables_stay(small_disk: Path, step: str) -> None:
    """Try every free size, until the step has enough space."""
    params = small_disk / "params.yaml"
    text = params.read_text("utf-8").replace("model: tiny}", "model: tiny, dtype: float16}")
    params.write_text(text, "utf-8")  # so that embed has work to do
    for number, path in enumerate(sorted(SAMPLES.glob("1_*.jpg")) * 3):
        data = path.read_bytes() + bytes(number)
        (small_disk / "emoji" / "images" / f"0_{number}.jpg").write_bytes(data)
    left, failures = 0, 0
    while True:
        rest = fill(small_disk, left)
        before = content(small_disk)
        try:
            getattr(likewise, step)(*STEPS[step], workspace=small_disk)
        except DataError as error:
            said = str(error)
        else:
            break
        assert "no space left on the device; nothing was changed, free some and run" in said
        assert len(said.splitlines()) == 1
        assert content(small_disk) == before
        assert len(likewise.open("emoji", workspace=small_disk).vectors("tiny")) == 24
        rest.unlink()
        failures += 1
        left = left * 2 or 2048
    assert failures > 0


def test_a_read_only_checkout_is_read(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk.parent], check=True)
    dataset = likewise.open("emoji", workspace=small_disk)
    assert len(dataset.items) == len(dataset.vectors("tiny")) == 24
    assert dataset.images(["0_noto.jpg"], encoded=True) == [
        (SAMPLES / "0_noto.jpg").read_bytes()
    ]
    found = likewise.search("emoji", id="0_noto.jpg", k=2, workspace=small_disk)
    assert len(found) == 2
    assert likewise.query("SELECT count(*) FROM emoji", workspace=small_disk).frame.item() == 24
    assert likewise.show("emoji", workspace=small_disk).state == "published"


@pytest.fixture
def read_only(recorded: Path, tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """Return a function that copies the repository to a read-only file system."""
    disk = Disk(tmp_path / "read_only")
    disk.mount(64 << 20)

    def copied() -> Path:
        root = shutil.copytree(recorded, disk.place / "workspace", symlinks=True)
        disk.change("ro")
        return Path(root)

    yield copied
    disk.unmount()


@pytest.mark.dvc
@pytest.mark.parametrize("damaged", [False, True])
def test_doctor_checks_what_it_can_on_a_read_only_checkout(
    recorded: Path, read_only: Callable[[], Path], *, damaged: bool
) -> None:
    if damaged:
        (recorded / "reports" / "emoji-tiny.json").unlink()
    root = read_only()
    done = forked.run(root, "likewise", "doctor", "--json")
    problems = {problem["check"]: problem["what"] for problem in json.loads(done.stdout)}
    assert problems.pop("read-only").endswith("out of date on a read-only file system")
    assert set(problems) == ({"missing"} if damaged else set())
    assert (done.returncode, done.stderr) == (int(damaged), "")


@pytest.mark.torch
def test_an_index_that_cannot_be_kept_is_an_error(small_disk: Path) -> None:
    params = small_disk / "params.yaml"
    text = params.read_text("utf-8")
    assert "indexes:\n" in text
    entry = "indexes:\n  graph: {kind: faiss, factory: HNSW8}\n"
    params.write_text(text.replace("indexes:\n", entry), "utf-8")
    rest = fill(small_disk, 4096)
    with pytest.raises(DataError, match=r"cannot be kept|cannot be written"):
        likewise.index("emoji", "tiny", "graph", workspace=small_disk)
    assert likewise.indexes(workspace=small_disk) == []
    rest.unlink()
    assert likewise.index("emoji", "tiny", "graph", workspace=small_disk).state == "current"


@pytest.mark.parametrize("step", ["ingest", "publish", "load"])
def test_a_read_only_checkout_is_not_written(small_disk: Path, step: str) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk.parent], check=True)
    with pytest.raises(DataError) as caught:
        getattr(likewise, step)(*STEPS[step], workspace=small_disk)
    job = "-".join(("train" if step == "load" else step, *STEPS[step]))
    assert str(caught.value) == (
        f"{job}: {small_disk}/.likewise/locks/{job} cannot be written (Read-only file system); "
        "nothing was changed"
    )
