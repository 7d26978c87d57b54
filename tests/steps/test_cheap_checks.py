"""A wrong argument is refused before a model is loaded or an image is read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import forked
import likewise
from likewise.models import recipes
from likewise.retrieval.index_cache import CachedIndex

pytestmark = pytest.mark.torch


@pytest.fixture
def costly(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The catalogue, where a loaded model, an opened index or read vectors fail the test."""
    params = workspace / "params.yaml"
    text = params.read_text("utf-8").replace(
        "  exact: {kind: exact}",
        "  exact: {kind: exact}\n  graph: {kind: faiss, factory: HNSW8}",
    )
    params.write_text(text, encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this is costly")

    monkeypatch.setattr(recipes, "load", refuse)
    monkeypatch.setattr(CachedIndex, "open", refuse)
    monkeypatch.setattr("likewise.catalogue.dataset.Dataset.vectors", refuse)
    return workspace


PICTURE = "emoji/images/0_noto.jpg"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: likewise.search("emoji", image=PICTURE, where="lable = '0'"), "lable"),
        (lambda: likewise.search("emoji", image=PICTURE, where="label = ="), "not SQL"),
        (lambda: likewise.search("emoji", image=PICTURE, index="grap"), "'graph'"),
        (lambda: likewise.search("emoji", image=PICTURE, model="tny"), "'tiny'"),
        (lambda: likewise.search("emoji", image="none.jpg", index="graph"), "none.jpg"),
        (lambda: likewise.search("emoji", id="none.jpg", index="graph"), "no item named"),
        (lambda: likewise.search("emoji", id="0_noto.jpg", k=0, index="graph"), "k is 0"),
        (lambda: likewise.search(["emoji"] * 2, image=PICTURE, where="lable = '0'"), "lable"),
        (
            lambda: likewise.search_many(
                "emoji", np.ones((1, 96)), where="lable = '0'", index="graph"
            ),
            "lable",
        ),
        (
            lambda: likewise.search_many("emoji", pl.DataFrame({"x": [1]})),
            "one column of id, image, vector and text",
        ),
        (lambda: likewise.export("emoji", "csv", "out", where="lable = '0'"), "lable"),
        (lambda: likewise.export("emoji", "csv", "emoji"), "already exists and is not empty"),
        (lambda: likewise.export("emoji", "csv", "out", options={"imags": 1}), "'images'"),
        (lambda: likewise.pull_images("emoji", where="lable = '0'"), "lable"),
        (lambda: likewise.embed("emoji", "tny"), "'tiny'"),
        (lambda: likewise.index("emoji", "tiny", "grap"), "'graph'"),
        (lambda: likewise.attention("tiny", "none.jpg"), "none.jpg"),
        (lambda: likewise.why("tiny", "emoji"), "likewise why emoji tiny"),
        (lambda: likewise.why("emoji", "tiny", "none.jpg"), "none.jpg"),
    ],
)
def test_a_wrong_argument_costs_nothing(
    costly: Path, ask: Callable[[], object], message: str
) -> None:
    with pytest.raises(likewise.LikewiseError, match=message):
        ask()


@pytest.mark.parametrize("protocol", ["verification-easy", "reidentification"])
def test_a_protocol_asks_for_its_columns_before_vectors_are_read(
    costly: Path, protocol: str
) -> None:
    params = costly / "params.yaml"
    text = params.read_text("utf-8").replace("protocol: gpr1200}", f"protocol: {protocol}}}")
    params.write_text(text, encoding="utf-8")
    with pytest.raises(likewise.DataError, match="reads columns that these items do not have"):
        likewise.evaluate("emoji-tiny")


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "emoji", "--image", PICTURE, "--html", "none/hits.html"],
        ["search", "emoji", "--image", PICTURE, "--png", "none/hits.png"],
        ["query", "select * from emoji", "--csv", "none/rows.csv"],
        ["check", "emoji", "--html", "none/flags.html"],
    ],
)
def test_a_file_that_cannot_be_written_is_refused_first(
    costly: Path, arguments: list[str]
) -> None:
    done = forked.run(costly, "likewise", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no folder none; make it first" in " ".join(done.stderr.split())


def test_a_revision_in_place_of_the_data_set(recorded: Path) -> None:
    from likewise.storage.versions import run_git

    run_git(recorded, "add", "params.yaml")
    run_git(recorded, "commit", "--quiet", "--message", "one")
    run_git(recorded, "tag", "v1")
    with pytest.raises(likewise.DataError, match="likewise diff emoji v1 v2"):
        likewise.diff("v1", "v2")


def test_the_list_has_views(workspace: Path) -> None:
    with (workspace / "params.yaml").open("a", encoding="utf-8") as params:
        params.write("checks: {emoji: {}}\nviews: {sharp: {of: emoji, without: [dark]}}\n")
    emoji, sharp = likewise.datasets()
    assert (emoji.view_of, sharp.dataset, sharp.view_of, sharp.state) == (
        None,
        "sharp",
        "emoji",
        "added",
    )


def test_a_description_has_a_short_representation(workspace: Path) -> None:
    described = likewise.show("emoji")
    assert repr(described) == ("Description(emoji: published, 24 items, models: tiny, 1 run)")
    assert "test_resnet.r160_in1k" in described._repr_html_()
