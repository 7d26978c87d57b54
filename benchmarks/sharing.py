"""Measure the cost to open, compare, push and pull versions.

    python benchmarks/sharing.py [--small]

Times are measured on a data set of small files, listed twice (100,000 items). The second
version corrects twenty labels.

Bytes are measured on three sets of photographs: those of ``../shared/data`` (18 kB each) with a
small model, and two sets of the sizes of websites and cameras with two ordinary backbones of
1,280 dimensions. All weights are random, which does not change their size. The larger
photographs are mosaics of 4 x 3 and 16 x 12 real photographs, not enlarged, so the bytes per
pixel are those of a photograph. A pull without images is compared with a complete pull, and a
push after a model and its column were added with the first push. The rows below each show the
share of the vectors (one copy, the minimum of a pull of vectors), and of weights and vectors
(two copies: one row per content as embedded, one row per item as published). The remote is a
folder.

The growth of a remote is measured with 10,000 images of 320 x 240 pixels (40 with --small),
with evaluation: after twenty labels were corrected, published and scored, and after a model was
added. The second figure excludes the model's own bytes: its folder, and its vectors twice (as
embedded and as published).
"""

import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import data
from measure import DVC, LIKEWISE, ROOT, Table, parser, run, show

CORRECTED = 20
MANY, LITTLE = 10_000, 40
"""Number of images whose bytes are counted, and the number with --small."""
SIZE = (320, 240)

OPEN = """\
import time
import likewise
likewise.open("files", rev="v1").table.rows
seconds = []
for _ in range(9):
    start = time.perf_counter()
    likewise.open("files", rev="v1").table.rows
    seconds.append(time.perf_counter() - start)
print(sorted(seconds)[4])
"""

DIFF = """\
import time
import likewise
likewise.open("files").table.rows  # load the libraries
start = time.perf_counter()
found = likewise.diff("files", "v1", "v2")
seconds = time.perf_counter() - start
print(seconds, found.counts["relabelled"], found.items[0])
"""

MODEL = "  {name}: {{kind: timm, backbone: {backbone}, weights: random}}\n"
FIRST, SECOND = "test_resnet.r160_in1k", "test_vit.r160_in1k"
LITE, MOBILE = "tf_efficientnet_lite0", "mobilenetv3_large_100"
WEBSITES, CAMERAS = 2_000, 500
"""Number of photographs of 1024 x 768 pixels and of 4096 x 3072 pixels."""


@dataclass(frozen=True)
class Photographs:
    """A set of photographs: kind, folder, and the backbones of its two models."""

    kind: str
    tree: Path
    first: str = FIRST
    second: str = SECOND


def sets(*, small: bool) -> list[Photographs]:
    """Return the sets whose bytes are counted."""
    if small:
        return [Photographs("mosaics", data.mosaics(LITTLE, 2, 2))]
    plain = Photographs(*data.photographs(small=False))
    websites, cameras = data.mosaics(WEBSITES, 4, 3), data.mosaics(CAMERAS, 16, 12)
    return [
        plain,
        Photographs("photographs of 1024 x 768", websites, LITE, MOBILE),
        Photographs("photographs of 4096 x 3072", cameras, LITE, MOBILE),
    ]


def params(models: str) -> str:
    """Return the params.yaml of ``likewise init`` with other models."""
    text = (ROOT / "src/likewise/catalogue/templates/params.yaml").read_text(encoding="utf-8")
    said = f"models:\n{models}\n" if models else "models: {}\n\n"
    return re.sub(r"(?ms)^models:\n.*?^\n", said, text)


def record(root: Path, message: str, *stages: str) -> None:
    """Commit outputs to DVC and everything to git, and set a tag."""
    run(DVC, "commit", "--force", *stages, cwd=root)
    run("git", "add", "--all", cwd=root)
    name = ("-c", "user.name=B", "-c", "user.email=b@example.org")
    run("git", *name, "commit", "--quiet", "--message", message, cwd=root)
    run("git", "tag", message, cwd=root)


def versions(table: Table, tree: Path, root: Path) -> None:
    """Open and compare two versions of a data set of small files."""
    data.catalogue(root, "files", "folder", tree, params(""))
    run(LIKEWISE, "ingest", "files", cwd=root)
    run(LIKEWISE, "publish", "files", cwd=root)
    record(root, "v1", "ingest@files", "publish@files")
    sql = "select item_id from files order by item_id"
    rows = run(LIKEWISE, "query", sql, "--limit", CORRECTED, "--json", cwd=root).output
    items = [row["item_id"] for row in json.loads(rows)]
    run(LIKEWISE, "correct", "files", *items, "--label", "another", cwd=root)
    run(LIKEWISE, "publish", "files", cwd=root)
    record(root, "v2", "publish@files")
    warm = float(run(sys.executable, "-c", OPEN, cwd=root).output)
    seconds, relabelled, count = run(sys.executable, "-c", DIFF, cwd=root).output.split()
    table.below(f"open an earlier version of {int(count):,} items, warm", warm, 0.05)
    table.below(f"diff of two versions of {int(count):,} items", float(seconds), 3)
    said = f"{relabelled} relabelled"
    table.holds("... and it says", said, f"{CORRECTED}", met=relabelled == str(CORRECTED))


