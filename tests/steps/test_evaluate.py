"""The report of a run: reproducible bytes, one row per query, and its lineage."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import likewise
from likewise.errors import ConfigError, MissingArtefactError, UnknownNameError
from likewise.storage.config import read_yaml
from likewise.storage.schema import QUERIES

pytestmark = pytest.mark.torch

RUN = "emoji-tiny"
REPORTS = [f"{RUN}.{kind}" for kind in ("json", "lineage.json", "parquet", "statistics.json")]


def edit(root: Path, old: str, new: str) -> None:
    path = root / "params.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def reports(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "reports").iterdir()}


def test_a_second_evaluation_writes_the_same_bytes(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    before = reports(workspace)
    assert sorted(before) == REPORTS
    likewise.evaluate(RUN, workspace=workspace)
    assert reports(workspace) == before


def test_vectors_made_and_published_again_give_the_same_bytes(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    before = reports(workspace)
    likewise.publish("emoji", workspace=workspace)
    likewise.evaluate(RUN, workspace=workspace)
    assert reports(workspace) == before


def test_a_report_holds_the_numbers_and_nothing_else(workspace: Path) -> None:
    result = likewise.evaluate(RUN, workspace=workspace)
    metrics = json.loads((workspace / "reports" / f"{RUN}.json").read_text("utf-8"))
    assert metrics == result.metrics
    assert next(iter(metrics)) == "all"
    assert list(metrics)[1:] == ["landmarks", "inat", "sketch", "instre", "sop", "faces"]


def test_the_main_number_is_the_mean_over_queries(workspace: Path) -> None:
    """Compute by hand: 24 queries, 4 images per class, the query itself is relevant."""
    result = likewise.evaluate(RUN, workspace=workspace)
    dataset = likewise.open("emoji", workspace=workspace)
    vectors, labels = dataset.vectors("tiny"), dataset.items["label"].to_numpy()
    scores = vectors @ vectors.T
    expected = []
    for query in range(24):
        order = np.argsort(-scores[query], kind="stable")
        at = np.flatnonzero(labels[order] == labels[query]) + 1
        expected.append(np.mean(np.arange(1, 5) / at))
    assert result.metrics["all"] == pytest.approx(np.mean(expected), abs=5e-5)


def test_queries_are_a_row_each_by_contract(workspace: Path) -> None:
    result = likewise.evaluate(RUN, workspace=workspace)
    queries = pl.read_parquet(workspace / "reports" / f"{RUN}.parquet")
    assert queries.equals(result.queries)
    optional = ("by", "value_without")
    assert queries.columns == [name for name in QUERIES.names() if name not in optional]
    assert pl.Series(queries["hits"].list.first()).equals(queries["item_id"], check_names=False)
    assert queries["hit_relevant"].list.sum().to_list() == [
        sum(rank <= 20 for rank in ranks) for ranks in queries["ranks"].to_list()
    ]
    assert queries["missed"].list.len().to_list() == [
        sum(rank > 20 for rank in ranks) for ranks in queries["ranks"].to_list()
    ]
    assert queries["item_id"].equals(
        likewise.open("emoji", workspace=workspace).items["item_id"]
    )
    assert queries["relevant"].to_list() == [4] * 24
    assert queries["first_hit"].min() == 1
    assert queries["value"].mean() == pytest.approx(result.metrics["all"], abs=5e-5)


def test_its_lineage_says_what_was_read(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    text = (workspace / "reports" / f"{RUN}.lineage.json").read_text("utf-8")
    lineage = json.loads(text)
    assert lineage["run"] == {
        "dataset": "emoji",
        "model": "tiny",
        "index": "exact",
        "protocol": "gpr1200",
    }
    assert lineage["protocol"]["name"] == "gpr1200"
    assert lineage["items"] == 24
    published = read_yaml(workspace / "catalog" / "emoji.columns.yaml")
    assert isinstance(published, dict)
    read = ("label", "subset", "tiny")
    assert lineage["columns"] == {name: published["columns"][name] for name in read}
    passport = (workspace / "models" / "tiny" / "passport.json").read_text("utf-8")
    assert lineage["model"] == json.loads(passport)
    assert str(workspace) not in text


@pytest.mark.parametrize(
    ("index", "options"),
    [
        ("flat", "{kind: faiss, factory: Flat}"),
        ("lance", "{kind: lance, metric: dot}"),
        ("exact2", "{kind: exact}"),
    ],
)
def test_an_index_that_finds_everything_scores_as_exact_search(
    workspace: Path, index: str, options: str
) -> None:
    exact = likewise.evaluate(RUN, workspace=workspace)
    edit(
        workspace,
        "  exact: {kind: exact}\n",
        f"  exact: {{kind: exact}}\n  {index}: {options}\n",
    )
    edit(workspace, "index: exact,", f"index: {index},")
    found = likewise.evaluate(RUN, workspace=workspace)
    names = list(exact.metrics)
    assert {name: found.metrics[name] for name in names} == pytest.approx(
        exact.metrics, abs=1e-4
    )


def test_the_strict_protocol_leaves_the_query_out(workspace: Path) -> None:
    likewise.evaluate(RUN, workspace=workspace)
    edit(workspace, "protocol: gpr1200}", "protocol: gpr1200-strict}")
    strict = likewise.evaluate(RUN, workspace=workspace)
    assert strict.queries["relevant"].to_list() == [3] * 24
    assert next(iter(strict.metrics)) == "mAP"


def test_a_run_that_is_not_there_has_neighbours(workspace: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"^no run named 'emoji-tyni' in params\.yaml"):
        likewise.evaluate("emoji-tyni", workspace=workspace)


def test_a_protocol_that_is_not_there_has_neighbours(workspace: Path) -> None:
    edit(workspace, "protocol: gpr1200}", "protocol: gpr120}")
    with pytest.raises(UnknownNameError, match="no protocol kind named 'gpr120'; did you mean"):
        likewise.evaluate(RUN, workspace=workspace)


def test_an_index_with_a_wrong_option_is_reported(workspace: Path) -> None:
    edit(workspace, "exact: {kind: exact}", "exact: {kind: faiss, factroy: Flat}")
    with pytest.raises(ConfigError, match="factroy: unknown key; did you mean 'factory'"):
        likewise.evaluate(RUN, workspace=workspace)


def test_a_model_that_is_not_published_names_the_command(workspace: Path) -> None:
    edit(workspace, "models:\n", "models:\n  m2: {kind: timm, backbone: test_vit}\n")
    edit(workspace, "embeddings:\n", "embeddings:\n  e2: {dataset: emoji, model: m2}\n")
    edit(
        workspace,
        "runs:\n",
        "runs:\n  r2: {dataset: emoji, model: m2, index: exact, protocol: gpr1200}\n",
    )
    with pytest.raises(MissingArtefactError, match=r"run: dvc repro publish@emoji$"):
        likewise.evaluate("r2", workspace=workspace)


def test_its_statistics_hold_every_number(workspace: Path) -> None:
    result = likewise.evaluate(RUN, workspace=workspace)
    text = (workspace / "reports" / f"{RUN}.statistics.json").read_text("utf-8")
    statistics = json.loads(text)
    assert statistics["method"]["level"] == 0.95
    assert list(statistics["intervals"]) == list(result.metrics)
    found = statistics["intervals"]["all"]
    assert (found["queries"], found["classes"]) == (24, 6)
    assert found["low"] < found["value"] < found["high"]
    assert round(found["value"], 4) == result.metrics["all"]
    # Each subset has one class here, and one class has no interval.
    assert statistics["intervals"]["faces"]["low"] is None
