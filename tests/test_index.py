"""Cached indexes: coverage, staleness, unused ones, measurements."""

from pathlib import Path
from typing import Any

import lance
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import ConfigError, StaleArtefactError, UnknownNameError
from likewise.retrieval.indexes import index_file
from likewise.retrieval.indexes.faiss_door import load_faiss

ITEM = "200_noto.jpg"
INDEXES = """\
indexes:
  exact: {kind: exact}
  cells: {kind: faiss, factory: "IVF2,Flat", nprobe: 2}
  stored: {kind: lance}
  flat: {kind: faiss, factory: Flat}
"""
CELLS = Path(".likewise/indexes/emoji/tiny/cells")


@pytest.fixture
def indexed(workspace: Path) -> Path:
    change("indexes:\n  exact: {kind: exact}\n", INDEXES)
    return workspace


def change(old: str, new: str) -> None:
    params = Path("params.yaml")
    text = params.read_text("utf-8")
    assert old in text
    params.write_text(text.replace(old, new), "utf-8")


def hits(index: str, **query: Any) -> list[str]:
    found = likewise.search("emoji", index=index, **{"id": ITEM, "k": 24, **query})
    return found["item_id"].to_list()


def republish(remove: list[str], rename: dict[str, str]) -> None:
    """Publish the table again without some items, and with other names for some."""
    path = "catalog/emoji.lance"
    table = lance.dataset(path).to_table()
    ids = table["item_id"].to_pylist()
    kept = [row for row, name in enumerate(ids) if name not in remove]
    changed = table.take(kept)
    names = [rename.get(i, i) for i in changed["item_id"].to_pylist()]
    column = changed.schema.get_field_index("item_id")
    changed = changed.set_column(column, changed.schema.field("item_id"), [names])
    lance.write_dataset(changed, path, mode="overwrite", data_storage_version="2.2")


def test_an_index_is_made_once_and_knows_its_recall(indexed: Path) -> None:
    made = likewise.index("emoji", "tiny", "cells")
    assert (made.state, made.covered, made.items) == ("current", 24, 24)
    assert made.measured is not None
    assert made.measured.recall == 1  # it visits both cells
    assert (made.measured.k, made.measured.probes) == (10, 24)
    assert made.measured.nbytes == (CELLS / "index").stat().st_size
    assert min(made.measured.ms, made.measured.exact_ms, made.measured.queries_per_s) > 0
    written = (CELLS / "index").stat().st_mtime_ns
    assert hits("cells") == hits("exact")
    change("nprobe: 2", "nprobe: 1")  # an option of the search, not of the index
    fewer = likewise.index("emoji", "tiny", "cells")
    assert (CELLS / "index").stat().st_mtime_ns == written
    assert fewer.measured is not None
    assert fewer.measured.recall < 1
    assert likewise.indexes() == [fewer]


def test_a_search_makes_what_is_not_there_and_mends_what_is_damaged(indexed: Path) -> None:
    first = hits("cells")
    assert {p.name for p in CELLS.iterdir()} == {"index", "contents.parquet", "facts.json"}
    (CELLS / "index").write_bytes(b"damaged")
    assert hits("cells") == first
    assert [p.name for p in CELLS.parent.iterdir()] == ["cells"]
    assert [one.measured for one in likewise.indexes()] == [None]


def test_what_is_new_is_found_and_and_counted(indexed: Path) -> None:
    republish(["0_noto.jpg", ITEM], {})
    likewise.index("emoji", "tiny", "cells")
    likewise.publish("emoji")
    found = likewise.indexes()[0]
    assert (found.state, found.covered, found.items) == ("partial", 22, 24)
    assert found.command == "likewise index emoji tiny cells"
    assert hits("cells") == hits("exact")
    where = "item_id IN ('0_noto.jpg', '0_fluent.jpg')"
    assert hits("cells", where=where) == hits("exact", where=where)
    assert not [p for p in likewise.doctor() if p.check == "index"]
    likewise.index("emoji", "tiny", "cells")
    assert likewise.indexes()[0].state == "current"


def test_what_is_gone_is_not_found_and_what_is_renamed_is(indexed: Path) -> None:
    likewise.index("emoji", "tiny", "cells")
    written = (CELLS / "index").stat().st_mtime_ns
    republish(["0_noto.jpg"], {"200_fluent.jpg": "2_elephant.jpg"})
    assert hits("cells") == hits("exact")
    assert "2_elephant.jpg" in hits("cells")
    assert "0_noto.jpg" not in hits("cells")
    assert (CELLS / "index").stat().st_mtime_ns == written


def test_an_evaluation_never_uses_an_index_of_other_items(indexed: Path) -> None:
    republish(["0_noto.jpg"], {})
    likewise.index("emoji", "tiny", "cells")
    written = (CELLS / "index").stat().st_mtime_ns
    likewise.publish("emoji")
    likewise.open("emoji").searcher("tiny", "cells")
    assert (CELLS / "index").stat().st_mtime_ns != written
    assert likewise.indexes()[0].state == "current"


def test_a_stale_index_is_refused_with_what_makes_it_again(indexed: Path) -> None:
    likewise.index("emoji", "tiny", "cells")
    change("nprobe: 2", "nprobe: 3")
    assert len(hits("cells")) == 23
    change("IVF2,Flat", "IVF3,Flat")
    with pytest.raises(StaleArtefactError, match=r"other options.*index emoji tiny cells"):
        hits("cells")
    assert likewise.indexes()[0].state == "stale"
    problems = [p for p in likewise.doctor() if p.check == "index"]
    assert [p.command for p in problems] == ["likewise index emoji tiny cells"]
    likewise.index("emoji", "tiny", "cells")
    assert len(hits("cells")) == 23
    ids = likewise.open("emoji").items["item_id"].to_list()
    republish(ids[:6], {})
    with pytest.raises(StaleArtefactError, match="covers 18 of 18 items"):
        hits("cells", id=ids[7])


