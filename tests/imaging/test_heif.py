"""HEIC images are read with an extra, and named without it."""

import builtins
import io

import pytest
from PIL import Image

from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage, probe

HEADER = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def test_heic_is_read_with_its_library() -> None:
    library = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    library.from_pillow(Image.new("RGB", (64, 40), (200, 30, 30))).save(stream, quality=90)
    info = probe(stream.getvalue())
    assert (info.width, info.height, info.mode, info.orientation) == (64, 40, "RGB", 1)
    red, green, _ = decode(stream.getvalue()).getpixel((30, 20))  # type: ignore[misc]
    assert red > 150
    assert green < 80
    with pytest.raises(BadImage) as caught:
        probe(stream.getvalue()[:-40])
    assert caught.value.check in ("truncated", "unreadable")


def test_heic_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: object, **options: object) -> object:
        if name.startswith("pillow_heif"):
            raise ImportError(name)
        return real(name, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadImage, match=r"unread-format: HEIC.*likewise\[heic\]"):
        probe(HEADER + bytes(40))


def test_jpeg_xl_is_named() -> None:
    with pytest.raises(BadImage, match="unread-format: JPEG XL"):
        probe(b"\xff\x0a" + bytes(40))
