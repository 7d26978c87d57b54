"""A folder and every kind of archive of it contain the same files; every loss is reported."""

import os
import tarfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archives import placed
from likewise.errors import DataError
from likewise.formats.archives import is_archive, open_files
from packed import CONTENT, bytes_of, made, tarred, zipped

KINDS = ["folder", "zip", "deflated.zip", "tar", "tar.gz", "tgz", "tar.xz", "tar.bz2"]


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return made(request.param, tmp_path, CONTENT)


def test_every_kind_lists_and_reads_the_same(source: Path) -> None:
    files = open_files(source)
    listing = files.listing()
    assert listing["path"].to_list() == sorted(CONTENT)
    assert listing["nbytes"].to_list() == [len(CONTENT[p]) for p in sorted(CONTENT)]
    assert bytes_of(files) == CONTENT
    assert files.read("a/1.bin") == b"one"
    assert (files.undecodable, files.refused) == ([], [])
    assert files.random_access is not any(
        s in source.name for s in (".gz", "tgz", ".xz", "bz2")
    )
    assert is_archive(source) if source.is_file() else source.is_dir()


def test_files_serve_threads(source: Path) -> None:
    files = open_files(source)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(files.read, ["b/2.bin"] * 20)) == [CONTENT["b/2.bin"]] * 20


def test_an_unknown_file_is_an_error(source: Path) -> None:
    files = open_files(source)
    for path in (
        "nothing",
        "a",
        "../folder/a.txt",
        "/etc/passwd",
        "a/1.bin/x",
        "z\0",
        "\udc80",
    ):
        with pytest.raises(DataError, match="has no file"):
            files.read(path)
        with pytest.raises(DataError, match="has no file"):
            list(files.read_many([path]))


def test_a_compressed_tar_is_read_in_its_own_order(tmp_path: Path) -> None:
    files = open_files(tarred(tmp_path / "a.tar.gz", CONTENT))
    paths = [path for path, _ in files.read_many(sorted(CONTENT))]
    assert paths == list(CONTENT)


def test_stamps_change_with_the_file(tmp_path: Path) -> None:
    top = placed(tmp_path / "f", {"x": b"1"})
    os.utime(top / "x", ns=(5, 7))
    assert open_files(top).listing()["stamp"].to_list() == [7]
    crc = open_files(zipped(tmp_path / "a.zip", {"x": b"1"})).listing()["stamp"].to_list()
    assert crc == [zlib.crc32(b"1")]
    assert open_files(tarred(tmp_path / "a.tar", {"x": b"1"})).listing()["stamp"].to_list() == [
        1_600_000_000
    ]


def test_a_zip_that_follows_other_bytes_or_has_a_comment(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", CONTENT)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"PK\x05\x06 is what the end begins with"
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert bytes_of(open_files(path)) == CONTENT


def _zip64(path: Path, content: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    return zipped(path, content)


@pytest.mark.parametrize("before", [b"", b"some other bytes"])
def test_a_zip_of_the_large_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    path = _zip64(tmp_path / "a.zip", CONTENT, monkeypatch)
    data = path.read_bytes()
    assert b"PK\x06\x06" in data
    path.write_bytes(before + data)
    assert bytes_of(open_files(path)) == CONTENT


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_every_kind_of_tar(tmp_path: Path, form: int) -> None:
    content = {"/".join(["long" * 10] * 5) + "/1.jpg": b"1", "short": b"2"}
    assert bytes_of(open_files(tarred(tmp_path / "a.tar", content, form))) == content


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_reported(tmp_path: Path) -> None:
    top = placed(tmp_path / "top", {"locked/1.jpg": b"1", "x": b"2"})
    (top / "locked").chmod(0)
    try:
        with pytest.raises(DataError, match="locked cannot be read"):
            open_files(top)
    finally:
        (top / "locked").chmod(0o700)
