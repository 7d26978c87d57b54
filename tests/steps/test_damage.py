"""Damaged tables and results: doctor names each with a command that repairs it."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import likewise
from likewise.errors import DamagedError
from likewise.steps.doctor import Problem, content, index_faults, leftovers, takedown
from likewise.storage.versions import Store, outputs, run_git
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.dvc

DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda data: None,
    "bit": lambda data: (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 16]) + data[len(data) // 2 + 1 :]
    ),
    "first byte": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "cut": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
}


def damage(path: Path, kind: str) -> None:
    """Replace a file, which may be a link into the cache, by a damaged one."""
    data = DAMAGES[kind](path.read_bytes())
    path.unlink()
    if data is not None:
        path.write_bytes(data)


def commit(root: Path) -> None:
    """Store the catalogue in git."""
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    run_git(root, "add", "--all")
    run_git(root, *author, "commit", "--quiet", "--message", "made")


def table_files(root: Path) -> list[Path]:
    """Every file of a table except records of transactions, which nothing reads."""
    tables = sorted(root.glob("catalog/**/*.lance"))
    files = [file for table in tables if table.is_dir() for file in sorted(table.rglob("*"))]
    return [f for f in files if f.is_file() and f.parent.name != "_transactions"]


def problems(root: Path) -> list[Problem]:
    """Return what doctor finds without asking DVC, which takes seconds."""
    ws = Workspace(root)
    found = [*leftovers.check(ws), *content.check(ws, deep=False)]
    return [*found, *takedown.check(ws), *index_faults.check(ws)]


def read_all() -> list[object]:
    """The values that verbs read from the tables."""
    queries = [
        "select * from emoji_images",
        "select * from emoji_items",
        "select * from emoji_findings",
    ]
    return [
        *(likewise.query(query).frame.to_dicts() for query in queries),
        likewise.show("emoji"),
        likewise.open("emoji").items.to_dicts(),
        likewise.open("emoji").vectors("tiny").tolist(),
    ]


def test_damage_that_changes_a_value_or_raises_is_named(recorded: Path) -> None:
    right, kinds, unnoticed = read_all(), list(DAMAGES), []
    for number, path in enumerate(table_files(recorded)):
        data = path.read_bytes()
        damage(path, kinds[number % len(kinds)])
        if not problems(recorded):
            try:
                unnoticed += [] if read_all() == right else [path]
            except likewise.LikewiseError:
                unnoticed.append(path)
        path.unlink(missing_ok=True)
        path.write_bytes(data)
    assert unnoticed == []


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("table", ["emoji", "emoji/items", "emoji/images"])
def test_verbs_name_a_damaged_table_in_one_line(recorded: Path, table: str, kind: str) -> None:
    for path in table_files(recorded):
        if path.match(f"catalog/{table}.lance/data/*.lance"):
            damage(path, kind)
    raised = []
    for verb in (
        lambda: likewise.show("emoji"),
        lambda: likewise.query("select * from emoji").frame,
        lambda: likewise.query("select * from emoji_items").frame,
        lambda: likewise.query("select * from emoji_images").frame,
    ):
        try:
            verb()
        except likewise.LikewiseError as error:
            raised.append(str(error))
    if kind != "bit":  # one bit may be in a place that is not read
        assert raised
    for text in raised:
        assert f"{table.rpartition('/')[2]}.lance is damaged (" in text
        assert text.endswith("run: likewise doctor")
        assert "\n" not in text


def test_the_command_of_doctor_repairs_a_table(recorded: Path) -> None:
    for path in table_files(recorded):
        if path.match("catalog/emoji/items.lance/data/*"):
            damage(path, "zeros")
    with pytest.raises(
        DamagedError, match=r"^emoji/items\.lance is damaged .*likewise doctor$"
    ):
        likewise.labels("emoji")
    (problem,) = problems(recorded)
    assert problem.command == "dvc checkout --force catalog/emoji/items.lance"
    python = Path(sys.executable).parent
    subprocess.run(
        [python / "dvc", *shlex.split(problem.command)[1:]], check=True, capture_output=True
    )
    assert problems(recorded) == []


@pytest.mark.parametrize("kind", ["cut", "zeros"])
@pytest.mark.parametrize("name", ["emoji-tiny.json", "emoji-tiny.parquet"])
def test_results_that_cannot_be_read_are_named(recorded: Path, name: str, kind: str) -> None:
    damage(recorded / "reports" / name, kind)
    (problem,) = problems(recorded)
    assert problem.check == "result"
    assert problem.what.startswith(f"reports/{name}: ")
    kept = "git restore" if name.endswith("json") else "dvc checkout --force"
    assert problem.command.startswith((kept, "dvc repro --force evaluate@emoji-tiny"))


def test_no_command_deletes_what_people_wrote_or_another_path(recorded: Path) -> None:
    catalog = recorded / "catalog"
    shutil.copytree(catalog / "emoji", catalog / "emoji copy")
    (catalog / "emoji copy" / "corrections.csv").write_text("item_id,column\na,label\n")
    shutil.copytree(recorded / "models/tiny", recorded / "models/$(touch owned)")
    (recorded / "reports" / "a;touch owned;.json").write_text("{}")
    (catalog / "birds.yaml").write_text("title: mine")
    commands = [p.command for p in likewise.doctor() if p.check in ("orphan", "card")]
    for command in commands:
        if command.startswith("rm"):
            subprocess.run(["sh", "-c", command], cwd=recorded, check=True)
    assert (catalog / "emoji" / "items.lance").is_dir()
    assert (recorded / "models/tiny").is_dir()
    assert (catalog / "birds.yaml").is_file()
    assert [p.name for p in (catalog / "emoji copy").iterdir()] == ["corrections.csv"]
    assert not (recorded / "models/$(touch owned)").exists()
    assert not list(recorded.rglob("owned"))
    assert [p for p in likewise.doctor() if p.check == "orphan"] == []


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "stages: [1]\n", "stages: {a: {outs: [{path: [}"]
)
def test_a_damaged_lock_file_is_named(recorded: Path, text: str) -> None:
    commit(recorded)
    (recorded / "dvc.lock").write_text(text)
    (problem,) = likewise.doctor()
    assert problem.what.startswith("dvc.lock")
    assert problem.command == "git restore dvc.lock"
    subprocess.run(problem.command.split(), check=True)
    assert likewise.doctor() == []


def test_a_damaged_digest_file_is_restored_and_not_its_table(recorded: Path) -> None:
    commit(recorded)
    path = recorded / "catalog/emoji/columns/items.yaml"
    text = path.read_text()
    for damaged in (text.replace("label: ", "label: 0"), text[: len(text) // 2], "[" * 9999):
        path.write_text(damaged)
        (problem,) = problems(recorded)
        assert problem.command == "git restore catalog/emoji/columns/items.yaml"
        subprocess.run(problem.command.split(), check=True)
        assert path.read_text() == text
        assert problems(recorded) == []


def test_damage_that_the_cache_shares_is_not_restored_from_it(recorded: Path) -> None:
    store = Store(recorded)
    table = recorded / "catalog/emoji/items.lance"
    members = store.members(outputs(recorded)["catalog/emoji/items.lance"]) or {}
    name = next(path for path in members if path.startswith("data/"))
    cached = store.path(members[name])
    cached.chmod(0o644)
    cached.write_bytes(DAMAGES["bit"](cached.read_bytes()) or b"")
    (table / name).unlink()
    os.link(cached, table / name)  # as DVC links files where it cannot clone them
    (problem,) = problems(recorded)
    remove, _, again = problem.command.partition(" && ")
    assert again == "dvc repro --force ingest@emoji"
    assert shlex.split(remove)[:3] == ["rm", "-rf", "catalog/emoji/items.lance"]
    assert str(cached.relative_to(recorded)) in shlex.split(remove)


def test_a_lock_file_that_is_not_utf_8_is_named(recorded: Path) -> None:
    commit(recorded)
    (recorded / "dvc.lock").write_bytes(b"\xff" + (recorded / "dvc.lock").read_bytes())
    with pytest.raises(DamagedError, match=r"dvc\.lock is not UTF-8"):
        outputs(recorded)
    (problem,) = likewise.doctor()
    assert problem.command == "git restore dvc.lock"


def test_a_damaged_line_of_corrections_is_named(recorded: Path) -> None:
    path = recorded / "catalog/emoji/corrections.csv"
    path.write_text("item_id,column,value,was\n0_noto.jpg,label;200,0\n")
    problem = next(p for p in likewise.doctor() if p.check == "corrections")
    assert problem.what == "emoji/corrections.csv: line 2 does not have 4 fields"
    assert problem.command == "edit catalog/emoji/corrections.csv"


def test_a_digest_file_without_a_column_is_named_by_evaluate(recorded: Path) -> None:
    path = recorded / "catalog/emoji.columns.yaml"
    path.write_text(path.read_text().replace("  label: ", "  lable: "))
    with pytest.raises(
        DamagedError, match=r"emoji\.columns\.yaml lacks label; run: likewise doctor"
    ):
        likewise.evaluate("emoji-tiny")


def test_a_view_follows_the_cache_whose_damaged_file_was_replaced(recorded: Path) -> None:
    likewise.open("emoji").images(["0_noto.jpg"])
    (pack,) = recorded.glob(".likewise/views/*.dir-*/images.lance/data/*/*.blob")
    right = pack.read_bytes()
    pack.unlink()
    damage_of_a_link = DAMAGES["bit"](right)
    assert damage_of_a_link is not None
    pack.write_bytes(damage_of_a_link)
    likewise.open("emoji").images(["0_noto.jpg"])
    assert pack.read_bytes() == right
