"""A catalogue of likewise 0.1 keeps its identities, results and history."""

import copy
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

import likewise
import old_catalogue
from forked import run_dvc
from learning import command
from likewise.errors import BrokenEntryWarning
from likewise.models.passport import Passport
from likewise.storage.renamed_options import RENAMED
from likewise.storage.versions import run_git

EXPECTED = old_catalogue.expected()

READING = [line for line in EXPECTED["commands"] if not line.startswith(("why", "doctor"))]
"""Commands whose output depends only on the catalogue."""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Extract the catalogue, for tests that only read it."""
    return old_catalogue.extract(tmp_path_factory.mktemp("old"))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Extract a catalogue for one test, and make it the current folder."""
    root = old_catalogue.extract(tmp_path)
    _separate(monkeypatch, tmp_path)
    monkeypatch.chdir(root)
    return root


def _separate(patch: pytest.MonkeyPatch, top: Path) -> None:
    """Give DVC a folder of its own in ``top``."""
    patch.setenv("DVC_SITE_CACHE_DIR", str(top / "site"))
    patch.setenv("DVC_NO_ANALYTICS", "1")


@pytest.fixture(scope="module")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate that catalogue to the names of this release, and commit it."""
    root = old_catalogue.extract(tmp_path_factory.mktemp("migrated"))
    with pytest.MonkeyPatch.context() as patch:
        _separate(patch, root.parent)
        written = likewise.init(root)
    assert [name.partition(" ")[0] for name in written[:3]] == [
        "params.yaml",
        "dvc.yaml",
        "dvc.lock",
    ]
    run_git(root, "add", "--all")  # the schemas of new tables
    run_git(root, "commit", "--quiet", "--message", "Rename")
    return root


@pytest.fixture
def migrated(_migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the migrated catalogue for one test, and make it the current folder."""
    root = tmp_path / old_catalogue.NAME
    shutil.copytree(_migrated, root, symlinks=True)
    _separate(monkeypatch, tmp_path)
    monkeypatch.chdir(root)
    return root


@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_old_names_are_one_line_that_says_what_to_do(own: Path) -> None:
    expected = r"`start` is now called `init`.*likewise init"
    with pytest.warns(BrokenEntryWarning, match=expected):
        assert likewise.datasets()[0].dataset == "drawings"
    with pytest.raises(likewise.ConfigError, match=expected):
        likewise.train("near")


def test_it_opens_once_it_is_migrated(migrated: Path) -> None:
    summaries = {summary.dataset: summary.view_of for summary in likewise.datasets()}
    assert summaries == {"drawings": None, "drawings_clean": "drawings", "sketches": None}
    of_all = likewise.open("drawings").vectors("near")
    of_view = likewise.open("drawings_clean").vectors("near")
    assert (len(of_all), len(of_view)) == (12, 11)


def test_identities_are_those_of_0_1(catalogue: Path) -> None:
    folders = sorted(path.parent for path in catalogue.glob("models/*/passport.json"))
    found = {folder.name: Passport.read(folder).identity() for folder in folders}
    assert found == EXPECTED["identities"]


@pytest.mark.parametrize("part", ["digests", "reports"])
def test_the_archive_holds_what_was_expected_of_it(catalogue: Path, part: str) -> None:
    for path, text in EXPECTED[part].items():
        assert (catalogue / path).read_text(encoding="utf-8") == text, path


def fields_of(printed: Any, expected: Any) -> Any:
    """Leave out the fields that later versions print in addition."""
    if isinstance(expected, dict):
        names = [name for name in printed if name in expected]
        return {name: fields_of(printed[name], expected[name]) for name in names}
    if isinstance(expected, list) and len(expected) == len(printed):
        return [fields_of(*pair) for pair in zip(printed, expected, strict=True)]
    return printed


@pytest.mark.slow
@pytest.mark.parametrize("line", READING)
def test_commands_print_what_0_1_printed(migrated: Path, line: str) -> None:
    done = command(migrated, "-m", "likewise", *shlex.split(line))
    assert done.returncode == 0, done.stderr
    verb = line.partition(" ")[0]
    printed, expected = json.loads(done.stdout), copy.deepcopy(EXPECTED["commands"][line])
    if verb == "log":  # the migration adds a commit, which moves the branch
        printed = [version for version in printed if version["message"] != "Rename"]
        for version in (*printed, *expected):
            version["names"].sort()
    elif verb == "list":  # views and faults are listed since 0.2
        printed = [entry for entry in printed if entry.pop("view_of") is None]
        assert [entry.pop("fault") for entry in printed] == [""] * len(expected)
    elif verb == "show" and "--labels" not in line:
        assert printed.pop("remark") == ""
    elif verb == "compare":  # the note has other words; the interval is that of SciPy's t
        assert len(printed.pop("notes")) == len(expected.pop("notes"))
        for row, old in zip(printed["rows"], expected["rows"], strict=True):
            low = row["difference"].pop("low")
            assert low == pytest.approx(old["difference"].pop("low"), abs=4e-3)
    assert fields_of(printed, expected) == expected


def test_old_revisions_are_read_before_and_after(own: Path) -> None:
    def first_version() -> list[str]:
        return likewise.open("drawings", rev="v1").items["label"].to_list()

    before = first_version()
    likewise.init(own)
    assert first_version() == before
    other = likewise.open("drawings", repo=own, rev="v1")
    assert other.items["label"].to_list() == before
    assert other.vectors("near").shape == (12, 256)


@pytest.mark.usefixtures("forked_python")
def test_an_older_branch_is_merged(migrated: Path) -> None:
    merged = likewise.merge("labels")
    assert merged.commit
    stages = (migrated / "dvc.lock").read_text(encoding="utf-8")
    assert "  train@near:" in stages
    assert "  load@tiny:" in stages
    assert "fit@" not in stages
    assert likewise.init(migrated) == []


def test_a_migration_changes_names_only(migrated: Path) -> None:
    lines = run_git(migrated, "diff", "--unified=0", "HEAD~1", "--", "params.yaml", "dvc.yaml")
    removed = [line for line in lines.splitlines() if line.startswith("-") and "#" in line]
    added = [line for line in lines.splitlines() if line.startswith("+") and "#" in line]
    assert [line.partition("#")[2] for line in removed] == [
        line.partition("#")[2] for line in added
    ]
    assert likewise.init(migrated) == []


@pytest.mark.parametrize(("name", "kind"), [("near", "metric"), ("pupil", "distill")])
def test_the_origin_of_a_model_is_the_one_of_0_1(migrated: Path, name: str, kind: str) -> None:
    renamed = {f"option {old}": f"option {new}" for old, new in RENAMED[kind].items()}
    facts: list[dict[str, Any]] = EXPECTED["commands"][f"why {name} --json"]
    expected = [fact | {"what": renamed.get(fact["what"], fact["what"])} for fact in facts]
    assert sorted(map(str, map(vars, likewise.why(name)))) == sorted(
        str({key: fact[key] for key in ("what", "value", "remark")}) for fact in expected
    )


@pytest.mark.dvc
def test_nothing_runs_after_the_migration(migrated: Path) -> None:
    assert "Running stage" not in run_dvc(migrated, "repro")
    assert run_dvc(migrated, "status", "--quiet") == ""
    assert run_git(migrated, "status", "--porcelain") == ""
