"""Every bad input gives one clear error, and nothing is lost."""

import json
import os
import shutil
import socket
import sys
import zipfile
from pathlib import Path

import pytest

import likewise
from likewise.errors import (
    ConfigError,
    DataError,
    LikewiseError,
    MissingArtefactError,
    MissingExtraError,
    UnknownNameError,
)
from likewise.sources import SOURCES
from likewise.storage import journal
from likewise.storage.workspace import Workspace

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji" / "images"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def content(root: Path) -> dict[str, bytes]:
    """Return all files of a catalogue."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for part in ("catalog", "models", "params.yaml")
        for path in (root / part, *(root / part).rglob("*"))
        if path.is_file()
    }


def source(root: Path, path: str) -> None:
    edit(root / "params.yaml", "path: emoji/images,", f"path: {path},")


def refused(
    root: Path, error: type[LikewiseError], step: str = "ingest", *names: str, lines: int = 1
) -> list[str]:
    """Return the lines of a step's error; check that the catalogue is unchanged."""
    before = content(root)
    with pytest.raises(error) as caught:
        getattr(likewise, step)(*(names or ("emoji",)), workspace=root)
    assert content(root) == before
    said = str(caught.value).splitlines()
    assert len(said) == lines
    return said


def test_a_source_that_is_not_there(workspace: Path) -> None:
    source(workspace, "nowhere")
    [said] = refused(workspace, DataError)
    assert said == (
        f"{workspace}/nowhere does not exist; correct the path, or put the data there"
    )


def test_a_source_that_is_empty(workspace: Path) -> None:
    (workspace / "nothing").mkdir()
    source(workspace, "nothing")
    [said] = refused(workspace, DataError)
    assert said == (
        f"{workspace}/nothing contains no files; give the folder or archive of the files"
    )


def test_a_source_of_another_layout(workspace: Path) -> None:
    (workspace / "other").mkdir()
    shutil.copy(SAMPLES / "1_noto.jpg", workspace / "other" / "tower.jpg")
    source(workspace, "other")
    [said] = refused(workspace, DataError)
    assert said.startswith(f"{workspace}/other: no image found; expected images/")
    assert "'tower.jpg'" in said


def test_typos_in_a_card(workspace: Path) -> None:
    card = workspace / "catalog" / "emoji.yaml"
    edit(card, "spdx:", "spxd:")
    edit(card, "citation:", "citatoin:")
    assert refused(workspace, ConfigError, lines=2) == [
        "emoji.yaml: licence.spxd: unknown key; did you mean 'spdx'?",
        "emoji.yaml: citatoin: unknown key; did you mean 'citation'?",
    ]


def test_a_typo_in_the_options_of_a_source(workspace: Path) -> None:
    edit(workspace / "catalog" / "emoji.yaml", "kind: gpr1200", "kind: gpr1200, exclud: [a]")
    assert refused(workspace, ConfigError) == [
        "emoji.yaml: source: exclud: unknown key; did you mean 'exclude'?"
    ]


def test_a_source_of_no_kind(workspace: Path) -> None:
    edit(workspace / "catalog" / "emoji.yaml", "kind: gpr1200", "kind: gpr1020")
    kinds = ", ".join(SOURCES.kinds())
    assert refused(workspace, UnknownNameError) == [
        (
            "emoji.yaml: source: no source kind named 'gpr1020'; did you mean 'gpr1200'? "
            f"there are: {kinds}"
        )
    ]


def test_a_card_that_is_gone(workspace: Path) -> None:
    (workspace / "catalog" / "emoji.yaml").unlink()
    assert refused(workspace, MissingArtefactError) == [
        "data set 'emoji' has no card (catalog/emoji.yaml); run: git restore catalog/emoji.yaml"
    ]


@pytest.mark.parametrize("step", ["ingest", "publish"])
def test_typos_in_params(workspace: Path, step: str) -> None:
    params = workspace / "params.yaml"
    edit(params, "datasets:", "dataset:")
    edit(params, "protocol:", "protokol:")
    assert refused(workspace, ConfigError, step, lines=3) == [
        "params.yaml: runs.emoji-tiny.protocol: Field required",
        "params.yaml: runs.emoji-tiny.protokol: unknown key; did you mean 'protocol'?",
        "params.yaml: dataset: unknown key; did you mean 'datasets' or 'adapted'?",
    ]


