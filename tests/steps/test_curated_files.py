"""Files of tags, verdicts and selections: damage, merges, take-downs and renames."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

import forked
import likewise
from catalogues import sign
from curated_files import HOUSES, lines_of
from likewise.catalogue import doubts, item_selections, item_tags
from likewise.catalogue.keyed_text import MOST_BYTES
from likewise.catalogue.merge_driver import ATTRIBUTES
from likewise.catalogue.takedowns import Entry, Record
from likewise.errors import DataError
from likewise.steps.forget.curated import records_without
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tags.csv", "item_id,tag\na,=cmd\n", "emoji/tags.csv: line 2: '=cmd' is not a tag"),
        ("tags.csv", "item_id,tag\na,x\na,x\n", "line 3: the tag 'x' of 'a' is repeated"),
        ("tags.csv", "item_id,tag\n<<<<<<< ours\n", "line 2 does not have 2 fields; git's"),
        ("tags.csv", "tag,item_id\n", "its first line is not item_id,tag"),
        ("selections/s.csv", "item_id\n<<<<<<< ours\na\n", "1 field; git's markers"),
        ("selections/s.csv", "item_id\na\n=======\n", "line 3 .* git's markers"),
        ("selections/s.csv", "item_id\na\na\n", "line 3: the item 'a' is repeated"),
        ("reviews.csv", f"{','.join(doubts.HEAD)}\nflag,x,a,,,{'0' * 16},maybe,\n", "verdict"),
        ("reviews.csv", f"{','.join(doubts.HEAD)}\nnose,x,a,,,{'0' * 16},kept,\n", "neither"),
        ("reviews.csv", f"{','.join(doubts.HEAD)}\nflag,x,a,,,zz,kept,\n", "not an id"),
        ("reviews.csv", f"{','.join(doubts.HEAD)}\nflag,x,a,,,{'0' * 16},kept,=1\n", "formula"),
    ],
)
def test_a_wrong_file_is_one_error(tmp_path: Path, name: str, content: str, said: str) -> None:
    file = tmp_path / "emoji" / name
    file.parent.mkdir(parents=True)
    file.write_text(content, "utf-8")
    forms = {"tags.csv": item_tags.FILE.read, "s.csv": item_selections.FILE.read}
    read: Any = forms.get(file.name, doubts.FILE.read)
    with pytest.raises(DataError, match=said):
        read(file)


def test_a_huge_or_foreign_file_is_one_error(tmp_path: Path) -> None:
    file = tmp_path / "tags.csv"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"tags.csv is not UTF-8"):
        item_tags.FILE.read(file)
    with file.open("wb") as handle:
        handle.truncate(MOST_BYTES + 1)
    with pytest.raises(DataError, match=r"67,108,865 bytes; at most 67,108,864 are read"):
        item_tags.FILE.read(file)


def merged(
    tmp_path: Path, name: str, *sides: str, prefer: Literal["theirs"] | None = None
) -> tuple[str, list[str]]:
    files = []
    for label, content in zip(("base", "ours", "theirs"), sides, strict=True):
        (tmp_path / label).write_text(content, "utf-8")
        files.append(tmp_path / label)
    base, ours, theirs = files
    lines = likewise.merge_file(base, ours, theirs, name, prefer=prefer)
    return files[1].read_text("utf-8"), lines


def test_git_merges_them_value_by_value(tmp_path: Path) -> None:
    tags = "catalog/emoji/tags.csv"
    base = "item_id,tag\na,x\nb,x\n"
    ours, theirs = "item_id,tag\na,x\na,y\nb,x\n", "item_id,tag\nb,x\nc,y\n"
    assert merged(tmp_path, tags, base, ours, theirs) == ("item_id,tag\na,y\nb,x\nc,y\n", [])
    chosen = "catalog/emoji/selections/s.csv"
    sides = ("item_id\na\nb\n", "item_id\na\nb\nc\n", "item_id\nb\nd\n")
    assert merged(tmp_path, chosen, *sides) == ("item_id\nb\nc\nd\n", [])
    verdicts = "catalog/emoji/reviews.csv"
    head = f"{','.join(doubts.HEAD)}\n"
    rows = [
        f"flag,dark,a,,,{'1' * 16},{verdict},\n" for verdict in ("kept", "wrong", "dropped")
    ]
    one, two, three = (head + row for row in rows)
    said = "the verdict on dark of 'a' is 'wrong' here, 'dropped' there"
    assert merged(tmp_path, verdicts, one, two, three) == (two, [said])
    assert merged(tmp_path, verdicts, one, two, three, prefer="theirs") == (three, [])
    for pattern in ("tags.csv", "reviews.csv", "selections/*.csv"):
        assert f"catalog/*/{pattern} merge=likewise" in ATTRIBUTES.splitlines()


def test_merge_log_and_diff_know_them(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(monkeypatch, workspace.parent)
    (workspace / ".gitignore").write_text(".likewise/\n*.lance\n/models/\n/emoji/\n", "utf-8")
    ws, key = Workspace(workspace), doubts.DoubtKey("flag", "dark", "a", "", "", "1" * 16)

    def commit(tag: str, item: str, verdict: str) -> None:
        likewise.tag("emoji", HOUSES[:1], add=[tag])
        likewise.select("emoji", "few", [HOUSES[0], item])
        doubts.FILE.write(ws.reviews("emoji"), {key: doubts.Verdict(verdict, None)})
        run_git(workspace, "add", ".")
        run_git(workspace, "commit", "--quiet", "--message", tag)

    run_git(workspace, "init", "--quiet", "--initial-branch", "main")
    commit("base", HOUSES[1], "kept")
    run_git(workspace, "checkout", "--quiet", "-b", "other")
    commit("theirs", HOUSES[2], "wrong")
    run_git(workspace, "checkout", "--quiet", "main")
    commit("ours", HOUSES[3], "dropped")
    said = "emoji: the verdict on dark of 'a' is 'dropped' here, 'wrong' there; nothing was"
    with pytest.raises(DataError, match=said):
        likewise.merge("other")
    assert likewise.merge("other", prefer="theirs").settled == 1
    assert [line.split(",")[1] for line in lines_of(workspace, "tags.csv")[1:]] == [
        "base",
        "ours",
        "theirs",
    ]
    assert lines_of(workspace, "selections/few.csv")[1:] == [HOUSES[0], HOUSES[2], HOUSES[3]]
    assert doubts.FILE.read(ws.reviews("emoji"))[key].verdict == "wrong"
    assert likewise.log("emoji")[0].columns == ["(tags)", "(reviews)", "(selections)"]
    first = run_git(workspace, "rev-list", "--max-parents=0", "HEAD").strip()
    assert likewise.diff("emoji", first).curated == {
        "tags": (2, 0),
        "reviews": (1, 1),
        "selections": (2, 1),
    }


def test_a_taken_down_item_vanishes_from_them(workspace: Path) -> None:
    ws = Workspace(workspace)
    likewise.tag("emoji", HOUSES[:2], add=["a"])
    likewise.select("emoji", "houses", HOUSES[:2])
    rows = {
        doubts.DoubtKey("flag", "near_duplicate", path, "", other, f"{number:016x}"): (
            doubts.Verdict("kept", None)
        )
        for number, (path, other) in enumerate((HOUSES[:2], HOUSES[1:3], HOUSES[2:4]))
    }
    doubts.FILE.write(ws.reviews("emoji"), rows)
    record = Record((Entry(HOUSES[1], HOUSES[1], "0" * 64, "request"),))
    texts = {path.name: said for path, said in records_without(ws, "emoji", record)}
    assert texts["tags.csv"] == f"item_id,tag\n{HOUSES[0]},a\n"
    assert texts["houses.csv"] == f"item_id\n{HOUSES[0]}\n"
    assert len(texts["reviews.csv"].splitlines()) == 2
    assert HOUSES[1] not in "".join(texts.values())


def test_rename_and_remove_keep_them(workspace: Path) -> None:
    likewise.tag("emoji", HOUSES[:1], add=["a"])
    likewise.select("emoji", "houses", HOUSES)
    likewise.rename("emoji", "drawings")
    assert likewise.open("drawings").browse(where="array_has(tags, 'a')").total == 1
    assert likewise.browse("drawings", selection="houses").total == 4
    removed = likewise.remove("drawings")
    kept = {"catalog/drawings/tags.csv", "catalog/drawings/selections/houses.csv"}
    assert set(removed.kept) >= kept
    left = {p for p in (workspace / "catalog" / "drawings").rglob("*") if p.is_file()}
    assert left == {workspace / path for path in removed.kept}
    assert not [p for p in likewise.doctor() if "drawings" in p.what]


def test_each_verb_gives_the_same_file_from_the_command_line(workspace: Path) -> None:
    likewise.tag("emoji", HOUSES[:2], add=["a", "b"])
    likewise.select("emoji", "s", HOUSES[:2])
    wanted = {n: lines_of(workspace, n) for n in ("tags.csv", "selections/s.csv")}
    for name in wanted:
        (workspace / "catalog" / "emoji" / name).unlink()
    commands: list[tuple[str, ...]] = [
        ("tag", "emoji", *HOUSES[:2], "--add", "a", "--add", "b"),
        ("select", "emoji", "s", *HOUSES[:2]),
    ]
    for words in commands:
        done = forked.run(workspace, "likewise", *words)
        assert done.returncode == 0, done.stderr
    assert {n: lines_of(workspace, n) for n in wanted} == wanted
    printed = forked.run(workspace, "likewise", "selections", "emoji", "--json").stdout
    assert json.loads(printed)[0]["items"] == 2
    browsed = forked.run(workspace, "likewise", "browse", "emoji", "--selection", "s", "--json")
    assert json.loads(browsed.stdout)["total"] == 2
