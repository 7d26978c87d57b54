"""ingest by shards: the same digests, findings and order of rows, every file read once."""

import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import forked
import likewise
from archives import tarred
from likewise.distributed import attempt, plans_of, shard_cuts
from likewise.errors import DataError, MissingArtefactError
from likewise.formats.archives import open_files
from likewise.imaging.file_stamps import read_stamps
from likewise.steps.ingest.ingest_job import IngestJob
from likewise.steps.ingest.ingest_shards import IngestWork
from likewise.storage import journal, tables
from likewise.storage.workspace import Workspace

ROWS = 5
"""Rows of a shard; 24 drawings have five shards."""

TABLES = ("images", "items", "findings")


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_cuts, "FEWEST_FILES", ROWS)
    monkeypatch.delenv("LIKEWISE_ENGINE", raising=False)


def forget_tables(name: str = "emoji") -> None:
    """Remove what was ingested, so that all files are new."""
    for table in TABLES:
        shutil.rmtree(f"catalog/{name}/{table}.lance", ignore_errors=True)
        Path(f"catalog/{name}/columns/{table}.yaml").unlink(missing_ok=True)
    Path(f".likewise/stamps/{name}.arrow").unlink(missing_ok=True)


def rows(name: str, table: str) -> pl.DataFrame:
    opened = tables.open_table(Path(f"catalog/{name}/{table}.lance"), "")
    return opened.read(opened.metadata_columns)


def state(name: str = "emoji") -> tuple[list[bytes], list[str], list[bytes]]:
    """Return the digests of the tables, the images in their order, and their bytes."""
    digests = [Path(f"catalog/{name}/columns/{table}.yaml").read_bytes() for table in TABLES]
    images = tables.open_table(Path(f"catalog/{name}/images.lance"), "")
    ids = rows(name, "images")["image_id"].to_list()
    return digests, ids, images.blobs("image", range(len(ids)))


def by_shards(name: str, processes: int = 2) -> Any:
    """Read all files by shards, each of several processes its own; then commit."""
    for number in range(processes):
        likewise.ingest(name, shard=f"{number}/{processes}")
    return likewise.ingest(name)


def packed(pictures: list[Path], to: Path, form: str) -> Path:
    """Pack pictures as one archive, or as archives in a folder."""
    if form in {"tars", "mixed"}:
        to.mkdir()
        for number, kind in enumerate(("tar", "tar" if form == "tars" else "tar.gz", "zip")):
            packed(pictures[number::3], to / f"{number}.{kind}", kind)
        if form == "mixed":
            shutil.copy(pictures[0], to / "0_loose.jpg")
        return to
    if form == "zip":
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in pictures:
                archive.write(path, path.name)
        return to
    with tarfile.open(to, "w:gz" if form == "tar.gz" else "w") as tar:
        for path in reversed(pictures):
            tar.add(path, path.name)
    return to


def parquet(pictures: list[Path], to: Path, _: str) -> Path:
    to.mkdir()
    for number in range(2):
        cells = [{"bytes": p.read_bytes(), "path": p.name} for p in pictures[number::2]]
        frame = pl.DataFrame({"image": cells, "label": ["a"] * len(cells)})
        frame.write_parquet(to / f"{number}.parquet", row_group_size=4)
    return to


FORMS = {
    "zip": ("folder", packed, 5),
    "tar.gz": ("folder", packed, 1),
    "tars": ("webdataset", packed, 2 + 2 + 2),
    "mixed": ("folder", packed, 2 + 1 + 2 + 1),
    "parquet": ("parquet", parquet, 3 + 3),
}
"""Source, maker and number of shards of each form."""


