"""Every known data set: its declaration, and a miniature of each official layout."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from known_miniatures import Miniature, miniatures
from likewise.evaluation.protocols import PROTOCOLS
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult
from likewise.sources.completeness import difference_findings
from likewise.sources.known import find_known, known_datasets
from likewise.sources.known.layout_choice import LayoutChoice, choose_layout
from likewise.steps.download import catalogue_name
from likewise.storage.config import Card, ExpectedCounts, check_dataset_name
from memory_files import boxes, findings, rows

MINIATURES = miniatures()
KNOWN = known_datasets()


@pytest.mark.parametrize("name", KNOWN)
def test_a_declaration_names_only_what_exists(name: str) -> None:
    known = KNOWN[name]
    check_dataset_name(catalogue_name(name))
    for layout in known.layouts:
        SOURCES.build(layout.source, name)
        for protocol in (*(known.protocols or ()), *(layout.protocols or ())):
            PROTOCOLS.load(protocol)
    assert all(len(fact.what) > 3 for fact in known.facts)
    assert known.layout.strip()
    counts = known.counts
    if counts.items is not None and counts.splits:
        assert sum(counts.splits.values()) == counts.items
    assert find_known(name) == name
    assert all(find_known(alias) == name for alias in known.aliases)


def test_every_data_set_has_a_miniature() -> None:
    assert {key.partition("/")[0] for key in MINIATURES} == {*KNOWN}


def read(choice: LayoutChoice) -> SourceResult:
    """Read a layout as add and ingest do."""
    source = SOURCES.build(choice.source, "source")
    return source.read(source.open(choice.path), choice.annotations)


def check(result: SourceResult, miniature: Miniature) -> None:
    columns = miniature.columns.split()
    assert rows(result, *columns) == dict(miniature.items)
    assert {k: v for k, v in boxes(result).items() if v} == dict(miniature.boxes)


@pytest.mark.parametrize("key", MINIATURES)
def test_a_miniature_is_read(key: str, tmp_path: Path) -> None:
    miniature, name = MINIATURES[key], key.partition("/")[0]
    choice = choose_layout(name, KNOWN[name], miniature.write(tmp_path / "data"))
    result = read(choice)
    check(result, miniature)
    assert set(findings(result)) == miniature.findings
    Card.model_validate({"title": "x", "source": choice.source, **choice.card_facts()})
    stated = ExpectedCounts.model_validate(choice.card_facts()["counts"])
    assert set(difference_findings(result.items, stated)["finding_id"]) >= miniature.counts


PACKED = [key for key, miniature in MINIATURES.items() if miniature.archives]


@pytest.mark.parametrize("key", PACKED)
def test_archives_are_read_as_they_come(key: str, tmp_path: Path) -> None:
    miniature, name = MINIATURES[key], key.partition("/")[0]
    choice = choose_layout(name, KNOWN[name], miniature.write_packed(tmp_path / "data"))
    result = read(choice)
    top = "" if choice.path.is_file() else "/"
    plain = _plain_ids(result, miniature) if top else result
    check(plain, miniature)


def _plain_ids(result: SourceResult, miniature: Miniature) -> SourceResult:
    """Return the result with ids that lack the names of archives."""
    ids = pl.col("item_id")
    for archive in miniature.archives:
        ids = ids.str.replace(f"{archive}/", "", literal=True)
    return SourceResult(result.items.with_columns(item_id=ids), result.findings)


def test_every_archive_to_download_is_tried_as_it_comes() -> None:
    tried = {name for key in PACKED for name in MINIATURES[key].archives}
    files = {file.name for known in KNOWN.values() for file in known.download}
    assert {name for name in files if name.endswith((".zip", ".tar", ".gz", ".tgz"))} <= tried


def labelled_paths(dataset: Any) -> list[tuple[str, int]]:
    """Return the paths and class numbers of a data set of torchvision."""
    if hasattr(dataset, "_samples"):
        return list(dataset._samples)
    files = getattr(dataset, "_image_files", None) or dataset._images
    return list(zip(files, dataset._labels, strict=True))


@pytest.mark.no_cover  # the code of torchvision
@pytest.mark.parametrize(
    ("key", "reader", "top", "splits"),
    [
        ("food-101", "Food101", "", {"train": "train", "test": "test"}),
        ("fgvc-aircraft", "FGVCAircraft", "", {s: s for s in ("train", "val", "test")}),
        (
            "oxford-pets",
            "OxfordIIITPet",
            "oxford-iiit-pet/",
            {"trainval": "train", "test": "test"},
        ),
        (
            "cars-196/challenge",
            "StanfordCars",
            "stanford_cars/",
            {"train": "train", "test": "test"},
        ),
    ],
)
def test_torchvision_reads_the_same_labels_and_splits(
    key: str, reader: str, top: str, splits: dict[str, str], tmp_path: Path
) -> None:
    module = pytest.importorskip("torchvision.datasets")
    miniature, name = MINIATURES[key], key.partition("/")[0]
    folder = miniature.write(tmp_path / top)
    for path in folder.rglob("meta/*.txt"):
        entries = path.read_text().split()
        by_class = {
            c: [e for e in entries if e.startswith(c)] for c in ("apple_pie", "waffles")
        }
        path.with_suffix(".json").write_text(json.dumps(by_class))
    choice = choose_layout(name, KNOWN[name], folder)
    official = "official_split" if name == "cars-196" else "split"
    result = read(choice).items.drop_nulls(["label", official])
    ours = {
        f"{item.split('#')[0].rpartition('/')[2]} {split}": label
        for item, label, split in result.select("item_id", "label", official).iter_rows()
    }
    theirs = {}
    for split, renamed in splits.items():
        dataset = getattr(module, reader)(tmp_path, split=split)
        for file, label in labelled_paths(dataset):
            if Path(file).is_file():
                theirs[f"{Path(file).name} {renamed}"] = dataset.classes[label]
    fold = str.casefold
    assert {k: fold(v).replace(" ", "_") for k, v in theirs.items()} == {
        k: fold(v).replace(" ", "_") for k, v in ours.items()
    }
