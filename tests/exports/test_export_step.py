import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import size_text
from likewise.exports import EXPORTS
from likewise.exports.base import Purpose
from likewise.exports.licences import licence_verdict
from likewise.storage.config import Licence


def relicense(workspace: Path, spdx: str, terms: str = "") -> None:
    card = workspace / "catalog" / "emoji.yaml"
    text = card.read_text(encoding="utf-8")
    old = "{spdx: CC-BY-SA-4.0, terms: each drawing under its set's own licence}"
    assert old in text
    card.write_text(text.replace(old, json.dumps({"spdx": spdx, "terms": terms})), "utf-8")


def test_a_tree_of_folders_holds_the_bytes_and_says_what_it_is(workspace: Path) -> None:
    done = likewise.export("emoji", "folder", workspace / "out")
    assert (done.items, done.images, done.left_out, done.notes) == (24, 24, [], [])
    written = sorted((workspace / "out" / "images").rglob("*.jpg"))
    assert len(written) == 24
    for path in written:
        original = workspace / "emoji" / "images" / path.name
        assert path.parent.name == path.name.partition("_")[0]
        assert path.read_bytes() == original.read_bytes()
    about = yaml.safe_load((workspace / "out" / "export.yaml").read_bytes())
    assert about["licence"]["spdx"] == "CC-BY-SA-4.0"
    assert about["export"] == {"kind": "folder", "purpose": "research", "transform": []}
    assert "label" in about["columns"]
    assert str(workspace) not in json.dumps(about)


def test_two_exports_are_the_same_bytes(workspace: Path) -> None:
    trees = []
    for name in ("one", "two"):
        likewise.export("emoji", "folder", workspace / name)
        files = [p for p in (workspace / name).rglob("*") if p.is_file()]
        trees.append({p.relative_to(workspace / name): p.read_bytes() for p in files})
    assert trees[0] == trees[1]


def test_only_some_items(workspace: Path) -> None:
    done = likewise.export("emoji", "folder", workspace / "out", where="label = '200'")
    assert done.items == 4
    assert len(list((workspace / "out").rglob("*.jpg"))) == 4
    with pytest.raises(likewise.DataError, match="no item for which"):
        likewise.export("emoji", "folder", workspace / "none", where="label = 'x'")
    with pytest.raises(likewise.DataError, match="no column 'lable'; did you mean 'label'"):
        likewise.export("emoji", "folder", workspace / "none", where="lable = 'x'")
    assert not (workspace / "none").exists()
    assert not list(workspace.glob(".*.part"))


