"""Models that learn from several data sets."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import likewise
from catalogues import copied
from forked import run_dvc
from learning import LEARNED, SMALL, learn, write
from likewise.errors import ConfigError, DataError
from likewise.models.training.mixed_data import mixed_data
from likewise.models.training.training_data import COLUMNS, TrainingData

MIXED: dict[str, Any] = {**LEARNED, "data": ["emoji", "other"], "epochs": 1}


def part(name: str, *labels: str) -> TrainingData:
    rows = [
        (f"{n}.jpg", f"{name}{n}", n, None, label, None, "train")
        for n, label in enumerate(labels)
    ]
    items = pl.DataFrame(rows, schema=list(COLUMNS), orient="row")
    return TrainingData(name, items, items, Path(name), {f"{name}.items.content": "0"})


def test_equal_labels_are_different_classes_unless_merged() -> None:
    parts = [part("a", "0", "1"), part("b", "1", "2")]
    apart, merged = mixed_data(parts, merge_labels=False), mixed_data(parts, merge_labels=True)
    assert apart.ids == ["a:0.jpg", "a:1.jpg", "b:0.jpg", "b:1.jpg"]
    assert apart.class_codes()[1] == ["a:0", "a:1", "b:1", "b:2"]
    assert merged.class_codes()[1] == ["0", "1", "2"]
    assert apart.name == "a, b"
    assert apart.digests == {"a.items.content": "0", "b.items.content": "0"}
    assert [(one.name, len(one), one.images) for one in apart.by_dataset()] == [
        ("a", 2, Path("a")),
        ("b", 2, Path("b")),
    ]


def test_every_data_set_needs_items_of_the_split() -> None:
    test = part("b", "0", "1")
    test = test.with_items(test.items.with_columns(split=pl.lit("test")))
    mixed = mixed_data([part("a", "0"), test], merge_labels=False)
    assert len(mixed.in_split(None)) == 3
    with pytest.raises(
        DataError, match="b has no item in split 'train'; there are: test; set split"
    ):
        mixed.in_split("train")


def add_other(root: Path) -> None:
    """Add a second data set: half of the drawings, with the labels of the first."""
    shutil.copytree(root / "emoji", root / "other")
    for path in sorted((root / "other/images").glob("*_fluent.jpg")):
        path.unlink()
    shutil.copy(root / "catalog/emoji.yaml", root / "catalog/other.yaml")
    entry = {"path": "other/images", "annotations": "other/categories.json"}
    write(root, "datasets", "other", entry)
    write(root, "embeddings", "other-tiny", {"dataset": "other", "model": "tiny"})
    likewise.prepare("other", workspace=root)
    likewise.ingest("other", workspace=root)
    likewise.embed("other", "tiny", workspace=root)


@pytest.fixture(scope="module")
def _two(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("two") / "workspace"
    shutil.copytree(_catalogue, root)
    add_other(root)
    return root


@pytest.fixture
def two(_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the catalogue of two data sets for one test, and make it the current folder."""
    return copied(_two, tmp_path / "workspace", monkeypatch)


@pytest.mark.parametrize(
    ("entry", "columns"),
    [
        (MIXED, ("content", "label", "role", "split")),
        ({**MIXED, "merge_labels": True}, ("content", "label", "role", "split")),
        (
            {**SMALL, "kind": "classify", "data": ["emoji", "other"], "epochs": 1, "batch": 8},
            ("content", "label", "role", "split"),
        ),
        (
            {**SMALL, "kind": "ssl", "data": ["emoji", "other"], "epochs": 1, "batch": 8},
            ("content", "split"),
        ),
        (
            {**SMALL, "kind": "whiten", "data": ["emoji", "other"], "dim": 8},
            ("content", "split"),
        ),
        (
            {
                **SMALL,
                "kind": "distill",
                "teacher": "tiny",
                "data": ["emoji", "other"],
                "epochs": 1,
                "batch": 8,
            },
            ("content", "split"),
        ),
    ],
    ids=["metric", "metric-merged", "classify", "ssl", "whiten", "distill"],
)
def test_recipes_learn_from_several_data_sets(
    two: Path, entry: dict[str, Any], columns: tuple[str, ...]
) -> None:
    passport = learn(two, entry, "mixed")
    read = {f"{name}.items.{column}" for name in ("emoji", "other") for column in columns}
    assert {name for name in passport.data if ".items." in name} == read
    assert ("other.tiny.vector" in passport.data) == ("teacher" in entry)
    assert passport.recipe["data"] == ["emoji", "other"]
    assert passport.weights_source == "trained from tiny on emoji, other"
    assert ("merge_labels" in passport.recipe) == ("merge_labels" in entry)


