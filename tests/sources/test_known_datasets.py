"""Every known data set: its declaration, and a miniature of each official layout."""

from pathlib import Path

import polars as pl
import pytest

from known_miniatures import Miniature, miniatures
from likewise.evaluation.protocols import PROTOCOLS
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult
from likewise.sources.completeness import count_findings
from likewise.sources.known import find_known, known_datasets
from likewise.sources.known.layout_choice import LayoutChoice, choose_layout
from likewise.storage.config import Card, ExpectedCounts, check_dataset_name
from memory_files import boxes, findings, rows

MINIATURES = miniatures()
KNOWN = known_datasets()


@pytest.mark.parametrize("name", KNOWN)
def test_a_declaration_names_only_what_exists(name: str) -> None:
    known = KNOWN[name]
    check_dataset_name(name.replace("-", "_"))
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
    assert set(count_findings(result.items, stated)["finding_id"]) >= miniature.counts


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
