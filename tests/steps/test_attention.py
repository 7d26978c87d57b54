"""Attention of a vision transformer: distances by hand, and the picture of a real model."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import likewise
from likewise.cli.app import app
from likewise.errors import DataError, UnknownNameError
from likewise.models.training.attention_maps import Attention

pytestmark = pytest.mark.torch

PICTURE = Path(__file__).parents[2] / "samples" / "emoji" / "images" / "0_emojione.jpg"
VIT = """\
  vit: {kind: timm, backbone: vit_tiny_patch16_224, weights: random, input_size: 64}
"""


def attention(weights: list[list[float]], grid: tuple[int, int]) -> Attention:
    return Attention(["one"], np.array([[weights]], np.float32), grid, (16, 16))


@pytest.fixture
def vit(workspace: Path) -> Path:
    params = workspace / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(text.replace("models:\n", f"models:\n{VIT}"), "utf-8")
    likewise.load("vit", workspace=workspace)
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


def test_every_layer_and_head_of_a_model_is_measured_and_drawn(
    vit: Path, tmp_path: Path
) -> None:
    figure = tmp_path / "heads.svg"
    found = likewise.attention("vit", PICTURE, figure=figure, workspace=vit)
    assert found.columns == ["layer", "name", "head", "distance"]
    assert found.select("layer", "head").rows() == [
        (layer, head) for layer in range(1, 13) for head in (1, 2, 3)
    ]
    # 4 x 4 patches of 16 pixels: the corners have the largest distance.
    assert found["distance"].is_between(0, 16 * np.hypot(3, 3)).all()
    drawn = figure.read_bytes()
    assert drawn.startswith(b"<svg")
    assert drawn.count(b"<image") == 3
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
    with pytest.raises(UnknownNameError, match=r"no model named 'vitt'.*'vit'"):
        likewise.attention("vitt", PICTURE, workspace=vit)
    with pytest.raises(DataError, match=r"params\.yaml"):
        likewise.attention("vit", vit / "params.yaml", workspace=vit)


def test_the_command_prints_a_row_a_head(vit: Path) -> None:
    done = CliRunner().invoke(app, ["attention", "vit", "--image", str(PICTURE), "--json"])
    assert done.exit_code == 0
    assert done.stdout.count('"distance"') == 12 * 3