@pytest.mark.parametrize("form", FORMS)
def test_every_layout_is_read_in_shards(workspace: Path, form: str) -> None:
    source, pack, shards = FORMS[form]
    place = pack(sorted((workspace / "emoji" / "images").iterdir()), workspace / "packed", form)
    options = {"nested": True} if form == "mixed" else None
    likewise.add("p", source=source, path=str(place), options=options, models=[], protocols=[])
    plain = likewise.ingest("p")
    here = state("p")
    forget_tables("p")
    done = by_shards("p")
    assert (done.read, done.kept, done.images) == (0, plain.images, plain.images)
    assert done.shards is not None
    assert done.shards.taken_over == done.shards.planned == shards
    assert state("p") == here
    assert done.findings == plain.findings
    again = likewise.ingest("p")
    assert (again.read, again.kept, again.shards) == (0, plain.images, None)


def test_processes_read_what_is_missing(workspace: Path, forked_python: None) -> None:
    here = state()
    forget_tables()
    assert likewise.ingest("emoji", shard="1/3").read == 5 + 4
    done = likewise.ingest("emoji", engine="processes")
    assert (done.read, done.kept) == (24 - 9, 9)
    assert done.shards is not None
    assert (done.shards.planned, done.shards.taken_over, done.shards.computed) == (5, 2, 3)
    assert state() == here
    assert not Path(".likewise/shards").exists()
    assert list(Path(".likewise/staging").iterdir()) == []


def test_the_plain_command_reads_only_what_is_missing(workspace: Path) -> None:
    here = state()
    forget_tables()
    assert likewise.ingest("emoji", shard="1/3").read == 9
    again = likewise.ingest("emoji", shard="1/3")
    assert (again.read, again.shards and again.shards.taken_over) == (0, 2)
    assert not Path("catalog/emoji/images.lance").exists()
    done = likewise.ingest("emoji")
    assert (done.read, done.kept) == (24 - 9, 9)
    assert sorted(state()[1]) == sorted(here[1])
    assert state()[0] == here[0]


def change_source() -> None:
    """Change the source in every way: new, changed, touched, removed, damaged, twice."""
    images = Path("emoji/images")
    noto = (images / "0_noto.jpg").read_bytes()
    for number in range(6):
        (images / f"0_new{number}.jpg").write_bytes(noto + bytes(number + 1))
    (images / "0_twin.jpg").write_bytes(noto)
    (images / "200_noto.jpg").write_bytes((images / "400_noto.jpg").read_bytes())
    os.utime(images / "600_noto.jpg", (1, 1))
    (images / "800_noto.jpg").unlink()
    (images / "1000_noto.jpg").write_bytes(noto[:100])
    (images / "0_empty.jpg").touch()


def test_every_worker_has_the_key_of_the_catalogue(workspace: Path) -> None:
    """Without it no stamp is valid, and all files are new."""
    ws = Workspace(workspace)
    assert len(read_stamps(ws, ws.stamps("emoji"))) == 24


def test_a_changed_source_gives_the_same(workspace: Path) -> None:
    change_source()
    root = workspace.with_name("plain")
    shutil.copytree(workspace, root)
    plain = likewise.ingest("emoji", workspace=root)
    done = by_shards("emoji", 3)
    assert done.shards is not None
    assert (done.shards.planned, done.shards.computed) == (3, 0)
    assert (done.read, done.kept) == (0, plain.read + plain.kept)
    assert (done.images, done.items, done.removed) == (plain.images, plain.items, plain.removed)
    assert done.findings == plain.findings == {"empty": 1, "truncated": 1}
    digests, ids, _ = state()
    os.chdir(root)
    assert (digests, ids) == state()[:2]


def test_what_was_taken_down_is_in_no_shard(workspace: Path) -> None:
    taken = Path("emoji/images/0_noto.jpg").read_bytes()
    Path("emoji/images/0_again.jpg").write_bytes(taken)
    assert likewise.ingest("emoji", shard="0/1").read == 1
    [plan] = plans_of(Workspace(workspace), "ingest-emoji")
    likewise.forget("emoji", ["0_noto.jpg"], reason="request 1")
    assert not any(Path(".likewise/shards").iterdir())
    with pytest.raises(MissingArtefactError, match="was removed"):
        IngestWork(str(workspace), "emoji", plan.id)(0)
    root = workspace.with_name("plain")
    shutil.copytree(workspace, root)
    plain = likewise.ingest("emoji", workspace=root)
    likewise.ingest("emoji", shard="0/1")
    packs = [
        path.read_bytes() for path in Path(".likewise/shards").rglob("*") if path.is_file()
    ]
    assert not any(taken in pack for pack in packs)
    done = likewise.ingest("emoji")
    assert (done.read, done.images, done.forgotten) == (0, plain.images, plain.forgotten)
    assert (done.forgotten, done.findings) == (2, {})


