"""Likely wrong labels: votes by hand, and planted errors in a catalogue."""

import json
import math
import re
import shlex
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

import likewise
from html_tags import tags
from likewise.catalogue.suspicious_labels import judge_labels
from likewise.cli.app import app
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    StaleArtefactError,
    UnknownNameError,
)
from likewise.evaluation.label_errors import LabelledRows, label_doubts
from likewise.formats.memory import MEMORY
from likewise.steps.suspects import correction
from likewise.storage import tables
from likewise.storage.config import read_params

CATEGORIES = ("0", "200", "400", "600", "800", "1000")
WRONG = "200_noto.jpg"


def rows_of(labels: list[list[int]]) -> LabelledRows:
    """Return the vectors with these labels, each of its own content."""
    offsets = np.cumsum([0, *map(len, labels)])
    codes = np.concatenate([np.array(own, np.int64) for own in labels])
    return LabelledRows(offsets, codes, np.bincount(codes))


def test_votes_are_weighted_by_cosine() -> None:
    """Vector 0 of class 0 has the neighbours 1 (class 0), 2 and 3 (class 1)."""
    rows = rows_of([[0], [0], [1], [1], [0], [0]])
    neighbours = np.array([[2, 1, 3], [0, 4, 5], [3, 0, 1], [2, 0, 1], [5, 1, 0], [4, 1, 0]])
    scores = np.full((6, 3), 0.5, np.float32)
    scores[0] = 0.9, 0.83, 0.76
    found = label_doubts(rows, neighbours, scores)
    weights = [1.0, math.exp(-1), math.exp(-2)]  # of (0.9 - cosine) / 0.07 = 0, 1, 2
    own = weights[1] / sum(weights)
    assert found.own[0] == pytest.approx(own, rel=1e-5)
    assert found.quality[0] == pytest.approx((1 + own - (1 - own)) / 2, rel=1e-5)
    assert (found.suggested[0], found.outvoted[0]) == (1, True)
    # Class 1 has one other content, so that two neighbours of vectors 2 and 3 vote.
    assert found.own[2] == found.own[3] == 1 / 2
    assert found.quality[2] == (1 + 1 / 2 - 1 / 2) / 2
    # The mean share of class 1 is 1 / 2, below the share 1 - own of vector 0.
    assert found.confident.tolist() == [True] + [False] * 5


def test_confident_learning_counts_by_the_mean_share_of_a_class() -> None:
    """Vectors 0 and 4 are of class 0, 1 to 3 and 5 of class 1; 0 is near class 1."""
    rows = rows_of([[0], [1], [1], [1], [0], [1], [0]])
    neighbours = np.array([[1], [2], [1], [1], [6], [1], [4]])
    found = label_doubts(rows, neighbours, np.ones((7, 1), np.float32))
    # Thresholds: (0 + 1 + 1) / 3 of class 0, 1 of class 1; vector 0 has share 1 of class 1.
    assert found.own.tolist() == [0, 1, 1, 1, 1, 1, 1]
    assert found.confident.tolist() == [True] + [False] * 6
    assert found.quality[0] == 0


def test_labels_that_nothing_can_confirm_are_not_judged() -> None:
    """Class 2 has one content; vector 3 has no label and no neighbour vector 4 has one."""
    rows = rows_of([[0], [0], [2], [], [1], [1]])
    neighbours = np.array([[1], [0], [0], [0], [-1], [4]])
    found = label_doubts(rows, neighbours, np.ones((6, 1), np.float32))
    assert found.judged.tolist() == [True, True, False, False, True]
    assert np.isnan(found.own[[2, 3]]).all()
    assert not found.outvoted.any()
    assert not found.confident.any()


def test_a_vector_with_several_labels_divides_its_vote_and_keeps_them() -> None:
    """Vector 0 has classes 0 and 1; its neighbours have 0, 1, and both."""
    rows = rows_of([[0, 1], [0], [1], [0, 1], [0], [1]])
    neighbours = np.array([[1, 3, 2], [0, 3, 4], [0, 3, 5], [0, 1, 2], [1, 0, 3], [2, 0, 3]])
    found = label_doubts(rows, neighbours, np.ones((6, 3), np.float32))
    assert found.own[:2] == pytest.approx([(1 + 0.5) / 3, (1 + 0.5) / 3])
    assert found.suggested[:2].tolist() == [-1, -1]  # no other class has a vote
    # Vector 1 of class 0: half a vote of 0 and of 3, a whole one of 4.
    assert found.own[2] == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert found.suggested[2] == 1


