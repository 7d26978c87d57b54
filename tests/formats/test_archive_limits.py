"""Archives with false sizes, or that unpack to more than a computer holds."""

import gzip
import io
import struct
import tarfile
import zlib
from pathlib import Path

import pytest

from likewise.errors import DamagedError
from likewise.formats.archives import open_files
from packed import bytes_of

GOOD = b"a file like any other"
LIMIT = 2 << 30


class Member:
    """A member of a zip that may have false sizes."""

    def __init__(
        self, name: str, data: bytes, *, size: int = -1, packed: int = -1, deflate: bool = False
    ) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.name, self.crc, self.method = name.encode(), zlib.crc32(data), 8 * deflate
        self.stored = packer.compress(data) + packer.flush() if deflate else data
        self.size = len(data) if size < 0 else size
        self.packed = len(self.stored) if packed < 0 else packed


def packed_zip(path: Path, members: list[Member], *, overlap: bool = False) -> Path:
    """Write a zip; with ``overlap`` all members share the bytes of the first."""
    body, directory = b"", b""
    for member in members:
        at = 0 if overlap else len(body)
        if at == len(body):
            names = struct.pack("<2H", len(member.name), 0)
            body += b"PK\3\4" + bytes(22) + names + member.name + member.stored
        extra = struct.pack("<2H2Q", 1, 16, member.size, member.packed)
        facts = (member.method, 0, 0, member.crc, 2**32 - 1, 2**32 - 1, len(member.name), 20)
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, *facts, 0, 0, 0, 0, at)
        directory += member.name + extra
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, *[len(members)] * 2, len(directory), len(body), 0
    )
    path.write_bytes(body + directory + end)
    return path


def tar_header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % tarfile.BLOCKSIZE)


def tar_member(name: str, data: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    return tar_header(name, len(data), kind) + padded(data)


END = bytes(2 * tarfile.BLOCKSIZE)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (Member("x", GOOD, packed=1 << 40), "after the end of the archive"),
        (Member("x", GOOD, size=1 << 62), "at most 2,147,483,648 are read"),
        (Member("x", GOOD, size=2**64 - 1, packed=2**64 - 1), "at most"),
        (Member("x", GOOD, size=LIMIT + 1, deflate=True), "at most"),
        (Member("x", GOOD, size=10**6, deflate=True), "cannot unpack to"),
    ],
)
def test_a_member_of_a_zip_with_a_false_size_is_refused_and_the_rest_is_read(
    tmp_path: Path, member: Member, said: str
) -> None:
    files = open_files(packed_zip(tmp_path / "a.zip", [Member("good", GOOD), member]))
    assert bytes_of(files) == {"good": GOOD}
    ((name, reason),) = files.refused
    assert name == "x"
    assert said in reason


def test_members_that_share_their_bytes_are_refused_but_the_first(tmp_path: Path) -> None:
    twins = [Member(f"{n}", GOOD * 1000, deflate=True) for n in range(200)]
    files = open_files(packed_zip(tmp_path / "a.zip", twins, overlap=True))
    assert bytes_of(files) == {"0": GOOD * 1000}
    assert len(files.refused) == 199
    assert "overlaps" in files.refused[0][1]


def test_a_member_of_a_tar_that_is_too_large_is_refused(tmp_path: Path) -> None:
    first, last = tar_member("first", GOOD), tar_member("last", GOOD)
    with (tmp_path / "a.tar").open("wb") as tar:  # a sparse file
        tar.write(first + tar_header("x", LIMIT + 512))
        tar.seek(LIMIT + 512, io.SEEK_CUR)
        tar.write(last + END)
    files = open_files(tmp_path / "a.tar")
    assert bytes_of(files) == {"first": GOOD, "last": GOOD}
    assert files.refused == [
        ("x", "it has 2,147,484,160 bytes; at most 2,147,483,648 are read")
    ]


@pytest.mark.parametrize("size", [1 << 40, 1 << 80])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_tar_that_ends_within_a_huge_member_keeps_what_came_before(
    tmp_path: Path, size: int, pack: "type[bytes]"
) -> None:
    tar = tar_member("good", GOOD) + tar_header("x", size) + padded(GOOD) + END
    (tmp_path / "a.tar").write_bytes(pack(tar))
    files = open_files(tmp_path / "a.tar")
    assert bytes_of(files) == {"good": GOOD}
    ((name, reason),) = files.refused
    assert name == "x"
    assert reason.endswith("nothing after it can be read")


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME], ids=repr
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_header_that_would_fill_the_memory_is_skipped(
    tmp_path: Path, kind: bytes, whole: bool
) -> None:
    size = (2 << 20) if whole else (1 << 34)
    huge = tar_header("header", size, kind) + (bytes(size) if whole else padded(b"20 path=a\n"))
    rest = tar_member("named-by-it", GOOD) + tar_member("last", GOOD) if whole else b""
    (tmp_path / "a.tar").write_bytes(tar_member("good", GOOD) + huge + rest + END)
    files = open_files(tmp_path / "a.tar")
    assert bytes_of(files) == {"good": GOOD, **({"last": GOOD} if whole else {})}
    ((name, reason),) = files.refused
    assert name == ("named-by-it" if whole else "header")
    assert "more than 1,048,576 bytes" in reason


def test_headers_that_follow_each_other_without_end_are_one_error(tmp_path: Path) -> None:
    chain = tar_member("h", b"12 path=ab\n", tarfile.XHDTYPE) * 3000
    (tmp_path / "a.tar").write_bytes(chain + tar_member("good", GOOD) + END)
    with pytest.raises(DamagedError, match=r"a\.tar is damaged"):
        open_files(tmp_path / "a.tar")