def test_a_shard_of_other_take_downs_is_not_used(workspace: Path) -> None:
    forget_tables()
    likewise.ingest("emoji", shard="0/2")
    [plan] = plans_of(Workspace(workspace), "ingest-emoji")
    record = Path("catalog/emoji/forgotten.csv")
    record.write_text(f"item_id,image_id,sha256,reason\n,,{'0' * 64},request\n", "utf-8")
    with pytest.raises(
        DataError, match="the take-downs of emoji have changed since the shards"
    ):
        IngestWork(str(workspace), "emoji", plan.id)(1)
    done = likewise.ingest("emoji")
    assert done.shards is not None
    assert (done.read, done.shards.taken_over, done.shards.discarded) == (24, 0, 3)


def test_a_plan_that_is_removed_meanwhile_leaves_no_pixels(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_tables()
    likewise.ingest("emoji", shard="0/2")
    [plan] = plans_of(Workspace(workspace), "ingest-emoji")

    def removed(self: IngestJob, rows: pl.DataFrame) -> Any:
        plan.remove()
        return open_files(self.place)

    monkeypatch.setattr(IngestJob, "open", removed)
    with pytest.raises(MissingArtefactError, match="was removed"):
        IngestWork(str(workspace), "emoji", plan.id)(1)
    assert not plan.folder.exists()


def test_a_plan_that_is_removed_while_pixels_are_written_leaves_none(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``forget`` does: Lance may make the folder again, and then fail."""
    forget_tables()
    likewise.ingest("emoji", shard="0/2")
    [plan] = plans_of(Workspace(workspace), "ingest-emoji")

    def removed(folder: Path, *_: object) -> Any:
        plan.remove()
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "0.lance").write_bytes(b"pixels")
        raise FileNotFoundError(folder / "data" / "1.lance")

    monkeypatch.setattr(tables, "write_fragments", removed)
    done = attempt(IngestWork(str(workspace), "emoji", plan.id), 1)
    assert "was removed" in done.fault
    plan.note_failure(1, done.fault, done.by)
    assert not plan.folder.exists()


def test_a_file_that_is_gone_is_named_and_the_other_shards_are_kept(workspace: Path) -> None:
    forget_tables()
    likewise.ingest("emoji", shard="0/5")
    [plan] = plans_of(Workspace(workspace), "ingest-emoji")
    Path("emoji/images", plan.rows(1)["path"][0]).unlink()
    with pytest.raises(DataError, match="may have changed since it was listed"):
        IngestWork(str(workspace), "emoji", plan.id)(1)
    assert likewise.ingest("emoji").images == 23


def test_a_shard_lists_only_its_archives(workspace: Path) -> None:
    pictures = sorted((workspace / "emoji" / "images").iterdir())
    place = packed(pictures, workspace / "packed", "tars")
    likewise.add("p", source="webdataset", path=str(place), models=[], protocols=[])
    likewise.ingest("p", shard="0/5")
    [plan] = plans_of(Workspace(workspace), "ingest-p")
    assert [plan.rows(n)["archive"].unique().to_list() for n in (0, 4)] == [
        ["0.tar"],
        ["2.zip"],
    ]
    (place / "2.zip").unlink()
    IngestWork(str(workspace), "p", plan.id)(1)
    with pytest.raises(DataError, match=r"2\.zip cannot be read"):
        IngestWork(str(workspace), "p", plan.id)(4)


def interrupted(staging: journal.Staging) -> None:
    raise KeyboardInterrupt


def test_a_killed_commit_adds_no_image_twice(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_source()
    likewise.ingest("emoji", shard="0/2")
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(journal.Staging, "commit", interrupted)
            with pytest.raises(KeyboardInterrupt):
                likewise.ingest("emoji")
    likewise.ingest("emoji", shard="1/2")
    done = likewise.ingest("emoji")
    assert (done.read, done.images) == (0, 24 + 7 - 2)
    ids = rows("emoji", "images")["image_id"].to_list()
    assert len(ids) == len(set(ids)) == done.images


def test_a_source_that_changed_back_is_read_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards of the first state are in the staged table, which has rows of the second one."""
    picture = Path("emoji/images/0_noto.jpg")
    first, facts = picture.read_bytes(), picture.stat()
    here = state()
    forget_tables()
    likewise.ingest("emoji", shard="0/1")
    for content in (first, Path("emoji/images/200_noto.jpg").read_bytes()):
        picture.write_bytes(content)
        if content is first:
            os.utime(picture, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        with monkeypatch.context() as patch:
            patch.setattr(journal.Staging, "commit", interrupted)
            with pytest.raises(KeyboardInterrupt):
                likewise.ingest("emoji")
    picture.write_bytes(first)
    os.utime(picture, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    likewise.ingest("emoji")
    assert state()[0] == here[0]


def test_the_commands_print_shards(workspace: Path) -> None:
    forget_tables()
    done = forked.run(workspace, "likewise", "ingest", "emoji", "--shard", "0/1")
    assert done.stdout.splitlines() == [
        "emoji: 24 files read",
        "0 of 1 shard of process 0/1 taken over, 1 computed",
    ]
    assert "next: after all processes: likewise ingest emoji" in done.stderr
    [problem] = [p for p in likewise.doctor() if "of ingest-emoji is" in p.what]
    assert problem.command == "dvc repro --force ingest@emoji"
    done = forked.run(workspace, "likewise", "ingest", "emoji")
    assert done.stdout.splitlines()[:3] == [
        "emoji: 24 items in 24 images",
        "0 read, 24 kept, 0 removed",
        "1 of 1 shard taken over, 0 computed",
    ]


def test_archives_are_units_of_shards() -> None:
    unit = shard_cuts.Unit
    assert shard_cuts.unit_sizes([]) == []
    assert shard_cuts.unit_sizes([unit([1] * 2), unit([1] * 3), unit([1])]) == [5, 1]
    assert shard_cuts.unit_sizes([unit([1] * 2), unit([1] * 12), unit([1])]) == [2, 5, 5, 2, 1]
    assert shard_cuts.unit_sizes([unit([1] * 12, is_whole=True), unit([1])]) == [12, 1]
    most = shard_cuts.MOST_BYTES
    assert shard_cuts.unit_sizes([unit([most]), unit([1, most]), unit([1])]) == [1, 1, 1, 1]


def test_files_of_mixed_archives_are_grouped_as_they_are_read(tmp_path: Path) -> None:
    """A compressed archive is read in one pass, so its files come together."""
    for name, mode in (("a.tar", "w"), ("b.tar.gz", "w:gz")):
        (tmp_path / name).write_bytes(tarred({"0.bin": b"", "1.bin": b""}, mode))
    files = open_files(tmp_path, open_nested=True)
    mixed = ["a.tar/0.bin", "b.tar.gz/1.bin", "a.tar/1.bin", "b.tar.gz/0.bin"]
    located = files.located(pl.Series(mixed))
    grouped = [mixed[0], mixed[2], mixed[1], mixed[3]]
    assert located["path"].to_list() == grouped
    assert [path for path, _ in files.read_many(mixed)][:2] == grouped[:2]
    assert located["one_pass"].to_list() == [False, False, True, True]
    only = files.located(pl.Series(mixed[:1]))
    assert (only["archive"].to_list(), only["one_pass"].to_list()) == (["a.tar"], [False])
