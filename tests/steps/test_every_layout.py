"""Every folder of the shared data is published, by steps or by one ``dvc repro``."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import forked
import likewise

pytestmark = pytest.mark.dvc


class Counts(NamedTuple):
    """Contents of every folder, as in the README of the data."""

    source: str
    place: str
    images: int
    items: int
    splits: dict[str | None, int]


EVERY = {
    "gpr": Counts("gpr1200", "gpr_like", 200 * 10, 200 * 10, {None: 2000}),
    "clothes": Counts(
        "sketch",
        "pairs_clothes_like",
        1200 + 500,
        1200 + 500,
        {"train": 925 + 380, "test": 275 + 120},
    ),
    "inet": Counts("imagenet", "imagenet_like", 693 + 175, 868, {"train": 693, "val": 175}),
    "plain": Counts(
        "folder", "imagenet_like/Data/CLS-LOC", 868, 868, {"train": 693, "val": 175}
    ),
    "cars": Counts(
        "compcars",
        "compcars_like",
        1090 + 246,
        1090 + 246,
        {"train": 726 + 123, "test": 364 + 123},
    ),
    "cards": Counts("voc", "boxes_labels/cards", 160, 311, {"train": 229, "test": 82}),
    "cells": Counts("coco", "boxes_labels/bccd", 100, 1309, {"train": 967, "test": 342}),
}


def command(root: Path, *words: str) -> str:
    """Return the output of a command."""
    done = forked.run(root, *words, DVC_SITE_CACHE_DIR=str(root.parent / "site"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without(root: Path, section: str) -> None:
    """Empty a ``section`` of params.yaml."""
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    text = json.dumps({**params, section: {}})
    (root / "params.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Make a catalogue with one entry per folder, without models, checks and ingests."""
    root = tmp_path_factory.mktemp("every") / "workspace"
    likewise.init(root)
    without(root, "models")
    for name, folder in EVERY.items():
        found = likewise.add(
            name, source=folder.source, path=shared_data / folder.place, workspace=root
        )
        assert (found.items, found.findings) == (folder.items, 0)
    without(root, "checks")
    return root


@pytest.fixture(scope="module")
def made(added: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy it and publish all data sets."""
    root = tmp_path_factory.mktemp("made") / "workspace"
    shutil.copytree(added, root, symlinks=True)
    for name in EVERY:
        likewise.ingest(name, workspace=root)
        likewise.publish(name, workspace=root)
    return root


@pytest.mark.slow
def test_one_repro_publishes_them_all(added: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(added, tmp_path / "workspace", symlinks=True))
    said = command(root, "dvc", "repro")
    ran = set(re.findall(r"^Running stage '(.+)':$", said, re.MULTILINE))
    assert ran == {
        f"{step}@{name}" for step in ("prepare", "ingest", "publish") for name in EVERY
    }
    listed: list[dict[str, Any]] = json.loads(command(root, "likewise", "list", "--json"))
    there = {entry["dataset"]: entry for entry in listed}
    assert {name: there[name]["items"] for name in EVERY} == {
        name: folder.items for name, folder in EVERY.items()
    }
    assert "Running stage" not in command(root, "dvc", "repro")
    for name in EVERY:
        check_counts(root, name)


@pytest.mark.parametrize("name", EVERY)
def test_counts_are_those_of_the_readme(made: Path, name: str) -> None:
    check_counts(made, name)


def check_counts(root: Path, name: str) -> None:
    table = likewise.open(name, workspace=root).frame().collect()
    folder = EVERY[name]
    assert table["image_id"].n_unique() == folder.images
    assert dict(table.group_by("split").len().iter_rows()) == folder.splits
    assert table["sha256"].null_count() == 0


def test_what_only_one_layout_says_can_be_asked(made: Path) -> None:
    def asked(sql: str) -> list[tuple[object, ...]]:
        return likewise.query(sql, workspace=made).frame.rows()

    assert asked("select count(*) from clothes where role = 'gallery' and sketches = 0") == [
        (0,)
    ]
    assert asked("select count(distinct make), count(distinct label) from cars") == [(43, 81)]
    assert asked("select count(distinct label) from inet where class_index is not null") == [
        (35,)
    ]
