"""Adapters: learned on stored vectors, embedded from stored vectors or from pixels."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import likewise
from forked import run_dvc
from learning import learn, write
from likewise.catalogue.catalogue import open_workspace
from likewise.errors import BrokenEntryWarning, ConfigError, StaleArtefactError, Stopped
from likewise.imaging.image_reader import ImageReader
from likewise.models.passport import Passport
from likewise.models.recipes import load
from likewise.models.training.adapter_layers import Adapter, adapted, principal_directions
from likewise.models.training.batch_loader import TrainingBatch
from likewise.models.training.loop import TrainingLoop
from likewise.storage import tables, timings

pytestmark = pytest.mark.torch

ENTRY: dict[str, Any] = {
    "kind": "adapter",
    "init": "tiny",
    "data": "emoji",
    "split": None,
    "validation": 0.4,
    "batch": 8,
    "samples_per_class": 2,
    "epochs": 3,
}

MADE = "models/learned"


def stored(root: Path, model: str = "learned") -> np.ndarray:
    """Return the vectors of the data set in the order of their contents."""
    table = tables.open_table(root / f"catalog/emoji/embeddings/{model}.lance")
    order = table.read(["content"])["content"].arg_sort().to_list()
    return np.asarray(table.vectors("vector", order))


def embed(root: Path, dtype: str = "float32") -> likewise.Embedded:
    entry = {"dataset": "emoji", "model": "learned", "dtype": dtype}
    write(root, "embeddings", "emoji-learned", entry)
    return likewise.embed("emoji", "learned", workspace=root)


def no_pixels(*_: object) -> None:
    raise AssertionError("pixels were read")


def test_no_pixel_is_read_where_vectors_are_stored(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageReader, "encoded", no_pixels)
    passport = learn(workspace, {**ENTRY, "dim": 16}, "adapted")
    start = Passport.read(workspace / "models/tiny")
    assert (passport.dim, passport.start) == (16, start.weights_sha256)
    assert passport.preprocessing == start.preprocessing
    columns = {
        name: yaml.safe_load((workspace / f"catalog/emoji/columns/{name}.yaml").read_text())
        for name in ("items", "tiny")
    }
    assert passport.data == {
        **{f"emoji.items.{n}": columns["items"]["columns"][n] for n in passport_columns()},
        "emoji.tiny.vector": columns["tiny"]["columns"]["vector"],
    }
    assert passport.files.keys() == {"base/model.safetensors", "base/passport.json"}
    done = embed(workspace)
    assert (done.computed, done.numerics) == (
        24,
        likewise.embed("emoji", "tiny", workspace=workspace).numerics,
    )
    assert embed(workspace).taken_over == 24


def passport_columns() -> tuple[str, ...]:
    return ("content", "label", "split")


def test_vectors_from_pixels_have_the_bits_of_those_from_stored_vectors(
    workspace: Path, several_threads: None
) -> None:
    learn(workspace, {**ENTRY, "hidden": 8}, "adapted")
    embed(workspace)
    ws, job = open_workspace(workspace), "embed-emoji-learned"
    assert [t.units for t in timings.read(ws, timings.stored_job(job))] == [24]
    assert timings.read(ws, job) == []
    expected = stored(workspace)
    shutil.rmtree(workspace / "catalog/emoji/embeddings/tiny.lance")
    done = likewise.embed("emoji", "learned", recompute=True, workspace=workspace)
    assert done.computed == 24
    np.testing.assert_array_equal(stored(workspace), expected)


def test_half_of_the_vectors_may_be_missing(workspace: Path) -> None:
    learn(workspace, ENTRY, "adapted")
    embed(workspace)
    expected = stored(workspace)
    base = workspace / "catalog/emoji/embeddings/tiny.lance"
    contents = tables.open_table(base).read(["content"])["content"]
    tables.delete_rows(base, "content", contents[::2].to_list())
    done = likewise.embed("emoji", "learned", recompute=True, workspace=workspace)
    assert done.computed == 24
    np.testing.assert_array_equal(stored(workspace), expected)


def test_rounded_vectors_are_named_and_near(workspace: Path) -> None:
    learn(workspace, ENTRY, "adapted")
    embed(workspace)
    expected = stored(workspace)
    write(workspace, "embeddings", "emoji-tiny", {**_tiny(), "dtype": "float16"})
    likewise.embed("emoji", "tiny", workspace=workspace)
    done = likewise.embed("emoji", "learned", recompute=True, workspace=workspace)
    [numerics] = done.numerics
    assert numerics.endswith(", stored as float16")
    assert 0 < np.abs(stored(workspace) - expected).max() < 2e-3


def _tiny() -> dict[str, str]:
    return {"dataset": "emoji", "model": "tiny"}


def test_vectors_of_another_version_of_the_initial_model_are_not_used(workspace: Path) -> None:
    learn(workspace, ENTRY, "adapted")
    write(workspace, "models", "tiny", {**_model(), "crop_pct": 0.5})
    likewise.load("tiny", workspace=workspace)
    with pytest.raises(StaleArtefactError, match="vectors of emoji are those of another"):
        likewise.train("learned", workspace=workspace)
    embed(workspace)
    first = stored(workspace)
    likewise.embed("emoji", "tiny", workspace=workspace)
    likewise.embed("emoji", "learned", recompute=True, workspace=workspace)
    np.testing.assert_array_equal(stored(workspace), first)  # by its own copy, from pixels


def _model() -> dict[str, str]:
    return {"kind": "timm", "backbone": "test_resnet.r160_in1k", "weights": "random"}


def test_a_search_by_picture(workspace: Path) -> None:
    learn(workspace, ENTRY, "adapted")
    embed(workspace)
    likewise.publish("emoji", workspace=workspace)
    emoji = likewise.open("emoji")
    picture = workspace / "emoji/images/200_noto.jpg"
    hits = emoji.search(image=picture, model="learned", k=3)
    assert hits[0].item_id == "200_noto.jpg"
    assert hits[0].score == pytest.approx(1, abs=1e-5)
    facts = {fact.what: fact for fact in likewise.why("emoji", "learned", "200_noto.jpg")}
    assert facts["replayed cosine"].remark == "equal, within the rounding of float32"


def _stopped_at(step: Callable[..., None], number: int) -> Callable[..., None]:
    """Return a step of the loop that is followed by SIGTERM at the step ``number``."""

    def stopped(loop: TrainingLoop, batch: TrainingBatch) -> None:
        step(loop, batch)
        if loop.position.step == number:
            os.kill(os.getpid(), signal.SIGTERM)

    return stopped


def test_the_same_weights_again_and_after_a_stop(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passport = learn(workspace, {**ENTRY, "epochs": 4, "dropout": 0.2}, "adapted")
    made = json.loads((workspace / "reports/training/learned/made.json").read_text())
    assert set(made["history"][0]) == {"epoch", "loss", "map", "precision@1"}
    assert likewise.train("learned", workspace=workspace) == passport
    shutil.rmtree(workspace / MADE)
    step = TrainingLoop._step
    with monkeypatch.context() as patch:
        patch.setattr(TrainingLoop, "_step", _stopped_at(step, 3))
        with pytest.raises(Stopped):
            likewise.train("learned", workspace=workspace)
    assert not (workspace / MADE).exists()
    likewise.train("learned", workspace=workspace)
    assert "resumes after 24 of" in capsys.readouterr().err
    assert Passport.read(workspace / MADE).weights_sha256 == passport.weights_sha256


def test_an_adapter_of_an_adapter(workspace: Path) -> None:
    learn(workspace, {**ENTRY, "dim": 16}, "adapted")
    embed(workspace)
    entry = {**ENTRY, "init": "learned", "dim": 8}
    write(workspace, "adapted", "second", entry)
    assert likewise.train("second", workspace=workspace).dim == 8
    write(workspace, "embeddings", "emoji-second", {"dataset": "emoji", "model": "second"})
    likewise.embed("emoji", "second", workspace=workspace)
    expected = stored(workspace, "second")
    for model in ("tiny", "learned"):
        shutil.rmtree(workspace / f"catalog/emoji/embeddings/{model}.lance")
    likewise.embed("emoji", "second", recompute=True, workspace=workspace)
    np.testing.assert_array_equal(stored(workspace, "second"), expected)


def test_several_data_sets(workspace: Path) -> None:
    shutil.copy(workspace / "catalog/emoji.yaml", workspace / "catalog/other.yaml")
    place = {"path": "emoji/images", "annotations": "emoji/categories.json"}
    write(workspace, "datasets", "other", place)
    likewise.ingest("other", workspace=workspace)
    entry = {**ENTRY, "data": ["emoji", "other"]}
    with (
        pytest.warns(BrokenEntryWarning),
        pytest.raises(ConfigError, match="no entry of 'embeddings' says that 'tiny' embeds"),
    ):
        learn(workspace, entry, "mixed")
    write(workspace, "embeddings", "other-tiny", {"dataset": "other", "model": "tiny"})
    likewise.embed("other", "tiny", workspace=workspace)
    passport = likewise.train("learned", workspace=workspace)
    vectors = {"emoji.tiny.vector", "other.tiny.vector"}
    assert {name for name in passport.data if name.endswith("vector")} == vectors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augment": {"flip": 0.5}}, "augment: unknown key"),
        ({"loss": "triplet", "scale": 2}, "loss triplet has no scale; leave that out"),
        ({"hidden": -1}, "hidden"),
    ],
)
def test_options_that_are_not_read_are_refused(
    workspace: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        learn(workspace, {**ENTRY, **options}, "adapted")


def test_no_backbone_is_trained_from_an_adapter(workspace: Path) -> None:
    learn(workspace, ENTRY, "adapted")
    entry = {"kind": "metric", "init": "learned", "data": "emoji", "split": None}
    write(workspace, "trained", "further", entry)
    with pytest.raises(ConfigError, match=r"learned is an adapter.* set init to 'tiny'"):
        likewise.train("further", workspace=workspace)


@pytest.mark.dvc
def test_its_stage_depends_on_the_vectors_of_its_initial_model(recorded: Path) -> None:
    write(recorded, "adapted", "near", ENTRY)
    drawn = run_dvc(recorded, "dag", "--dot").replace('"', "")
    edges = {line.strip(" ;") for line in drawn.splitlines() if "->" in line}
    assert {
        "load@tiny -> adapt@near",
        "ingest@emoji -> adapt@near",
        "embed@emoji-tiny -> adapt@near",
    } <= edges


def test_the_start_keeps_cosines() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for dim in (6, 9):
        layers = Adapter(6, dim, hidden=3)
        layers.start(vectors)
        out = adapted(layers.eval(), vectors)
        np.testing.assert_allclose(out @ out.T, vectors @ vectors.T, atol=1e-6)


def test_fewer_dimensions_keep_the_longest_directions() -> None:
    # The sums of squares along the axes are 2 * 0.25, 2 * 9 and 2 * 4.
    vectors = np.array([[0.5, 3, 2], [0.5, -3, 2], [-0.5, 3, -2], [-0.5, -3, -2]]) / 2**0.5
    found = principal_directions(vectors, 2)
    np.testing.assert_allclose(found[0], [0, 1, 0], atol=1e-12)
    # The other axes are correlated: the direction of (0.5, 2), of length (0.25 + 4)^0.5.
    np.testing.assert_allclose(found[1], np.array([0.5, 0, 2]) / 4.25**0.5, atol=1e-12)


@pytest.mark.parametrize("hidden", [0, 16])
def test_held_out_classes_gain_if_some_values_are_noise(workspace: Path, hidden: int) -> None:
    """Half of the values are noise that is as long as the other half, which has the class."""
    random = np.random.default_rng(1)
    centres = random.normal(size=(60, 8))
    labels = np.repeat(np.arange(60), 6)
    signal = centres[labels] + 0.3 * random.normal(size=(360, 8))
    vectors = np.hstack([signal, 2 * random.normal(size=(360, 8))]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    layers = fitted(vectors[labels < 40], labels[labels < 40], hidden)
    new = labels >= 40
    before = precision(vectors[new], labels[new])
    assert precision(adapted(layers, vectors[new]), labels[new]) > before + 0.2


def fitted(vectors: np.ndarray, labels: np.ndarray, hidden: int) -> Adapter:
    """Train layers by the objective of the recipe, without files."""
    from likewise.models.training.adapter_training import AdapterObjective
    from likewise.models.training.losses import LossOptions, build_loss
    from likewise.models.training.samplers import ClassBalancedSampler

    torch.manual_seed(0)
    layers = Adapter(vectors.shape[1], vectors.shape[1], hidden)
    layers.start(vectors)
    loss = build_loss(LossOptions("multi-similarity", None, None, 4, "none"), 40, 16)
    task = AdapterObjective(layers, labels.tolist(), loss)
    optimiser = torch.optim.AdamW(task.parameters(), lr=1e-2)
    sampler = ClassBalancedSampler(labels.tolist(), 64, 4, 0)
    for epoch in range(20):
        for rows in sampler.epoch(epoch):
            batch = torch.from_numpy(vectors[rows[:, 0]])
            value = task(
                batch, task.targets(torch.from_numpy(rows)), torch.empty(1, len(rows), 0)
            )
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
    return layers.eval()


def precision(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of vectors whose nearest other vector has their label."""
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    return float((labels[scores.argmax(axis=1)] == labels).mean())


def test_a_passport_of_another_initial_model_is_refused(workspace: Path) -> None:
    learn(workspace, ENTRY, "adapted")
    path = workspace / MADE / "base/passport.json"
    path.write_text(path.read_text().replace("test_resnet", "test_resnot"))
    with pytest.raises(likewise.DataError, match="differs from its passport"):
        load(workspace / MADE)
