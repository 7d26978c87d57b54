"""``dvc repro`` runs what must run, and nothing else: on 24 drawings.

One test runs the commands as they are installed; for the others they are forked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import forked
import likewise
from catalogues import once
from likewise.catalogue.published_table import TEXT_RUN_COLUMNS
from likewise.evaluation.protocols import PROTOCOLS
from likewise.storage.config import read_yaml
from likewise.storage.schema import PUBLISHED

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

REPOSITORY = Path(__file__).parents[2]
SAMPLES = REPOSITORY / "samples" / "emoji"
MODEL = "{kind: timm, backbone: test_resnet.r160_in1k, weights: random"

EVERYTHING = [
    "prepare@emoji",
    "ingest@emoji",
    "load@tiny",
    "embed@emoji-tiny",
    "measure@emoji",
    "check@emoji",
    "publish@emoji",
    "evaluate@emoji-tiny-gpr1200",
    "evaluate@emoji-tiny-gpr1200-strict",
]
EVALUATIONS = EVERYTHING[-2:]


def command(root: Path, *words: str) -> str:
    """Return the output of a command."""
    done = forked.run(root, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def repro(root: Path) -> tuple[set[str], str]:
    """The stages that ``dvc repro`` runs, and all that it prints."""
    return stages(command(root, "dvc", "repro"))


def stages(said: str) -> tuple[set[str], str]:
    return set(re.findall(r"^Running stage '(.+)':$", said, re.MULTILINE)), said


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, set[str]]]:
    """A catalogue made by the commands that a person types, and the stages that ran."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("site")))
        patch.setenv("DVC_NO_ANALYTICS", "1")
        top = once(tmp_path_factory, "pipeline", _make)
        yield top / "workspace", set((top / "ran").read_text("utf-8").splitlines())


def _make(top: Path) -> None:
    root = top / "workspace"
    images = root / "emoji" / "images"
    images.mkdir(parents=True)
    categories = ("0", "200", "400", "600", "800", "1000")
    for category in categories:
        for drawn_by in ("fluent", "noto", "openmoji", "twemoji"):
            shutil.copy(SAMPLES / "images" / f"{category}_{drawn_by}.jpg", images)
    texts = json.loads((SAMPLES / "categories.json").read_text("utf-8"))
    few = json.dumps({category: texts[category] for category in categories})
    (root / "emoji" / "categories.json").write_text(few, "utf-8")
    command(root, "likewise", "init")
    params = (root / "params.yaml").read_text("utf-8")
    model = re.sub(r"(?ms)^  lite0:\n.*?^\n", f"  tiny: {MODEL}}}\n\n", params)
    assert model != params
    (root / "params.yaml").write_text(model, "utf-8")
    where = ["--path", "emoji/images", "--annotations", "emoji/categories.json"]
    command(root, "likewise", "add", "emoji", "--source", "gpr1200", *where)
    ran, _ = repro(root)
    (top / "ran").write_text("\n".join(ran), "utf-8")


@pytest.fixture
def root(made: tuple[Path, set[str]], tmp_path: Path) -> Path:
    """Copy it for one test."""
    return Path(shutil.copytree(made[0], tmp_path / "workspace"))


def test_everything_is_made_and_then_nothing(made: tuple[Path, set[str]], root: Path) -> None:
    assert made[1] == set(EVERYTHING)
    assert len(likewise.open("emoji", workspace=root).vectors("tiny")) == 24
    again, said = repro(root)
    assert again == set()
    for stage in EVERYTHING:
        assert f"Stage '{stage}' didn't change, skipping" in said


def test_an_entry_written_by_hand_needs_no_other_file(root: Path) -> None:
    card = (root / "catalog" / "emoji.yaml").read_text("utf-8")
    (root / "catalog" / "own.yaml").write_text(card, "utf-8")
    entry = "{path: emoji/images, annotations: emoji/categories.json}"
    edit(root / "params.yaml", "\ndatasets:\n", f"\ndatasets:\n  own: {entry}\n")
    ran, _ = repro(root)
    assert ran == {"prepare@own", "ingest@own", "publish@own"}
    records = [
        root / "catalog" / "own" / f"{name}.csv" for name in ("corrections", "forgotten")
    ]
    assert [path.read_text("utf-8").count("\n") for path in records] == [1, 1]
    taken_down = ",,".join(["", "0" * 64 + ",by hand\n"])
    with records[1].open("a", encoding="utf-8") as file:
        file.write(taken_down)
    ran, _ = repro(root)
    assert ran == {"prepare@own", "ingest@own"}
    assert records[1].read_text("utf-8").endswith(taken_down)
    assert repro(root)[0] == set()


