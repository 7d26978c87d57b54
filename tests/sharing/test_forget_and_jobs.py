"""Take-downs while other work runs: nothing that was read before one is written after it."""

import functools
import json
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import likewise
from catalogues import copied
from likewise.catalogue import snapshots
from likewise.catalogue.thumbnail_cache import ThumbnailCache
from likewise.distributed import ShardPlan
from likewise.errors import DataError
from likewise.models.training import resumable
from likewise.retrieval.index_cache import CachedIndex
from likewise.retrieval.indexes import faiss
from likewise.steps.check import check_shards
from likewise.steps.evaluate import run_scoring
from likewise.steps.evaluate.rank_shards import RankJob
from likewise.storage import journal, tables
from likewise.storage.takedown_lock import alone, no_takedown
from likewise.storage.versions import Store
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.torch

ITEM, RUN = "0_noto.jpg", "emoji-tiny"
INDEXES = Path(".likewise/indexes/emoji")
CELLS = "\nindexes:\n  cells: {kind: faiss, factory: 'IVF2,SQ8', nprobe: 2}\n"
MORE = """
checks: {emoji: {max_brightness: 0.8}}
filtered: {tents: {of: emoji, where: "label = '200'"}}
maps: {plane: {dataset: emoji, model: tiny}}
thumbs: {emoji: {}}
"""

VERBS: dict[str, Callable[[], Any]] = {
    "ingest": lambda: likewise.ingest("emoji"),
    "embed": lambda: likewise.embed("emoji", "tiny"),
    "import": lambda: likewise.import_vectors("emoji", "mine", "mine.npy"),
    "publish": lambda: likewise.publish("emoji"),
    "view": lambda: likewise.view("tents"),
    "map": lambda: likewise.map("plane"),
    "thumbs": lambda: likewise.thumbs("emoji"),
    "measure": lambda: likewise.measure("emoji"),
    "check": lambda: likewise.check("emoji"),
    "evaluate": lambda: likewise.evaluate(RUN),
    "report": lambda: likewise.report(RUN),
    "index": lambda: likewise.index("emoji", "tiny", "cells"),
    "correct": lambda: likewise.correct("emoji", [ITEM], {"label": "200"}),
    "tag": lambda: likewise.tag("emoji", [ITEM], add=["nice"]),
    "select": lambda: likewise.select("emoji", "some", [ITEM]),
    "review": lambda: likewise.review("emoji", name="bright", verdict="kept"),
    "ingest in shards": lambda: likewise.ingest("emoji", shard="0/1"),
    "embed in shards": lambda: likewise.embed("emoji", "tiny", shard="0/1", recompute=True),
    "measure in shards": lambda: likewise.measure("emoji", shard="0/1"),
    "check in shards": lambda: likewise.check("emoji", shard="0/1"),
    "evaluate in shards": lambda: likewise.evaluate(RUN, shard="0/1"),
    "index in shards": lambda: likewise.index("emoji", "tiny", "cells", shard="0/1"),
}


def shard_all(patch: pytest.MonkeyPatch) -> None:
    """Let galleries count as large ones."""
    patch.setattr(run_scoring, "WHOLE_BYTES", 0)
    patch.setattr(check_shards, "MANY_HASHES", 0)
    patch.setattr(faiss, "ADDED", 5)
    patch.delenv("LIKEWISE_ENGINE", raising=False)


