"""Entries that can be read but stop a stage: doctor names file, entry and remedy."""

from pathlib import Path

import pytest

import likewise
from likewise.errors import ConfigError, UnknownNameError
from likewise.models.recipes import RECIPES
from likewise.retrieval.indexes import INDEXES
from likewise.storage.versions import run_git

pytestmark = pytest.mark.dvc

INDEX = "indexes:\n  exact: {kind: exact}\n"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def commit(root: Path) -> None:
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message", "made")


def problems() -> list[tuple[str, str, str]]:
    return [(problem.check, problem.what, problem.command) for problem in likewise.doctor()]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('{kind: faiss, factory: "IVf2,Flat"}', "could not parse"),
        ('{kind: faiss, factory: "IVF20000000000,Flat"}', "number 20000000000 is too large"),
        ('{kind: faiss, factory: "IVF64,Flat"}', "number of clusters (64)"),
        ('{kind: faiss, factory: "IVF2,PQ7x2"}', "multiple of the number of subquantizers"),
        ("{kind: fais}", "no index kind named 'fais'; did you mean 'faiss'"),
        ('{kind: faiss, factory: "IVF2,Flat", parameters: {nprob: 2}}', "nprob"),
        ("{kind: lopq, m: 7}", "m must divide"),
    ],
)
def test_an_index_that_suits_no_vectors_is_edited(
    recorded: Path, entry: str, reason: str
) -> None:
    edit(recorded / "params.yaml", INDEX, f"{INDEX}  cells: {entry}\n")
    ((check, what, command),) = problems()
    assert (check, command) == ("params", "edit params.yaml")
    assert what.startswith("params.yaml: indexes.cells: ")
    assert reason in what
    with pytest.raises((ConfigError, UnknownNameError)) as caught:
        likewise.index("emoji", "tiny", "cells")
    assert str(caught.value).startswith("params.yaml: indexes.cells: ")


def test_a_kept_index_whose_entry_is_damaged_is_not_built_again(recorded: Path) -> None:
    params = recorded / "params.yaml"
    edit(params, INDEX, f'{INDEX}  cells: {{kind: faiss, factory: "IVF2,Flat"}}\n')
    likewise.index("emoji", "tiny", "cells")
    edit(params, "IVF2,Flat", "IVF2,Flap")
    ((_, what, command),) = problems()
    assert command == "edit params.yaml"
    assert "indexes.cells" in what
    edit(params, "IVF2,Flap", "IVF3,Flat")
    assert [command for *_, command in problems()] == ["likewise index emoji tiny cells"]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "params.yaml",
            "backbone: test_resnet.r160_in1k",
            "backbone: test_resnft.r160_in1k",
            "params.yaml: models.tiny: no timm backbone named 'test_resnft",
        ),
        (
            "params.yaml",
            "weights: random",
            "weights: file:models/gone.pth",
            "params.yaml: models.tiny: weights 'file:models/gone.pth': the file does not exist",
        ),
        (
            "params.yaml",
            "weights: random",
            "weights: package:no-such-package",
            "params.yaml: models.tiny: weights 'package:no-such-package': it is not installed",
        ),
    ],
)
def test_a_model_that_cannot_be_loaded_is_edited(
    recorded: Path, file: str, old: str, new: str, expected: str
) -> None:
    commit(recorded)
    edit(recorded / file, old, new)
    found = problems()
    assert found[0][0] == "dvc"
    assert f"params.yaml: models.tiny.{old.partition(':')[0]}" in found[0][1]
    assert found[1][0::2] == ("params", "edit params.yaml")
    assert found[1][1].startswith(expected)


def test_an_edited_card_is_named_with_its_option(recorded: Path) -> None:
    commit(recorded)
    edit(
        recorded / "catalog" / "emoji.yaml",
        "kind: gpr1200",
        "kind: gpr1200, subsets: none",
    )
    ((_, what, command),) = problems()
    expected = "1 stage is out of date: ingest@emoji; these entries changed: "
    assert what == f"{expected}catalog/emoji.yaml: source.subsets"
    assert command == "dvc repro"


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ("transforms:\n  small: [{kind: rezise, side: 64}]\n", "transforms.small"),
        ("exports:\n  shards: {kind: webdatasett}\n", "exports.shards"),
        ("exports:\n  shards: {kind: webdataset, shard: 0}\n", "exports.shards"),
        (
            "exports:\n  flat: {kind: folder, transform: smal}\n",
            "exports.flat.transform: no such name 'smal'",
        ),
    ],
)
def test_an_entry_that_only_a_command_reads_is_edited(
    recorded: Path, section: str, place: str
) -> None:
    params = recorded / "params.yaml"
    text = params.read_text("utf-8").replace(f"{section.partition(':')[0]}: {{}}\n", "")
    params.write_text(text + section, "utf-8")
    ((check, what, command),) = problems()
    assert (check, command) == ("params", "edit params.yaml")
    assert place in what


def test_an_empty_path_is_not_the_whole_catalogue(recorded: Path) -> None:
    edit(recorded / "params.yaml", "path: emoji/images", "path: ''")
    assert next((what, command) for _, what, command in problems()) == (
        "params.yaml: datasets.emoji.path: String should have at least 1 character",
        "edit params.yaml",
    )


def test_options_of_a_published_vector_index_are_checked(recorded: Path) -> None:
    edit(recorded / "params.yaml", "model: tiny}", "model: tiny, ann: {kind: IVF_SX}}")
    found = [(what, command) for check, what, command in problems() if check == "params"]
    ((what, command),) = found
    assert what.startswith("params.yaml: embeddings.emoji-tiny.ann: kind")
    assert command == "edit params.yaml"


def test_every_kind_has_the_checks() -> None:
    for registry, method in ((INDEXES, "check_size"), (RECIPES, "check_inputs")):
        assert all(hasattr(registry.load(kind), method) for kind in registry.builtin())
