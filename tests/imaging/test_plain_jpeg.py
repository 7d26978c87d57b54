"""A plain JPEG is read as by Pillow, and all others are left to Pillow."""

import random
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from likewise.imaging import probe as probing
from likewise.imaging.plain_jpeg import read_plain_jpeg
from likewise.imaging.probe import BadImage, ImageInfo, probe

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def encoded(mode: str = "RGB", size: tuple[int, int] = (20, 12), **options: object) -> bytes:
    out = BytesIO()
    Image.new(mode, size, 77).save(out, "JPEG", **options)
    return out.getvalue()


PLAIN = {
    "colour": encoded(),
    "grey": encoded("L", (1, 300)),
    "progressive": encoded(progressive=True),
    "comment": encoded(comment=b"\xff\xd9 and more"),
    "restart": encoded(restart_marker_blocks=1),
    "zeros after the end": encoded() + b"\0\0",
}


def by_pillow(data: bytes, monkeypatch: pytest.MonkeyPatch) -> ImageInfo | str:
    """The facts of an image, or its fault, without the reader of plain files."""
    with monkeypatch.context() as patched:
        patched.setattr(probing, "read_plain_jpeg", lambda _: None)
        try:
            return probe(data)
        except BadImage as bad:
            return bad.check


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_file_is_read_as_by_pillow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_plain_jpeg(PLAIN[name]) is not None
    assert probe(PLAIN[name]) == by_pillow(PLAIN[name], monkeypatch)


@pytest.mark.parametrize(
    "data",
    [
        encoded("CMYK"),
        encoded(exif=b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0"),
        encoded(icc_profile=b"x" * 100),
        encoded()[:-2],
        encoded()[:40],
        b"\xff\xd8\xff\xd9",
        b"",
    ],
    ids=["cmyk", "exif", "profile", "no end", "header", "empty image", "empty"],
)
def test_other_files_are_left_to_pillow(data: bytes) -> None:
    assert read_plain_jpeg(data) is None


def test_damaged_files_are_never_read_as_other_than_by_pillow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few bytes of the header are changed, or some are cut out."""
    draw = random.Random(0)  # noqa: S311 (examples)
    known = 0
    for _ in range(3_000):
        data = bytearray(draw.choice([*PLAIN.values()]))
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(3, min(len(data), 640))] = draw.choice((0, 1, 3, 8, 255, 0xDB))
        if draw.random() < 0.2:
            at = draw.randrange(3, len(data) - 2)
            del data[at : at + draw.randint(1, 9)]
        plain = read_plain_jpeg(bytes(data))
        if plain is not None:
            known += 1
            assert probe(bytes(data)) == by_pillow(bytes(data), monkeypatch)
    assert known > 300


def test_the_samples_are_read_as_by_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted((SAMPLES / "emoji" / "images").glob("*.jpg"))[:40]
    assert files
    for file in files:
        data = file.read_bytes()
        assert probe(data) == by_pillow(data, monkeypatch)
