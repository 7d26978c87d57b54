"""Renamed options: one error in params.yaml, the old names in passports and hashes."""

import json
from pathlib import Path
from typing import Any

import pytest

from likewise.errors import ConfigError
from likewise.models.passport import Architecture, Passport, Preprocessing
from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import FittedRecipe
from likewise.models.recipes.timm import Timm
from likewise.models.training import resumable
from likewise.storage.config import read_params
from likewise.storage.renamed_options import RENAMED, current, outdated, recorded

FITTED: dict[str, Any] = {"init": "tiny", "data": "emoji"}
ENTRIES: dict[str, dict[str, Any]] = {
    "arnet": {**FITTED, "gallery_input": "edges", "clip_grad_norm": 5},
    "arnet-mstr": {**FITTED, "augmented_views": False, "pseudo_sketch_ratio": 0.5},
    "classify": {**FITTED, "min_images_per_class": 2, "schedule": "step", "step_size": 2},
    "distill": {**FITTED, "teacher": "tiny", "relational_weight": 0.5},
    "metric": {**FITTED, "samples_per_class": 2, "min_images_per_class": 3},
    "ssl": {
        **FITTED,
        "method": "masked",
        "mask_ratio": 0.5,
        "mask_patch_size": 16,
        "contrastive_weight": 0.5,
        "prototypes": 16,
    },
    "timm": {"backbone": "resnet18", "scales": [1.0, 0.5], "scale_fusion": "mean"},
    "whiten": {**FITTED, "dim": 8, "scales": [1.0, 0.5]},
}
"""An entry of each kind in which all its renamed options have a value."""

IDENTITIES = {
    "arnet": "ab2dd7d9f9b182e5249a852773ed8eda07fb0798022d77a1dfa581dfeef2a40f",
    "arnet-mstr": "e259646a10eebdcb07df318b6683d83658fedae736741b897745d93e5c7aa247",
    "classify": "67cfbe63d7e8b27e91fdc9af15cb08c5b482959c38f368d3f7ef87bf652de76b",
    "distill": "68283b77861dac270bb9d2eb32825c91e62450048faa9315c54fb38ae6f6a6b2",
    "metric": "9d25291942636ee6f8ac8e4198c1434fbe28ab5947a11ed1c066f4b85cfeb49a",
    "ssl": "3266275e6afe1b95d828a86a4303651f862f214024c624852c0500e2a503ed69",
    "timm": "fc842cc28b1eb901cdc5cde9cd406784e2c837284217444d28023f5e243cae77",
    "whiten": "d658cc8525738d02da2a0e8c698160542448b6bd531e8999774e978928739d4d",
}
"""Computed by the release that had the old names."""

FOLDERS = {
    "arnet": "53a43b598d67b9a4",
    "arnet-mstr": "1dd93e716df82a10",
    "classify": "c7d58c18354a2ba1",
    "distill": "34b9d38fb2276ec5",
    "metric": "7b56180830d8e1c1",
    "ssl": "eb1feca6d16defe1",
    "whiten": "47fb8f7fb7b5212e",
}
"""Names of the folders of stopped trainings, from the same release."""


ARCHITECTURE = Architecture(
    head="gem",
    projection_dim=8,
    normalise_before_projection=True,
    scales=(1.0, 0.5),
    scale_fusion="mean",
    branches=2,
    gallery_input="edges",
)


def options(kind: str) -> dict[str, Any]:
    """Return all options of the entry of ``kind``, as a passport stores them."""
    built = RECIPES.build({"kind": kind, **ENTRIES[kind]}, "p")
    if isinstance(built, Timm):
        return built._entry()
    assert isinstance(built, FittedRecipe)
    return built.entry()


def passport(kind: str) -> Passport:
    half = (0.5, 0.5, 0.5)
    preprocessing = Preprocessing(
        input_size=(3, 32, 32),
        interpolation="bicubic",
        crop_pct=0.875,
        crop_mode="center",
        mean=half,
        std=half,
    )
    return Passport(
        recipe=options(kind),
        backbone="resnet18",
        dim=8,
        weights_sha256="00" * 32,
        weights_source="hub",
        preprocessing=preprocessing,
        precision="float32",
        libraries={},
        architecture=ARCHITECTURE,
    )


@pytest.mark.parametrize("kind", RENAMED)
def test_identities_stay(kind: str) -> None:
    assert set(RENAMED[kind].values()) <= set(options(kind))
    assert passport(kind).identity() == IDENTITIES[kind]


@pytest.mark.parametrize("kind", RENAMED)
def test_a_passport_is_written_with_the_old_names(kind: str, tmp_path: Path) -> None:
    passport(kind).write(tmp_path)
    written = json.loads((tmp_path / "passport.json").read_text("utf-8"))
    names = set(written["recipe"])
    assert set(RENAMED[kind]) <= names
    assert not set(RENAMED[kind].values()) & names
    assert written["recipe"] == recorded(options(kind))
    assert Passport.read(tmp_path).recipe == options(kind)


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_stopped_training_keeps_its_folder(kind: str, tmp_path: Path) -> None:
    digests = {"emoji.items.content": "22" * 32}
    key = resumable.training_key(options(kind), "11" * 32, digests, 0)
    assert resumable.folder(tmp_path, key).name == FOLDERS[kind]


@pytest.mark.parametrize("kind", RENAMED)
def test_no_name_is_old_and_new(kind: str) -> None:
    names = RENAMED[kind]
    assert not set(names) & set(names.values())
    assert len(set(names.values())) == len(names)
    entry = options(kind)
    assert current(recorded(entry)) == entry
    assert [old for old, _ in outdated(recorded(entry))] == list(names)
    assert not list(outdated(entry))


def test_an_old_name_in_params_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(
        "datasets:\n  emoji: {path: a, annotations: a}\n"
        "models:\n  tiny: {kind: timm, backbone: resnet18, together: mean}\n"
        "trained:\n  x: {kind: metric, start: tiny, data: emoji, each: 2}\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_params(path)
    assert str(caught.value).splitlines() == [
        (
            "params.yaml: models.tiny: `together` is now called `scale_fusion`; "
            "run `likewise init` to rename it here"
        ),
        (
            "params.yaml: trained.x: `start` is now called `init`, "
            "`each` is now called `samples_per_class`; run `likewise init` to rename them here"
        ),
    ]


def test_old_names_of_an_earlier_revision_are_read(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(
        "datasets:\n  emoji: {path: a, annotations: a}\n"
        "models:\n  tiny: {kind: timm, backbone: resnet18}\n"
        "trained:\n  x: {kind: metric, start: tiny, data: emoji, each: 2}\n"
    )
    assert read_params(path, historic=True).trained["x"] == {
        "kind": "metric",
        "init": "tiny",
        "data": "emoji",
        "samples_per_class": 2,
    }
