"""Another package adds kinds by entry points: they are found, listed and used."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

import likewise
from document_blocks import blocks
from forked import run
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.base import Protocol
from likewise.registry import Registry
from likewise.sources import SOURCES

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "plugin"
GUIDE = ROOT / "docs" / "howto" / "plugin.md"

STEPS = """\
import json, sys
sys.path.insert(0, {site!r})
import numpy as np
import likewise

likewise.init()
likewise.add("pets", source="underscored", path="../pictures", models=[])
kinds = [kind.summary for kind in likewise.kinds("recipes") if kind.package == "likewise-lab"]
likewise.add_model("tiny", kind="thumbnail", options={{"side": 4}}, data=["pets"])
likewise.add_run("pets", "tiny", "nearest-item")
likewise.ingest("pets")
likewise.load("tiny")
likewise.embed("pets", "tiny")
likewise.publish("pets")
run = likewise.evaluate("pets-tiny-nearest-item")
hit = likewise.open("pets").search(image="../pictures/cat__2.png", k=1)[0]
rows = np.array([[1, 0], [1, 0.1], [0, 1], [1, 0]], np.float32)
scored = likewise.score("nearest-item", embeddings=rows, items="items.csv")
print(json.dumps([kinds, run.metrics, [hit.item_id, hit.label], scored.metrics]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example package in a folder of its own."""
    top = tmp_path_factory.mktemp("lab")
    package = shutil.copytree(EXAMPLE, top / "package")  # the build writes next to the source
    # No package index is needed: all dependencies are installed here.
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    target = ["--target", str(top / "site")]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, *target, package], check=True
    )
    return top / "site"


@pytest.mark.torch
def test_a_source_a_model_and_a_protocol_of_another_package(site: Path, tmp_path: Path) -> None:
    pictures, catalogue = tmp_path / "pictures", tmp_path / "catalogue"
    pictures.mkdir()
    catalogue.mkdir()
    # Cats are red, dogs are green: the nearest of each is the other one of its kind.
    for number, name in enumerate(("cat__1", "cat__2", "dog__1", "dog__2")):
        colour = (200 + number, 20, 0) if number < 2 else (20, 200 + number, 0)
        Image.new("RGB", (9, 9), colour).save(pictures / f"{name}.png")
    (catalogue / "items.csv").write_text("item_id,label\na,cat\nb,cat\nc,dog\nd,dog\n", "utf-8")
    script = tmp_path / "steps.py"
    script.write_text(STEPS.format(site=str(site)), encoding="utf-8")

    done = run(catalogue, "python", str(script))

    assert done.returncode == 0, done.stderr
    kinds, metrics, hit, scored = json.loads(done.stdout.splitlines()[-1])
    assert kinds == ["The pixels of a small picture, multiplied by a random matrix."]
    assert metrics == {"recall@1": 1.0}
    assert hit == ["cat__2.png", "cat"]
    # d and a have equal scores for a, and d comes after a; c's nearest is b, d's is a.
    assert scored["recall@1"] == 1 / 4


def test_the_guide_shows_the_package_as_it_is() -> None:
    shown = [block.code for block in blocks(GUIDE) if block.language == "python"]
    files = ("source", "model", "protocol")
    assert shown == [(EXAMPLE / "likewise_lab" / f"{f}.py").read_text("utf-8") for f in files]
    points = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))
    for group, kinds in points["project"]["entry-points"].items():
        lines = [
            f'[project.entry-points."{group}"]',
            *(f'{k} = "{v}"' for k, v in kinds.items()),
        ]
        assert "\n".join(lines) in GUIDE.read_text("utf-8")


def test_without_the_package_the_kinds_are_unknown() -> None:
    assert "underscored" not in SOURCES.kinds()
    with pytest.raises(
        likewise.UnknownNameError, match="no protocol kind named 'nearest-item'"
    ):
        PROTOCOLS.load("nearest-item")


def registered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> Registry[Protocol]:
    """Return the registry of protocols with an installed package that has the entry point."""
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", "utf-8"
    )
    (info / "entry_points.txt").write_text(f"[likewise.protocols]\n{line}\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    table = {kind: PROTOCOLS._table[kind] for kind in PROTOCOLS.builtin()}
    return Registry("protocol", table, base=PROTOCOLS._base)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("knn = json:JSONDecoder", "'knn' is registered by likewise and other; uninstall one"),
        ("new = no_such_module:New", "of the package other cannot be imported"),
        ("new = json:JSONDecoder", "of the package other is not a subclass of likewise."),
        ("new = json:loads", "of the package other is not a subclass of likewise."),
    ],
)
def test_a_wrong_registration_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, message: str
) -> None:
    registry = registered(monkeypatch, tmp_path, line)
    kind = line.partition(" ")[0]
    assert kind in registry.kinds()
    with pytest.raises(likewise.ConfigError, match=message):
        registry.load(kind)


def test_other_kinds_do_not_suffer_from_a_wrong_registration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry = registered(monkeypatch, tmp_path, "knn = json:JSONDecoder")
    assert registry.load("gpr1200") is PROTOCOLS.load("gpr1200")
