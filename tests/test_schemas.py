from pathlib import Path

import pytest
import yaml

import likewise
from likewise.storage.config.names import RESERVED_NAMES
from likewise.storage.schema import FINDINGS, IMAGES, ITEMS, PUBLISHED, TABLES, Contract

FILES = [f"schemas/{contract.name}.yaml" for contract in TABLES]


def test_a_file_a_table_is_written_once(tmp_path: Path) -> None:
    assert likewise.schemas(tmp_path / "schemas") == FILES
    assert likewise.schemas(tmp_path / "schemas") == []


def test_check_names_the_files_that_differ_and_changes_none(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    assert likewise.schemas(folder, check=True) == FILES
    assert not folder.exists()
    likewise.schemas(folder)
    (folder / "items.yaml").write_text("mine", encoding="utf-8")
    assert likewise.schemas(folder, check=True) == ["schemas/items.yaml"]
    assert (folder / "items.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("contract", TABLES, ids=lambda contract: contract.name)
def test_a_file_says_every_column(tmp_path: Path, contract: Contract) -> None:
    likewise.schemas(tmp_path)
    text = (tmp_path / f"{contract.name}.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    assert document["key"] == contract.key
    assert [c["name"] for c in document["columns"]] == contract.names()
    assert [c["type"] for c in document["columns"]] == [str(c.type) for c in contract.columns]
    assert all(column["meaning"] for column in document["columns"])


def test_units_and_blobs_are_reported(tmp_path: Path) -> None:
    likewise.schemas(tmp_path)
    columns = {
        column["name"]: column
        for column in yaml.safe_load((tmp_path / "images.yaml").read_text("utf-8"))["columns"]
    }
    assert columns["width"]["unit"] == "pixels"
    assert columns["image"]["blob"] is True
    assert "blob" not in columns["width"]


def test_the_catalogue_around_is_where_they_go(workspace: Path) -> None:
    assert likewise.schemas() == FILES
    assert (workspace / "schemas" / "published.yaml").is_file()


def test_the_repository_holds_the_present_ones() -> None:
    assert likewise.schemas(Path(__file__).parents[1] / "schemas", check=True) == []


def test_no_model_may_have_the_name_of_a_column_or_table() -> None:
    tables = {contract.name for contract in (IMAGES, ITEMS, FINDINGS)}
    assert {*PUBLISHED.names()} | tables == RESERVED_NAMES