def moved(table: Table, given: Photographs, work: Path) -> None:
    """Count the bytes of pushes and pulls."""
    root, remote = work / "photographs", work / "remote"
    models = MODEL.format(name="tiny", backbone=given.first)
    data.catalogue(root, "photos", "folder", given.tree, params(models))
    run(DVC, "remote", "add", "--default", "folder", remote, cwd=root)
    for words in (("ingest", "photos"), ("load", "tiny"), ("embed", "photos", "tiny")):
        run(LIKEWISE, *words, cwd=root)
    run(LIKEWISE, "publish", "photos", cwd=root)
    made = ("ingest@photos", "load@tiny", "embed@photos-tiny", "publish@photos")
    record(root, "one", *made)
    whole = _bytes(root, "push")
    clone = work / "clone"
    run("git", "clone", "--quiet", root, clone)
    run(DVC, "remote", "modify", "folder", "url", remote, cwd=clone)
    light = _bytes(clone, "pull", "--no-images")
    rest = _bytes(clone, "pull")
    each = data.bytes_in(given.tree) / data.files_in(given.tree) / 1e3
    what = f"{given.kind}, {each:,.1f} kB each: pull without images; peer: with images"
    table.at_most(what, light, light + rest, 0.01, "MB")
    dim, _, vectors = _own(root, "tiny")
    table.at_most(f"... its vectors alone, {dim} x float32", vectors, whole, None, "MB")
    add_model(root / "params.yaml", given.second)
    for words in (("load", "second"), ("embed", "photos", "second"), ("publish", "photos")):
        run(LIKEWISE, *words, cwd=root)
    record(root, "two", "load@second", "embed@second", "publish@photos")
    added = _bytes(root, "push")
    less = f"{given.kind}: push after a model and its column were added; peer: the first push"
    table.at_most(less, added, whole, 1 / 50, "MB")
    dim, weights, vectors = _own(root, "second")
    what = f"... its weights, and twice its vectors, {dim} x float32"
    table.at_most(what, weights + 2 * vectors, whole, None, "MB")
    table.at_most("... its vectors, once", vectors, whole, None, "MB")


def _own(root: Path, model: str) -> tuple[int, float, float]:
    """Return the dimensions of a model's vectors, the MB of its folder and of one vector."""
    folder = root / "models" / model
    dim = json.loads((folder / "passport.json").read_text(encoding="utf-8"))["dim"]
    sql = "select count(*) as n from photos"
    count = json.loads(run(LIKEWISE, "query", sql, "--json", cwd=root).output)[0]["n"]
    return dim, data.bytes_in(folder) / 1e6, 4 * dim * count / 1e6


def grown(table: Table, count: int, work: Path) -> None:
    """Count the growth of a remote after corrected labels, and after a new model."""
    root, remote = work / "pictures", work / "grown"
    tree = data.enlarged(count, SIZE)
    data.catalogue(
        root, "photos", "folder", tree, params(MODEL.format(name="tiny", backbone=FIRST))
    )
    run(DVC, "remote", "add", "--default", "folder", remote, cwd=root)
    run(DVC, "repro", cwd=root)
    _bytes(root, "push")
    whole = data.bytes_in(remote)
    sql = "select item_id from photos order by item_id"
    rows = run(LIKEWISE, "query", sql, "--limit", CORRECTED, "--json", cwd=root).output
    items = [row["item_id"] for row in json.loads(rows)]
    run(LIKEWISE, "correct", "photos", *items, "--label", "another", cwd=root)
    corrected = _growth(root, remote)
    add_model(root / "params.yaml", SECOND)
    added = _growth(root, remote)
    _, weights, vectors = _own(root, "second")
    what = f"{CORRECTED} labels of {count:,} items corrected: the remote grows by"
    table.at_most(what, corrected / 1e6, whole / 1e6, 0.02, "MB")
    table.note("a column added: the remote grows by", show(added / 1e6, "MB"))
    beyond = added / 1e6 - weights - 2 * vectors
    table.at_most("... beyond its own bytes", beyond, whole / 1e6, 0.02, "MB")


def _growth(root: Path, remote: Path) -> int:
    """Run the stages that are out of date, push, and count the bytes."""
    before = data.bytes_in(remote)
    run(DVC, "repro", cwd=root)
    _bytes(root, "push")
    return data.bytes_in(remote) - before


def add_model(path: Path, backbone: str) -> None:
    """Embed the photographs with a second model."""
    text = path.read_text(encoding="utf-8")
    entries = {"models": MODEL.format(name="second", backbone=backbone)}
    entries["embeddings"] = "  second: {dataset: photos, model: second}\n"
    for section, entry in entries.items():
        text = text.replace(f"\n{section}:\n", f"\n{section}:\n{entry}", 1)
    path.write_text(text, encoding="utf-8")


def _bytes(root: Path, *words: str) -> float:
    """Return the MB that ``likewise push`` or ``pull`` reports."""
    said = run(LIKEWISE, *words, "--json", cwd=root).output
    return float(json.loads(said[said.index("{") :])["nbytes"]) / 1e6


def main() -> None:
    """Measure versions of small files, and bytes of photographs."""
    small = parser(__doc__).parse_args().small
    table = Table("Sharing", small=small)
    tree = (
        data.small_files(data.FEW) if small else data.repeated(data.small_files(data.MANY), 2)
    )
    with data.work() as work:
        versions(table, tree, work / "files")
        for number, given in enumerate(sets(small=small)):
            place = work / str(number)
            place.mkdir()
            moved(table, given, place)
            shutil.rmtree(place)  # this part counts bytes, not seconds
        grown(table, LITTLE if small else MANY, work)
    table.print()


if __name__ == "__main__":
    main()
