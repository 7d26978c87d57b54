"""Three machines share one catalogue: typed commands, and counted bytes."""

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import forked
import likewise
from forked import run_dvc
from likewise.catalogue import corrections
from likewise.cli.app import app
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace

ITEMS, CORRECTED, SIDE = 300, 20, 256
"""Number of images whose bytes are counted; ``benchmarks/sharing.py`` uses 10,000."""

GROWING = """\
seed: 0
datasets:
  noise: {path: noise, annotations: noise}
trained: {}
pretrained: {}
distilled: {}
models:
  first: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}
embeddings:
  first: {dataset: noise, model: first}
indexes:
  exact: {kind: exact}
runs:
  noise-first: {dataset: noise, model: first, index: exact, protocol: gpr1200-strict}
"""

ADDED = {
    "models": "second: {kind: timm, backbone: test_vit.r160_in1k, weights: random}",
    "embeddings": "second: {dataset: noise, model: second}",
}

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

LEFT = {"catalog/emoji/images.lance", "catalog/emoji/embeddings/tiny.lance", "models/tiny"}
"""Outputs that a pull without images does not fetch completely."""

LABELS = ("0", "200", "400", "600", "800")


def command(root: Path, *words: str) -> str:
    """Return the output of a command; likewise runs in this process, with loaded libraries."""
    if words[0] == "likewise":
        with contextlib.chdir(root):
            typed = CliRunner().invoke(app, words[1:])
        assert typed.exit_code == 0, typed.output
        return typed.stdout
    done = forked.run(root, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def nbytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def repro(root: Path, *words: str) -> set[str]:
    """Return the stages that dvc repro runs."""
    said = command(root, "dvc", "repro", *words)
    return {line.split("'")[1] for line in said.splitlines() if line.startswith("Running")}


def alice_releases(alice: Path) -> None:
    """Alice releases the data set and shares it."""
    said = command(alice, "likewise", "release", "emoji", "1", "-m", "All that there is")
    assert said.startswith("emoji@v1.0.0: first release")
    command(alice, "likewise", "push")
    command(alice, "git", "push", "--quiet", "--follow-tags", "origin", "main")


def bob_corrects(team: Path) -> None:
    """Bob has no source and pulls no images; he corrects 4 of 23 labels."""
    command(team, "git", "clone", "--quiet", "git", "bob")
    bob = team / "bob"
    command(bob, "likewise", "init")
    done = json.loads(command(bob, "likewise", "pull", "--no-images", "--json"))
    assert done["nbytes"] == nbytes(bob / ".dvc" / "cache")
    assert set(done["partial"]) == LEFT
    shutil.rmtree(bob / "emoji")
    run_git(bob, "rm", "-r", "--quiet", "--cached", "emoji")
    run_git(bob, "commit", "--quiet", "--message", "the source is Alice's")
    assert not (bob / "catalog" / "emoji" / "images.lance").exists()
    sql = "select count(*) as n from emoji where label = '1000'"
    assert command(bob, "likewise", "query", sql).split() == ["n", "3"]
    for label in LABELS[:4]:
        command(bob, "likewise", "correct", "emoji", f"{label}_twemoji.jpg", "--label", "1000")
    assert repro(bob, "--allow-missing") == {"publish@emoji", "evaluate@emoji-tiny"}
    assert command(bob, "likewise", "query", sql).split() == ["n", "7"]
    command(bob, "git", "checkout", "--quiet", "-b", "labels")
    command(bob, "git", "add", "--all")
    command(bob, "git", "commit", "--quiet", "--message", "four labels")
    before = nbytes(team / "remote")
    command(bob, "likewise", "push")
    grown = nbytes(team / "remote") - before
    published = nbytes(bob / "catalog" / "emoji.lance")
    assert grown <= 1.5 * published  # the published table anew, the run's rows, two lists
    command(bob, "git", "push", "--quiet", "origin", "labels")


def alice_merges(alice: Path) -> None:
    """Meanwhile Alice has corrected another label."""
    command(alice, "likewise", "correct", "emoji", "800_noto.jpg", "--label", "0")
    command(alice, "git", "commit", "--quiet", "--all", "--message", "a fifth label")
    command(alice, "git", "fetch", "--quiet")
    command(alice, "likewise", "merge", "origin/labels")
    made = corrections.read(Workspace(alice).corrections("emoji"))
    assert len([key for key in made if key.column == "label"]) == 5
    command(alice, "likewise", "pull")
    assert repro(alice, "--allow-missing") == {"publish@emoji", "evaluate@emoji-tiny"}
    command(alice, "git", "add", "--all")
    command(alice, "git", "commit", "--quiet", "--message", "five labels")
    said = command(alice, "likewise", "release", "emoji", "2")
    assert "since emoji@v1.0.0: 5 relabelled" in said
    command(alice, "likewise", "push")
    command(alice, "git", "push", "--quiet", "--follow-tags", "origin", "main")


def carol_compares(team: Path) -> None:
    """Carol opens both releases and scores the new one again."""
    command(team, "git", "clone", "--quiet", "git", "carol")
    carol = team / "carol"
    old, new = (likewise.open("emoji", rev=rev, workspace=carol) for rev in ("1", "v2.0.0"))
    counts = [dataset.items.filter(label="1000").height for dataset in (old, new)]
    assert counts == [3, 7]
    found = likewise.diff("emoji", "1", "2", workspace=carol)
    assert found.counts["relabelled"] == 5
    assert found.items == (23, 23)
    assert {moved.run for moved in found.metrics} == {"emoji-tiny"}
    scored = likewise.evaluate("emoji-tiny", rev="emoji@v2.0.0", workspace=carol)
    assert {m.metric: m.now for m in found.metrics}.items() <= scored.metrics.items()
    assert not (carol / "catalog" / "emoji.lance").exists()


@pytest.mark.slow  # test_merge.py, test_push_pull.py and test_release.py check its parts
@pytest.mark.usefixtures("forked_python")
def test_a_team_shares_corrects_and_merges(team: Path) -> None:
    alice_releases(team / "alice")
    bob_corrects(team)
    alice_merges(team / "alice")
    carol_compares(team)


@pytest.fixture
def noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a catalogue of incompressible pictures, 20 per label, with a remote next to it."""
    root = tmp_path / "growing"
    (root / "catalog").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for number in range(ITEMS):
        folder = root / "noise" / f"{number % 15:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = draw.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03d}.jpg", quality=90)
    (root / "params.yaml").write_text(GROWING, "utf-8")
    card = "title: Noise\nsource: {kind: folder}\nlicence: {spdx: CC0-1.0}\n"
    (root / "catalog" / "noise.yaml").write_text(card, "utf-8")
    monkeypatch.chdir(root)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    likewise.init(root)
    run_dvc(root, "remote", "add", "--default", "lab", "../remote")
    return root


def growth(root: Path, *steps: tuple[str, ...]) -> int:
    """Run the steps, record and push the outputs; return the bytes added to the remote."""
    before = nbytes(root.parent / "remote")
    for step, *names in steps:
        getattr(likewise, step)(*names)
    run_dvc(root, "commit", "--force", "--quiet")
    pushed = likewise.push().nbytes
    assert nbytes(root.parent / "remote") - before == pushed
    return pushed


def test_a_remote_grows_by_what_changed(noise: Path) -> None:
    made = (("ingest", "noise"), ("load", "first"), ("embed", "noise", "first"))
    again = (("publish", "noise"), ("evaluate", "noise-first"))
    whole = growth(noise, *made, *again)
    assert whole > nbytes(noise / "noise")
    items = likewise.open("noise").items["item_id"].to_list()
    likewise.correct("noise", items[:CORRECTED], {"label": "another"})
    assert growth(noise, *again) < 0.02 * whole
    text = (noise / "params.yaml").read_text("utf-8")
    for section, entry in ADDED.items():
        text = text.replace(f"\n{section}:\n", f"\n{section}:\n  {entry}\n")
    (noise / "params.yaml").write_text(text, "utf-8")
    added = growth(
        noise, ("load", "second"), ("embed", "noise", "second"), ("publish", "noise")
    )
    # The bytes of its folder, and twice its vectors (64 x float32): embedded and published.
    own = nbytes(noise / "models" / "second") + 2 * ITEMS * 64 * 4
    assert own < added < own + 0.02 * whole