@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_a_model_that_params_do_not_have(workspace: Path) -> None:
    edit(
        workspace / "params.yaml", "dataset: emoji, model: tiny}", "dataset: emoji, model: tny}"
    )
    assert refused(workspace, ConfigError, "embed", "emoji", "tny") == [
        "params.yaml: embeddings.emoji-tiny.model: no such name 'tny'; did you mean 'tiny'?"
    ]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        (
            "test_resnet.r160_in1k",
            "test_resnt",
            UnknownNameError,
            "no timm backbone named 'test_resnt'; did you mean 'test_resnet'",
        ),
        (
            "kind: timm",
            "kind: tim",
            UnknownNameError,
            "no recipe kind named 'tim'; did you mean",
        ),
        (
            "weights: random",
            "weight: random",
            ConfigError,
            "params.yaml: models.tiny: weight: unknown key; did you mean 'weights'?",
        ),
        ("weights: random", "weights: file:none.pth", DataError, "none.pth"),
        (
            "weights: random",
            "weights: package:no-such",
            MissingExtraError,
            "pip install no-such",
        ),
    ],
)
def test_a_model_that_cannot_be_made(
    workspace: Path, old: str, new: str, error: type[LikewiseError], said: str
) -> None:
    edit(workspace / "params.yaml", old, new)
    [found] = refused(workspace, error, "load", "tiny")
    assert said in found
    assert found.startswith("params.yaml: models.tiny: ")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(workspace: Path) -> None:
    with zipfile.ZipFile(workspace / "twice.zip", "w") as packed:
        for name in ("0_noto.jpg", "0_fluent.jpg", "0_noto.jpg"):
            packed.write(SAMPLES / name, name)
    source(workspace, "twice.zip")
    ingested = likewise.ingest("emoji", workspace=workspace)
    assert (ingested.items, ingested.findings["refused"]) == (1, 1)


def test_an_archive_that_was_cut_short(workspace: Path) -> None:
    whole = workspace / "whole.zip"
    with zipfile.ZipFile(whole, "w") as packed:
        packed.write(SAMPLES / "0_noto.jpg", "0_noto.jpg")
    (workspace / "cut.zip").write_bytes(whole.read_bytes()[:-30])
    source(workspace, "cut.zip")
    [said] = refused(workspace, DataError)
    assert said.startswith(f"{workspace}/cut.zip is damaged or truncated (")


def test_what_is_not_an_archive(workspace: Path) -> None:
    source(workspace, "params.yaml")
    [said] = refused(workspace, DataError)
    assert said == (
        f"{workspace}/params.yaml is not an archive; "
        "expected a folder, a .zip, or a .tar (also .gz, .xz, .bz2)"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux")
def test_a_name_that_is_not_utf8_is_a_finding(workspace: Path) -> None:
    odd = os.fsencode(workspace / "emoji" / "images") + b"/0_\xff.jpg"
    with open(odd, "wb") as file:  # noqa: PTH123 (such a name is no path)
        file.write((SAMPLES / "0_noto.jpg").read_bytes())
    result = likewise.ingest("emoji", workspace=workspace)
    assert (result.items, result.findings) == (24, {"bad-encoding": 1})
    found = likewise.query("SELECT path FROM emoji_findings", workspace=workspace)
    assert found["path"].to_list() == [r"0_\xff.jpg"]


def test_texts_that_are_not_json(workspace: Path) -> None:
    (workspace / "emoji" / "categories.json").write_text("{'0': 'x'}", "utf-8")
    [said] = refused(workspace, DataError)
    assert said.startswith(f"{workspace}/emoji/categories.json is not JSON in UTF-8: ")


def test_categories_without_a_text(workspace: Path) -> None:
    path = workspace / "emoji" / "categories.json"
    texts = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({"7": "another set's"}), "utf-8")
    [said] = refused(workspace, DataError)
    assert said.endswith(
        "categories.json has no text for the categories 0, 200, 400, 600, 800 and 1 more"
    )
    del texts["400"], texts["800"]
    path.write_text(json.dumps(texts), "utf-8")
    done = likewise.ingest("emoji", workspace=workspace)
    assert (done.items, done.findings) == (24, {"no-text": 2})


@pytest.mark.parametrize(
    ("step", "names"),
    [("ingest", ["emoji"]), ("embed", ["emoji", "tiny"]), ("publish", ["emoji"])],
)
def test_a_second_process_at_the_same_job(workspace: Path, step: str, names: list[str]) -> None:
    job = "-".join((step, *names))
    with journal.exclusive_job(Workspace(workspace), job):
        by = f"process {os.getpid()} on {socket.gethostname()}"
        assert refused(workspace, DataError, step, *names) == [
            f"{job} is running in {by}; wait for it to end"
        ]


def test_a_damaged_table_is_named_with_the_command_that_explains_it(workspace: Path) -> None:
    for manifest in (workspace / "catalog/emoji/items.lance/_versions").glob("*.manifest"):
        manifest.write_bytes(b"?" * 100)
    [said] = refused(workspace, DataError, "publish")
    assert said.startswith("emoji/items.lance is damaged (")
    assert said.endswith("; run: likewise doctor")


def test_a_damaged_passport_names_what_brings_it_back(workspace: Path) -> None:
    (workspace / "models" / "tiny" / "passport.json").write_text("{}", "utf-8")
    [said] = refused(workspace, DataError, "embed", "emoji", "tiny")
    assert "is not a valid passport (" in said
    assert said.endswith("; run: dvc checkout")


def test_versions_of_a_file_that_cannot_be_read_are_not_merged(tmp_path: Path) -> None:
    here = tmp_path / "ours"
    here.write_text("label\n", "utf-8")
    for there, reason in ((tmp_path / "gone", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError, match=rf"{there.name} cannot be read: {reason}"):
            likewise.merge_file(here, here, there, "corrections.csv")
    assert here.read_text("utf-8") == "label\n"
