"""Every trained recipe: steps, gradients, and vectors that depend on one image."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from likewise.errors import ConfigError, DataError
from likewise.models.passport import Architecture
from likewise.models.recipes import RECIPES
from likewise.models.recipes.base import TrainedRecipe
from likewise.models.training import trainer
from likewise.models.training.augment import (
    RANDOM_NUMBERS,
    Augmenter,
    pseudo_sketches,
    random_numbers,
)
from likewise.models.training.descriptor import Descriptor, DualEncoder, GalleryDescriptor
from likewise.models.training.distillation import DistillationObjective
from likewise.models.training.losses import nt_xent
from likewise.models.training.options import AugmentOptions
from likewise.models.training.pair_objectives import PairObjective
from likewise.models.training.samplers import ShuffledSampler
from likewise.models.training.token_recycling import TokenRecycling, decorrelation_target
from likewise.models.training.trainer import ModelBuilder, TrainingSetup
from likewise.models.training.training_data import COLUMNS, TrainingData
from likewise.models.training.whitening import fit_whitening

pytestmark = pytest.mark.torch

COMMON: dict[str, Any] = {"init": "s", "data": "d", "split": None, "validation": 0.0}
ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "classify": ("test_resnet", {"kind": "classify", "smoothing": 0.1, "mixup": 0.5}),
    "metric-gem": ("test_resnet", {"kind": "metric", "head": "gem", "dim": 8}),
    "metric-lengthened": (
        "mobilenetv3_small_050",
        {"kind": "metric", "head": "gem", "loss": "arcface"},
    ),
    "metric-compcars": (
        "test_resnet",
        {"kind": "metric", "head": "compcars", "dim": 8, "loss": "compcars"},
    ),
    "metric-proxies": ("test_vit", {"kind": "metric", "loss": "proxy-anchor", "head": "none"}),
    "arnet": ("test_vit", {"kind": "arnet", "dim": 8}),
    "arnet-shared": (
        "test_resnet",
        {
            "kind": "arnet",
            "dim": 0,
            "shared_encoder": True,
            "augmented_views": False,
            "pseudo_sketch_ratio": 0.5,
        }
        | {"gallery_input": "edges"},
    ),
    "arnet-mstr": ("test_vit", {"kind": "arnet-mstr", "dim": 8}),
    "ssl-simclr": ("test_resnet", {"kind": "ssl", "dim": 8}),
    "ssl-dino": ("test_resnet", {"kind": "ssl", "method": "dino", "prototypes": 16}),
    "ssl-masked": ("test_resnet", {"kind": "ssl", "method": "masked", "dim": 8}),
    "ssl-masked-lengthened": ("mobilenetv3_small_050", {"kind": "ssl", "method": "masked"}),
    "ssl-masked-vit": (
        "test_vit",
        {"kind": "ssl", "method": "masked", "dim": 8, "mask_patch_size": 16},
    ),
}


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    # MobileNetV3 adds a layer after pooling: the map has 288 channels, the vectors 1,024.
    for backbone in ("test_resnet", "test_vit", "mobilenetv3_small_050"):
        folders[backbone] = tmp_path_factory.mktemp(backbone)
        entry = {"kind": "timm", "backbone": backbone, "weights": "random"}
        RECIPES.build(entry, "p").make(folders[backbone], 0)
    return folders


def training_data() -> TrainingData:
    """Twelve items, four per label: three queries and one of the gallery."""
    rows = [
        (f"{n:02}", f"c{n}", n, None, f"l{n // 4}", "gallery" if n % 4 == 3 else "query", None)
        for n in range(12)
    ]
    items = pl.DataFrame(rows, schema=list(COLUMNS), orient="row")
    return TrainingData("d", items, items, Path("nowhere"))


def training_setup(
    starts: dict[str, Path], name: str
) -> tuple[TrainedRecipe, ModelBuilder, TrainingSetup]:
    backbone, options = ENTRIES[name]
    recipe = RECIPES.build({**COMMON, "input_size": 64, "batch": 6, **options}, "p")
    assert isinstance(recipe, TrainedRecipe)
    builder = trainer.model_builder(recipe, starts[backbone], 0)
    return recipe, builder, recipe.setup(builder, training_data())


def batch(objective: Any, sampler: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = torch.from_numpy(sampler.epoch(0)[0])
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (rows.numel(), 80, 80, 3), generator=generator)
    numbers = torch.stack(
        [random_numbers(0, 0, view, rows.numel()) for view in range(objective.views)]
    )
    return pixels.to(torch.uint8), objective.targets(rows), numbers


@pytest.mark.parametrize("name", ENTRIES)
def test_a_step_moves_every_parameter(starts: dict[str, Path], name: str) -> None:
    torch.manual_seed(0)
    _, _, setup = training_setup(starts, name)
    objective = setup.objective.train()
    optimiser = torch.optim.SGD([p for p in objective.parameters() if p.requires_grad], 1e-3)
    first = objective(*batch(objective, setup.sampler))
    first.backward()
    still = [n for n, p in objective.named_parameters() if p.requires_grad and p.grad is None]
    assert still == []
    optimiser.step()
    objective.after_step(0.5)
    assert torch.isfinite(first)
    assert torch.isfinite(objective(*batch(objective, setup.sampler)))


@pytest.mark.parametrize("name", ["metric-gem", "arnet-mstr", "arnet-shared"])
def test_a_vector_depends_on_its_image_alone(starts: dict[str, Path], name: str) -> None:
    _, builder, setup = training_setup(starts, name)
    model = setup.objective.model.eval()
    one = model.query if isinstance(model, DualEncoder) else model
    assert isinstance(one, Descriptor)
    seen = GalleryDescriptor(one, builder.preprocessing).eval()
    pixels = torch.rand(5, 3, 64, 64)
    with torch.inference_mode():
        together, again = seen(pixels), seen(pixels)
        alone = torch.cat([seen(pixel[None]) for pixel in pixels])
    assert torch.equal(together, again)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_the_four_terms(starts: dict[str, Path]) -> None:
    recipe, builder, setup = training_setup(starts, "arnet")
    objective = setup.objective.eval()
    assert isinstance(objective, PairObjective)
    assert isinstance(objective.model, DualEncoder)
    pixels, labels, numbers = batch(objective, setup.sampler)
    views = builder.augmenter(recipe)
    query, gallery = objective.model.query, objective.model.gallery
    sketches, photos = pixels[0::2], pixels[1::2]
    sk_cls, sk = query.pooled_and_embedding(views.prepared(sketches))
    ph_cls, ph = gallery.pooled_and_embedding(views.prepared(photos))
    sk_aug = query.pooled(views.augmented(sketches, numbers[0][0::2]))
    ph_aug = gallery.pooled(views.augmented(photos, numbers[0][1::2]))
    terms = [(sk, ph), (sk_aug, sk_cls), (ph_aug, ph_cls), (sk_cls, ph_cls)]
    expected = sum(nt_xent(one, other, 0.07, labels).item() for one, other in terms)
    assert objective(pixels, labels, numbers).item() == pytest.approx(expected, abs=1e-4)


def test_tokens_at_three_scales() -> None:
    recycle = TokenRecycling(768, (14, 14)).eval()
    assert recycle.counts == [14 * 14, 7 * 7, 2 * 2]
    tokens = torch.randn(2, 197, 768)
    recycled = recycle.tokens(tokens)
    assert recycled.shape == (2, 249, 768)
    vectors = recycle(tokens)
    assert vectors.shape == (2, 768)
    mixed = recycle.mix(recycled.transpose(1, 2)).squeeze(2)
    torch.testing.assert_close(vectors, 0.9 * tokens[:, 0] + 0.1 * mixed)
    # Two layers per scale, each registered: 5,513,984 parameters per layer of width 768.
    assert sum(p.numel() for p in recycle.layers.parameters()) == 3 * 2 * 5_513_984


def test_the_decorrelation_has_a_symmetric_target() -> None:
    target = decorrelation_target((14, 14), (1, 2, 7))
    assert torch.equal(target, target.T)
    assert torch.equal(target.diagonal(), torch.ones(249))
    assert int((target == 0.5).sum()) == 2 * (49 * 4 + 4 * 49)
    assert target[0, 196] == target[15, 196] == 0.5  # the first window of two by two
    assert target[2, 196] == target[28, 196] == 0
    assert target[6, 245] == target[7, 246] == 0.5  # the first two of seven by seven


def test_a_student_loses_nothing_on_its_teachers_own_vectors(starts: dict[str, Path]) -> None:
    _, builder, setup = training_setup(starts, "metric-gem")
    model = builder.descriptor(Architecture(head="gem", projection_dim=8)).eval()
    sampler = ShuffledSampler(12, 6, 0)
    rows = torch.from_numpy(sampler.epoch(0)[0])
    pixels, _, numbers = batch(setup.objective, sampler)
    views = Augmenter(AugmentOptions(), builder.preprocessing)
    with torch.no_grad():
        wanted = torch.zeros(12, 8)
        seen = model(views.prepared(pixels))
        wanted[rows[:, 0]] = torch.nn.functional.normalize(seen, dim=1)
        own, others = (
            DistillationObjective(model, views, w, 1.0) for w in (wanted, wanted.roll(1, 0))
        )
        loss = own.eval()(pixels, own.targets(rows), numbers)
        other = others.eval()(pixels, others.targets(rows), numbers)
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert other.item() > 0.1 or other.item() > loss.item()


def test_whitened_vectors_have_no_correlation_and_unit_variance() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(500, 6)) @ random.normal(size=(6, 6)) + 3
    mean, layer = fit_whitening(vectors, 4, 1.0)
    found = (vectors - mean) @ layer.T
    assert np.allclose(np.cov(found.T, bias=True), np.eye(4), atol=1e-8)
    _, turned = fit_whitening(vectors, 6, 0.0)
    assert np.allclose(turned @ turned.T, np.eye(6), atol=1e-10)
    with pytest.raises(DataError, match="6 dimensions cannot be fitted on 5 vectors of 6"):
        fit_whitening(vectors[:5], 0, 1.0)


def test_augmentation_is_determined_by_its_random_numbers(
    starts: dict[str, Path],
) -> None:
    _, builder, _ = training_setup(starts, "metric-gem")
    pixels = torch.randint(0, 256, (3, 64, 64, 3), dtype=torch.uint8)
    numbers = random_numbers(1, 2, 0, 3)
    assert numbers.shape == (3, RANDOM_NUMBERS)
    still = Augmenter(AugmentOptions(), builder.preprocessing)
    assert torch.equal(still.prepared(pixels), still.augmented(pixels, numbers))
    moved = Augmenter(
        AugmentOptions(rotate=30, flip=0.5, crop=0.5, colour=0.5, blur=0.5),
        builder.preprocessing,
    )
    first = moved.augmented(pixels, numbers)
    assert torch.equal(first, moved.augmented(pixels, random_numbers(1, 2, 0, 3)))
    assert not torch.equal(first, moved.augmented(pixels, random_numbers(1, 3, 0, 3)))
    # The augmentation of a picture does not depend on the number of others.
    part = moved.augmented(pixels[:2], random_numbers(1, 2, 0, 3)[:2])
    torch.testing.assert_close(part, first[:2])


def test_the_mirror_is_a_mirror(starts: dict[str, Path]) -> None:
    _, builder, _ = training_setup(starts, "metric-gem")
    pixels = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    views = Augmenter(AugmentOptions(flip=1.0), builder.preprocessing)
    expected = views.prepared(pixels).flip(3)
    torch.testing.assert_close(
        views.augmented(pixels, random_numbers(0, 0, 0, 2)), expected, atol=1e-4, rtol=0
    )


def test_edges_of_pseudo_sketches_are_dark() -> None:
    grey = torch.ones(1, 1, 8, 8)
    grey[..., 4:] = 0
    drawn = pseudo_sketches(grey)[0, 0]
    assert torch.equal(drawn[:, 3:5], torch.zeros(8, 2))
    assert torch.equal(drawn[:, :3], torch.ones(8, 3))


def test_options_that_no_backbone_takes(starts: dict[str, Path]) -> None:
    recipe = RECIPES.build({**COMMON, "kind": "arnet-mstr"}, "p")
    assert isinstance(recipe, TrainedRecipe)
    builder = trainer.model_builder(recipe, starts["test_resnet"], 0)
    with pytest.raises(ConfigError, match="needs a vision transformer with one class token"):
        recipe.setup(builder, training_data())
    odd = RECIPES.build(
        {**COMMON, "kind": "ssl", "method": "masked", "mask_patch_size": 48}, "p"
    )
    assert isinstance(odd, TrainedRecipe)
    with pytest.raises(ConfigError, match="mask_patch_size 48 does not divide"):
        odd.setup(trainer.model_builder(odd, starts["test_resnet"], 0), training_data())


def test_a_query_without_its_photograph(starts: dict[str, Path]) -> None:
    recipe = RECIPES.build({**COMMON, "kind": "arnet", "dim": 0}, "p")
    assert isinstance(recipe, TrainedRecipe)
    alone = training_data().filter(pl.col("item_id") != "03")
    with pytest.raises(DataError, match=r"3 queries of d have no photograph .*: 00, 01, 02;"):
        recipe.setup(trainer.model_builder(recipe, starts["test_vit"], 0), alone)


def test_a_wider_descriptor_is_as_its_architecture_says(starts: dict[str, Path]) -> None:
    _, builder, _ = training_setup(starts, "metric-gem")
    wide = Architecture(head="gem", scales=(1.0, 0.5), scale_fusion="concat")
    mean = wide.model_copy(update={"scale_fusion": "mean"})
    pixels = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        one = Descriptor(builder.trunk, Architecture(head="gem")).eval()(pixels)
        assert Descriptor(builder.trunk, wide).eval()(pixels).shape == (2, 2 * one.shape[1])
        assert Descriptor(builder.trunk, mean).eval()(pixels).shape == one.shape