def test_a_corrected_label_embeds_nothing(root: Path) -> None:
    images = root / "emoji" / "images"
    (images / "1000_noto.jpg").rename(images / "0_znoto.jpg")
    ran, _ = repro(root)
    assert ran == {"ingest@emoji", "check@emoji", "publish@emoji", *EVALUATIONS}
    assert "0_znoto.jpg" in likewise.open("emoji", workspace=root).items["item_id"]


def test_tags_verdicts_and_selections_run_nothing(root: Path) -> None:
    likewise.tag("emoji", where="label = '0'", add=["house"], workspace=root)
    likewise.select("emoji", "houses", where="label = '0'", workspace=root)
    doubts = likewise.reviews("emoji", workspace=root).doubts
    likewise.review("emoji", [doubts[0].id], verdict="kept", workspace=root)
    assert "up to date" in command(root, "dvc", "status")
    assert repro(root)[0] == set()
    for name in ("tags.csv", "reviews.csv", "selections/houses.csv"):
        assert (root / "catalog" / "emoji" / name).is_file()
    params = root / "params.yaml"
    edit(params, "filtered: {}", "filtered: {two: {of: emoji, where: label = '200'}}")
    edit(params, "selected: {}", "selected: {few: {of: emoji, selection: houses}}")
    assert repro(root)[0] == {"filter@two", "select@few"}
    likewise.select("emoji", "houses", ["0_noto.jpg"], workspace=root)
    assert repro(root)[0] == {"select@few"}
    likewise.select("emoji", "houses", where="label = '0'", workspace=root)
    images = root / "emoji" / "images"
    shutil.copy(images / "0_noto.jpg", images / "0_znoto.jpg")
    repro(root)  # the tags stay with the items of the next version
    opened = likewise.open("emoji", workspace=root)
    assert opened.browse(where="array_has(tags, 'house')").total == 4
    assert opened.browse(selection="houses").total == 4


def test_only_new_images_are_embedded_and_stored(root: Path) -> None:
    cache = root / ".dvc" / "cache"
    data = root / "catalog" / "emoji" / "images.lance" / "data"
    old = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    before = {path for path in cache.rglob("*") if path.is_file()}
    for path in sorted((SAMPLES / "images").glob("1_*.jpg")):
        shutil.copy(path, root / "emoji" / "images" / f"0_{path.name}")
    ran, said = repro(root)
    assert ran == set(EVERYTHING) - {"prepare@emoji", "load@tiny"}
    assert "10 read, 24 kept, 0 removed" in said
    assert "emoji by tiny: 10 vectors computed\n24 reused, 0 dropped" in said

    assert {path: path.read_bytes() for path in old} == old
    new = {path.read_bytes() for path in cache.rglob("*") if path.is_file()} - {
        path.read_bytes() for path in before
    }
    assert not new & set(old.values())
    grown = [path for path in data.rglob("*") if path.is_file() and path not in old]
    assert {path.read_bytes() for path in grown} <= new


def test_a_second_model_leaves_the_firsts_evaluations_alone(root: Path) -> None:
    params = root / "params.yaml"
    edit(params, "\nmodels:\n", f"\nmodels:\n  small: {MODEL}, input_size: 64}}\n")
    edit(
        params, "embeddings:\n", "embeddings:\n  emoji-small: {dataset: emoji, model: small}\n"
    )
    run = "{dataset: emoji, model: small, index: exact, protocol: gpr1200}"
    edit(params, "runs:\n", f"runs:\n  emoji-small-gpr1200: {run}\n")
    before = {path.name: path.read_bytes() for path in (root / "reports").glob("*-*")}
    ran, _ = repro(root)
    assert ran == {
        "load@small",
        "embed@emoji-small",
        "check@emoji",
        "publish@emoji",
        "evaluate@emoji-small-gpr1200",
    }
    after = {path.name: path.read_bytes() for path in (root / "reports").glob("*-*")}
    assert before.items() < after.items()
    # The new column is the last one, although params.yaml lists it first: the old file stays.
    assert likewise.open("emoji", workspace=root).models == ["tiny", "small"]