def test_vectors_of_another_model_make_an_index_stale(indexed: Path) -> None:
    likewise.index("emoji", "tiny", "cells")
    change("weights: random", "weights: random, input_size: 64")
    likewise.load("tiny")
    likewise.embed("emoji", "tiny")
    likewise.publish("emoji")
    with pytest.raises(StaleArtefactError, match="likewise index emoji tiny cells"):
        hits("cells")


def test_what_params_yaml_names_no_more_is_named_by_the_doctor(indexed: Path) -> None:
    likewise.index("emoji", "tiny", "cells")
    change('  cells: {kind: faiss, factory: "IVF2,Flat", nprobe: 2}\n', "")
    assert likewise.indexes()[0].state == "unused"
    problem = next(p for p in likewise.doctor() if p.check == "index")
    assert problem.command == f"rm -r {CELLS}"
    assert "params.yaml does not use index 'cells'" in problem.what


@pytest.mark.parametrize(
    ("name", "nbytes"), [("exact", 24 * 512 * 4), ("stored", 0), ("flat", 24 * 512 * 4)]
)
def test_an_index_without_a_file_is_measured_too(indexed: Path, name: str, nbytes: int) -> None:
    made = likewise.index("emoji", "tiny", name)
    dim = likewise.open("emoji").vectors("tiny").shape[1]
    assert made.measured is not None
    assert made.measured.recall == 1
    assert made.measured.nbytes == nbytes * dim // 512
    assert likewise.indexes()[0].state == "current"
    republish([ITEM], {})
    assert likewise.indexes()[0].state == "stale"
    assert len(hits(name, id="0_noto.jpg")) == 22


def test_names_and_options_are_checked(indexed: Path) -> None:
    with pytest.raises(UnknownNameError, match="'cells'"):
        likewise.index("emoji", "tiny", "cels")
    with pytest.raises(UnknownNameError, match="'tiny'"):
        likewise.index("emoji", "tyny", "cells")
    change("IVF2,Flat", "IVF99,Flat")
    with pytest.raises(ConfigError, match=r"training points \(24\)"):
        likewise.index("emoji", "tiny", "cells")
    assert likewise.indexes() == []


def test_the_command_says_recall_and_the_listing_shows_it(indexed: Path) -> None:
    runner = CliRunner()
    said = runner.invoke(app, ["index", "emoji", "tiny", "cells"])
    assert said.exit_code == 0
    assert "recall@10 1.0000 on 24 probes" in said.stdout
    assert (
        '"recall": 1.0'
        in runner.invoke(app, ["index", "emoji", "tiny", "exact", "--json"]).stdout
    )
    listed = runner.invoke(app, ["indexes"]).stdout
    assert "24 of 24" in listed
    assert '"state": "current"' in runner.invoke(app, ["indexes", "--json"]).stdout


def test_kept_vectors_are_described_by_content_however_often_they_occur(indexed: Path) -> None:
    likewise.index("emoji", "tiny", "cells")
    before = hits("cells")
    path = "catalog/emoji.lance"
    table = lance.dataset(path).to_table()
    order = np.random.default_rng(0).permutation(len(table))
    lance.write_dataset(table.take(order), path, mode="overwrite", data_storage_version="2.2")
    assert hits("cells") == before


def test_an_index_that_this_checkout_did_not_write_is_not_read(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, faiss = hits("cells"), load_faiss()
    vectors = likewise.open("emoji").vectors("tiny")
    planted = faiss.IndexFlatIP(vectors.shape[1])
    planted.add(np.ascontiguousarray(vectors[::-1], np.float32))
    with monkeypatch.context() as patch:
        patch.setattr(faiss, "read_index", lambda _: pytest.fail("a planted index was read"))
        index_file.save(CELLS / "index", lambda path: faiss.write_index(planted, str(path)))
        assert [one.state for one in likewise.indexes()] == ["stale"]
        assert hits("cells") == first
        patch.setenv("XDG_STATE_HOME", str(indexed.parent / "of somebody else"))
        assert [one.state for one in likewise.indexes()] == ["stale"]
        assert hits("cells") == first
        assert [one.state for one in likewise.indexes()] == ["current"]
    assert hits("cells") == first


@pytest.mark.parametrize("index", ["cells", "stored"])
def test_hits_tell_whether_all_items_were_compared(indexed: Path, index: str) -> None:
    where = "label = 'scissors' OR label = '400'"
    narrow = likewise.search("emoji", index=index, id=ITEM, where=where)
    wide = likewise.search("emoji", index=index, id=ITEM)
    exact = likewise.search("emoji", id=ITEM, where=where)
    assert narrow.exact
    assert wide.exact == (index == "stored")  # a table of few rows has no ANN index
    assert narrow[:2].exact
    assert narrow.frame.equals(exact.frame)
    ids = pl.DataFrame({"id": [ITEM]})
    assert likewise.search_many("emoji", ids, index=index).exact is None
    said = CliRunner().invoke(
        app, ["search", "emoji", "--id", ITEM, "--index", index, "--where", where]
    )
    assert "all items that match the filter were compared" in said.stderr
