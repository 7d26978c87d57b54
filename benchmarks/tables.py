"""Measure an ingest of a million rows of a table that is joined with two others.

    python benchmarks/tables.py [--small] [--rows N]

The images are those of million.py, in one tar. ``images.csv`` names each of them,
``labels.csv`` has the label of each by its id, and ``classes.csv`` the name of each class. The
peer of the time is the source ``gpr1200``, which reads the same tar by names of files alone, in
the same run.
"""

import sys
import tarfile
from pathlib import Path

import data
import million
from measure import LIKEWISE, Cost, Table, parser, run, show, together

PER_CLASS = 100
MOST_BYTES_A_ROW = 500
MOST_TIMES = 1.3
TABLES = "images.csv; labels.csv on id; classes.csv on class"


def make(work: Path, count: int) -> tuple[Path, Path]:
    """Make the tar of ``count`` images and the folder of the tables."""
    tar, folder = work / f"{count}.tar", work / f"{count}-tables"
    folder.mkdir()
    with (
        tar.open("wb") as file,
        (folder / "images.csv").open("w", encoding="utf-8") as images,
        (folder / "labels.csv").open("w", encoding="utf-8") as labels,
    ):
        images.write("id,image,weight\n")
        labels.write("id,class\n")
        for number, (_, content) in enumerate(million.pictures(count)):
            name = f"images/{number // PER_CLASS}_{number:07d}.png"
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.write(member.tobuf(tarfile.USTAR_FORMAT) + content)
            file.write(bytes(-len(content) % tarfile.BLOCKSIZE))
            images.write(f"{number},{name},{number % 1000 / 1000}\n")
            labels.write(f"{count - 1 - number},{(count - 1 - number) // PER_CLASS}\n")
        file.write(bytes(2 * tarfile.BLOCKSIZE))
    classes = (f"{number},class {number}\n" for number in range(-(-count // PER_CLASS)))
    (folder / "classes.csv").write_text(f"class,label\n{''.join(classes)}", encoding="utf-8")
    return tar, folder


def catalogue(root: Path, kind: str, tar: Path, tables: Path) -> Path:
    """Make a catalogue with the data set ``many``."""
    run("git", "init", "--quiet", root)
    run(LIKEWISE, "init", root)
    words: list[object] = ["--source", kind, "--path", tar]
    if kind == "table":
        words += ["--annotations", tables, "--option", f"tables={TABLES}"]
    run(LIKEWISE, "add", "many", *words, cwd=root)
    return root


def measure(work: Path, count: int) -> tuple[Cost, Cost, float]:
    """Return the cost of an ingest by table, by gpr1200, and the peak memory of table."""
    tar, tables = make(work, count)
    peak_root = catalogue(work / f"{count}-peak", "table", tar, tables)
    roots = {kind: catalogue(work / f"{count}-{kind}", kind, tar, tables) for kind in KINDS}
    costs = {kind: run(LIKEWISE, "ingest", "many", cwd=root) for kind, root in roots.items()}
    _, peak = together(LIKEWISE, "ingest", "many", cwd=peak_root)
    for root in roots.values():
        digests = root / "catalog" / "many" / "columns" / "items.yaml"
        if f"rows: {count}\n" not in digests.read_text(encoding="utf-8"):
            raise SystemExit(f"not all of the {count} images are in the table")
    tar.unlink()
    return costs["table"], costs["gpr1200"], peak


KINDS = ("gpr1200", "table")


def main() -> None:
    """Measure a tenth of the rows, then all of them."""
    made = parser(__doc__)
    made.add_argument("--rows", type=int, default=1_000_000)
    options = made.parse_args()
    many = 10_000 if options.small else options.rows
    few = many // 10
    with data.work() as work:
        _, _, peak_few = measure(work, few)
        ours, peer, peak = measure(work, many)
    table = Table(f"Ingest of {many:,} rows of joined tables", small=options.small)
    table.at_most(
        "ingest by table, time a row; peer: by gpr1200",
        ours.seconds / many * 1e6,
        peer.seconds / many * 1e6,
        MOST_TIMES,
        "us",
    )
    table.note("peak memory; peer: a tenth of the rows", show(peak, "MB"), show(peak_few, "MB"))
    row = (peak - peak_few) * 1e6 / (many - few)
    table.below("peak memory, what a row adds", row, MOST_BYTES_A_ROW, "bytes")
    table.print()


if __name__ == "__main__":
    sys.exit(main())
