"""The list of artefacts contains all outputs of dvc.yaml, with the right stages."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.repo import Repo

import likewise
from likewise.storage import artefacts
from likewise.storage.artefacts import TableArtefact
from likewise.storage.workspace import Workspace

ROOT = Path(__file__).parents[1]

MORE = """
pretrained:
  alone: {kind: ssl, start: lite0, data: food}
distilled:
  small: {kind: distill, start: lite0, data: food, teacher: lite0}
mixed:
  both: {kind: distill, init: lite0, data: [emoji, food], teacher: lite0}
views:
  clean: {of: emoji, without: [leak]}
filtered:
  wide: {of: emoji, where: width > 500}
selected:
  hard: {of: emoji, selection: hard}
thumbs:
  emoji: {}
"""
"""Entries for the sections that are empty in this repository's params.yaml."""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Make a catalogue with entries in every section of params.yaml and today's dvc.yaml.

    The tests only read it.
    """
    root = tmp_path_factory.mktemp("artefacts")
    text = (ROOT / "params.yaml").read_text("utf-8")
    for section in ("pretrained", "distilled", "views", "filtered", "selected"):
        text = text.replace(f"{section}: {{}}\n", "")
    (root / "params.yaml").write_text(text + MORE, "utf-8")
    likewise.init(root)
    for dataset in Workspace(root).params.datasets:
        card = (ROOT / "catalog" / f"{dataset}.yaml").read_text("utf-8")
        (root / "catalog" / f"{dataset}.yaml").write_text(card, "utf-8")
        columns = (
            "contents: ''\ncolumns: {content: '', label: '', role: '', split: '', text: ''}\n"
        )
        for name in ("items", "lite0"):
            path = root / "catalog" / dataset / "columns" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(columns, "utf-8")
    return Workspace(root)


def outputs_of_dvc_yaml(ws: Workspace) -> dict[str, set[str]]:
    """Return stage -> outputs, as DVC resolves dvc.yaml."""
    with Repo(str(ws.root)) as repo:
        return {stage.name: {out.def_path for out in stage.outs} for stage in repo.index.stages}


def test_the_outputs_of_every_stage_are_artefacts(catalogue: Workspace) -> None:
    listed: dict[str, set[str]] = {}
    for made in artefacts.artefacts(catalogue):
        paths = {catalogue.relative(path) for path in made.files}
        listed.setdefault(str(made.stage), set()).update(paths)
    assert listed == outputs_of_dvc_yaml(catalogue)
    assert list(listed) == [str(stage) for stage in artefacts.stages(catalogue)]


def test_stages_have_the_outputs_of_their_artefacts(catalogue: Workspace) -> None:
    for stage, outputs in artefacts.stages(catalogue).items():
        made = [one for one in artefacts.artefacts(catalogue) if one.stage == stage]
        assert set(outputs) == {path for one in made for path in one.files}
        assert len({one.name for one in made}) == len(made)


def test_this_repository_has_the_same_stages() -> None:
    ws = Workspace(ROOT)
    assert {str(stage) for stage in artefacts.stages(ws)} == set(outputs_of_dvc_yaml(ws))


def test_an_artefact_says_what_makes_it(catalogue: Workspace) -> None:
    items = artefacts.table(catalogue, "emoji", "items")
    assert items.command == "dvc repro ingest@emoji"
    assert items.stage.forced == "dvc repro --force ingest@emoji"
    assert artefacts.table(catalogue, "clean", "items") == items
    assert artefacts.published(catalogue, "clean").command == "dvc repro view@clean"
    made = artefacts.embeddings(catalogue, "food", "lite0")
    assert (made.command, made.stage.job) == ("dvc repro embed@food-lite0", "embed-food-lite0")
    for model in ("lite0", "outlines", "alone", "small", "words", "both"):
        assert artefacts.model(catalogue, model).stage.job == f"train-{model}"


@pytest.mark.parametrize(
    "find",
    [
        lambda ws: artefacts.model(ws, "lite9"),
        lambda ws: artefacts.embeddings(ws, "emoji", "outlines"),
        lambda ws: artefacts.results(ws, "none"),
    ],
    ids=["model", "embeddings", "run"],
)
def test_names_that_params_yaml_does_not_have(
    catalogue: Workspace, find: Callable[[Workspace], object]
) -> None:
    with pytest.raises(likewise.UnknownNameError):
        find(catalogue)


def test_the_tables_of_a_data_set(catalogue: Workspace) -> None:
    """They include tables of views, and tables that no entry requests."""
    found = [(made.name, str(made.stage)) for made in artefacts.tables_of(catalogue, "emoji")]
    assert found == [
        ("images", "ingest@emoji"),
        ("items", "ingest@emoji"),
        ("findings", "ingest@emoji"),
        ("pixels", "measure@emoji"),
        ("flags", "check@emoji"),
        ("thumbs", "thumbs@emoji"),
        ("embeddings", "embed@emoji-lite0"),
        ("embeddings", "embed@emoji-words"),
        ("published", "publish@emoji"),
        ("published", "view@clean"),
        ("published", "filter@wide"),
        ("published", "select@hard"),
    ]
    asked = artefacts.artefacts(catalogue)
    assert {made for made in asked if isinstance(made, TableArtefact)} >= set(
        artefacts.tables_of(catalogue, "emoji")
    )


STAGES = (
    "prepare|ingest|load|train|pretrain|distill|align|embed|measure|check|publish|view|"
    "filter|select|evaluate"
)


def test_no_other_module_names_a_stage() -> None:
    """Stages are named only in artefacts.py and dvc.yaml."""
    named = re.compile(rf"dvc repro[^\n`]*@|\b(repro|stage)\b.*\b({STAGES})@")
    for path in sorted((ROOT / "src").rglob("*.py")):
        if path.name != "artefacts.py":
            assert not named.search(path.read_text("utf-8")), path
