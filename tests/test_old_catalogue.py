"""A catalogue of likewise 0.1 keeps its identities, results and history."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from likewise.passport import Passport
from likewise.versions import run_dvc

import likewise
import old_catalogue
from learning import command

EXPECTED = old_catalogue.expected()

READING = [line for line in EXPECTED["commands"] if not line.startswith(("why", "doctor"))]
"""Commands whose output depends on nothing but the catalogue."""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue, for tests that only read it."""
    return old_catalogue.extract(tmp_path_factory.mktemp("old"))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue for one test, which is then the current folder."""
    root = old_catalogue.extract(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.chdir(root)
    return root


def test_it_opens(catalogue: Path) -> None:
    found = [summary.dataset for summary in likewise.datasets(workspace=catalogue)]
    assert found == ["drawings", "sketches"]
    of_all = likewise.open("drawings", workspace=catalogue).vectors("near")
    of_view = likewise.open("drawings_clean", workspace=catalogue).vectors("near")
    assert (len(of_all), len(of_view)) == (12, 11)


def test_identities_are_those_of_0_1(catalogue: Path) -> None:
    folders = sorted(path.parent for path in catalogue.glob("models/*/passport.json"))
    found = {folder.name: Passport.read(folder).identity() for folder in folders}
    assert found == EXPECTED["identities"]


@pytest.mark.parametrize("part", ["digests", "reports"])
def test_the_archive_holds_what_was_expected_of_it(catalogue: Path, part: str) -> None:
    for path, text in EXPECTED[part].items():
        assert (catalogue / path).read_text(encoding="utf-8") == text, path


@pytest.mark.slow
def test_commands_print_what_0_1_printed(catalogue: Path) -> None:
    for line in READING:
        done = command(catalogue, "-m", "likewise", *shlex.split(line))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == EXPECTED["commands"][line], line


def test_every_fact_of_a_model_is_told_as_by_0_1(own: Path) -> None:
    for name in ("near", "pupil"):
        facts: list[dict[str, Any]] = EXPECTED["commands"][f"why {name} --json"]
        assert [vars(fact) for fact in likewise.why(name)] == facts


@pytest.mark.dvc
def test_nothing_is_made_again(own: Path) -> None:
    assert "Running stage" not in run_dvc(own, "repro")
    assert run_dvc(own, "status", "--quiet") == ""
