"""One image or file never ends the reading of the others."""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image

from likewise.formats.archives import open_files
from likewise.imaging import probe_many
from likewise.imaging.probe import BadImage, probe
from likewise.imaging.probe_many import probe_files
from packed import zipped


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, "PNG")
    return stream.getvalue()


def bmp(width: int, height: int) -> bytes:
    """A BMP of 154 bytes that claims a size."""
    head = struct.pack("<IHHI", 154, 0, 0, 54)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + head + info + bytes(100)


@pytest.mark.parametrize("size", [(100_000_000, 1), (1, 100_000_000), (2**31 - 1, 2**31 - 1)])
def test_an_image_that_claims_a_size_is_a_fault(size: tuple[int, int]) -> None:
    with pytest.raises(BadImage) as caught:
        probe(bmp(*size))
    assert caught.value.check in ("too-large", "truncated", "unreadable")


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_cannot_be_read_is_a_fault_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(probe_many, "MAX_IMAGE_BYTES", 5_000)
    content = {f"{n}.png": png() for n in range(4)}
    content |= {"huge.png": png() + bytes(9_000), "wide.bmp": bmp(100_000_000, 1)}
    if packed:
        path = zipped(tmp_path / "a.zip", {**content, "bad.png": b"some bytes"})
        path.write_bytes(path.read_bytes().replace(b"some bytes", b"same bytes"))
    else:
        path = tmp_path / "a"
        path.mkdir()
        for name, data in content.items():
            (path / name).write_bytes(data)
    files = open_files(path)
    batches = list(probe_files(files, files.listing()))
    images = [name for batch in batches for name in batch.images["image_id"].to_pylist()]
    assert images == [f"{n}.png" for n in range(4)]
    faults = {name: (check, text) for batch in batches for name, check, text in batch.faults}
    assert faults["huge.png"][0] == "too-large"
    assert "at most 5,000 are read" in faults["huge.png"][1]
    assert faults["wide.bmp"][0] == "too-large"
    if packed:
        assert faults["bad.png"] == ("unreadable", "it cannot be read: its checksum differs")
    assert set(faults) == {"huge.png", "wide.bmp", *(["bad.png"] if packed else [])}


def test_a_large_file_is_alone_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_many, "_HEAVY_BYTES", 1_000)
    monkeypatch.setattr(probe_many, "CHUNK_BYTES", 200)
    path = zipped(
        tmp_path / "a.zip", {f"{n}.png": png() + bytes(3_000 * (n % 3 == 1)) for n in range(9)}
    )
    files = open_files(path)
    batches = list(probe_files(files, files.listing()))
    images = [name for batch in batches for name in batch.images["image_id"].to_pylist()]
    assert images == [f"{n}.png" for n in range(9)]
