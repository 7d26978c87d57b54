"""What it costs to open, compare and move versions.

    python benchmarks/sharing.py [--small]

The versions are of a data set of small files, twice over (100,000 items); the second corrects
twenty labels.

The bytes are of three sets of photographs: those of ``../shared/data`` (18 kB each) by a small
model with random weights, and two of the sizes that websites and cameras give, by two ordinary
backbones of 1,280 dimensions (float32; random weights, which are as large). The larger ones are
mosaics of real photographs, 4 x 3 and 16 x 12 of them, at their own resolution and none of them
enlarged, so a pixel takes the bytes that a photograph's takes. Counted are the bytes that a
pull without images brings, beside a whole one, and those that a push brings after a model and
its column were added, beside the first push. The rows below each say how much of that are
vectors (one copy: no pull of vectors brings less), and weights and vectors (two copies: as they
were embedded, a row a content, and as they are published, a row an item). The remote is a
folder.

Of 10,000 pictures of 320 x 240 (40 with --small), evaluated too, the bytes of all that is in
the remote are counted: how much it grows by when twenty labels are corrected and published and
scored again, and by when a model is added, beside that model's own bytes: its folder, and its
vectors twice, as they were embedded and as they are published.
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
"""So many pictures are counted the bytes of; and with --small."""
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
likewise.open("files").table.rows  # the libraries are loaded
start = time.perf_counter()
found = likewise.diff("files", "v1", "v2")
seconds = time.perf_counter() - start
print(seconds, found.counts["relabelled"], found.items[0])
"""

MODEL = "  {name}: {{kind: timm, backbone: {backbone}, weights: random}}\n"
FIRST, SECOND = "test_resnet.r160_in1k", "test_vit.r160_in1k"
LITE, MOBILE = "tf_efficientnet_lite0", "mobilenetv3_large_100"
WEBSITES, CAMERAS = 2_000, 500
"""So many photographs of 1024 x 768 and of 4096 x 3072."""


@dataclass(frozen=True)
class Photographs:
    """A set of them: what they are, where they lie, and the backbones of its two models."""

    kind: str
    tree: Path
    first: str = FIRST
    second: str = SECOND


def sets(*, small: bool) -> list[Photographs]:
    """The sets whose bytes are counted."""
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
    """The params.yaml that ``likewise init`` writes, with other models."""
    text = (ROOT / "src/likewise/catalogue/templates/params.yaml").read_text(encoding="utf-8")
    said = f"models:\n{models}\n" if models else "models: {}\n\n"
    return re.sub(r"(?ms)^models:\n.*?^\n", said, text)


def record(root: Path, message: str, *stages: str) -> None:
    """Commit what the stages made to DVC, and all to git, and tag it."""
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
    """Count the bytes that pushes and pulls bring."""
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
    what = f"{given.kind}, {each:,.1f} kB each: pull without images, beside with them"
    table.at_most(what, light, light + rest, 0.01, "MB")
    dim, _, vectors = _own(root, "tiny")
    table.at_most(f"... its vectors alone, {dim} x float32", vectors, whole, None, "MB")
    add_model(root / "params.yaml", given.second)
    for words in (("load", "second"), ("embed", "photos", "second"), ("publish", "photos")):
        run(LIKEWISE, *words, cwd=root)
    record(root, "two", "load@second", "embed@second", "publish@photos")
    added = _bytes(root, "push")
    less = f"{given.kind}: push after a model and its column were added, beside the first"
    table.at_most(less, added, whole, 1 / 50, "MB")
    dim, weights, vectors = _own(root, "second")
    what = f"... its weights, and twice its vectors, {dim} x float32"
    table.at_most(what, weights + 2 * vectors, whole, None, "MB")
    table.at_most("... its vectors, once", vectors, whole, None, "MB")


def _own(root: Path, model: str) -> tuple[int, float, float]:
    """The dimensions of a model's vectors; the MB of its folder, and of a vector an item."""
    folder = root / "models" / model
    dim = json.loads((folder / "passport.json").read_text(encoding="utf-8"))["dim"]
    sql = "select count(*) as n from photos"
    count = json.loads(run(LIKEWISE, "query", sql, "--json", cwd=root).output)[0]["n"]
    return dim, data.bytes_in(folder) / 1e6, 4 * dim * count / 1e6


def grown(table: Table, count: int, work: Path) -> None:
    """Count the bytes that a remote grows by when labels are corrected, and a model added."""
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
    """Make what is out of date, push it, and count."""
    before = data.bytes_in(remote)
    run(DVC, "repro", cwd=root)
    _bytes(root, "push")
    return data.bytes_in(remote) - before


def add_model(path: Path, backbone: str) -> None:
    """Have a second model embed the photographs."""
    text = path.read_text(encoding="utf-8")
    entries = {"models": MODEL.format(name="second", backbone=backbone)}
    entries["embeddings"] = "  second: {dataset: photos, model: second}\n"
    for section, entry in entries.items():
        text = text.replace(f"\n{section}:\n", f"\n{section}:\n{entry}", 1)
    path.write_text(text, encoding="utf-8")


def _bytes(root: Path, *words: str) -> float:
    """The MB that ``likewise push`` or ``pull`` says it moved."""
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
            shutil.rmtree(place)  # bytes are counted here, and no seconds
        grown(table, LITTLE if small else MANY, work)
    table.print()


if __name__ == "__main__":
    main()