@pytest.fixture
def catalogue(workspace: Path) -> Path:
    """24 drawings of 6 categories, whose vectors are close to the axis of their category.

    Each drawing also has a part of its own, so that all pictures of one category are alike.
    """
    ids = tables.open_table(workspace / "catalog/emoji/items.lance", "").read(["item_id"])
    axes = [CATEGORIES.index(name.partition("_")[0]) for name in ids["item_id"]]
    vectors = np.concatenate([np.eye(6)[axes], 0.1 * np.eye(24)], axis=1)
    np.save("vectors.npy", vectors.astype(np.float32))
    likewise.import_vectors("emoji", "axes", "vectors.npy")
    return workspace


def test_a_planted_error_is_the_first_suspect(catalogue: Path) -> None:
    assert len(likewise.suspects("emoji", "axes")) == 0
    likewise.correct("emoji", [WRONG], {"label": "800"})
    doubtful = likewise.suspects("emoji", "axes")
    (row,) = doubtful.rows.to_dicts()
    assert (row["item_id"], row["label"], row["suggested"]) == (WRONG, "800", "200")
    assert row["quality"] == pytest.approx(0, abs=1e-5)
    assert row["outvoted"]
    assert row["confident"]
    assert [one["label"] for one in row["neighbours"][:3]] == ["200"] * 3
    assert WRONG not in {one["item_id"] for one in row["neighbours"]}
    assert (doubtful.judged, doubtful.unlabelled, doubtful.alone) == (24, 0, 0)
    words = shlex.split(row["command"])
    assert words == ["likewise", "correct", "--label=200", "--", "emoji", WRONG]
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == 0, done.output
    assert len(likewise.suspects("emoji", "axes")) == 0


