"""A folder and every kind of archive of it hold the same files, and lose none unsaid."""

import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives import placed
from likewise.errors import DataError
from likewise.files import Files, is_archive, open_files

CONTENT = {
    "b/2.bin": b"two" * 1000,
    "a/1.bin": b"one",
    "a/.hidden": b"",
    "a.txt": b"dot sorts before slash",
    "Ä/\u4e2d\n.bin": os.urandom(5000),
    "\U0001f600.bin": b"beyond the basic plane",
    "\ufffd.bin": b"before it by code point, after it in UTF-16",
}
KINDS = ["folder", "zip", "deflated.zip", "tar", "tar.gz", "tgz", "tar.xz", "tar.bz2"]


def zipped(path: Path, content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, content: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    modes = {".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2"}
    with tarfile.open(path, modes.get(path.suffix, "w"), format=form) as archive:  # type: ignore[call-overload]
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1_600_000_000
            archive.addfile(member, io.BytesIO(data))
    return path


def made(kind: str, path: Path, content: dict[str, bytes]) -> Path:
    if kind == "folder":
        return placed(path / "folder", content)
    if kind == "zip":
        return zipped(path / "a.zip", content)
    if kind == "deflated.zip":
        return zipped(path / "d.zip", content, zipfile.ZIP_DEFLATED)
    return tarred(path / f"a.{kind}", content)


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return made(request.param, tmp_path, CONTENT)


def bytes_of(files: Files) -> dict[str, bytes]:
    return dict(files.read_many(files.listing()["path"]))


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
        with pytest.raises(DataError, match="holds no file"):
            files.read(path)
        with pytest.raises(DataError, match="holds no file"):
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


def test_dots_and_double_slashes_in_members_mean_nothing(tmp_path: Path) -> None:
    odd = {"./images//1.jpg": b"1", "images/./2.jpg": b"2", "a../..b": b"3"}
    plain = ["a../..b", "images/1.jpg", "images/2.jpg"]
    for path in (zipped(tmp_path / "a.zip", odd), tarred(tmp_path / "a.tar", odd)):
        files = open_files(path)
        assert files.listing()["path"].to_list() == plain
        assert files.read("images/1.jpg") == b"1"


BAD_NAMES = ["/etc/x", "../x", "a/../../x", "..\\x", "C:\\x", "C:x", "\\\\host\\x"]


def test_members_that_lead_out_are_refused(tmp_path: Path) -> None:
    content = {**dict.fromkeys(BAD_NAMES, b"x"), "good": b"g"}
    for path in (zipped(tmp_path / "a.zip", content), tarred(tmp_path / "a.tar.gz", content)):
        files = open_files(path)
        assert files.listing()["path"].to_list() == ["good"]
        assert [name for name, _ in files.refused] == sorted(BAD_NAMES)
        assert {why for _, why in files.refused} == {
            "its path is absolute",
            "its path leads upwards",
        }


def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in [
            ("hard", tarfile.LNKTYPE),
            ("soft", tarfile.SYMTYPE),
            ("device", tarfile.CHRTYPE),
            ("pipe", tarfile.FIFOTYPE),
            ("folder", tarfile.DIRTYPE),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "good"
            archive.addfile(member)
        archive.addfile(tarfile.TarInfo("good"))
    files = open_files(tmp_path / "a.tar")
    assert files.listing()["path"].to_list() == ["good"]
    assert files.refused == [
        ("device", "not a plain file"),
        ("hard", "a link"),
        ("pipe", "not a plain file"),
        ("soft", "a link"),
    ]


def test_links_and_encrypted_members_of_a_zip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("folder/", b"")
        archive.writestr("packed", b"x" * 100, zipfile.ZIP_LZMA)
        archive.writestr("secret", b"x")
        archive.writestr("good", b"g")
    data = bytearray(path.read_bytes())
    data[data.rindex(b"secret") - 46 + 8] |= 1
    path.write_bytes(data)
    files = open_files(path)
    assert files.listing()["path"].to_list() == ["good"]
    assert files.refused == [
        ("link", "a link"),
        ("packed", "compressed by method 14; only stored and deflated are read"),
        ("secret", "it is encrypted"),
    ]


def test_links_in_a_folder(tmp_path: Path) -> None:
    top = placed(tmp_path / "top", {"real/1.jpg": b"1"})
    elsewhere = placed(tmp_path / "elsewhere", {"2.jpg": b"2"})
    (top / "file.jpg").symlink_to(elsewhere / "2.jpg")
    (top / "dir").symlink_to(elsewhere)
    (top / "gone.jpg").symlink_to(top / "nothing")
    (top / "self.jpg").symlink_to(top / "self.jpg")
    (top / "real" / "up").symlink_to(top)
    (elsewhere / "back").symlink_to(top / "real")
    os.mkfifo(top / "pipe")
    files = open_files(top)
    assert bytes_of(files) == {
        "dir/2.jpg": b"2",
        "dir/back/1.jpg": b"1",
        "file.jpg": b"2",
        "real/1.jpg": b"1",
    }
    assert files.refused == [
        ("dir/back/up", "a link to a folder that it lies in"),
        ("gone.jpg", "a link to nothing"),
        ("pipe", "not a file"),
        ("real/up", "a link to a folder that it lies in"),
        ("self.jpg", "a link to nothing"),
    ]


def test_names_that_are_not_utf8_are_told_apart(tmp_path: Path) -> None:
    names = [b"caf\xe9.jpg", b"caf\\xe9\xff.jpg", "café.jpg".encode()]
    escaped = ["caf\\\\xe9\\xff.jpg", "caf\\xe9.jpg"]
    top = tmp_path / "top"
    top.mkdir()
    for name in names:
        Path(os.fsdecode(os.fsencode(top) + b"/" + name)).write_bytes(b"x")
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name.decode("utf-8", "surrogateescape")))
    # The same names with the flag that says UTF-8, and (a Mac's habit) UTF-8 without it.
    place = zipped(
        tmp_path / "a.zip", dict.fromkeys(("caf_.jpg", "caf\\xe9_.jpg", "caf__.jpg"), b"")
    )
    data = place.read_bytes()
    for plain, odd in zip((b"caf_.jpg", b"caf\\xe9_.jpg", b"caf__.jpg"), names, strict=True):
        data = data.replace(plain, odd)
    place.write_bytes(data)
    for path in (top, tmp_path / "a.tar", place):
        files = open_files(path)
        assert files.listing()["path"].to_list() == ["café.jpg"]
        assert files.undecodable == escaped


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_twins_in_an_archive_are_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    names = [f"{i}.jpg" for i in range(7)]
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in [*names, *names, "single"]:
                archive.writestr(name, b"")
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as tar:
            for name in [*names, *(f"./{n}" for n in names), "single"]:
                tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(DataError) as error:
        open_files(path)
    assert str(error.value) == (
        f"{path} holds several members of one name: "
        "'0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg' and 2 more; pack it anew"
    )


