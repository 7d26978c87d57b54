"""A plan depends on its inputs alone; parts of others, or without a seal, are not used."""

import re
import shutil
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from likewise.distributed import (
    ShardNote,
    ShardPlan,
    array_parts,
    make_plan,
    plans_of,
    read_arrays,
    read_plan,
    remove_plans,
    shard_sizes,
    write_arrays,
)
from likewise.distributed.shard_run import last_shards
from likewise.errors import DamagedError, DataError, MissingArtefactError
from likewise.storage.workspace import Workspace

ROWS = pl.DataFrame(
    {
        "content": [f"{number:064x}" for number in range(10)],
        "box": [None if number % 3 else [0.5, 1.0, 2.0, 3.0] for number in range(10)],
    }
)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    root = tmp_path / "catalogue"
    root.mkdir()
    return Workspace(root)


def plan(ws: Workspace, *, facts: str = "a", sizes: tuple[int, ...] = (4, 4, 2)) -> ShardPlan:
    return make_plan(ws, "job", facts={"model": facts}, rows=ROWS, sizes=sizes)


def test_equal_inputs_have_one_plan_with_equal_bytes(ws: Workspace, tmp_path: Path) -> None:
    first = plan(ws)
    files = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    assert set(files) == {"plan.json", "rows.arrow"}
    shutil.rmtree(first.folder)
    again = plan(ws)
    assert again.id == first.id
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == files
    other = tmp_path / "other"
    other.mkdir()
    assert plan(Workspace(other)).id == first.id


def test_other_facts_rows_or_sizes_have_another_plan(ws: Workspace) -> None:
    ids = {plan(ws).id, plan(ws, facts="b").id, plan(ws, sizes=(5, 5)).id}
    ids.add(make_plan(ws, "job", facts={"model": "a"}, rows=ROWS[::-1], sizes=(4, 4, 2)).id)
    ids.add(make_plan(ws, "other", facts={"model": "a"}, rows=ROWS, sizes=(4, 4, 2)).id)
    assert len(ids) == 5
    assert len(plans_of(ws, "job")) == 4


def test_each_shard_has_its_rows(ws: Workspace) -> None:
    made = read_plan(ws, "job", plan(ws).id)
    parts = [made.rows(shard) for shard in made.shards]
    assert [len(part) for part in parts] == [4, 4, 2]
    assert pl.concat(parts).equals(ROWS)


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sizes=st.lists(st.integers(1, 4), max_size=9))
def test_rows_survive_any_cut(ws: Workspace, sizes: list[int]) -> None:
    rows = pl.DataFrame({"content": [str(n) for n in range(sum(sizes))]})
    made = make_plan(ws, "cut", facts={}, rows=rows, sizes=sizes)
    found = [text for shard in made.shards for text in made.rows(shard)["content"]]
    assert found == rows["content"].to_list()
    assert made.sizes == tuple(sizes)


def test_a_part_is_read_only_from_its_plan_and_with_its_seal(ws: Workspace) -> None:
    first, second = plan(ws), plan(ws, facts="b")
    with first.begun(1):
        assert [note.shard for note in first.under_way()] == [1]
        first.write_part(1, {"rows": 4})
    assert first.under_way() == []
    assert list(first.parts()) == [1]
    assert first.parts()[1].data == {"rows": 4}
    part = first.folder / "parts" / "1.json"
    (second.folder / "parts").mkdir()
    shutil.copy(part, second.folder / "parts" / "1.json")  # of another plan
    assert second.parts() == {}
    shutil.copy(part, first.folder / "parts" / "2.json")  # of another shard
    assert list(first.parts()) == [1]
    part.write_text(part.read_text("utf-8").replace("4", "5"), "utf-8")
    assert first.parts() == {}


def test_a_plan_of_another_checkout_is_not_read(ws: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "stranger"
    other.mkdir()
    made = plan(Workspace(other))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path / "key"))
        with made.begun(0):
            pass
        theirs = make_plan(Workspace(other), "job", facts={}, rows=ROWS, sizes=(10,))
    shutil.copytree(theirs.folder, ws.shards("job") / theirs.id)
    assert plans_of(ws, "job") == []
    with pytest.raises(MissingArtefactError, match="was removed"):
        read_plan(ws, "job", theirs.id)


