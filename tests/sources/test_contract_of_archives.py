"""Every source reads its layout from archives, and from damaged ones."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likewise.errors import LikewiseError
from likewise.sources import SOURCES
from smallest_layouts import (
    OPTIONS,
    PICTURES,
    layout,
    read,
)


@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_archives_are_read_as_folders(tmp_path: Path, kind: str) -> None:
    top = layout(kind, tmp_path / "top")
    expected = read(kind, top).items
    files = [path for path in sorted(top.rglob("*"), reverse=True) if path.is_file()]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in files:
            archive.write(path, path.relative_to(top))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for path in files:
            tar.add(path, path.relative_to(top))
    for name in ("a.zip", "a.tar.gz"):
        assert read(kind, tmp_path / name).items.equals(expected), name


def tarred(top: Path, mode: str = "w", *more: tarfile.TarInfo) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:  # type: ignore[call-overload]
        tar.add(top, ".", filter=lambda info: info.replace(mtime=0, deep=False))
        for member in more:
            tar.addfile(member)
    return stream.getvalue()


def zipped(top: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(top.rglob("*")):
            archive.write(path, path.relative_to(top))
    return stream.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(255 - byte for byte in data[at : at + 40]) + data[at + 40 :]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


FINDING = "refused"
PARTLY = "the items before the cut, and a finding; or an error about what is missing"
DAMAGED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "cut.tar": (lambda top: half(tarred(top)), PARTLY),
    "cut.tar.gz": (lambda top: half(tarred(top, "w:gz")), PARTLY),
    "cut.zip": (lambda top: half(zipped(top)), "is damaged or truncated"),
    "flipped.tar.gz": (
        lambda top: flipped(tarred(top, "w:gz"), 200),
        "is damaged or truncated",
    ),
    "flipped.zip": (lambda top: flipped(zipped(top), -60), "is damaged or truncated"),
    "empty.tar": (lambda _: b"", "is an empty file; download or create it again"),
    "page.zip": (lambda _: b"<html>Please log in</html>", "is damaged or truncated"),
    "other.7z": (lambda _: b"7z\xbc\xaf\x27\x1c" + bytes(600), "is a 7z archive"),
    "hollow.tar": (lambda _: bytes(10240), "contains no files"),
    "twins.tar": (
        lambda top: tarred(top, "w", member("a.jpg"), member("./a.jpg")),
        FINDING,
    ),
    "out.tar": (lambda top: tarred(top, "w", member("../../a.jpg")), FINDING),
    "link.tar": (lambda top: tarred(top, "w", member("a.jpg", tarfile.SYMTYPE, "/x")), FINDING),
}
"""Damaged archives of a layout, and the place that the error names: archive or member."""


@pytest.mark.no_cover  # test_damaged_archives.py covers the same lines
@pytest.mark.parametrize("kind", SOURCES.kinds())
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_archive_is_one_error_or_a_finding(
    tmp_path: Path, kind: str, name: str
) -> None:
    make, said = DAMAGED[name]
    archive = tmp_path / name
    archive.write_bytes(make(layout(kind, tmp_path / "top")))
    if said == FINDING:
        reading = read(kind, archive)
        expected = read(kind, tmp_path / "top")
        assert reading.items.equals(expected.items)
        new = set(reading.findings["check"]) - set(expected.findings["check"])
        assert new == {FINDING}
        return
    if said == PARTLY:
        with suppress(LikewiseError):
            assert FINDING in set(read(kind, archive).findings["check"])
        return
    with pytest.raises(LikewiseError) as caught:
        read(kind, archive)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.no_cover  # the damage tests of each source cover the same lines
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("kind", SOURCES.kinds())
def test_any_byte_may_be_another(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    top = tmp_path / "top"
    if not top.exists():
        layout(kind, top)
    pictures = {suffix.lower() for suffix, *_ in PICTURES}
    explain = [p for p in sorted(top.rglob("*.*")) if p.suffix.lower() not in pictures]
    packed = data.draw(st.sampled_from(["a.tar", "a.tar.gz", "a.zip", *map(str, explain)]))
    path, place = Path(packed), top
    if path in explain:
        whole = path.read_bytes()
    else:
        path = place = tmp_path / packed
        modes = {".tar": "w", ".gz": "w:gz"}
        mode = modes.get(path.suffix)
        whole = tarred(top, mode) if mode else zipped(top)
    at = data.draw(st.integers(0, len(whole)))
    new = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from([b"\xff", b"{", b'"'])))
    path.write_bytes(whole[:at] + new + whole[at + data.draw(st.integers(0, 9)) :])
    try:
        with suppress(LikewiseError):
            reading = read(kind, place)
            assert reading.items["item_id"].is_unique().all()
            assert reading.findings["finding_id"].is_unique().all()
            files = SOURCES.build({"kind": kind, **OPTIONS.get(kind, {})}, "card").open(place)
            list(files.read_many(reading.items["image_id"].unique()))
    finally:
        path.write_bytes(whole)