@pytest.fixture(scope="module")
def _complete(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue with everything that has data of items."""
    root = tmp_path_factory.mktemp("complete") / "workspace"
    shutil.copytree(_catalogue, root)
    params = root / "params.yaml"
    params.write_text(params.read_text("utf-8").replace("\nindexes:\n", CELLS) + MORE, "utf-8")
    np.save(root / "mine.npy", likewise.open("emoji", workspace=root).vectors("tiny"))
    with pytest.MonkeyPatch.context() as patch:
        shard_all(patch)
        likewise.measure("emoji", workspace=root)
        likewise.check("emoji", workspace=root)
        likewise.evaluate(RUN, workspace=root)
    return root


@pytest.fixture
def complete(_complete: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy that catalogue for one test, and make it the current folder."""
    shard_all(monkeypatch)
    return copied(_complete, tmp_path / "workspace", monkeypatch)


def forget() -> "likewise.Forgotten":
    return likewise.forget("emoji", [ITEM], reason="request 1")


class Refused:
    """Tries a take-down before each of the first calls of a function, and notes the answer."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self._inside = False

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def before(*given: Any, **named: Any) -> Any:
            if not self._inside and len(self.answers) < 3:
                self._inside = True
                try:
                    forget()
                    self.answers.append("it was done")
                except DataError as error:
                    self.answers.append(str(error))
                finally:
                    self._inside = False
            return function(*given, **named)

        return before


@pytest.mark.parametrize("verb", VERBS)
def test_no_item_is_forgotten_between_reading_and_writing(
    verb: str, complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Refused()
    monkeypatch.setattr(tables, "open_table", refused(tables.open_table))
    patched = "likewise.catalogue.dataset.snapshot_pair"
    monkeypatch.setattr(patched, refused(snapshots.snapshot_pair))
    VERBS[verb]()
    assert refused.answers
    for answer in refused.answers:
        assert " is running in process " in answer
        assert "; wait for it to end" in answer


@pytest.mark.parametrize("verb", [verb for verb in VERBS if "shards" in verb])
def test_shards_that_are_computed_keep_take_downs_away(
    verb: str, complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("emoji/images/0_new.jpg").write_bytes(Path("emoji/images/200_noto.jpg").read_bytes())
    if "measure" in verb:  # all images again
        shutil.rmtree(complete / "catalog/emoji/pixels.lance")
    refused = Refused()
    monkeypatch.setattr(ShardPlan, "write_part", refused(ShardPlan.write_part))
    VERBS[verb]()
    assert refused.answers
    assert all(" is running in process " in answer for answer in refused.answers)


def test_an_index_that_a_search_builds_is_waited_for(
    complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Refused()
    monkeypatch.setattr(CachedIndex, "_build", refused(CachedIndex._build))
    likewise.search("emoji", id="0_fluent.jpg", index="cells")
    [answer] = refused.answers
    assert answer.startswith("index-emoji-tiny-cells is running in process ")
    assert (INDEXES / "tiny" / "cells" / "index").is_file()


def test_a_data_set_that_was_opened_before_stores_no_index(complete: Path) -> None:
    opened = likewise.open("emoji")
    vector = opened.vectors("tiny")[opened.positions([ITEM])[0]].tobytes()
    forget()
    hits = opened.search(id="0_fluent.jpg", index="cells", k=24)
    assert ITEM in hits.frame["item_id"].to_list()  # its snapshot has the item
    assert not any(INDEXES.rglob("index"))
    files = [path for path in INDEXES.rglob("*") if path.is_file()]
    assert not any(vector in path.read_bytes() for path in files)
    likewise.search("emoji", id="0_fluent.jpg", index="cells")
    assert (INDEXES / "tiny" / "cells" / "index").is_file()


def test_no_search_stores_an_index_during_a_take_down(complete: Path) -> None:
    with alone(Workspace(complete), "emoji", "forget-emoji"):
        assert len(likewise.search("emoji", id="0_fluent.jpg", index="cells", k=3)) == 3
        assert not any(INDEXES.rglob("index"))
        for work in ("index", "publish", "index in shards"):
            with pytest.raises(DataError, match=r"^forget-emoji is running in process"):
                VERBS[work]()


def test_what_a_killed_build_of_an_index_left_is_removed(complete: Path) -> None:
    left = INDEXES / "tiny" / ".cells.0123abcd.part"
    left.mkdir(parents=True)
    (left / "index").write_bytes(b"vectors")
    likewise.index("emoji", "tiny", "exact")
    forget()
    assert not left.exists()
    assert (INDEXES / "tiny" / "exact").is_dir()  # it has no vectors


def test_a_data_set_that_was_opened_before_keeps_no_thumbnail(complete: Path) -> None:
    opened = likewise.open("emoji")
    content = opened[ITEM]["content"]
    [row] = opened.positions([ITEM]).tolist()
    forget()
    other = opened["0_fluent.jpg"]["content"]
    assert all(one.made for one in opened.thumbnails([row, 0], side=32))
    assert list(ThumbnailCache.of(Workspace(complete)).get([content, other], 32)) == [other]


def test_findings_of_imported_vectors_name_it_no_more(complete: Path) -> None:
    ids, vectors = (
        [*likewise.open("emoji").items["item_id"], ITEM, "0_no.jpg"],
        np.load("mine.npy"),
    )
    Path("ids.txt").write_text("\n".join(ids), "utf-8")
    twice = vectors[ids.index(ITEM)]
    np.save("mine.npy", np.concatenate([vectors, [twice, twice]]))
    likewise.import_vectors("emoji", "mine", "mine.npy", ids="ids.txt")
    [path] = [p for p in Path("catalog").rglob("*.json") if ITEM in p.read_text("utf-8")]
    forget()
    assert [row[1] for row in json.loads(path.read_text("utf-8"))] == ["0_no.jpg"]


def test_trainings_under_way_are_listed(complete: Path) -> None:
    params = complete / "params.yaml"
    learned = "trained:\n  better: {kind: metric, init: tiny, data: emoji, epochs: 1}\n"
    params.write_text(
        params.read_text("utf-8").replace("\ntrained: {}\n", f"\n{learned}"), "utf-8"
    )
    ws = Workspace(complete)
    resumable.folder(ws.trainings("better"), {"epochs": 1})
    [stopped] = [one for one in forget().holders if one.kind == "model"]
    assert stopped.command == "rm -r .likewise/trainings/better"
    with journal.exclusive_job(ws, "train-better"):
        [running] = [one for one in likewise.forget("emoji").holders if one.kind == "model"]
    assert running.what.startswith("it is being trained on emoji")
    assert running.command == "end the training, then: dvc repro train@better"


@pytest.mark.parametrize("verb", ["evaluate", "check"])
def test_a_job_is_locked_until_its_report_is_written(
    verb: str, complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes would remove each other's shards, or write what was read before."""
    answers: list[str] = []

    def commit(staging: journal.Staging) -> None:
        answers.append(other())
        committed(staging)

    def other() -> str:
        try:
            VERBS[verb]()
        except DataError as error:
            return str(error)
        return "it was done"

    def again(function: Callable[..., Any]) -> Callable[..., Any]:
        def before(*given: Any, **named: Any) -> Any:
            if len(answers) < 1:
                answers.append("")
                answers[0] = other()
            return function(*given, **named)

        return before

    VERBS[f"{verb} in shards"]()
    committed = journal.Staging.commit
    monkeypatch.setattr(journal.Staging, "commit", commit)
    monkeypatch.setattr(tables, "open_table", again(tables.open_table))
    VERBS[verb]()
    assert answers
    assert all(f"{verb}-emoji" in one and " is running in" in one for one in answers)


def test_processes_that_start_together_make_one_plan(
    complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, together = [], threading.Barrier(2)
    new_plan = RankJob._new_plan

    def counted(job: RankJob) -> ShardPlan | None:
        made.append(threading.get_ident())
        return new_plan(job)

    def rank(shard: str) -> None:
        together.wait()
        likewise.evaluate(RUN, shard=shard)

    monkeypatch.setattr(RankJob, "_new_plan", counted)
    threads = [threading.Thread(target=rank, args=(f"{number}/2",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert [job.planned for job in likewise.status()] == [2]


def test_the_lock_names_the_process_that_came_last(complete: Path) -> None:
    ws = Workspace(complete)
    with no_takedown(ws, "tents", "one"), no_takedown(ws, "emoji", "two"):
        with pytest.raises(DataError, match=r"^two is running in process \d+ on .*, and may"):
            forget()
        ws.lock_file("items-emoji").write_text(f"two {2**22 + 1} {socket.gethostname()}")
        with pytest.raises(DataError, match=r"^another process is running, and may write"):
            forget()
    forget()


@pytest.mark.dvc
@pytest.mark.parametrize("verb", ["pull", "push"])
def test_a_transfer_keeps_take_downs_away(
    verb: str, alice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(alice)
    refused = Refused()
    method = "fetch" if verb == "pull" else "push"
    monkeypatch.setattr(Store, method, refused(getattr(Store, method)))
    getattr(likewise, verb)(["emoji"])
    assert refused.answers
    assert all(answer.startswith(f"{verb} is running in") for answer in refused.answers)