def test_two_processes_that_compute_one_shard_do_not_damage_it(ws: Workspace) -> None:
    """The second one is killed before its part, on a processor of another kind."""
    made = plan(ws)
    write_arrays(made, 1, {"scores": np.zeros(4)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ShardPlan, "write_part", lambda *_: None)
        write_arrays(made, 1, {"scores": np.ones(4)})
    assert np.array_equal(read_arrays(made, array_parts(made)[1])["scores"], np.zeros(4))


def test_a_failure_is_noted_until_the_shard_is_complete(ws: Workspace) -> None:
    made = plan(ws)
    made.note_failure(2, "no memory", "process 1 on n")
    assert [(note.shard, note.why, note.by) for note in made.failed()] == [
        (2, "no memory", "process 1 on n")
    ]
    made.write_part(2, {})
    assert made.failed() == []


def test_a_removed_plan_is_named(ws: Workspace) -> None:
    made = plan(ws)
    remove_plans(ws, "job")
    assert not ws.sharded_jobs.exists()
    with (
        pytest.raises(MissingArtefactError, match=r"plan \w+ of job was removed"),
        made.begun(0),
    ):
        pass
    with pytest.raises(MissingArtefactError, match="was removed"):
        made.rows(0)


def test_rows_that_were_not_planned_are_not_used(ws: Workspace) -> None:
    made, other = plan(ws), make_plan(ws, "job", facts={}, rows=ROWS[::-1], sizes=(4, 4, 2))
    shutil.copy(other.folder / "rows.arrow", made.folder)
    for found in (made, read_plan(ws, "job", made.id)):
        with pytest.raises(
            DamagedError, match=r"rows\.arrow is missing or damaged; to compute"
        ):
            found.rows(0)


def test_a_plan_whose_removal_was_killed_is_made_again(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(ws)
    made.write_part(1, {"rows": 4})
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        remove_plans(ws, "job")
    assert plans_of(ws, "job") == []
    (made.folder / "rows.arrow").unlink()
    assert plan(ws).rows(0).equals(ROWS[:4])
    assert list(plan(ws).parts()) == [1]
    (made.folder / "rows.arrow").unlink()
    assert plan(ws).rows(0).equals(ROWS[:4])


@pytest.mark.parametrize("name", ["rows.arrow", "plan.json"])
def test_no_file_outside_is_replaced_by_a_plan(
    ws: Workspace, tmp_path: Path, name: str
) -> None:
    made, outside = plan(ws), tmp_path / "outside"
    made.remove()
    made.folder.mkdir()
    outside.write_text("kept", "utf-8")
    (made.folder / name).symlink_to(outside)
    with pytest.raises(DataError, match="is a symbolic link"):
        plan(ws)
    assert outside.read_text("utf-8") == "kept"


def test_nothing_is_written_through_a_link(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    ws.private.mkdir()
    ws.sharded_jobs.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="is a symbolic link"):
        plan(ws)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@given(rows=st.integers(0, 100_000))
@example(rows=64 * 20_000 + 1)
@settings(max_examples=20, deadline=None)
def test_sizes_depend_on_the_rows_alone(rows: int) -> None:
    sizes = shard_sizes((1 for _ in range(rows)), rows)
    assert sum(sizes) == rows
    assert all(size <= 20_000 for size in sizes)
    assert all(size >= min(500, rows) for size in sizes[:-1])
    if rows <= 64 * 20_000:
        assert len(sizes) <= 64


def test_a_shard_reads_two_gibibytes_at_most() -> None:
    assert shard_sizes([1 << 30] * 5, 5) == [2, 2, 1]
    assert shard_sizes([3 << 30, 1], 2) == [1, 1]


def test_the_last_shards_are_named_with_their_age(ws: Workspace) -> None:
    made = plan(ws)
    began = time.time()
    with made.begun(1):
        [note] = made.under_way()
        assert began <= note.at <= time.time()
        assert note.age is not None
        assert re.fullmatch(r"1 for \d+ s", last_shards(made, made.shards))
        assert last_shards(made, [0]) == ""
        assert last_shards(made, made.shards, since=note.at + 1) == ""
        assert last_shards(made, range(9)) == ""
        made.write_part(1, {})
    assert last_shards(made, made.shards) == ""
    assert ShardNote(1).age is None