def test_pairs_across_data_sets_need_merged_labels(two: Path) -> None:
    for name, role in (("emoji", "query"), ("other", "gallery")):
        items = likewise.open(name).items if name == "emoji" else _items(two, name)
        likewise.correct(name, items["item_id"].to_list(), {"role": role})
    entry = {
        **SMALL,
        "kind": "arnet",
        "data": ["emoji", "other"],
        "epochs": 1,
        "batch": 4,
        "dim": 0,
        "shared_encoder": True,
        "augmented_views": False,
        "validation": 0,
    }
    with pytest.raises(DataError, match="queries of emoji, other have no photograph"):
        learn(two, entry, "mixed")
    assert learn(two, {**entry, "merge_labels": True}, "mixed").by_role is False


def _items(root: Path, name: str) -> pl.DataFrame:
    return pl.DataFrame({"item_id": likewise.score_order(name, workspace=root)})


@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
@pytest.mark.parametrize(
    ("section", "entry", "message"),
    [
        ("trained", MIXED, "belongs in the section 'mixed'; move the entry there"),
        ("mixed", {**MIXED, "data": "emoji"}, "expected a list of two or more"),
        ("mixed", {**MIXED, "data": ["emoji"]}, "expected a list of two or more"),
        ("mixed", {**MIXED, "data": ["emoji", "emoji"]}, "expected a list of two or more"),
        ("mixed", {**MIXED, "data": ["emoji", "otter"]}, "no such name 'otter'.*'other'"),
        ("trained", {**LEARNED, "merge_labels": True}, "merge_labels needs a list"),
    ],
)
def test_wrong_lists_are_refused(
    two: Path, section: str, entry: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        learn(two, entry, section)


@pytest.mark.dvc
def test_the_stage_depends_on_each_data_set(recorded: Path) -> None:
    add_other(recorded)
    options = {**{k: v for k, v in MIXED.items() if k != "kind"}, "data": "emoji, other"}
    added = likewise.add_model("both", kind="metric", options=options, data=["emoji"])
    assert added.section == "mixed"
    pipeline = Path("dvc.yaml")
    text = pipeline.read_text("utf-8")
    stage = yaml.safe_load(text)["stages"]["mixed-both"]
    assert stage["deps"] == [
        "models/tiny",
        "catalog/emoji/corrections.csv",
        "catalog/other/corrections.csv",
    ]
    assert [next(iter(one)) for one in stage["params"][2:]] == [
        "catalog/emoji/columns/items.yaml",
        "catalog/other/columns/items.yaml",
    ]
    assert likewise.init() == []
    drawn = run_dvc(recorded, "dag", "--dot")
    edges = {line.strip(' ;"') for line in drawn.replace('"', "").splitlines() if "->" in line}
    assert {
        f"{one} -> mixed-both" for one in ("ingest@emoji", "ingest@other", "load@tiny")
    } <= (edges)
    # Another list needs another stage: the training refuses it until init has written it.
    params = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    params["mixed"]["both"]["data"] = ["other", "emoji"]
    Path("params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    with pytest.raises(ConfigError, match=r"dvc\.yaml has no stage mixed-both .*likewise init"):
        likewise.train("both")
    assert likewise.init() == ["dvc.yaml (stages mixed-both)"]


def test_rename_and_remove_know_lists(recorded: Path) -> None:
    add_other(recorded)
    options = {**{k: v for k, v in MIXED.items() if k != "kind"}}
    likewise.add_model("both", kind="metric", options=options)
    with pytest.raises(DataError, match=r"'other' is the training data of mixed\.both"):
        likewise.remove("other")
    likewise.rename("other", "further")
    params = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    assert params["mixed"]["both"]["data"] == ["emoji", "further"]
    assert "catalog/further/corrections.csv" in Path("dvc.yaml").read_text("utf-8")
    assert likewise.init() == []
