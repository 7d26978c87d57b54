"""Models and runs are added to params.yaml by verbs, and listed."""

import json
from pathlib import Path

import pytest
import yaml

import likewise
from forked import run
from likewise.errors import ConfigError, DataError, UnknownNameError
from likewise.models.known_models import known_models
from likewise.storage.config import read_params

READY = Path(__file__).parents[2] / "docs" / "ready.yaml"


def params() -> str:
    return Path("params.yaml").read_text("utf-8")


def test_a_model_embeds_data_sets_and_is_scored_as_they_are(workspace: Path) -> None:
    Path("params.yaml").write_text(f"# the lab's models\n{params()}", "utf-8")
    added = likewise.add_model(
        "small",
        kind="timm",
        options={"backbone": "resnet18", "weights": "random"},
        data=["emoji"],
    )
    assert (added.models, added.section) == (["small"], "models")
    assert (added.embeddings, added.runs) == (["emoji-small"], ["emoji-small-gpr1200"])
    assert params().startswith("# the lab's models\n")
    written = read_params(Path("params.yaml"))
    assert written.models["small"]["backbone"] == "resnet18"
    assert written.runs["emoji-small-gpr1200"].protocol == "gpr1200"


def test_the_notebooks_models_are_one_command(workspace: Path) -> None:
    printed = run(
        workspace,
        "likewise",
        "add-model",
        "--known",
        "gpr1200-notebook",
        "--data",
        "emoji",
        "--json",
    )
    assert len(json.loads(printed.stdout)["runs"]) == 17
    again = likewise.add_model(known="gpr1200-notebook", data=["emoji"])
    assert (again.models, again.embeddings, again.runs) == ([], [], [])
    assert len(read_params(Path("params.yaml")).embeddings) == 18


def test_a_model_that_learns_gets_the_section_of_its_recipe(workspace: Path) -> None:
    options = {"init": "tiny", "data": "emoji"}
    assert likewise.add_model("white", kind="whiten", options=options).section == "pretrained"
    assert read_params(Path("params.yaml")).pretrained["white"]["init"] == "tiny"


def test_wrong_models_are_refused_and_nothing_is_written(workspace: Path) -> None:
    before = params()
    with pytest.raises(UnknownNameError, match="did you mean 'vit_b'"):
        likewise.add_model(known="vit_bb")
    with pytest.raises(UnknownNameError, match="timm"):
        likewise.add_model("x", kind="tim")
    with pytest.raises(ConfigError, match="backbone"):
        likewise.add_model("x", kind="timm", options={"backbones": "resnet18"})
    with pytest.raises(ConfigError, match="tiny is another model of this name"):
        likewise.add_model("tiny", kind="timm", options={"backbone": "resnet18"})
    with pytest.raises(UnknownNameError, match="emoji"):
        likewise.add_model(known="vit_b", data=["emojis"])
    with pytest.raises(DataError, match="either a name and a kind"):
        likewise.add_model("x", known="vit_b")
    with pytest.raises(ConfigError, match="init"):
        likewise.add_model("x", kind="whiten", options={"init": "absent", "data": "emoji"})
    assert params() == before


def test_a_run_is_added_with_its_options(workspace: Path) -> None:
    name = likewise.add_run(
        "emoji", "tiny", "compcars-strict", options={"min_images_per_class": 2}
    )
    assert name == "emoji-tiny-compcars-strict"
    assert read_params(Path("params.yaml")).runs[name].min_images_per_class == 2
    likewise.add_model("other", kind="timm", options={"backbone": "resnet18"})
    likewise.add_run("emoji", "other", "leave-one-out")
    assert "emoji-other" in read_params(Path("params.yaml")).embeddings
    assert likewise.evaluate("emoji-tiny").metrics  # the runs that were there are unchanged


def test_a_run_may_name_an_index_where_none_is_exact(workspace: Path) -> None:
    ivf = "ivf: {kind: faiss, factory: 'IVF4,Flat'}"
    text = params().replace("exact: {kind: exact}", ivf).replace("index: exact", "index: ivf")
    Path("params.yaml").write_text(text, "utf-8")
    assert likewise.add_run("emoji", "tiny", "gpr1200", index="ivf") == "emoji-tiny-gpr1200-ivf"
    with pytest.raises(UnknownNameError, match="exact"):
        likewise.add_run("emoji", "tiny", "gpr1200")


def test_wrong_runs_are_refused(workspace: Path) -> None:
    before = params()
    for words in (
        ("emojis", "tiny", "gpr1200"),
        ("emoji", "tinny", "gpr1200"),
        ("emoji", "tiny", "gpr120"),
    ):
        with pytest.raises(UnknownNameError, match="did you mean"):
            likewise.add_run(*words)
    with pytest.raises(UnknownNameError, match="exact"):
        likewise.add_run("emoji", "tiny", "gpr1200", index="exct")
    with pytest.raises(ConfigError, match="min_images_per_class"):
        likewise.add_run("emoji", "tiny", "compcars-mips", options={"min_images_per_class": 0})
    assert params() == before


def test_models_are_listed(workspace: Path) -> None:
    likewise.add_model("other", kind="timm", options={"backbone": "resnet18"})
    listed = {model.name: model for model in likewise.list_models()}
    assert (listed["tiny"].made, listed["tiny"].dim, listed["tiny"].datasets) == (
        True,
        96,
        ["emoji"],
    )
    assert (listed["other"].made, listed["other"].dim) == (False, None)
    printed = run(workspace, "likewise", "list-models", "--json").stdout
    assert [model["name"] for model in json.loads(printed)] == list(listed)


def test_known_models_are_those_of_the_documentation() -> None:
    """docs/ready.yaml lists the same entries, because its trained models start from them."""
    documented = yaml.safe_load(READY.read_text("utf-8"))["models"]
    for group in known_models().values():
        assert set(group.published) <= set(group.models)
        if group.name != "towers":  # nothing is trained from models of other libraries
            assert {name: documented[name] for name in group.models} == dict(group.models)
    assert len(known_models()["gpr1200-notebook"].models) == 17
