"""``likewise init --example`` makes a catalogue that only needs ``dvc repro``."""

from pathlib import Path

import pytest

import likewise
from likewise import DataError
from likewise.catalogue.example import EXAMPLE

ROOT = Path(__file__).parents[2]


def test_the_example_has_all_pictures_with_their_licences(tmp_path: Path) -> None:
    written = likewise.init(tmp_path, example=True)

    assert written[-4:] == [
        f"samples ({720 + 130 + 78 + 134:,} pictures)",
        *(f"catalog/{name}.yaml" for name in EXAMPLE),
    ]
    copied = {path.relative_to(tmp_path) for path in (tmp_path / "samples").rglob("*")}
    assert copied == {path.relative_to(ROOT) for path in (ROOT / "samples").rglob("*")}
    catalogue = likewise.open(workspace=tmp_path)
    assert sorted(catalogue) == sorted(EXAMPLE)
    for name in EXAMPLE:
        card = catalogue[name].card
        assert card.title == likewise.open(workspace=ROOT)[name].card.title
        assert card.licence.spdx


def test_the_example_has_no_findings_and_bounds_that_suit_it(tmp_path: Path) -> None:
    likewise.init(tmp_path, example=True)
    likewise.prepare("food", workspace=tmp_path)
    likewise.ingest("food", workspace=tmp_path)
    assert likewise.findings("food", workspace=tmp_path).total == 0
    likewise.measure("food", workspace=tmp_path)
    checked = likewise.check("food", workspace=tmp_path)
    assert "small" not in checked.flags
    assert checked.usual == {}


@pytest.mark.parametrize("existing", ["samples/own.png", "catalog/emoji.yaml"])
def test_existing_files_are_not_touched(tmp_path: Path, existing: str) -> None:
    file = tmp_path / existing
    file.parent.mkdir()
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"already has .*; for the example, name another folder"
    ):
        likewise.init(tmp_path, example=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]
    assert file.read_text("utf-8") == "mine"


def test_a_second_time_names_the_remedy(tmp_path: Path) -> None:
    likewise.init(tmp_path, example=True)
    with pytest.raises(DataError, match="likewise init FOLDER --example"):
        likewise.init(tmp_path, example=True)
