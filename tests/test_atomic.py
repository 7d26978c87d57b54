"""Files and folders are written completely or not at all."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest

from disks import Disk
from likewise.errors import DataError, cannot_write
from likewise.formats import atomic
from likewise.formats.durable import sync

FULL = "no space left on the device; nothing was changed, free some and run it again"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    atomic.write_text(path, "ä")
    atomic.write_bytes(path, b"b")
    assert path.read_bytes() == b"b"
    assert names(path.parent) == ["a.txt"]


def test_permissions_are_those_that_open_gives(tmp_path: Path) -> None:
    plain, new, private = tmp_path / "plain", tmp_path / "new", tmp_path / "private"
    plain.open("w").close()
    atomic.write_text(new, "")
    assert mode(new) == mode(plain)
    private.touch(0o600)
    with atomic.atomic_file(private) as part:
        part.unlink()
        part.touch(0o755)  # like a library that creates the file itself
    assert mode(private) == 0o600


def test_where_a_link_leads_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    atomic.write_text(tmp_path / "link", "a")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_text("utf-8") == "a"


def test_a_name_as_long_as_a_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    atomic.write_text(path, "a")
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, OSError])
def test_what_fails_leaves_the_file_as_it_was(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    path = tmp_path / "a"
    atomic.write_text(path, "before")

    def fail() -> None:
        with atomic.atomic_file(path) as part:
            part.write_text("half", "utf-8")
            raise kind("mine")

    with pytest.raises(kind, match="mine"):
        fail()
    assert path.read_text("utf-8") == "before"
    assert names(tmp_path) == ["a"]


def test_many_threads_write_the_same_file(tmp_path: Path) -> None:
    path, ready, parts = tmp_path / "a", threading.Barrier(8), set[Path]()

    def write(number: int) -> None:
        ready.wait()
        for _ in range(20):
            with atomic.atomic_file(path) as part:
                parts.add(part)
                part.write_text(str(number) * 1000, "utf-8")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = path.read_text("utf-8")
    assert text == text[0] * 1000
    assert len(parts) == 8 * 20
    assert names(tmp_path) == ["a"]


def test_many_processes_write_the_same_file(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from likewise.formats import atomic\n"
        "for _ in range(50):\n"
        "    atomic.write_text(Path(sys.argv[1]), str(os.getpid()) * 100)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a")]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    text = (tmp_path / "a").read_text("utf-8")
    assert text == text[: len(text) // 100] * 100
    assert names(tmp_path) == ["a"]


def test_what_a_killed_process_left_goes_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from likewise.formats import atomic\n"
        "with atomic.atomic_file(Path(sys.argv[1])):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=False)
    left = names(tmp_path)
    assert len(left) == 1
    (tmp_path / ".a.mine.part").touch()
    (tmp_path / ".ab.01234567.part").touch()
    with atomic.atomic_file(path) as part:
        atomic.write_text(path, "another one meanwhile")
        part.write_text("the last one", "utf-8")
    assert path.read_text("utf-8") == "the last one"
    assert names(tmp_path) == [".a.mine.part", ".ab.01234567.part", "a"]


def test_a_folder_that_is_spare_goes(tmp_path: Path) -> None:
    final = tmp_path / "final"
    with atomic.spare_folder(final) as part:
        (part / "a").touch()
        (part / "kept").mkdir()
        atomic.replace_folder(part / "kept", final)
    assert names(tmp_path) == ["final"]
    with atomic.spare_folder(final) as part:
        (part / "b").touch()
        atomic.replace_folder(part, final)
    assert names(final) == ["b"]
    assert names(tmp_path) == ["final"]


def test_a_file_becomes_a_link(tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "path"
    source.touch()
    path.touch()
    atomic.replace_by_link(path, source)
    assert path.samefile(source)
    assert names(tmp_path) == ["path", "source"]


def test_few_and_many_files_are_brought_to_the_disk(tmp_path: Path) -> None:
    for number in range(70):
        (tmp_path / "folder" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / str(number % 2) / str(number)).touch()
        (tmp_path / "folder" / f"link{number}").symlink_to("nowhere")
        if number in (1, 69):
            sync(tmp_path / "folder")
    sync(tmp_path / "folder" / "0" / "0")


@pytest.mark.parametrize("name", ["file/below", "folder"], ids=["below a file", "a folder"])
def test_a_place_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    said = rf"{name} cannot be written: (File exists|Is a directory)$"
    with pytest.raises(DataError, match=said) as caught:
        atomic.write_text(tmp_path / name, "a")
    assert len(str(caught.value).splitlines()) == 1


def test_a_full_disk_is_named(disk: Disk) -> None:
    disk.mount(1 << 20)
    path = disk.place / "a"
    atomic.write_text(path, "before")
    with pytest.raises(DataError) as caught:
        atomic.write_bytes(path, bytes(2 << 20))
    assert str(caught.value) == f"{path} cannot be written: {FULL}"
    frame = pl.DataFrame({"a": range(1 << 20)})
    with pytest.raises(DataError, match=FULL), atomic.atomic_file(path) as part:
        frame.write_parquet(part, compression="uncompressed")
    with pytest.raises(DataError, match=FULL), atomic.new_folder(disk.place / "b") as folder:
        (folder / "c").write_bytes(bytes(2 << 20))
    assert path.read_text("utf-8") == "before"
    assert names(disk.place) == ["a"]


def test_a_read_only_disk_is_named(disk: Disk) -> None:
    disk.mount(1 << 20)
    disk.change("ro")
    with pytest.raises(DataError, match=r"a cannot be written: .*\(Read-only file system\)"):
        atomic.write_text(disk.place / "a", "")
    said = pytest.raises(DataError, match=r"b cannot be written: .*\(Read-only file system\)")
    with said, atomic.new_folder(disk.place / "b"):
        pass


def test_a_read_that_fails_is_not_a_failed_write(tmp_path: Path) -> None:
    """Neither in a block that writes, nor because of words in the text of the error."""
    for error in (
        PermissionError(13, "Permission denied", str(tmp_path / "source")),
        FileNotFoundError(2, "No such file or directory", str(tmp_path / "source")),
        RuntimeError("429: quota exceeded, No space left on device"),
    ):
        for block in (atomic.atomic_file, atomic.new_folder, atomic.writing):
            with pytest.raises(type(error)) as caught, block(tmp_path / "target"):
                raise error
            assert caught.value is error
        assert cannot_write(error) == ""
    assert names(tmp_path) == []
    said = pytest.raises(DataError, match="target cannot be written: Permission denied")
    with said, atomic.writing(tmp_path / "target"):
        raise PermissionError(13, "Permission denied", str(tmp_path / "target" / "x"))


def test_the_number_of_an_error_in_rust_is_found() -> None:
    for said in ("LanceError(IO): x (os error 28)", "Io(Os { code: 28, kind: StorageFull })"):
        assert cannot_write(RuntimeError(said)) == FULL
    assert cannot_write(RuntimeError("Disk quota exceeded (os error 122)")) == FULL
    outer = RuntimeError("it failed")
    outer.__cause__ = OSError(28, "No space left on device")
    assert cannot_write(outer) == FULL
    assert "(Read-only file system)" in cannot_write(OSError(30, "Read-only file system", "a"))
