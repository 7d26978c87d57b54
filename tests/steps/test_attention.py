"""Attention of vision transformers: distances by hand, and figures of real models."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import DataError, UnknownNameError
from likewise.models.training.attention_maps import Attention, attend
from likewise.models.training.attention_statistics import attention_statistics
from likewise.pages.attention_plot import (
    LayerCurves,
    attention_figure,
    attention_page,
    heads_figure,
)

pytestmark = pytest.mark.torch

PICTURE = Path(__file__).parents[2] / "samples" / "emoji" / "images" / "0_emojione.jpg"
VIT = """\
  vit: {kind: timm, backbone: vit_tiny_patch16_224, weights: random, input_size: 64}
  small: {kind: timm, backbone: test_vit.r160_in1k, weights: random}
"""


def attention(
    weights: list[list[float]], grid: tuple[int, int], variance: float = 0
) -> Attention:
    values = np.array([variance], np.float32), np.array([4], np.float32)
    return Attention(["one"], np.array([[weights]], np.float32), grid, (16, 16), *values)


@pytest.fixture
def vit(workspace: Path) -> Path:
    params = workspace / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(text.replace("models:\n", f"models:\n{VIT}"), "utf-8")
    likewise.load("vit", workspace=workspace)
    likewise.load("small", workspace=workspace)
    return workspace


def test_distance_is_of_the_patches_centres_by_what_is_paid_to_them() -> None:
    """Two patches side by side, 16 apart: one attends to itself, the other half to it."""
    found = attention([[1, 0], [0.5, 0.5]], (1, 2))
    assert found.distances().tolist() == [[(0 + 0.5 * 16) / 2]]


def test_what_goes_to_the_class_token_is_left_out() -> None:
    """Each patch attends half to the class token and half to the other patch: 16 and 16."""
    found = attention([[1, 0, 0], [0.5, 0, 0.5], [0.5, 0.5, 0]], (2, 1))
    assert found.prefix == 1
    assert found.distances().tolist() == [[16]]


def test_saliency_is_what_the_class_token_looks_at() -> None:
    found = attention([[0.5, 0.4, 0.1], [1, 0, 0], [1, 0, 0]], (1, 2))
    assert found.saliency().ravel().tolist() == pytest.approx([1, 0.1 / 0.4])
    without = attention([[0.75, 0.25], [0.25, 0.75]], (1, 2))
    assert without.saliency().ravel().tolist() == pytest.approx([1, 1])


def test_the_values_of_two_images_are_averaged_by_hand() -> None:
    """Distances 0 and 16: mean and deviation 8; variances 1 and 3 of a mean square of 4."""
    maps = [
        attention([[1, 0], [0, 1]], (1, 2), 1),
        attention([[0, 1], [1, 0]], (1, 2), 3),
    ]
    found = attention_statistics(maps)
    assert found.distances.tolist() == [[(0 + 16) / 2]]
    assert found.deviations.tolist() == [[8]]
    assert found.variances.tolist() == [(1 + 3) / 2]
    assert found.shares.tolist() == [(1 / 4 + 3 / 4) / 2]
    assert (found.width, found.images, found.layers) == (2 * 16, 2, ["one"])
    assert found.uniform == (0 + 16) / 2


class Doubling(nn.Module):
    """A block whose attention is uniform, and which doubles its tokens."""

    def __init__(self) -> None:
        super().__init__()
        drop: Any = nn.Identity()
        self.attn: Any = nn.Module()
        self.attn.attn_drop = drop

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        count = tokens.shape[1]
        self.attn.attn_drop(torch.full((1, 1, count, count), 1 / count))
        return 2 * tokens


class Patches(nn.Module):
    """Two patches of 16 x 16 pixels, whose tokens are their first two pixels."""

    grid_size, patch_size = (1, 2), (16, 16)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.stack([pixels[:, 0, 0, :2], pixels[:, 0, 0, 16:18]], dim=1)


def test_the_variance_of_patch_tokens_by_hand() -> None:
    model = nn.Sequential()
    model.patch_embed, model.block = Patches(), Doubling()
    pixels = torch.zeros(1, 3, 16, 32)
    pixels[0, 0, 0, :2] = torch.tensor([1.0, 3.0])
    pixels[0, 0, 0, 16:18] = torch.tensor([3.0, 3.0])
    found = attend(model, pixels)
    # Tokens (2, 6) and (6, 6): the variance over the patches is 4 and 0.
    assert found.variances.tolist() == [(4 + 0) / 2]
    assert found.squares.tolist() == [(4 + 36 + 36 + 36) / 4]
    assert found.distances().tolist() == [[0.5 * 16]]


def test_a_view_is_measured_by_several_models(vit: Path, tmp_path: Path) -> None:
    figures = tmp_path / "layers.svg", tmp_path / "layers.png"
    options: dict[str, Any] = {"dataset": "emoji", "where": "label = '0'", "workspace": vit}
    found = likewise.attention(
        ["vit", "small"], figure=figures[0], html=tmp_path / "layers.html", **options
    )
    assert found["model"].unique(maintain_order=True).to_list() == ["vit", "small"]
    assert found.filter(model="small").height == 6 * 2
    count = len(likewise.open("emoji", workspace=vit).browse(where="label = '0'").positions)
    assert found["images"].unique().to_list() == [count]
    assert (found["deviation"] > 0).any()
    assert found["token_share"].is_between(0, 1).all()
    page = (tmp_path / "layers.html").read_text("utf-8")
    assert f"Means over {count} items of emoji, where label = &#39;0&#39;." in page
    assert "% of the input" in page
    assert f"Attention on {count} items of Emoji" in page
    assert "the dotted line is the distance of uniform attention" in page
    assert all(name in figures[0].read_text("utf-8") for name in (">vit<", ">small<"))
    likewise.attention(["vit", "small"], figure=figures[1], **options)
    with Image.open(figures[1]) as image:
        assert image.size == (12 * 200, round(4.65 * 200))
    one = likewise.attention("vit", dataset="emoji", sample=1, workspace=vit)
    first = likewise.open("emoji", workspace=vit).images_at([0])[0]
    by_image = likewise.attention("vit", first, workspace=vit)
    assert one["distance"].to_list() == by_image["distance"].to_list()


def test_every_layer_and_head_of_a_model_is_measured_and_drawn(
    vit: Path, tmp_path: Path
) -> None:
    figure = tmp_path / "heads.svg"
    found = likewise.attention("vit", PICTURE, figure=figure, workspace=vit)
    assert found.columns[:5] == ["model", "layer", "name", "head", "distance"]
    assert found.select("layer", "head").rows() == [
        (layer, head) for layer in range(1, 13) for head in (1, 2, 3)
    ]
    # 4 x 4 patches of 16 pixels: the corners have the largest distance.
    assert found["distance"].is_between(0, 16 * np.hypot(3, 3)).all()
    drawn = figure.read_bytes()
    assert drawn.startswith(b"<svg")
    assert drawn.count(b"<image") >= 1 + 3  # the input, and each head over it
    texts = [e.text for e in ET.fromstring(drawn).iter() if e.tag.endswith("text")]  # noqa: S314
    assert "Attention on 0_emojione.jpg, model vit" in texts
    assert {"mean of the heads", "one head", "uniform attention"} <= set(texts)
    assert "attention of the class token / its largest value in the head" in texts
    likewise.attention("vit", PICTURE, figure=figure, workspace=vit)
    assert figure.read_bytes() == drawn


def test_looking_does_not_change_the_vectors(vit: Path) -> None:
    from likewise.models import recipes

    encoder = recipes.load(vit / "models" / "vit")
    image = likewise.open("emoji", workspace=vit).images(["0_twemoji.jpg"])[0]
    before = encoder.encode([image])
    encoder.attention(image)
    assert np.array_equal(encoder.encode([image]), before)


def test_what_is_not_a_transformer_or_unknown_is_refused(vit: Path) -> None:
    with pytest.raises(DataError, match="no attention between all pairs of patches"):
        likewise.attention("tiny", PICTURE, workspace=vit)
    with pytest.raises(DataError, match="either an image or a data set"):
        likewise.attention("vit", PICTURE, dataset="emoji", workspace=vit)
    with pytest.raises(DataError, match="where and selection choose items of a data set"):
        likewise.attention("vit", PICTURE, where="label = '0'", workspace=vit)
    with pytest.raises(DataError, match=r"'heads\.pdf' must end in \.svg or \.png"):
        likewise.attention("vit", PICTURE, figure="heads.pdf", workspace=vit)
    with pytest.raises(DataError, match="no item for which"):
        likewise.attention("vit", dataset="emoji", where="label = 'x'", workspace=vit)
    with pytest.raises(DataError, match="sample is -1"):
        likewise.attention("vit", dataset="emoji", sample=-1, workspace=vit)
    with pytest.raises(UnknownNameError, match=r"no model named 'vitt'.*'vit'"):
        likewise.attention("vitt", PICTURE, workspace=vit)
    with pytest.raises(DataError, match=r"params\.yaml"):
        likewise.attention("vit", vit / "params.yaml", workspace=vit)


def test_the_command_prints_layers_or_heads(vit: Path) -> None:
    done = CliRunner().invoke(app, ["attention", "vit", "--image", str(PICTURE), "--json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)) == 12 * 3
    done = CliRunner().invoke(app, ["attention", "vit", "--dataset", "emoji", "--sample", "1"])
    assert done.exit_code == 0
    assert done.stdout.count("blocks.") == 12


@pytest.mark.parametrize("heads", [1, 3, 12])
def test_figures_hold_any_names_and_numbers_of_heads(heads: int) -> None:
    name = "a_very_long_name_of_a_model_with_<script>_" + "x" * 60
    random = np.random.default_rng(0)
    curves = [
        LayerCurves(name + str(n), 64, random.random((12, heads)), np.ones(12), np.ones(12), 9)
        for n in range(9)
    ]
    for drawn in (
        heads_figure(
            curves[0],
            random.random((heads, 4, 4)).astype(np.float32),
            np.zeros((64, 64, 3), np.uint8),
            "狗" * 200,
        ),
        attention_figure(curves, name),
    ):
        assert drawn.png.startswith(b"\x89PNG")
        assert "<script>" not in drawn.svg
    page = attention_page(name, name, curves)
    assert page.count('<figure class="plot"') == 3
    assert "<script>" not in page


def test_distances_of_one_table_have_the_same_decimals() -> None:
    distances = np.array([[83.0, 83.0], [82.94, 83.16]])
    curves = LayerCurves("m", 64, distances, np.ones(2), np.ones(2), 83)
    page = attention_page("t", "n", [curves])
    assert page.count(">83.0<") + page.count(">82.9<") + page.count(">83.2<") >= 6
    assert ">83<" not in page
