"""One broken entry of params.yaml or one broken card stops only what reads it."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import forked
import likewise
from likewise.errors import BrokenEntryWarning, ConfigError

pytestmark = pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")


def edit(root: Path, old: str, new: str) -> None:
    path = root / "params.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def broken(recorded: Path) -> Path:
    """Add a data set with a broken entry, tables, and an embedding."""
    edit(recorded, "datasets:\n", "datasets:\n  other: {path: 3, annotations: x}\n")
    edit(recorded, "embeddings:\n", "embeddings:\n  o: {dataset: other, model: tiny}\n")
    shutil.copytree(recorded / "catalog" / "emoji", recorded / "catalog" / "other")
    return recorded


def test_other_data_sets_are_read_and_written(broken: Path) -> None:
    with pytest.warns(BrokenEntryWarning, match=r"datasets\.other\.path: .* entries are used"):
        assert likewise.show("emoji").state == "published"
    assert len(likewise.search("emoji", id="0_noto.jpg", model="tiny", k=2)) == 2
    assert likewise.ingest("emoji").items == 24
    assert likewise.publish("emoji").models == ["tiny"]
    assert likewise.evaluate("emoji-tiny").queries.height == 24


@pytest.mark.parametrize(
    "verb",
    [likewise.show, likewise.ingest, likewise.publish, likewise.findings, likewise.open],
)
def test_what_reads_the_entry_fails_in_one_line(
    broken: Path, verb: Callable[[str], object]
) -> None:
    with pytest.raises(ConfigError, match=r"^params.yaml: datasets\.other\.path: [^\n]*$"):
        verb("other")


@pytest.mark.parametrize("verb", [likewise.remove, likewise.forget, likewise.push])
def test_what_changes_all_entries_together_refuses(
    broken: Path, verb: Callable[..., object]
) -> None:
    with pytest.raises(ConfigError, match=r"datasets\.other"):
        verb("emoji") if verb is not likewise.push else verb(["emoji"])


def test_list_shows_it_and_doctor_says_what_to_edit(broken: Path) -> None:
    states = {one.dataset: one.state for one in likewise.datasets()}
    assert states == {"emoji": "published", "other": "broken"}
    done = forked.run(broken, "likewise", "list", "--json")
    listed = {entry["dataset"]: entry for entry in json.loads(done.stdout)}
    assert listed["other"]["fault"].startswith("params.yaml: datasets.other.path: Input")
    assert re.fullmatch(
        r"likewise: params.yaml: datasets.other.path: .*only the other entries are used\n",
        done.stderr,
    )
    problems = {problem.what: problem.command for problem in likewise.doctor()}
    (fault,) = [what for what in problems if "datasets.other.path" in what]
    assert problems[fault] == "edit params.yaml"
    assert not any("catalog/other" in command for command in problems.values())


def test_an_embedding_that_is_broken_is_not_dropped_from_the_published_table(
    recorded: Path,
) -> None:
    edit(recorded, "model: tiny", "modell: tiny")
    with pytest.raises(ConfigError, match=r"embeddings\.\S+modell: unknown key"):
        likewise.publish("emoji")
    assert likewise.show("emoji").state == "published"


def test_a_broken_card_stops_only_its_data_set(recorded: Path) -> None:
    edit(recorded, "datasets:\n", "datasets:\n  other: {path: emoji, annotations: emoji}\n")
    (recorded / "catalog" / "other.yaml").write_text("title: [\n", "utf-8")
    by_name = {one.dataset: one for one in likewise.datasets()}
    assert (by_name["emoji"].state, by_name["other"].state) == ("published", "broken")
    assert by_name["other"].fault.startswith("other.yaml: not YAML")
    done = forked.run(recorded, "likewise", "list")
    assert done.returncode == 0
    assert done.stderr.startswith("likewise: other: other.yaml: not YAML")
