"""Measure the memory of an ingest of a million images from one tar.

The images are generated: 4 x 4 pixels each, all different, in 100 folders, in one tar. They are
this small so that the figures show only the cost per row.
"""

import struct
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import data
from measure import LIKEWISE, Table, parser, run, show, together
from tqdm import tqdm

LABELS = 100
MOST_BYTES_A_ROW = 500
"""Bytes that a row may add to the peak (names, hashes, facts): 12 million rows in 6 GB."""


def pictures(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield ``count`` names and PNG files, sorted by name."""
    size = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size)
    tail = _chunk(b"IEND", b"")
    for number in range(count):
        colour = struct.pack(">I", number * 2654435761 % 2**32)
        rows = (b"\0" + colour * 3) * 4
        label, name = divmod(number, count // LABELS)
        yield f"{label:04d}/{name:06d}.png", head + _chunk(b"IDAT", zlib.compress(rows)) + tail


def tar_of(path: Path, count: int) -> Path:
    """Make a tar of ``count`` images."""
    with path.open("wb") as file:
        for name, content in tqdm(pictures(count), total=count, unit="img", desc="make"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.write(member.tobuf(tarfile.USTAR_FORMAT) + content)
            file.write(bytes(-len(content) % tarfile.BLOCKSIZE))
        file.write(bytes(2 * tarfile.BLOCKSIZE))
    return path


def measure(work: Path, count: int) -> tuple[float, float, float]:
    """Return the seconds of an ingest of ``count`` images and of a second one; peak MB."""
    tar = tar_of(work / f"{count}.tar", count)
    first, second = work / f"{count}", work / f"{count}-again"
    for root in (first, second):
        data.catalogue(root, "many", "folder", tar)
    _, peak = together(LIKEWISE, "ingest", "many", cwd=second)
    seconds = run(LIKEWISE, "ingest", "many", cwd=first).seconds
    again = run(LIKEWISE, "ingest", "many", cwd=first).seconds
    digests = first / "catalog" / "many" / "columns" / "items.yaml"
    if f"rows: {count}\n" not in digests.read_text(encoding="utf-8"):
        raise SystemExit(f"not all of the {count} images are in the table")
    return seconds, again, peak


def main() -> None:
    """Measure a tenth of the images, then all of them."""
    small = parser(__doc__).parse_args().small
    many = 10_000 if small else 1_000_000
    few = many // 10
    table = Table(f"Ingest of {many:,} images from a tar; peer: {few:,}", small=small)
    with data.work() as work:
        seconds_few, again_few, peak_few = measure(work, few)
        seconds, again, peak = measure(work, many)
    table.at_most(
        "ingest, time an image", seconds / many * 1e6, seconds_few / few * 1e6, None, "us"
    )
    table.at_most(
        "again, nothing changed", again / many * 1e6, again_few / few * 1e6, None, "us"
    )
    table.note("peak memory", show(peak, "MB"), show(peak_few, "MB"))
    row = (peak - peak_few) * 1e6 / (many - few)
    table.below("peak memory, what a row adds", row, MOST_BYTES_A_ROW, "bytes")
    table.print()


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


if __name__ == "__main__":
    sys.exit(main())
