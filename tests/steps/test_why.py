"""The origin of a column, of its metrics and of one vector."""

import json
from pathlib import Path

import numpy as np
import pytest

import likewise
from likewise.errors import DataError, UnknownNameError
from likewise.steps.why import Fact
from likewise.steps.why.item_facts import compared

pytestmark = pytest.mark.torch


def told(*names: str) -> dict[str, Fact]:
    return {fact.what: fact for fact in likewise.why(*names)}


def test_the_chain_from_card_to_run(workspace: Path) -> None:
    before = told("emoji", "tiny")
    assert before["run emoji-tiny"].remark == "run: dvc repro evaluate@emoji-tiny"
    likewise.evaluate("emoji-tiny")
    facts = told("emoji", "tiny")
    assert facts["card"].value == "catalog/emoji.yaml: Emoji in GPR1200's layout"
    assert facts["items"].value.startswith("24 rows, contents ")
    assert facts["model: backbone"].value == "test_resnet.r160_in1k"
    assert facts["column"].value.startswith("24 rows, tiny ")
    metrics = json.loads((workspace / "reports" / "emoji-tiny.json").read_text("utf-8"))
    first = f"gpr1200: all {metrics['all']:.6g}"
    assert facts["run emoji-tiny"] == Fact("run emoji-tiny", first)
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    likewise.publish("emoji")
    facts = told("emoji", "tiny")
    assert facts["corrections"].value == "2 values"
    assert facts["run emoji-tiny"].remark == "label changed since; run: dvc repro"
    assert facts["column"] == before["column"]
    names = list(facts)
    chain = [
        "card",
        "items",
        "vectors",
        "embedded",
        "model: sha256",
        "column",
        "run emoji-tiny",
    ]
    assert sorted(chain, key=names.index) == chain


@pytest.mark.parametrize("name", ["emoji-tiny.json", "emoji-tiny.lineage.json"])
def test_a_report_of_an_unfinished_merge_is_reported_in_one_line(
    workspace: Path, name: str
) -> None:
    likewise.evaluate("emoji-tiny")
    (workspace / "reports" / name).write_text("<<<<<<< HEAD\n", "utf-8")
    with pytest.raises(DataError, match=f"{name} is damaged.*: dvc repro evaluate@emoji-tiny"):
        likewise.why("emoji", "tiny")


def test_a_vector_is_replayed_from_its_pixels(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    facts = told("emoji", "tiny", "0_noto.jpg")
    assert float(facts["replayed cosine"].value) > 1 - 1e-6
    assert facts["replayed cosine"].remark == "equal, within the rounding of float32"
    assert facts["corrected label"] == Fact("corrected label", "200", "the source says 0")
    params = workspace / "params.yaml"
    params.write_text(params.read_text("utf-8").replace("seed: 0", "seed: 5"), "utf-8")
    likewise.load("tiny")
    facts = told("emoji", "tiny", "0_noto.jpg")
    assert facts["vectors"].remark.startswith("the present 'tiny' is another model; run: dvc")
    assert facts["replayed cosine"].remark.startswith("DIFFERS by more than rounding")


def test_what_rounding_explains() -> None:
    rng = np.random.default_rng(0)
    vector = rng.normal(size=512)
    half = vector.astype(np.float16).astype(np.float64)
    wrong = vector + rng.normal(size=512) * 0.1

    def remark(other: "np.ndarray[tuple[int], np.dtype[np.float64]]", *kinds: str) -> str:
        return compared(other, vector, *kinds)[0].remark

    assert remark(half, "float16", "float32") == "equal, within the rounding of float16"
    assert float(compared(half, vector, "float16", "float32")[0].value) >= 1 - 2**-22 / 2
    assert remark(wrong, "float32", "float32").startswith("DIFFERS")
    brain = vector * (1 + rng.uniform(-(2**-8), 2**-8, 512))
    assert remark(brain, "float32", "bfloat16").startswith(
        "more than the rounding of float32, less"
    )
    assert remark(brain, "float32", "float32").startswith("DIFFERS")
    assert remark(vector[:10], "float32", "float32").startswith("another model made")
    assert remark(vector * np.nan, "float32", "float32").startswith("DIFFERS")


def test_unknown_names_have_near_ones(workspace: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no model named 'tinny'.*did you mean 'tiny'"):
        likewise.why("emoji", "tinny")
    with pytest.raises(UnknownNameError, match="no data set named 'emojis'"):
        likewise.why("emojis", "tiny")
    with pytest.raises(
        DataError, match=r"emoji has no item 0_not.jpg; did you mean '0_noto.jpg'"
    ):
        likewise.why("emoji", "tiny", "0_not.jpg")
    assert likewise.why("tiny")[0].what == "made by"
