"""Views that leave out what is flagged."""

import json
from pathlib import Path

import polars as pl
import pytest

import likewise
from checked_drawings import PLAIN
from likewise.errors import (
    ConfigError,
    MissingArtefactError,
    UnknownNameError,
)


@pytest.mark.torch
def test_views_leave_out_what_is_flagged(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text("utf-8").replace(
        "runs:\n",
        "runs:\n  clean: {dataset: clean, model: tiny, index: exact, protocol: gpr1200}\n",
    )
    least = sorted(likewise.open("emoji").items["nbytes"])[12]
    bounds = {**PLAIN, "min_bytes": least}
    view = "views: {clean: {of: emoji, without: [few_bytes, duplicate]}}\n"
    params.write_text(f"{text}checks: {{emoji: {json.dumps(bounds)}}}\n{view}", "utf-8")
    with pytest.raises(MissingArtefactError, match="dvc repro check@emoji"):
        likewise.view("clean")
    likewise.measure("emoji")
    likewise.check("emoji")
    emoji = likewise.open("emoji")
    few = set(emoji.items.filter(pl.col("nbytes") < least)["item_id"])
    kept = [item for item in emoji.items["item_id"] if item not in few]
    assert len(kept) == 12
    assert emoji.frame(without=["few_bytes"]).collect()["item_id"].to_list() == kept
    with pytest.raises(UnknownNameError, match="did you mean 'few_bytes'"):
        emoji.frame(without=["few_byte"])

    done = likewise.view("clean")
    assert (done.items, done.left_out) == (len(kept), 24 - len(kept))
    clean = likewise.open("clean")
    assert clean.items["item_id"].to_list() == kept
    rows = [n for n, item in enumerate(emoji.items["item_id"]) if item in kept]
    assert (clean.vectors("tiny") == emoji.vectors("tiny")[rows]).all()
    assert clean.images(kept[:1], encoded=True) == emoji.images(kept[:1], encoded=True)
    assert clean.search(id=kept[0], k=3)["item_id"].is_in(kept).all()
    assert len(likewise.query("select item_id from clean")) == len(kept)
    assert len(likewise.evaluate("clean").queries) == len(kept)
    assert list(likewise.open()) == ["clean", "emoji"]
    with pytest.raises(UnknownNameError, match="no data set named 'clean'"):
        likewise.ingest("clean")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("{clean: {of: emoji, without: [small]}}", "views.clean.of: no such name 'emoji'"),
        ("{clean: {of: emoji, without: []}}", "at least 1 item"),
        ("{emoji: {of: emoji, without: [small]}}", "a data set already has this name"),
        ("{clean: {of: emoji, without: [smal]}}", "did you mean 'small'"),
    ],
)
@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_a_wrong_view_is_refused(workspace: Path, view: str, said: str) -> None:
    params = workspace / "params.yaml"
    params.write_text(params.read_text("utf-8") + f"views: {view}\n", "utf-8")
    with pytest.raises(ConfigError, match=said):
        likewise.view("emoji" if view.startswith("{emoji") else "clean")
