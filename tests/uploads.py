"""Hostile pictures sent to a page: ``python tests/uploads.py --cases 2000``.

Every answer must be a picture's hits or a refusal (4xx), and no traceback may be logged.
"""

import argparse
import io
import logging
import random
import struct
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from emoji_catalogue import EMOJI
from page_client import OWN, Page

KINDS = ("image/jpeg", "image/png", "image/webp", "image/gif")
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "ICO", "PDF")


def hostile(cases: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Content types and bodies: damaged, disguised, too large, or not pictures at all."""
    draw = random.Random(seed)  # noqa: S311 (test data)
    seeds = [*map(_encoded, FORMATS), *_bombs(), *_others()]
    changes = (_same, _cut, _flipped, _repeated, _joined, _headed)
    for _ in range(cases):
        data = draw.choice(changes)(draw.choice(seeds), draw.choice(seeds), draw)
        yield draw.choice(KINDS), data


def _encoded(name: str) -> bytes:
    out = io.BytesIO()
    Image.open(EMOJI / "images" / "200_noto.jpg").resize((48, 48)).save(out, name)
    return out.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    size, checksum = struct.pack(">I", len(data)), struct.pack(">I", zlib.crc32(kind + data))
    return size + kind + data + checksum


def png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = _chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + pixels + _chunk(b"IEND", b"")


def _bombs() -> Iterator[bytes]:
    """Small files that claim many pixels, or text that inflates to much more."""
    yield png(60_000, 60_000)
    yield png(7_100, 7_100)
    yield b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6) + b";"
    text = _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 24)))
    whole = png(8, 8)
    yield whole[:33] + text + whole[33:]
    yield b"P6 40000 40000 255\n" + bytes(300)


def _others() -> Iterator[bytes]:
    """Files of other kinds, some with the beginning of a picture."""
    yield b""
    yield b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    yield b"<!doctype html><script>alert(1)</script>"
    yield b"PK\x03\x04" + bytes(200)
    yield b'{"id": "200_noto.jpg"}'
    yield b"/etc/passwd"
    yield b"\xff\xd8\xff\xe0<script>alert(1)</script>"
    yield b"RIFF\xff\xff\xff\x7fWEBPVP8 " + bytes(100)
    yield b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"


def _same(data: bytes, _: bytes, draw: random.Random) -> bytes:
    return data


def _cut(data: bytes, _: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _flipped(data: bytes, _: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _number in range(min(len(changed), draw.choice((1, 3, 20)))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def _repeated(data: bytes, _: bytes, draw: random.Random) -> bytes:
    middle = draw.randrange(len(data) + 1)
    return data[:middle] + data[max(0, middle - 40) : middle] * 20 + data[middle:]


def _joined(data: bytes, other: bytes, draw: random.Random) -> bytes:
    return data + other


def _headed(data: bytes, other: bytes, draw: random.Random) -> bytes:
    length = draw.randrange(1, 40)
    return other[:length] + data[length:]


def send_all(page: Page, cases: int, seed: int = 0) -> Counter[int]:
    """Send the cases and count the answers by status; a server error raises."""
    counted: Counter[int] = Counter()
    for kind, data in hostile(cases, seed):
        headers = {**OWN, "content-type": kind}
        answer = page.client.post("/api/d/emoji/search?k=1", content=data, headers=headers)
        counted[answer.status_code] += 1
        if answer.status_code not in (200, 415, 422):
            raise AssertionError((answer.status_code, answer.text, kind, data[:200]))
    return counted


def main() -> None:
    """Send pictures to the page of a new catalogue, and print the answers."""
    from emoji_catalogue import make_catalogue
    from likewise.web.settings import Settings
    from page_client import opened

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    log = io.StringIO()
    logging.getLogger("likewise.web").addHandler(logging.StreamHandler(log))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "catalogue")
        root.mkdir()
        make_catalogue(root)
        with opened(Settings(port=8642, workspace=str(root))) as page:
            counted = send_all(page, options.cases, options.seed)
    tracebacks = log.getvalue().count("Traceback")
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(counted.items()))
    sys.stdout.write(f"{options.cases} uploads; answers {answers}; {tracebacks} tracebacks\n")
    sys.exit(bool(tracebacks))


if __name__ == "__main__":
    main()