def test_what_is_there_is_never_touched(workspace: Path) -> None:
    (workspace / "out").mkdir()
    (workspace / "out" / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(likewise.DataError, match="is not empty; choose a new folder"):
        likewise.export("emoji", "folder", workspace / "out")
    (workspace / "a-file").write_text("mine", "utf-8")
    with pytest.raises(likewise.DataError, match="is not empty; choose a new folder"):
        likewise.export("emoji", "folder", workspace / "a-file")
    (workspace / ".new.part").mkdir()
    (workspace / ".new.part" / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(likewise.DataError, match="but no export wrote it"):
        likewise.export("emoji", "folder", workspace / "new")
    assert (workspace / "out" / "mine.txt").read_text("utf-8") == "mine"
    assert (workspace / ".new.part" / "mine.txt").read_text("utf-8") == "mine"
    (workspace / "empty").mkdir()
    assert likewise.export("emoji", "folder", workspace / "empty").items == 24


def test_names_that_nothing_has(workspace: Path) -> None:
    with pytest.raises(
        likewise.UnknownNameError, match="no export named 'foldr'; did you mean"
    ):
        likewise.export("emoji", "foldr", workspace / "out")
    with pytest.raises(likewise.UnknownNameError, match="no transform named 'small'"):
        likewise.export("emoji", "folder", workspace / "out", options={"transform": "small"})
    with pytest.raises(likewise.ConfigError, match="unknown key; did you mean 'transform'"):
        likewise.export("emoji", "folder", workspace / "out", options={"transfrm": 1})


def test_a_killed_export_leaves_nothing_that_looks_whole(workspace: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from likewise.exports import folder\n"
        "import likewise\n"
        "put, written = folder.put, []\n"
        "def slow(path, data):\n"
        "    put(path, data)\n"
        "    written.append(path)\n"
        "    if len(written) == 5:\n"
        "        print('now', flush=True)\n"
        "        time.sleep(60)\n"
        "folder.put = slow\n"
        "likewise.export('emoji', 'folder', Path('out'))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"now\n"
        with pytest.raises(likewise.DataError, match="written by another process"):
            likewise.export("emoji", "folder", workspace / "out")
        os.kill(child.pid, signal.SIGKILL)
    assert not (workspace / "out").exists()
    assert len(list((workspace / ".out.part").rglob("*.jpg"))) == 5
    assert likewise.export("emoji", "folder", workspace / "out").images == 24
    assert len(list((workspace / "out").rglob("*.jpg"))) == 24
    assert not (workspace / ".out.part").exists()
    assert not (workspace / "out" / ".lock").exists()


def test_named_transforms_of_params(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text("utf-8")
    steps = "[{kind: resize, side: 40}, {kind: crop, side: 32}]"
    net = "[{kind: crop, side: 8}, {kind: normalise}]"
    named = f"transforms:\n  small: {steps}\n  net: {net}\n"
    exports = "exports:\n  thumbs: {kind: folder, transform: small}\n"
    params.write_text(text + named + exports, "utf-8")
    likewise.export("emoji", "thumbs", workspace / "out")
    dataset = likewise.open("emoji")
    taken = dataset.torch("small")
    picture, _ = taken[0]
    assert picture.size == (32, 32)
    name = dataset.items["image_id"][0]
    label = dataset.items["label"][0]
    with Image.open(
        workspace / "out" / "images" / label / name.replace(".jpg", ".png")
    ) as made:
        assert made.tobytes() == picture.tobytes()
    assert dataset.torch("net")[0][0].shape == (3, 8, 8)
    with pytest.raises(likewise.DataError, match="produces arrays"):
        likewise.export("emoji", "parquet", workspace / "x", options={"transform": "net"})
    likewise.export("emoji", "folder", workspace / "y", options={"transform": "net"})
    array = np.load(workspace / "y" / "images" / label / name.replace(".jpg", ".npy"))
    assert array.shape == (3, 8, 8)
    with pytest.raises(likewise.UnknownNameError, match="no transform named 'smal' in"):
        dataset.torch("smal")


@pytest.mark.parametrize(
    ("spdx", "purpose", "changed", "told"),
    [
        ("MIT", "commercial", True, ""),
        ("CC-BY-SA-4.0 AND Apache-2.0", "commercial", True, ""),
        ("CC-BY-NC-4.0", "research", True, ""),
        ("CC-BY-NC-4.0", "sharing", True, ""),
        ("CC-BY-NC-4.0", "commercial", False, "for NonCommercial purposes only"),
        ("CC-BY-NC-SA-3.0", "commercial", False, "primarily intended for or directed toward"),
        ("MIT AND (CC-BY-NC-SA-4.0 OR CC-BY-NC-ND-4.0)", "commercial", False, "NonCommercial"),
        ("MIT OR CC-BY-NC-4.0", "commercial", False, ""),
        ("CC-BY-ND-4.0", "sharing", False, ""),
        ("CC-BY-ND-4.0", "sharing", True, "but not Share, Adapted Material"),
        ("CC-BY-ND-4.0", "commercial", True, "but not Share, Adapted Material"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "commercial", False, ""),
    ],
)
def test_what_licences_forbid(spdx: str, purpose: Purpose, *, changed: bool, told: str) -> None:
    found = licence_verdict(Licence(spdx=spdx), purpose, changed=changed)
    assert found.unknown == ""
    assert told in found.clause
    assert bool(told) == bool(found.clause)


def test_a_card_forbids_purposes() -> None:
    licence = Licence(spdx="CC-BY-4.0", terms="not to be passed on", forbids=("sharing",))
    assert "not to be passed on" in licence_verdict(licence, "sharing", changed=False).clause
    assert licence_verdict(licence, "commercial", changed=False).clause == ""


def test_an_unknown_licence_says_so_and_terms_are_read() -> None:
    assert licence_verdict(Licence(), "sharing", changed=False).unknown == "NOASSERTION"
    assert licence_verdict(Licence(), "research", changed=False).unknown == ""
    house = Licence(spdx="LicenseRef-house", terms="data: non-commercial research")
    assert (
        "non-commercial research" in licence_verdict(house, "commercial", changed=False).clause
    )
    assert licence_verdict(house, "sharing", changed=False).unknown == "LicenseRef-house"
    assert (
        licence_verdict(Licence(spdx="MIT AND"), "sharing", changed=False).unknown
        == "NOASSERTION"
    )


def test_a_licence_in_words() -> None:
    words = Licence(spdx="Attribution-NonCommercial License")
    assert (
        "Attribution-NonCommercial License"
        in licence_verdict(words, "commercial", changed=False).clause
    )
    address = Licence(spdx="http://creativecommons.org/licenses/by-nc-sa/2.0/")
    assert "by-nc-sa" in licence_verdict(address, "commercial", changed=False).clause
    other = Licence(spdx="MIT or whatever you like")
    assert (
        licence_verdict(other, "commercial", changed=False).unknown
        == "MIT or whatever you like"
    )


@pytest.fixture
def licensed(tmp_path: Path) -> Path:
    """Make a catalogue of a COCO data set with two images under two licences."""
    source = tmp_path / "source"
    (source / "images").mkdir(parents=True)
    for name in ("a", "b"):
        Image.new("RGB", (9, 8), "red" if name == "a" else "blue").save(
            source / "images" / f"{name}.png"
        )
    images = [
        {"id": n, "file_name": f"{name}.png", "width": 9, "height": 8, "license": n}
        for n, name in enumerate("ab")
    ]
    names = ["CC-BY-4.0", "CC-BY-NC-4.0"]
    document = {
        "images": images,
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in (0, 1)
        ],
        "categories": [{"id": 1, "name": "thing"}],
        "licenses": [{"id": n, "name": name} for n, name in enumerate(names)],
    }
    (source / "instances_train.json").write_text(json.dumps(document), "utf-8")
    root = tmp_path / "catalogue"
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(
        f"datasets:\n  things: {{path: {source}, annotations: {source}}}\n", "utf-8"
    )
    (root / "catalog" / "things.yaml").write_text("title: T\nsource: {kind: coco}\n", "utf-8")
    likewise.ingest("things", workspace=root)
    likewise.publish("things", workspace=root)
    return root


def test_licences_of_single_items_are_obeyed_and_carried(licensed: Path) -> None:
    options = {"purpose": "commercial"}
    with pytest.raises(likewise.DataError, match=r"1 item of things is under CC-BY-NC-4\.0"):
        likewise.export("things", "coco", licensed / "x", options=options, workspace=licensed)
    likewise.export(
        "things",
        "coco",
        licensed / "free",
        options=options,
        where="licence = 'CC-BY-4.0'",
        workspace=licensed,
    )
    likewise.export("things", "yolo", licensed / "all", workspace=licensed)
    free = json.loads((licensed / "free" / "annotations" / "instances_train.json").read_text())
    assert [found["name"] for found in free["licenses"]] == ["CC-BY-4.0"]
    assert free["images"][0]["license"] == free["licenses"][0]["id"]
    lines = (licensed / "all" / "licences.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"item_id": f"images/{n}.png#1", "image_id": f"images/{n}.png", "licence": licence}
        for n, licence in (("a", "CC-BY-4.0"), ("b", "CC-BY-NC-4.0"))
    ]


@pytest.mark.dvc
def test_an_export_of_an_earlier_version(recorded: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        subprocess.run(["git", *who, *words], cwd=recorded, check=True, capture_output=True)

    git("add", ".")
    git("commit", "-m", "first")
    (recorded / "emoji" / "images" / "0_noto.jpg").unlink()
    likewise.ingest("emoji")
    likewise.embed("emoji", "tiny")
    likewise.publish("emoji")
    now = likewise.export("emoji", "csv", recorded / "now")
    then = likewise.export("emoji", "csv", recorded / "then", rev="HEAD")
    assert (now.items, then.items) == (23, 24)


def test_the_gate_refuses_with_the_clause(workspace: Path) -> None:
    relicense(workspace, "CC-BY-NC-4.0")
    with pytest.raises(
        likewise.DataError, match=r"24 items .* CC-BY-NC-4.0.*section 2\(a\)\(1\)"
    ):
        likewise.export("emoji", "folder", workspace / "out", options={"purpose": "commercial"})
    assert not (workspace / "out").exists()
    assert likewise.export("emoji", "folder", workspace / "out").items == 24


def test_the_help_names_every_format() -> None:
    shown = CliRunner().invoke(app, ["export", "--help"], terminal_width=96).output
    words = set(shown.replace(",", " ").replace(".", " ").split())
    assert set(EXPORTS.kinds()) <= words


def test_the_command(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    relicense(workspace, "NOASSERTION", "ask us")

    def command(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "likewise", "export", "emoji", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    code, out, err = command(
        "folder", "--to", "out", "--where", "label='0'", "-o", "purpose=sharing"
    )
    files = [path for path in (workspace / "out").rglob("*") if path.is_file()]
    size = size_text(sum(path.stat().st_size for path in files))
    said = f"4 items in 4 images; {len(files)} files, {size} in out"
    assert (code, out) == (0, f"emoji as folder: {said}\n")
    assert "note: 4 items of emoji are under NOASSERTION" in err
    assert "ask us" in err
    code, out, err = command("folder", "--to", "out")
    assert (code, out) == (4, "")
    assert "is not empty; choose a new folder" in err
    assert command("folder", "--to", "b", "-o", "purpose")[0] == 2


def test_what_is_left_out_is_counted_and_listed(workspace: Path) -> None:
    def command(to: str, *more: str) -> list[str]:
        said = ("imagenet-npz", "--to", to, "-o", 'classes=["200"]', *more)
        done = CliRunner().invoke(app, ["export", "emoji", *said], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout.splitlines()

    lines = command("npz")
    left = 24 - 4
    assert lines[0].startswith("emoji as imagenet-npz: 4 items in 4 images; 4 files, ")
    assert lines[1] == f"skipped: {left}: other-class {left}"
    assert len(lines) == 2 + 1 + 10 + 1  # and the table's head, ten rows, where the rest is
    assert lines[-1] == f"... and {left - 10} more: npz/left_out.jsonl"
    told = (workspace / "npz" / "left_out.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in told]
    assert len(rows) == left
    assert {row["check"] for row in rows} == {"other-class"}
    about = yaml.safe_load((workspace / "npz" / "export.yaml").read_bytes())
    assert (about["items"], about["left_out"]) == (4, {"other-class": left})
    out = "\n".join(command("again", "--json"))
    done = json.loads(out)
    assert (done["items"], done["files"], done["reasons"]) == (4, 4, {"other-class": left})
    assert [row[0] for row in done["left_out"]] == [row["id"] for row in rows]
    with pytest.raises(
        likewise.ConfigError, match=r'classes: it must be a list such as \["a", '
    ):
        likewise.export("emoji", "imagenet-npz", workspace / "x", options={"classes": "200"})


@pytest.mark.parametrize("kind", EXPORTS.kinds())
def test_the_page_names_every_format_and_option(kind: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{kind}` |")]
    for option in set(EXPORTS.load(kind).model_fields) - {"purpose"}:
        assert f"`{option}`" in row


def test_an_export_that_was_killed_after_its_last_rename_is_complete(workspace: Path) -> None:
    likewise.export("emoji", "folder", workspace / "out")
    mark = workspace / ".out.part.lock"
    assert not mark.exists()
    mark.touch()
    with pytest.raises(likewise.DataError, match="is not empty"):
        likewise.export("emoji", "folder", workspace / "out")
    assert not mark.exists()


def test_an_export_that_was_killed_before_its_last_rename_starts_again(workspace: Path) -> None:
    likewise.export("emoji", "folder", workspace / "out")
    (workspace / "out").rename(workspace / ".out.part")
    (workspace / ".out.part.lock").touch()
    likewise.export("emoji", "folder", workspace / "out")
    assert not list(workspace.glob(".out.part*"))
