"""embed and measure by shards: the same digests, every shard once, nothing lost."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import forked
import likewise
from likewise.catalogue.sharded_table import written
from likewise.distributed import parse_shard, plans_of, shard_cuts
from likewise.errors import ConfigError, DataError, MissingArtefactError, UnknownNameError
from likewise.steps.measure.measure_rows import MeasureJob, MeasureWork
from likewise.storage import journal, tables
from likewise.storage.tables import fragments
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.torch

ROWS = 5
"""Rows of a shard; 24 drawings have five shards."""

VECTORS = Path("catalog/emoji/columns/tiny.yaml")
PIXELS = Path("catalog/.pixels/emoji.yaml")

Verb = Callable[..., Any]


def embed(**options: Any) -> Any:
    return likewise.embed("emoji", "tiny", **options)


def measure(**options: Any) -> Any:
    return likewise.measure("emoji", **options)


DIGESTS: dict[Verb, Path] = {embed: VECTORS, measure: PIXELS}
VERBS = pytest.mark.parametrize("verb", [embed, measure], ids=["embed", "measure"])


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_cuts, "FEWEST_ROWS", ROWS)
    monkeypatch.delenv("LIKEWISE_ENGINE", raising=False)


def forget_tables() -> None:
    """Remove vectors and measures, so that all of them are missing."""
    shutil.rmtree("catalog/emoji/embeddings", ignore_errors=True)
    shutil.rmtree("catalog/emoji/pixels.lance", ignore_errors=True)


def expected(verb: Verb) -> bytes:
    """Return the digests of a table that this process computes; the table is removed."""
    verb()
    digests = DIGESTS[verb].read_bytes()
    forget_tables()
    return digests


def stored_keys(verb: Verb) -> list[str]:
    path = "embeddings/tiny" if verb is embed else "pixels"
    table = tables.open_table(Path("catalog/emoji") / f"{path}.lance", "")
    return sorted(table.read([table.columns[0]]).to_series())


def add_pictures(count: int) -> None:
    for number in range(count):
        picture = Image.new("RGB", (70, 60), (10 * number, 200, 90))
        picture.save(f"emoji/images/0_new{number}.jpg")


@VERBS
def test_shards_and_processes_give_the_digests_of_one_process(
    workspace: Path, verb: Verb, forked_python: None
) -> None:
    digests = expected(verb)
    done = [verb(shard=f"{number}/3") for number in range(3)]
    assert [one.computed for one in done] == [5 + 5, 5 + 4, 5]
    assert [one.shards.planned for one in done] == [2, 2, 1]
    assert not DIGESTS[verb].with_suffix(".lance").exists()
    again = verb(shard="0/3")
    assert (again.computed, again.shards.taken_over, again.shards.computed) == (0, 2, 0)
    plain = verb()
    assert (plain.computed, plain.taken_over) == (0, 24)
    assert (plain.shards.planned, plain.shards.taken_over, plain.shards.computed) == (5, 5, 0)
    assert DIGESTS[verb].read_bytes() == digests
    assert len(stored_keys(verb)) == len(set(stored_keys(verb))) == 24
    assert not Path(".likewise/shards").exists()
    assert verb().shards is None
    forget_tables()
    by_processes = verb(engine="processes")
    assert (by_processes.computed, by_processes.shards.computed) == (24, 5)
    assert DIGESTS[verb].read_bytes() == digests
    assert verb(engine="processes").computed == 0
    assert not Path(".likewise/shards").exists()
    assert list(Path(".likewise/staging").iterdir()) == []


@VERBS
def test_the_plain_command_computes_only_what_is_missing(workspace: Path, verb: Verb) -> None:
    digests = expected(verb)
    verb(shard="1/3")  # shards 1 and 4 of 5: 5 + 4 of 24 rows
    done = verb()
    assert (done.computed, done.taken_over) == (24 - 9, 9)
    assert (done.shards.planned, done.shards.taken_over, done.shards.computed) == (5, 2, 0)
    assert DIGESTS[verb].read_bytes() == digests


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.integers(1, 30), processes=st.integers(1, 4), plain_first=st.booleans())
def test_any_size_of_shards_gives_the_same(
    workspace: Path, *, rows: int, processes: int, plain_first: bool
) -> None:
    digests = expected(measure)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_cuts, "FEWEST_ROWS", rows)
        computed = sum(
            measure(shard=f"{number}/{processes}").computed
            for number in range(processes - plain_first)
        )
        assert measure().computed == 24 - computed
    assert PIXELS.read_bytes() == digests
    forget_tables()


def test_a_grown_data_set_keeps_its_vectors_and_computes_the_new_ones(
    workspace: Path,
) -> None:
    add_pictures(7)
    for name in ("0_noto.jpg", "200_noto.jpg"):
        Path("emoji/images", name).unlink()
    likewise.ingest("emoji")
    root = workspace.with_name("plain")
    shutil.copytree(workspace, root)
    likewise.embed("emoji", "tiny", workspace=root)
    assert embed(shard="0/2").computed == 5
    done = embed()
    assert (done.computed, done.taken_over, done.dropped) == (2, 27, 2)
    assert (done.shards.planned, done.shards.taken_over) == (2, 1)
    assert VECTORS.read_bytes() == (root / VECTORS).read_bytes()
    assert len(stored_keys(embed)) == len(set(stored_keys(embed))) == 24 + 7 - 2


def test_shards_of_earlier_inputs_are_not_used_and_are_named(workspace: Path) -> None:
    forget_tables()
    embed(shard="0/1")
    add_pictures(1)
    likewise.ingest("emoji")
    assert embed(shard="0/5").computed == ROWS
    now, earlier = likewise.status()
    assert (now.current, now.planned, now.done) == (True, 5, 1)
    assert (earlier.current, earlier.planned, earlier.done) == (False, 5, 5)
    problems = {p.what.partition(";")[0]: p.command for p in likewise.doctor()}
    plan = f"rm -r .likewise/shards/embed-emoji-tiny/{earlier.plan}"
    abandoned = "5 shards of embed-emoji-tiny are abandoned: the inputs have changed since"
    kept = "1 of 5 shards of embed-emoji-tiny are computed and not committed"
    assert problems[abandoned] == plan
    assert problems[kept] == "dvc repro --force embed@emoji-tiny"
    done = embed()
    assert (done.computed, done.taken_over, done.shards.discarded) == (20, 5, 5)
    assert likewise.status() == []
    assert not Path(".likewise/shards").exists()


def test_a_commit_that_was_killed_before_the_journal_adds_no_row_twice(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = expected(measure)
    measure(shard="0/1")
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(journal.Staging, "commit", interrupted)
            with pytest.raises(KeyboardInterrupt):
                measure()
    table = tables.open_table(Path(".likewise/staging/measure-emoji/pixels.lance"))
    assert table.rows == 24
    done = measure()
    assert (done.computed, done.taken_over) == (0, 24)
    assert PIXELS.read_bytes() == digests
    assert len(stored_keys(measure)) == 24


def interrupted(staging: journal.Staging) -> None:
    raise KeyboardInterrupt


def test_rows_of_a_stopped_run_and_of_shards_do_not_double(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = expected(measure)
    with monkeypatch.context() as patch:
        patch.setattr(journal.Staging, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            measure()  # its staged table has all rows
    measure(shard="0/2")
    done = measure()
    assert (done.computed, done.shards.taken_over) == (0, 3)
    assert PIXELS.read_bytes() == digests
    assert len(stored_keys(measure)) == 24


POISON = """\
import numpy as np