def test_what_is_no_source_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    cases = {
        "absent": (None, "there is nothing at"),
        "empty": (None, "holds no files"),
        "0.zip": (b"", "is an empty file"),
        "text.txt": (b"hello", "is no archive; give a folder, a .zip"),
        "a.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "is a 7z archive, which is not read"),
        "a.tar.zst": (b"\x28\xb5\x2f\xfd" + bytes(50), "is Zstandard data, which is not read"),
        "html.zip": (b"<html>not found</html>", "its end is missing"),
        "html.tar": (b"<html>not found</html>", "truncated header"),
        "hello.gz": (b"\x1f\x8b\x08\0\0\0\0\0", "damaged or cut short"),
        "none.tar": (bytes(10240), "holds no files"),
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
def test_an_archive_cut_anywhere_is_an_error_and_never_a_shorter_listing(
    tmp_path: Path, kind: str
) -> None:
    content = {f"{i}.jpg": os.urandom(300) for i in range(5)}
    path = made(kind, tmp_path, content)
    whole = path.read_bytes()
    end = len(whole)
    if kind == "tar":  # beyond the two zero blocks of its end lies only padding
        end = 5 * 1024 + 512
    for length in range(1, end, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            open_files(path)


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
    if kind.endswith("zip"):  # whose members have checksums
        assert set(bytes_of(files).values()) <= set(content.values())


@settings(max_examples=100, deadline=None)
@given(
    names=st.lists(
        st.binary(min_size=1, max_size=40).filter(lambda n: not set(n) & {0, ord("/")}),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
def test_any_name_in_a_folder_is_listed_or_reported(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    names = [name for name in names if name not in (b".", b"..")] or [b"x"]
    top = tmp_path_factory.mktemp("names")
    for name in names:
        Path(os.fsdecode(os.fsencode(top) + b"/" + name)).write_bytes(name)
    files = open_files(top)
    assert sorted(bytes_of(files).values()) == sorted(n for n in names if _is_utf8(n))
    assert len(files.undecodable) == sum(not _is_utf8(n) for n in names)
    assert len(set(files.undecodable)) == len(files.undecodable)
    assert all(said.encode().isascii() or said for said in files.undecodable)


@settings(max_examples=100, deadline=None)
@given(
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
        min_size=1,
        max_size=6,
        unique=True,
    )
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_any_name_in_an_archive_is_listed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, kind: str, names: list[str]
) -> None:
    # The writers themselves change these: NUL ends a name, a last '/' makes a folder.
    names = [n for n in names if "\0" not in n and not n.endswith("/")] or ["x"]
    path = made(kind, tmp_path_factory.mktemp("names"), {n: n.encode() for n in names})
    try:
        files = open_files(path)
    except DataError as error:
        assert "several members of one name" in str(error)  # noqa: PT017
        return
    refused = {name for name, _ in files.refused}
    assert len(bytes_of(files)) + len(refused) == len(names)
    assert set(bytes_of(files).values()) == {n.encode() for n in names if n not in refused}


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


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


def test_a_member_of_negative_size_does_not_hang(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.size = -512
    data = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    (tmp_path / "a.tar").write_bytes(bytes(data) + bytes(1024))
    with pytest.raises(DataError, match="negative size"):
        open_files(tmp_path / "a.tar")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    top = placed(tmp_path / "top", {"locked/1.jpg": b"1", "x": b"2"})
    (top / "locked").chmod(0)
    try:
        with pytest.raises(DataError, match="locked cannot be read"):
            open_files(top)
    finally:
        (top / "locked").chmod(0o700)


def test_a_member_whose_bytes_changed_is_noticed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x": b"abcdef", "y": b"fine"})
    files = open_files(path)
    path.write_bytes(path.read_bytes().replace(b"abcdef", b"abcdeg"))
    with pytest.raises(DataError, match="'x' is damaged or cut short"):
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
        with pytest.raises(DataError, match="is damaged or cut short"):
            read()


def test_many_files_are_listed_quickly(tmp_path: Path, timed: Callable[[], float]) -> None:
    for i in range(2000):
        (tmp_path / f"{i}.jpg").touch()
    timed()
    assert open_files(tmp_path).listing().height == 2000
    assert timed() < 1.0  # 0.01 s where nothing else runs


@pytest.fixture
def timed() -> Callable[[], float]:
    from time import perf_counter

    last = [perf_counter()]

    def passed() -> float:
        before, last[0] = last[0], perf_counter()
        return last[0] - before

    return passed
