"""``search --rerank``: hits by re-rankers of params.yaml and by kinds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import ConfigError, DataError, UnknownNameError
from rerank_references import reference

ITEM = "200_noto.jpg"
PARAMS = """\
rerankers:
  few: {kind: dba, k: 2, top: 5}
  typo: {kind: dba, kk: 2}
indexes:
  flat: {kind: faiss}
"""


@pytest.fixture
def named(workspace: Path) -> Path:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("indexes:\n", PARAMS), "utf-8")
    return workspace


def by_hand(entry: dict[str, Any], item: str) -> list[tuple[str, float]]:
    """All other items, best first, by the plain reference."""
    dataset = likewise.open("emoji")
    ids, vectors = dataset.items["item_id"].to_list(), dataset.vectors("tiny")
    own = ids.index(item)
    left = [row for row in range(len(ids)) if row != own]
    scores = reference(entry, vectors[own], vectors[left]).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    return [(ids[left[place]], float(scores[place])) for place in order]


@pytest.mark.parametrize("index", [None, "flat"])
@pytest.mark.parametrize("kind", ["alpha-qe", "dba"])
def test_a_kind_re_ranks_with_its_defaults(named: Path, kind: str, index: str | None) -> None:
    hits = likewise.search("emoji", id=ITEM, k=6, rerank=kind, index=index)
    expected = by_hand({"kind": kind}, ITEM)[:6]
    assert hits["item_id"].to_list() == [item for item, _ in expected]
    assert hits["score"].to_list() == pytest.approx([score for _, score in expected], abs=1e-6)
    assert hits["rank"].to_list() == [1, 2, 3, 4, 5, 6]


def test_pages_of_one_search_fit_together(named: Path) -> None:
    for kind in ("alpha-qe", "dba"):
        whole = likewise.search("emoji", id=ITEM, k=9, rerank=kind)
        pages = [
            likewise.search("emoji", id=ITEM, k=3, offset=start, rerank=kind)
            for start in (0, 3, 6)
        ]
        ids = [item for page in pages for item in page["item_id"]]
        assert ids == whole["item_id"].to_list()


def test_an_entry_re_ranks_its_first_hits_only(named: Path) -> None:
    plain = likewise.search("emoji", id=ITEM, k=5)
    hits = likewise.search("emoji", id=ITEM, k=5, rerank="few")
    assert sorted(hits["item_id"]) == sorted(plain["item_id"])
    with pytest.raises(DataError, match="asks for 6 hits, and the re-ranker few re-ranks the"):
        likewise.search("emoji", id=ITEM, k=4, offset=2, rerank="few")


def test_many_queries_have_the_hits_of_single_ones(named: Path) -> None:
    ids = [ITEM, "400_noto.jpg", "0_fluent.jpg"]
    vectors = likewise.open("emoji").vectors("tiny")[:2]
    for kind in ("alpha-qe", "dba"):
        many = likewise.search_many("emoji", pl.DataFrame({"id": ids}), k=4, rerank=kind)
        single = [likewise.search("emoji", id=item, k=4, rerank=kind) for item in ids]
        assert many["item_id"].to_list() == [
            item for hits in single for item in hits["item_id"]
        ]
        by_vector = likewise.search_many("emoji", vectors, k=4, rerank=kind)
        alone = [likewise.search("emoji", vector=one, k=4, rerank=kind) for one in vectors]
        assert by_vector["score"].to_list() == [s for hits in alone for s in hits["score"]]


def test_filters_labels_and_several_ids(named: Path) -> None:
    where = "subset IN ('inat', 'faces', 'sop')"
    hits = likewise.search("emoji", id=ITEM, k=12, where=where, rerank="dba")
    assert set(hits["subset"]) <= {"inat", "faces", "sop"}
    one_each = likewise.search("emoji", id=ITEM, k=24, per_label=1, rerank="alpha-qe")
    assert one_each["label"].is_unique().all()
    both = likewise.search("emoji", id=[ITEM, "400_noto.jpg"], k=22, rerank="dba")
    assert not {ITEM, "400_noto.jpg"} & set(both["item_id"])
    assert len(both) == 22


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keywords": "cat"}, "rerank is for vectors"),
        ({"id": [ITEM, "400_noto.jpg"], "combine": "max"}, "rerank needs one query vector"),
    ],
)
def test_searches_without_one_vector_are_refused(
    named: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        likewise.search("emoji", rerank="dba", **options)
    with pytest.raises(DataError, match="name one data set"):
        likewise.search(["emoji", "emoji"], id=ITEM, rerank="dba")


def test_wrong_names_and_options_name_the_place(named: Path) -> None:
    with pytest.raises(UnknownNameError, match="no re-ranker named 'aqe'"):
        likewise.search("emoji", id=ITEM, rerank="aqe")
    with pytest.raises(
        ConfigError, match=r"rerankers\.typo: kk: unknown key; did you mean 'k'"
    ):
        likewise.search("emoji", id=ITEM, rerank="typo")
    problems = [problem.what for problem in likewise.doctor()]
    assert any("rerankers.typo" in what for what in problems)


def test_the_command_and_the_list_of_kinds(named: Path) -> None:
    words = ["search", "emoji", "--id", ITEM, "-k", "3", "--rerank", "alpha-qe", "--json"]
    printed = CliRunner().invoke(app, words)
    assert printed.exit_code == 0, printed.output
    first = by_hand({"kind": "alpha-qe"}, ITEM)[0][0]
    assert json.loads(printed.stdout)[0]["item_id"] == first
    kinds = likewise.kinds("rerankers")
    assert {"alpha-qe", "dba"} <= {kind.name for kind in kinds}
    for kind in kinds:
        assert kind.source, kind.name
        assert all(option.description for option in kind.options), kind.name
        assert "Cost per query" in kind.details, kind.name
        assert "Memory" in kind.details, kind.name