def test_a_corrected_text_scores_nothing(root: Path) -> None:
    old = likewise.open("emoji", workspace=root).items["text"][0]
    edit(root / "emoji" / "categories.json", f'"0": "{old}"', '"0": "corrected"')
    ran, _ = repro(root)
    assert ran == {"ingest@emoji", "check@emoji", "publish@emoji"}
    assert likewise.open("emoji", workspace=root).items["text"][0] == "corrected"


def test_what_a_card_says_of_its_data_runs_nothing(root: Path) -> None:
    card = root / "catalog" / "emoji.yaml"
    edit(card, "title: emoji", "title: Drawings of six things")
    edit(card, "spdx: NOASSERTION", "spdx: CC-BY-SA-4.0")
    ran, _ = repro(root)
    assert ran == set()
    assert likewise.open("emoji", workspace=root).card.title == "Drawings of six things"


def test_another_bound_decodes_nothing_and_scores_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    edit(root / "params.yaml", "checks:\n  emoji: {}", "checks:\n  emoji: {min_side: 100}")
    words = [sys.executable, "-m", "dvc", "repro"]  # as it and likewise are installed
    ran, _ = stages(subprocess.check_output(words, cwd=root, text=True))
    assert ran == {"check@emoji"}
    assert likewise.query("show tables", workspace=root)["name"].is_in(["emoji_flags"]).any()


def test_a_killed_repro_is_taken_up_again(root: Path) -> None:
    """DVC has removed the outputs of the stage at this time; the last version still opens."""
    before = likewise.open("emoji", workspace=root).items
    for output in ("emoji.lance", "emoji/images.lance", "emoji/items.lance"):
        shutil.rmtree(root / "catalog" / output)
    shutil.rmtree(root / ".likewise")
    dataset = likewise.open("emoji", workspace=root)
    assert dataset.items.equals(before)
    assert np.isfinite(dataset.vectors("tiny")).all()
    ran, _ = repro(root)
    assert ran <= {"ingest@emoji", "publish@emoji"}
    assert likewise.open("emoji", workspace=root).items.equals(before)


def test_the_repositorys_own_pipeline_is_the_template() -> None:
    template = REPOSITORY / "src" / "likewise" / "catalogue" / "templates" / "dvc.yaml"
    assert (REPOSITORY / "dvc.yaml").read_bytes() == template.read_bytes()


def test_a_run_reads_the_columns_that_its_stage_depends_on() -> None:
    pipeline = read_yaml(REPOSITORY / "dvc.yaml")
    assert isinstance(pipeline, dict)
    params = pipeline["stages"]["evaluate"]["do"]["params"]
    [columns] = [
        value for entry in params if isinstance(entry, dict) for value in entry.values()
    ]
    every_source = ("label", "subset", "split", "role")
    named = [f"columns.{name}" for name in (*every_source, "${item.model}")]
    assert columns == ["further", *named, "ann.${item.model}"]
    # All other columns of a protocol are a source's own, and so in the digest "further".
    # The entry "ann" of a model with a text tower has the digests of texts and contents.
    read = {name for kind in PROTOCOLS.kinds() for name in PROTOCOLS.load(kind).columns}
    assert (read - set(every_source)) & set(PUBLISHED.names()) == {
        *TEXT_RUN_COLUMNS,
        "image_id",
    }
    # Composed queries leave their reference out by image_id. Its other value is an item of
    # another key, or another reference, whose vector and targets differ.
    by_image = {
        kind for kind in PROTOCOLS.kinds() if "image_id" in PROTOCOLS.load(kind).columns
    }
    assert by_image == {"cirr", "cirr-subset"}
    comparing = {kind for kind in PROTOCOLS.kinds() if "text" in PROTOCOLS.load(kind).columns}
    folds = {"image-text-1k", "image-text-5k"}
    assert comparing == {"image-text", "zero-shot", "ilias-text", *folds}
