"""Archives that are cut, damaged or changed meanwhile give their files or one clear error."""

import os
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.errors import DataError
from likewise.formats.archives import open_files
from packed import bytes_of, made, zipped


def test_what_is_not_a_source_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    cases = {
        "absent": (None, "does not exist"),
        "empty": (None, "contains no files"),
        "0.zip": (b"", "is an empty file"),
        "text.txt": (b"hello", "is not an archive; expected a folder, a .zip"),
        "a.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "is a 7z archive, which is not supported"),
        "a.tar.zst": (
            b"\x28\xb5\x2f\xfd" + bytes(50),
            "is Zstandard data, which is not supported",
        ),
        "html.zip": (b"<html>not found</html>", "its end is missing"),
        "html.tar": (b"<html>not found</html>", "truncated header"),
        "hello.gz": (b"\x1f\x8b\x08\0\0\0\0\0", "damaged or truncated"),
        "none.tar": (bytes(10240), "contains no files"),
    }
    for name, (data, said) in cases.items():
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(DataError) as error:
            open_files(path)
        assert said in str(error.value)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["zip", "deflated.zip", "tar", "tar.gz", "tar.xz", "tar.bz2"])
def test_an_archive_cut_anywhere_is_an_error_or_names_what_is_missing(
    tmp_path: Path, kind: str
) -> None:
    content = {f"{i}.jpg": os.urandom(300) for i in range(5)}
    path = made(kind, tmp_path, content)
    whole = path.read_bytes()
    end = len(whole)
    if kind == "tar":  # after the two zero blocks at its end there is only padding
        end = 5 * 1024 + 512
    for length in range(1, end, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            open_files(path, strict=True)
        with suppress(DataError):
            files = open_files(path)
            assert files.refused
            assert bytes_of(files).items() < content.items()


@pytest.mark.parametrize("kind", ["zip", "deflated.zip", "tar", "tar.gz", "tar.xz"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_archive_gives_data_or_an_error(
    kind: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = {f"images/{i}.jpg": bytes(range(100)) * (i + 1) for i in range(4)}
    path = made(kind, tmp_path_factory.mktemp("damaged"), content)
    broken = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    path.write_bytes(broken)
    try:
        files = open_files(path)
        bytes_of(files)
    except DataError:
        return
    if kind.endswith("zip"):  # its members have checksums
        assert set(bytes_of(files).values()) <= set(content.values())


def test_a_member_of_negative_size_does_not_hang(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.size = -512
    data = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    (tmp_path / "a.tar").write_bytes(bytes(data) + bytes(1024))
    with pytest.raises(DataError, match="negative size"):
        open_files(tmp_path / "a.tar")


def test_the_members_before_a_damaged_header_are_read(tmp_path: Path) -> None:
    path = made("tar", tmp_path, {"a": b"first", "b": b"second"})
    data = bytearray(path.read_bytes())
    second = data.index(b"b\0\0\0")
    data[second + 124] = 0xFF  # its size is negative
    path.write_bytes(bytes(data))
    files = open_files(path)
    assert bytes_of(files) == {"a": b"first"}
    assert [name for name, _ in files.refused] == [path.name]


def test_a_member_whose_bytes_changed_is_noticed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x": b"abcdef", "y": b"fine"})
    files = open_files(path)
    path.write_bytes(path.read_bytes().replace(b"abcdef", b"abcdeg"))
    with pytest.raises(DataError, match="'x' is damaged or truncated"):
        files.read("x")
    assert files.read("y") == b"fine"


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_that_shrinks_after_it_was_listed_is_noticed(
    tmp_path: Path, kind: str
) -> None:
    path = made(kind, tmp_path, {"a": os.urandom(5000), "b": os.urandom(5000)})
    files = open_files(path)
    path.write_bytes(path.read_bytes()[:6000])
    for read in (lambda: files.read("b"), lambda: list(files.read_many(["a", "b"]))):
        with pytest.raises(DataError, match="is damaged or truncated"):
            read()
