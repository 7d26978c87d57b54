"""Unsafe, repeated and undecodable names of files and members are refused and reported."""

import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives import placed
from likewise.errors import DataError
from likewise.formats.archives import open_files
from packed import bytes_of, made, tarred, zipped


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


def test_names_that_are_not_utf8_are_distinguished(tmp_path: Path) -> None:
    names = [b"caf\xe9.jpg", b"caf\\xe9\xff.jpg", "café.jpg".encode()]
    escaped = ["caf\\\\xe9\\xff.jpg", "caf\\xe9.jpg"]
    top = tmp_path / "top"
    top.mkdir()
    for name in names:
        Path(os.fsdecode(os.fsencode(top) + b"/" + name)).write_bytes(b"x")
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name.decode("utf-8", "surrogateescape")))
    # The names with the flag for UTF-8, and in UTF-8 without it, as a Mac writes them.
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
def test_twins_in_an_archive_are_refused(tmp_path: Path, kind: str) -> None:
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
    files = open_files(path)
    assert files.listing()["path"].to_list() == ["single"]
    assert [name for name, _ in files.refused] == names
    with pytest.raises(DataError) as error:
        open_files(path, strict=True)
    assert str(error.value) == (
        f"{path} repeats member names: "
        "'0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg' and 2 more; pack it again"
    )


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
    # The writers change these: NUL ends a name, and a final '/' makes a folder.
    names = [n for n in names if "\0" not in n and not n.endswith("/")] or ["x"]
    path = made(kind, tmp_path_factory.mktemp("names"), {n: n.encode() for n in names})
    files = open_files(path)
    if files.damage:
        assert "repeats member names" in files.damage[0]
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
