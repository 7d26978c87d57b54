"""Types of the public API; mypy checks these lines in `make check`."""

from pathlib import Path
from typing import assert_type

import likewise
from likewise import Catalogue, Dataset


def test_open_has_one_type_for_each_form_of_call(workspace: Path) -> None:
    catalogue = assert_type(likewise.open(), Catalogue)
    assert isinstance(catalogue, Catalogue)
    assert isinstance(assert_type(likewise.open(workspace=workspace), Catalogue), Catalogue)
    assert isinstance(assert_type(likewise.open("emoji"), Dataset), Dataset)
    assert isinstance(assert_type(catalogue["emoji"], Dataset), Dataset)


def either(name: str | None) -> Catalogue | Dataset:
    return assert_type(likewise.open(name), Catalogue | Dataset)
