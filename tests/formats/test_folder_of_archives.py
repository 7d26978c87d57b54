"""Archives in a folder and tars in a tar are read like folders."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archives import placed, tarred, zipped
from likewise.errors import DataError
from likewise.formats.archives import FileCollection, open_files

INNER = {"n1/a.jpg": b"one", "n1/b.jpg": b"two" * 500, "n2/a.jpg": b""}


def tar_of_tars() -> dict[str, bytes]:
    """Make one tar per class, as in the training tar of ImageNet."""
    classes = {"n1.tar": {"a.jpg": b"one", "b.jpg": b"two" * 500}, "n2.tar": {"a.jpg": b""}}
    return {name: tarred(content) for name, content in classes.items()}


EXPECTED = {"n1.tar/a.jpg": b"one", "n1.tar/b.jpg": b"two" * 500, "n2.tar/a.jpg": b""}


def bytes_of(files: FileCollection) -> dict[str, bytes]:
    return dict(files.read_many(files.listing()["path"]))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_tars_in_a_tar_are_folders(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "train.tar"
    path.write_bytes(tarred({**tar_of_tars(), "list.txt": b"n1"}, mode))
    files = open_files(path, open_nested=True)
    assert bytes_of(files) == {**EXPECTED, "list.txt": b"n1"}
    assert files.read("n1.tar/b.jpg") == b"two" * 500
    assert open_files(path).listing()["path"].to_list() == ["list.txt", "n1.tar", "n2.tar"]


def test_archives_in_a_folder_are_folders(tmp_path: Path) -> None:
    top = placed(
        tmp_path,
        {
            "in/train.tar": tarred(tar_of_tars()),
            "val.TAR.gz": tarred({"v.jpg": b"v"}, "w:gz"),
            "more.zip": zipped(INNER),
            "plain/p.jpg": b"p",
            ".hidden.tar": b"left as it is",
        },
    )
    files = open_files(top, open_nested=True)
    expected = {
        **{f"in/train.tar/{name}": data for name, data in EXPECTED.items()},
        "val.TAR.gz/v.jpg": b"v",
        **{f"more.zip/{name}": data for name, data in INNER.items()},
        "plain/p.jpg": b"p",
        ".hidden.tar": b"left as it is",
    }
    assert bytes_of(files) == expected
    assert files.listing()["path"].to_list() == sorted(expected)
    assert files.listing()["nbytes"].sum() == sum(map(len, expected.values()))
    with pytest.raises(DataError, match=r"has no file 'more\.zip/n1'"):
        files.read("more.zip/n1")


def test_only_what_is_in_compressed_tars_costs_a_pass(tmp_path: Path) -> None:
    top = placed(
        tmp_path, {"a.tar": tarred(INNER), "b.tgz": tarred(INNER, "w:gz"), "c.jpg": b""}
    )
    files = open_files(top, open_nested=True)
    assert files.can_seek(pl.Series(["a.tar/n1/a.jpg", "c.jpg"]))
    assert not files.can_seek(pl.Series(["a.tar/n1/a.jpg", "b.tgz/n1/a.jpg"]))


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.jpg", "a/../../up.jpg"])
def test_members_of_inner_tars_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tarred({"n1.tar": tarred({name: b"x", "ok.jpg": b"y"})}))
    files = open_files(path, open_nested=True)
    assert bytes_of(files) == {"n1.tar/ok.jpg": b"y"}
    assert [refused for refused, _ in files.refused] == [f"n1.tar/{name}"]


@pytest.mark.parametrize("kept", [100, 512 + 100, 512 + 600, 512 + 1024])
def test_an_inner_tar_that_is_cut_is_a_finding_and_the_rest_is_read(
    tmp_path: Path, kept: int
) -> None:
    path = tmp_path / "a.tar"
    cut = tarred({"a.jpg": b"a" * 600, "b.jpg": b"b"})[:kept]
    path.write_bytes(tarred({"n1.tar": cut, "n2.tar": tarred({"a.jpg": b""})}))
    files = open_files(path, open_nested=True)
    whole = ["n1.tar/a.jpg"] if kept > 512 + 1024 else []
    assert files.listing()["path"].to_list() == [*whole, "n2.tar/a.jpg"]
    [(name, reason)] = files.refused
    assert name == ("n1.tar" if kept < 512 else "n1.tar/a.jpg")
    assert reason.startswith("the archive is damaged, and nothing from here on can be read (")
    with pytest.raises(DataError, match=r"a\.tar: 'n1\.tar' is damaged or truncated"):
        open_files(path, open_nested=True, strict=True)


def test_an_archive_of_the_folder_that_is_damaged_is_a_finding(tmp_path: Path) -> None:
    placed(tmp_path, {"good.tar": tarred(INNER), "bad.zip": zipped(INNER)[:-30], "x.jpg": b""})
    files = open_files(tmp_path, open_nested=True)
    assert bytes_of(files) == {**{f"good.tar/{n}": d for n, d in INNER.items()}, "x.jpg": b""}
    [(name, reason)] = files.refused
    assert name == "bad.zip"
    assert reason.startswith("is damaged or truncated (its end is missing)")
    with pytest.raises(DataError, match=r"bad\.zip is damaged or truncated"):
        open_files(tmp_path, open_nested=True, strict=True)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_the_members_before_the_cut_of_a_tar_are_read(tmp_path: Path, mode: str) -> None:
    noise = {f"{n}.jpg": np.random.default_rng(n).bytes(5000) for n in range(9)}
    data = tarred(noise, mode)
    path = tmp_path / "a.tar"
    path.write_bytes(data[: len(data) * 2 // 3])
    files = open_files(path)
    contents = bytes_of(files)
    assert 2 <= len(contents) < 9
    assert contents == {name: noise[name] for name in contents}
    assert [name for name, _ in files.refused] == [f"{len(contents)}.jpg"]


def test_other_damage_of_a_compressed_tar_is_an_error(tmp_path: Path) -> None:
    data = bytearray(tarred({f"{n}.jpg": bytes([n]) * 5000 for n in range(9)}, "w:gz"))
    data[-6] ^= 1  # the checksum: any member can be the one that changed
    (tmp_path / "a.tgz").write_bytes(bytes(data))
    with pytest.raises(DataError, match="is damaged or truncated"):
        open_files(tmp_path / "a.tgz")


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 6000), byte=st.integers(0, 255))
def test_a_changed_byte_gives_data_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    data = bytearray(tarred(tar_of_tars()))
    data[at % len(data)] = byte
    path = tmp_path_factory.mktemp("fuzz") / "a.tar"
    path.write_bytes(bytes(data))
    with suppress(DataError):
        bytes_of(open_files(path, open_nested=True))
