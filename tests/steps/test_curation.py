"""Tags, verdicts and selections: people write them, git merges them, no stage reads them."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

import forked
import likewise
from catalogues import sign
from likewise.catalogue import corrections, doubts, item_selections, item_tags
from likewise.catalogue.corrections import Key, Value
from likewise.catalogue.keyed_text import MOST_BYTES
from likewise.catalogue.merge_driver import ATTRIBUTES
from likewise.catalogue.takedowns import Entry, Record
from likewise.errors import ChangedValueError, DataError, LikewiseError, UnknownNameError
from likewise.steps.forget.curated import records_without
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace

HOUSES = ["0_fluent.jpg", "0_noto.jpg", "0_openmoji.jpg", "0_twemoji.jpg"]


def text(root: Path, name: str) -> list[str]:
    return (root / "catalog" / "emoji" / name).read_text("utf-8").splitlines()


def test_a_value_that_was_not_seen_is_not_replaced(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "400"}, expect={"label": "0"})
    before = text(workspace, "corrections.csv")
    with pytest.raises(
        ChangedValueError, match=r"label of '0_noto\.jpg' is '400', not '0'"
    ) as e:
        likewise.correct("emoji", HOUSES[:2], {"label": "200"}, expect={"label": "0"})
    assert e.value.changes == [("0_noto.jpg", "label", "400", "0")]
    assert text(workspace, "corrections.csv") == before
    shown = forked.run(
        workspace, "likewise", "correct", "emoji", "0_noto.jpg", "--label=1", "--expect=0"
    )
    assert shown.returncode == 4
    assert "'400', not '0' as expected; nothing was changed" in shown.stderr
    done = forked.run(
        workspace, "likewise", "correct", "emoji", "0_noto.jpg", "--label=0", "--expect=400"
    )
    assert done.returncode == 0, done.stderr
    assert text(workspace, "corrections.csv") == ["item_id,column,value,was"]


def test_many_values_are_set_and_undone_together(workspace: Path) -> None:
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "400"})
    before = text(workspace, "corrections.csv")
    new = {"0_noto.jpg": "200", "0_fluent.jpg": "400"}
    done = likewise.correct("emoji", list(new), {"label": new})
    assert done.before["label"] == {"0_noto.jpg": "400", "0_fluent.jpg": "0"}
    assert [line.split(",")[:3] for line in text(workspace, "corrections.csv")[1::2]] == [
        ["0_fluent.jpg", "label", "400"],
        ["0_noto.jpg", "label", "200"],
    ]
    likewise.correct("emoji", list(new), done.before, expect={"label": new})
    assert text(workspace, "corrections.csv") == before
    with pytest.raises(
        DataError, match=r"no value of label is given for the item '0_noto\.jpg'"
    ):
        likewise.correct("emoji", ["0_noto.jpg"], {"label": {"0_fluent.jpg": "1"}})


def test_pending_corrections_are_those_that_the_table_lacks(workspace: Path) -> None:
    assert likewise.pending("emoji").rows == []
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "2000"})
    rows = [
        (p.item_id, p.column, p.published, p.corrected) for p in likewise.pending("emoji").rows
    ]
    assert rows == [("0_noto.jpg", "label", "0", "2000")]
    printed = forked.run(workspace, "likewise", "pending", "emoji", "--json")
    assert json.loads(printed.stdout)["rows"][0]["corrected"] == "2000"
    file = workspace / "catalog" / "emoji" / "corrections.csv"
    file.write_text(file.read_text("utf-8") + "gone.jpg,label,1,0\n", "utf-8")
    likewise.publish("emoji")
    found = likewise.pending("emoji")
    assert (found.rows, found.unknown, found.corrections) == ([], ["gone.jpg"], 2)


def test_tags_are_a_list_column_at_once(workspace: Path) -> None:
    done = likewise.tag("emoji", where="label = '0'", add=["house", "öffnung 2"])
    assert (done.changed, done.tags) == (2 * 4, {"house": 4, "öffnung 2": 4})
    likewise.tag("emoji", ["0_noto.jpg"], remove=["house"])
    likewise.tag("emoji", ["200_noto.jpg"], add=["house"])
    assert text(workspace, "tags.csv")[:3] == [
        "item_id,tag",
        "0_fluent.jpg,house",
        "0_fluent.jpg,öffnung 2",
    ]
    where = "array_has(tags, 'house')"
    opened = likewise.open("emoji")
    browsed = opened.browse(where=where, facets=["tags"])
    assert browsed.total == 4
    assert browsed.counts["tags"].rows() == [("house", 4), ("öffnung 2", 3)]
    assert opened.browse(where="NOT array_has(tags, 'house')").total == len(opened) - 4
    assert opened["200_noto.jpg"]["tags"] == ["house"]
    hits = opened.search(id="200_fluent.jpg", where=where, k=100)
    assert sorted(hits["item_id"]) == sorted({*HOUSES} - {"0_noto.jpg"} | {"200_noto.jpg"})
    sql = "SELECT item_id FROM emoji WHERE array_contains(tags, 'house')"
    assert sorted(likewise.query(sql)["item_id"]) == sorted(hits["item_id"])
    assert likewise.query("SELECT count(*) AS n FROM emoji")[0] == {"n": len(opened)}
    frame = opened.frame().select("item_id", "tags").collect()
    assert frame["tags"].list.len().sum() == 8
    catalogue = likewise.open()
    assert catalogue.version(opened) == catalogue.version("emoji")  # no new version to look at
    likewise.tag("emoji", HOUSES, remove=["house", "öffnung 2"])
    likewise.tag("emoji", ["200_noto.jpg"], remove=["house"])
    assert "tags" not in likewise.open("emoji").items.columns


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("=1+1", "is not a tag"),
        ("", "is not a tag"),
        ("a\x1b[2J", "is not a tag"),
        ("a,b", "is not a tag"),
        ("x" * 65, "is not a tag"),
        ("end ", "is not a tag"),
        ("\u202eb", "is not a tag"),
    ],
)
def test_a_hostile_tag_is_refused(name: str, said: str) -> None:
    assert said in item_tags.tag_fault(name)


def test_what_cannot_be_tagged_is_reported(workspace: Path) -> None:
    for options, said in (
        ({"items": ["1_noto.jpg"], "add": ["a"]}, "emoji has no item 1_noto.jpg; did"),
        ({"add": ["a"]}, "no items are given"),
        ({"items": ["0_noto.jpg"]}, "no tag is given"),
        ({"items": ["0_noto.jpg"], "add": ["a"], "remove": ["a"]}, "added and removed"),
        ({"where": "label", "add": ["a"]}, "is not a condition"),
        ({"items": "0_noto.jpg", "add": ["a"]}, "give a list of ids"),
        ({"items": ["0_noto.jpg"], "add": "a"}, "give a list"),
    ):
        with pytest.raises(LikewiseError, match=said):
            likewise.tag("emoji", **options)
    assert not (workspace / "catalog" / "emoji" / "tags.csv").exists()
    assert likewise.tag("emoji").tags == {}


def test_tags_of_items_that_are_gone_can_be_removed(workspace: Path) -> None:
    file = workspace / "catalog" / "emoji" / "tags.csv"
    file.write_text("item_id,tag\ngone.jpg,old\n", "utf-8")
    assert likewise.tag("emoji").unknown == ["gone.jpg"]
    assert likewise.open("emoji").browse(where="array_has(tags, 'old')").total == 0
    assert likewise.tag("emoji", ["gone.jpg"], remove=["old"]).tags == {}


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


def test_a_file_that_somebody_edits_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "emoji" / "corrections.csv"
    file.parent.mkdir()
    empty = {Key("a", "label"): Value("", "x")}  # an empty cell is None
    for number in range(6):  # more than are kept
        corrections.write(file.with_name(f"{number}.csv"), empty)
    corrections.write(file, {Key("a", "label"): Value("y", "x")})
    assert corrections.read(file) == {Key("a", "label"): Value("y", "x")}
    file.write_text(file.read_text("utf-8").replace(",y,", ",z,"), "utf-8")
    assert corrections.read(file)[Key("a", "label")].value == "z"
    corrections.write(file, empty)
    assert corrections.read(file)[Key("a", "label")].value is None


def test_a_selection_is_a_list_that_filters(workspace: Path) -> None:
    done = likewise.select("emoji", "houses", where="label = '0'")
    assert (done.items, done.added, done.removed) == (4, 4, 0)
    assert text(workspace, "selections/houses.csv") == ["item_id", *HOUSES]
    likewise.tag("emoji", HOUSES[:2], add=["a"])
    where = "array_has(selections, 'houses') AND NOT array_has(tags, 'a')"
    assert likewise.select("emoji", "rest", where=where).items == 2
    opened = likewise.open("emoji")
    assert opened.browse(selection="rest", where="label = '0'").total == 2
    assert opened.browse(selection="rest", where="label = '200'").total == 0
    hits = opened.search(id="200_fluent.jpg", selection="houses", k=100)
    assert sorted(hits["item_id"]) == HOUSES
    exported = likewise.export("emoji", "csv", workspace / "out", selection="houses")
    assert exported.items == 4
    table = (workspace / "out" / "items.csv").read_text("utf-8")
    assert "tags" not in table.splitlines()[0]
    assert "selection: houses" in (workspace / "out" / "export.yaml").read_text("utf-8")
    facts = [(one.name, one.items, one.unknown) for one in likewise.selections("emoji")]
    assert facts == [("houses", 4, 0), ("rest", 2, 0)]
    with pytest.raises(UnknownNameError, match="no selection named 'house'; did you mean"):
        opened.browse(selection="house")
    for name, said in (("../x", "cannot name"), ("A", "cannot name"), ("none", "no item")):
        with pytest.raises(DataError, match=said):
            likewise.select("emoji", name, where="label = 'nobody'")
    assert likewise.select("emoji", "rest", ["0_openmoji.jpg"]).removed == 1


def test_a_view_is_a_condition_or_a_selection(workspace: Path) -> None:
    likewise.select("emoji", "houses", HOUSES)
    file = workspace / "catalog" / "emoji" / "selections" / "houses.csv"
    file.write_text(file.read_text("utf-8") + "gone.jpg\n", "utf-8")
    params = workspace / "params.yaml"
    plain = params.read_text("utf-8")
    params.write_text(
        f"{plain}filtered: {{small: {{of: emoji, where: width < 10}}, "
        "two: {of: emoji, where: label = '200'}, "
        "tagged: {of: emoji, where: \"array_has(tags, 'a')\"}}\n"
        "selected: {few: {of: emoji, selection: houses}}\n",
        "utf-8",
    )
    made = likewise.view("two")
    assert (made.items, made.left_out, made.unknown) == (4, 20, 0)
    made = likewise.view("few")
    assert (made.items, made.left_out, made.unknown) == (4, 20, 1)
    assert list(likewise.open("few")) == HOUSES
    likewise.tag("few", HOUSES[:1], add=["a"])
    assert likewise.browse("few", where="array_has(tags, 'a')").total == 1
    assert "in the selection houses" in str(likewise.why("few", "tiny"))
    with pytest.raises(DataError, match="no item of 'emoji' meets its condition"):
        likewise.view("small")
    with pytest.raises(DataError, match="tags are not in the published table"):
        likewise.view("tagged")
    removed = likewise.remove("emoji")
    assert set(removed.entries["filtered"]) == {"small", "tagged", "two"}
    assert removed.entries["selected"] == ["few"]


def test_a_judged_flag_comes_back_when_it_changes(workspace: Path) -> None:
    params = workspace / "params.yaml"
    plain = params.read_text("utf-8")
    params.write_text(plain + "checks: {emoji: {min_side: 100, min_bytes: 3000}}\n", "utf-8")
    likewise.measure("emoji")
    first = likewise.check("emoji")
    listed = likewise.reviews("emoji", name="few_bytes")
    assert listed.open == first.flags["few_bytes"]
    assert len({doubt.id for doubt in listed.doubts}) == listed.open
    one, *others = listed.doubts
    likewise.review("emoji", [one.id[:6]], verdict="kept", note="a small file")
    again = likewise.check("emoji")
    assert again.flags.get("few_bytes", 0) == listed.open - 1
    assert (again.judged, likewise.check("emoji", judged=True).flags) == (1, first.flags)
    head, row = text(workspace, "reviews.csv")
    assert head == "kind,name,path,other_dataset,other,id,verdict,note"
    assert row == f"flag,few_bytes,{one.path},,,{one.id},kept,a small file"
    done = likewise.review("emoji", name="few_bytes", verdict="wrong")
    assert (done.changed, done.open) == (len(others), 0)
    kept = likewise.select("emoji", "good", where="true", without=["few_bytes"])
    assert kept.items == len(likewise.open("emoji"))  # no flag counts as right
    likewise.review("emoji", [others[0].id], verdict="dropped")
    assert likewise.select("emoji", "good", without=["few_bytes"]).removed == 1
    # Another threshold changes the text of every flag.
    params.write_text(plain + "checks: {emoji: {min_side: 100, min_bytes: 2999}}\n", "utf-8")
    assert likewise.check("emoji").flags == first.flags
    found = likewise.reviews("emoji")
    assert (found.open, found.judged, found.stale) == (listed.open, 0, listed.open)
    assert likewise.review("emoji", [one.id], verdict=None).changed == 1


def test_what_cannot_be_judged_is_reported(workspace: Path) -> None:
    for options, said in (
        ({"ids": ["0" * 16], "verdict": "kept"}, "no doubt named"),
        ({"verdict": "kept"}, "nothing is chosen"),
        ({"name": "dark", "verdict": "kept"}, "no flag or check named 'dark'"),
        ({"ids": ["0"], "verdict": "fine"}, "'fine' is not a verdict"),
        ({"ids": ["0"], "verdict": "kept", "note": "a\nb"}, "line end"),
        ({"ids": ["0"], "verdict": "kept", "note": "@x"}, "formula"),
        ({"ids": ["0"], "verdict": "kept", "note": "x" * 501}, "501 characters"),
    ):
        with pytest.raises(LikewiseError, match=said):
            likewise.review("emoji", **options)
    assert not (workspace / "catalog" / "emoji" / "reviews.csv").exists()


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
    assert [line.split(",")[1] for line in text(workspace, "tags.csv")[1:]] == [
        "base",
        "ours",
        "theirs",
    ]
    assert text(workspace, "selections/few.csv")[1:] == [HOUSES[0], HOUSES[2], HOUSES[3]]
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
    wanted = {n: text(workspace, n) for n in ("tags.csv", "selections/s.csv")}
    for name in wanted:
        (workspace / "catalog" / "emoji" / name).unlink()
    commands: list[tuple[str, ...]] = [
        ("tag", "emoji", *HOUSES[:2], "--add", "a", "--add", "b"),
        ("select", "emoji", "s", *HOUSES[:2]),
    ]
    for words in commands:
        done = forked.run(workspace, "likewise", *words)
        assert done.returncode == 0, done.stderr
    assert {n: text(workspace, n) for n in wanted} == wanted
    printed = forked.run(workspace, "likewise", "selections", "emoji", "--json").stdout
    assert json.loads(printed)[0]["items"] == 2
    browsed = forked.run(workspace, "likewise", "browse", "emoji", "--selection", "s", "--json")
    assert json.loads(browsed.stdout)["total"] == 2