def test_items_without_label_and_single_classes(catalogue: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": None})
    likewise.correct("emoji", ["400_noto.jpg"], {"label": "new"})
    doubtful = likewise.suspects("emoji", "axes")
    assert (doubtful.judged, doubtful.unlabelled, doubtful.alone) == (22, 1, 1)
    assert len(doubtful) == 0
    assert "0 of 22 judged labels" in doubtful._repr_html_()


def items(**columns: list[object]) -> pl.DataFrame:
    """Return items with ids from a."""
    count = len(columns["label"])
    return pl.DataFrame(
        {"item_id": list("abcdefgh")[:count], "image_id": list("abcdefgh")[:count], **columns},
        schema_overrides={"label": pl.String},
    )


def table_of(folder: Path, contents: list[str], vectors: list[list[float]]) -> tables.Table:
    """Write a table of vectors."""
    import pyarrow as pa

    from likewise.storage.schema import EMBEDDINGS, vector

    contract = EMBEDDINGS.with_columns(vector("vector", len(vectors[0]), "float32"))
    schema = tables.lance_schema(contract, {"vector": {"passport": '{"recipe": {}}'}})
    flat = pa.array(np.array(vectors, np.float32).ravel())
    arrays = [pa.array(contents), pa.FixedSizeListArray.from_arrays(flat, len(vectors[0]))]
    tables.write(folder, schema, [pa.record_batch(arrays, schema=schema)])
    return tables.open_table(folder, "")


def test_copies_do_not_vote_for_themselves(tmp_path: Path) -> None:
    """Items a, b and c are one picture with the label x; the pictures near it are y."""
    table = table_of(
        tmp_path / "v.lance",
        ["1", "2", "3", "4", "5"],
        [[1, 0.1], [1, 0.2], [1, 0.3], [1, 0.4], [0, 1]],
    )
    given = items(content=list("1112345"), label=list("xxxyyyx"))
    judged = judge_labels(given, table, {"kind": "exact"}, MEMORY, "embed")
    assert judged.suspects["item_id"].to_list()[:3] == ["a", "b", "c"]
    assert judged.suspects["suggested"].to_list()[:3] == ["y"] * 3
    near = judged.suspects["neighbours"][0].struct.field("item_id").to_list()
    assert set(near) == {"d", "e", "f", "g"}
    # With another label on one of the copies, neither label is suggested for the other.
    given = items(content=list("1112345"), label=list("xxyyyyx"))
    judged = judge_labels(given, table, {"kind": "exact"}, MEMORY, "embed")
    assert "c" not in judged.suspects["item_id"]


def test_what_cannot_be_judged(tmp_path: Path) -> None:
    table = table_of(tmp_path / "v.lance", ["1", "2"], [[1, 0], [0, 1]])
    with pytest.raises(DataError, match="no two distinct pictures have the same one"):
        judge_labels(
            items(content=["1", "2"], label=["x", "y"]), table, {"kind": "exact"}, MEMORY, ""
        )
    with pytest.raises(StaleArtefactError, match="1 item has no vector yet; run: embed"):
        judge_labels(
            items(content=["1", "3"], label=["x", "x"]),
            table,
            {"kind": "exact"},
            MEMORY,
            "embed",
        )


def test_a_check_flags_suspects_if_it_names_a_model(catalogue: Path) -> None:
    images = catalogue / "emoji" / "images"
    (images / WRONG).rename(images / "800_znoto.jpg")
    likewise.ingest("emoji")
    ids = tables.open_table(catalogue / "catalog/emoji/items.lance", "").read(["item_id"])
    real = [
        "200" if name == "800_znoto.jpg" else name.partition("_")[0] for name in ids["item_id"]
    ]
    axes = np.eye(6)[[CATEGORIES.index(name) for name in real]]
    np.save("vectors.npy", np.concatenate([axes, 0.1 * np.eye(24)], axis=1).astype(np.float32))
    likewise.import_vectors("emoji", "axes", "vectors.npy")
    params = yaml.safe_load((catalogue / "params.yaml").read_text())
    flagged = {}
    for name, bounds in {"off": {}, "on": {"label_model": "axes"}}.items():
        params["checks"] = {"emoji": {"min_side": None, "min_bytes": None, **bounds}}
        (catalogue / "params.yaml").write_text(yaml.safe_dump(params))
        likewise.measure("emoji")
        flagged[name] = likewise.check("emoji")
    assert "suspect" not in flagged["off"].flags
    assert flagged["on"].flags["suspect"] == 1
    table = likewise.query("select * from emoji_flags where flag = 'suspect'").frame
    (row,) = table.to_dicts()
    assert (row["item_id"], row["image_id"]) == ("800_znoto.jpg", "800_znoto.jpg")
    assert row["detail"].startswith("label 800, but 200 by its neighbours by axes; quality 0.0")
    assert row["other"].startswith("200_")
    flagged["on"].to_html("flags.html")
    assert "confident learning agrees" in Path("flags.html").read_text("utf-8")


def test_a_check_names_a_model_that_embeds_the_data_set(catalogue: Path) -> None:
    text = (catalogue / "params.yaml").read_text()
    (catalogue / "params.yaml").write_text(f"{text}checks:\n  emoji: {{label_model: x}}\n")
    with pytest.raises(ConfigError, match=r"checks\.emoji\.label_model: no such name 'x'"):
        read_params(catalogue / "params.yaml")


def test_names_of_models_and_indexes(catalogue: Path) -> None:
    with pytest.raises(UnknownNameError, match="no model named 'axe'"):
        likewise.suspects("emoji", "axe")
    with pytest.raises(UnknownNameError, match="no index named 'flat'"):
        likewise.suspects("emoji", "axes", index="flat")
    (catalogue / "catalog/emoji/embeddings/axes.lance").rename(catalogue / "away")
    with pytest.raises(MissingArtefactError, match="dvc repro import@"):
        likewise.suspects("emoji", "axes")


def test_a_command_holds_any_name_that_prints() -> None:
    line = correction("emoji", "-a b'$(x).jpg", "--label; rm")
    assert line is not None
    assert shlex.split(line)[2:] == ["--label=--label; rm", "--", "emoji", "-a b'$(x).jpg"]
    assert correction("emoji", "a\nb", "x") is None
    assert correction("emoji", "a", "x\x1b[2J\u202e") is None


def test_the_command_and_its_page(catalogue: Path) -> None:
    likewise.correct("emoji", [WRONG, "0_noto.jpg"], {"label": "<script>'x"})

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["suspects", "emoji", "axes", *words])
        assert done.exit_code == code, done.output
        return done.output

    lines = run().splitlines()
    assert lines[0] == "emoji: 2 of 24 judged labels are doubtful by axes"
    assert {line.split()[0] for line in lines[2:4]} == {WRONG, "0_noto.jpg"}
    assert run("--most", "1").splitlines()[-1].startswith("and 1 more")
    commands = run("--commands").splitlines()
    assert [shlex.split(line)[-1] for line in commands] == ["0_noto.jpg", WRONG]
    document = json.loads(run("--json"))
    assert [row["suggested"] for row in document["rows"]] == ["0", "200"]
    assert "ws" not in document
    run("--json", "--commands", code=2)
    assert "wrote page.html" in run("--html", "page.html")
    page = Path("page.html").read_text("utf-8")
    assert "script" not in [tag for tag, _ in tags(page)]
    assert page.count('<div class="mat">') == 2 * (1 + 5)
    pictures = re.findall(r'(?:src|href)="(data:image/jpeg[^"]*)', page)
    assert 6 <= len(pictures) == len(set(pictures)) < 2 * (1 + 5)
    assert "--label=200" in page
    assert "2 of 24 judged labels are doubtful by the vectors of axes" in page
    text = likewise.query("select distinct text from emoji where label = '200'")["text"][0]
    assert f"200 ({text})" in page
    assert "Quality of a label: 0 if all votes are for the other label" in page