def embed(images):
    if any(image.size == (70, 60) for image in images):
        raise ValueError("too odd a picture")
    return np.stack([np.asarray(i.resize((2, 2)), np.float32).ravel() + 1 for i in images])
"""


def test_a_shard_that_fails_is_named_and_the_others_are_kept(
    workspace: Path, forked_python: None
) -> None:
    add_pictures(1)
    likewise.ingest("emoji")
    Path("mymodels.py").write_text(POISON, "utf-8")
    likewise.add_model("mine", kind="function", options={"function": "mymodels:embed"})
    entry = "embeddings:\n  emoji-mine: {dataset: emoji, model: mine}\n"
    text = Path("params.yaml").read_text("utf-8")
    Path("params.yaml").write_text(text.replace("embeddings:\n", entry), "utf-8")
    likewise.load("mine")
    message = (
        r"1 of 5 shards of embed-emoji-mine failed: shard \d \(process \d+ on .+\): .*too odd"
    )
    with pytest.raises(DataError, match=message):
        likewise.embed("emoji", "mine", engine="processes")
    [job] = likewise.status()
    assert (job.done, len(job.failed), job.rows_done) == (4, 1, 20)
    assert "too odd a picture" in job.failed[0].why
    Path("emoji/images/0_new0.jpg").unlink()
    likewise.ingest("emoji")
    done = likewise.embed("emoji", "mine")
    assert (done.computed, done.taken_over) == (4, 20)


def undecodable(data: bytes) -> bytes:
    """Make a JPEG with valid markers and invalid Huffman tables."""
    at = data.index(b"\xff\xc4") + 5
    return data[:at] + b"\xff" * 16 + data[at + 16 :]


def test_images_that_do_not_decode_are_named_and_the_other_rows_kept(workspace: Path) -> None:
    bad = Path("emoji/images/0_bad.jpg")
    bad.write_bytes(undecodable(Path("emoji/images/0_noto.jpg").read_bytes()))
    likewise.ingest("emoji")
    shutil.rmtree("catalog/emoji/embeddings")
    assert embed(shard="0/1").computed == 25
    for _ in range(2):
        with pytest.raises(DataError, match=r"^1 image of emoji .* decoded: 0_bad\.jpg \("):
            embed()
    bad.unlink()
    likewise.ingest("emoji")
    done = embed()
    assert (done.computed, done.taken_over) == (0, 24)


def test_two_committers_are_one_line(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = Workspace(workspace)
    measure(shard="0/1")
    with journal.exclusive_job(ws, "measure-emoji"):
        with pytest.raises(DataError, match=r"measure-emoji is running in process \d+ on"):
            measure()
        assert measure(shard="0/1").shards.taken_over == 5  # shards need no lock
    [plan] = plans_of(ws, "measure-emoji")
    parts = [written(plan, part) for part in plan.parts().values()]
    path, schema = workspace / "raced.lance", MeasureJob(ws, "emoji").schema
    tables.add_fragments(path, schema, parts[:1])
    seen: list[bool] = []

    def exists(path: Path) -> bool:
        """Look at the table before the other process has made it, and later after that."""
        seen.append(len(seen) >= 2)
        return seen[-1]

    monkeypatch.setattr(fragments, "exists", exists)
    with pytest.raises(DataError, match=r"^raced\.lance was written by another process at the"):
        tables.add_fragments(path, schema, parts[1:])
    assert tables.open_table(path).rows == ROWS


def test_forget_removes_shards_and_remove_waits_for_their_commit(workspace: Path) -> None:
    measure(shard="0/1")
    [problem] = [p for p in likewise.doctor() if "measure-emoji" in p.what]
    assert problem.command == "likewise measure emoji"
    embed(shard="0/1", recompute=True)
    with pytest.raises(
        DataError, match=r"its work is kept; finish it: dvc repro embed.* rm -r"
    ):
        likewise.remove("emoji")
    shards = Path(".likewise/shards")
    assert {path.name for path in shards.iterdir()} == {"measure-emoji", "embed-emoji-tiny"}
    likewise.forget("emoji", ["0_noto.jpg"], reason="request 1")
    assert not any(shards.iterdir())
    assert measure().computed == 23


def test_shards_and_engines_are_checked_first(workspace: Path) -> None:
    assert parse_shard("0/1") == (0, 1)
    for text in ("1/1", "-1/2", "2", "a/b", "1/", "/2", ""):
        with pytest.raises(ConfigError, match=r"--shard .*: expected K/N"):
            embed(shard=text)
    with pytest.raises(UnknownNameError, match="no engine named 'farm'"):
        measure(engine="farm")
    with pytest.raises(UnknownNameError):
        likewise.embed("emoji", "tine", engine="processes")


def test_a_removed_plan_stops_its_workers(workspace: Path) -> None:
    measure(shard="0/2")
    [plan] = plans_of(Workspace(workspace), "measure-emoji")
    work = MeasureWork(str(workspace), "emoji", plan.id)
    measure()
    with pytest.raises(MissingArtefactError, match="another process has committed the job"):
        work(1)


def test_images_that_have_changed_since_the_plan_are_refused(workspace: Path) -> None:
    measure(shard="0/2")
    [plan] = plans_of(Workspace(workspace), "measure-emoji")
    Path("emoji/images/0_fluent.jpg").unlink()
    likewise.ingest("emoji")
    with pytest.raises(DataError, match="has changed since the shards were planned"):
        MeasureWork(str(workspace), "emoji", plan.id)(1)


def test_the_commands_print_shards_and_the_state(workspace: Path) -> None:
    forget_tables()
    words = ("embed", "emoji", "tiny", "--shard", "0/1")
    done = forked.run(workspace, "likewise", *words)
    assert done.stdout.splitlines() == [
        "emoji by tiny: 24 vectors computed",
        "0 of 1 shard of process 0/1 taken over, 1 computed",
    ]
    assert "next: after all processes: likewise embed emoji tiny" in done.stderr
    state = forked.run(workspace, "likewise", "status").stdout
    assert "embed-emoji-tiny" in state
    assert "embed-emoji-tiny: done by" in state
    done = forked.run(workspace, "likewise", "embed", "emoji", "tiny")
    assert done.stdout.splitlines() == [
        "emoji by tiny: 0 vectors computed",
        "1 of 1 shard taken over, 0 computed",
        "24 reused, 0 dropped",
    ]
    assert forked.run(workspace, "likewise", "status").stdout == "no job runs in shards\n"
