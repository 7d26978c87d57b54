"""Embed computes only missing vectors, once per content."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pytest
import torch

import likewise
from likewise.catalogue.incremental_table import IncrementalTable
from likewise.errors import DataError, MissingArtefactError, UnknownNameError
from likewise.storage import tables
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.schema import EMBEDDINGS, ITEMS, vector

pytestmark = pytest.mark.torch

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji" / "images"
DIM = 96
"""Dimensions of test_resnet's vectors."""


def digests(root: Path, dtype: str = "float32") -> Digests:
    """Return the digests in the file; check that they are those of the table."""
    path = root / "catalog" / "emoji" / "columns" / "tiny.yaml"
    said = Digests.from_yaml(read_yaml(path), path.name)
    contract = EMBEDDINGS.with_columns(vector("vector", DIM, dtype))
    assert said == opened(root).digest(contract)
    return said


def opened(root: Path) -> tables.Table:
    return tables.open_table(root / "catalog" / "emoji" / "embeddings" / "tiny.lance", "")


def vectors(root: Path) -> dict[str, npt.NDArray[np.floating]]:
    """Return the vector of every content."""
    table = opened(root)
    contents = table.read(["content"])["content"]
    return dict(zip(contents, table.vectors("vector"), strict=True))


def data_files(root: Path) -> dict[str, bytes]:
    folder = root / "catalog" / "emoji" / "embeddings" / "tiny.lance" / "data"
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def embed(root: Path) -> tuple[int, int, int]:
    """Run ingest and embed; return the numbers of computed, reused and dropped vectors."""
    likewise.ingest("emoji", workspace=root)
    done = likewise.embed("emoji", "tiny", workspace=root)
    return done.computed, done.taken_over, done.dropped


def put(root: Path, name: str, data: bytes) -> None:
    (root / "emoji" / "images" / name).write_bytes(data)


def add_ten(root: Path) -> None:
    others = [path for path in sorted(SAMPLES.iterdir()) if path.name.startswith("1_")]
    for number, path in enumerate(others[:10]):
        put(root, f"0_more{number}.jpg", path.read_bytes() + bytes(number))


def edit(root: Path, old: str, new: str) -> None:
    """Change a line of params.yaml."""
    params = root / "params.yaml"
    text = params.read_text("utf-8")
    assert old in text
    params.write_text(text.replace(old, new), "utf-8")


def test_nothing_changed_nothing_computed(workspace: Path) -> None:
    before, held = digests(workspace), data_files(workspace)
    assert before.rows == 24
    assert embed(workspace) == (0, 24, 0)
    assert digests(workspace) == before
    assert data_files(workspace) == held


def test_vectors_are_float32_of_length_1_with_their_passport(workspace: Path) -> None:
    for found in vectors(workspace).values():
        assert found.dtype == np.float32
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)
    table = opened(workspace)
    assert table.schema.field("vector").type == pa.list_(pa.float32(), DIM)
    passport = workspace / "models" / "tiny" / "passport.json"
    assert json.loads(table.passport("vector")) == json.loads(passport.read_text("utf-8"))


ON_CPU = "cpu float32, 4 images per pass of one thread"


@pytest.mark.skipif(torch.cuda.is_available(), reason="the numerics are those of a CPU")
def test_the_digest_file_records_the_numerics_and_a_mixture(workspace: Path) -> None:
    path = workspace / "catalog" / "emoji" / "columns" / "tiny.yaml"
    assert digests(workspace).numerics == (ON_CPU,)
    assert json.loads(opened(workspace).metadata("vector")["numerics"]) == [ON_CPU]
    # As an older version left it: without numerics.
    metadata: dict[str, str | None] = {**opened(workspace).metadata("vector")}
    del metadata["numerics"]
    tables.set_column_metadata(opened(workspace).path, "vector", metadata)
    older = replace(digests(workspace), numerics=()).to_yaml()
    path.write_text(older, "utf-8")
    before = vectors(workspace)
    assert likewise.embed("emoji", "tiny").numerics == ("not recorded",)
    assert path.read_text("utf-8") == older
    add_ten(workspace)
    assert embed(workspace) == (10, 24, 0)
    assert digests(workspace).numerics == (ON_CPU, "not recorded")
    assert {key: vectors(workspace)[key].tobytes() for key in before} == {
        key: found.tobytes() for key, found in before.items()
    }
    assert digests(workspace).numerics == (ON_CPU, "not recorded")
    done = likewise.embed("emoji", "tiny", recompute=True)
    assert (done.computed, done.taken_over, done.numerics) == (34, 0, (ON_CPU,))
    assert digests(workspace).numerics == (ON_CPU,)


def test_threads_change_no_digest(workspace: Path) -> None:
    found = []
    before = torch.get_num_threads()
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        likewise.embed("emoji", "tiny", recompute=True)
        found.append(digests(workspace))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_pictures_are_embedded_in_the_order_of_their_files(workspace: Path) -> None:
    catalog = workspace / "catalog" / "emoji"
    images = tables.open_table(catalog / "images.lance").read(["sha256"])["sha256"]
    stored = opened(workspace).read(["content"])["content"]
    assert stored.to_list() == images.unique(maintain_order=True).to_list()
    assert stored.to_list() != stored.sort().to_list()


def test_a_long_step_saves_few_large_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    watch = SimpleNamespace(monotonic=lambda: clock[0])
    monkeypatch.setattr("likewise.catalogue.incremental_table.time", watch)
    schema = pa.schema({"key": pa.string(), "value": pa.int64()})
    table = IncrementalTable(tmp_path / "t.lance", schema, "key")
    saves: list[float] = []
    save = table.save

    def saved() -> None:
        saves.append(clock[0])
        save()

    monkeypatch.setattr(table, "save", saved)
    for second in range(4000):
        clock[0] = float(second)
        table.append([str(second)], [pa.array([second])])
    table.finish()
    assert np.diff(saves[:10]).max() == 16  # the first second after SAVED_SECONDS
    assert max(np.diff(saves)) <= 0.02 * 4000 + 1
    assert len(saves) < 4000 / 15 / 2
    stored = tables.open_table(tmp_path / "t.lance").read(["value"])["value"]
    assert stored.to_list() == list(range(4000))


def test_only_new_images_are_computed_and_written(workspace: Path) -> None:
    before, held = vectors(workspace), data_files(workspace)
    add_ten(workspace)
    assert embed(workspace) == (10, 24, 0)
    now = vectors(workspace)
    assert len(now) == digests(workspace).rows == 24 + 10
    for content, found in before.items():
        np.testing.assert_array_equal(now[content], found)
    assert held.items() < data_files(workspace).items()


def test_a_grown_table_is_what_one_run_makes(workspace: Path) -> None:
    add_ten(workspace)
    embed(workspace)
    grown = digests(workspace)
    shutil.rmtree(workspace / "catalog" / "emoji" / "embeddings")
    assert embed(workspace) == (34, 0, 0)
    assert digests(workspace) == grown


def test_a_new_name_or_label_computes_nothing(workspace: Path) -> None:
    before = digests(workspace)
    images = workspace / "emoji" / "images"
    (images / "400_noto.jpg").rename(images / "800_noto2.jpg")
    assert embed(workspace) == (0, 24, 0)
    assert digests(workspace) == before


def test_images_that_went_take_their_vectors_along(workspace: Path) -> None:
    (workspace / "emoji" / "images" / "400_noto.jpg").unlink()
    shutil.copy(SAMPLES / "1_noto.jpg", workspace / "emoji" / "images" / "0_noto.jpg")
    assert embed(workspace) == (1, 22, 2)
    assert digests(workspace).rows == 23


def test_the_same_pixels_are_embedded_once(workspace: Path) -> None:
    data = (SAMPLES / "1_noto.jpg").read_bytes()
    put(workspace, "0_twin1.jpg", data)
    put(workspace, "200_twin2.jpg", data)
    put(workspace, "400_twin3.jpg", (workspace / "emoji/images/0_noto.jpg").read_bytes())
    assert embed(workspace) == (1, 24, 0)
    assert likewise.publish("emoji", workspace=workspace).items == 24 + 3
    dataset = likewise.open("emoji", workspace=workspace)
    found = dict(zip(dataset.items["item_id"], dataset.vectors("tiny"), strict=True))
    np.testing.assert_array_equal(found["0_twin1.jpg"], found["200_twin2.jpg"])
    np.testing.assert_array_equal(found["0_noto.jpg"], found["400_twin3.jpg"])


@pytest.mark.parametrize(
    ("old", "new"),
    [("seed: 0", "seed: 1"), ("weights: random}", "weights: random, input_size: 64}")],
)
def test_another_model_computes_everything(workspace: Path, old: str, new: str) -> None:
    before = digests(workspace)
    edit(workspace, old, new)
    likewise.load("tiny", workspace=workspace)
    assert embed(workspace) == (24, 0, 0)
    now = digests(workspace)
    assert now.columns["content"] == before.columns["content"]
    assert now.columns["vector"] != before.columns["vector"]


def test_the_same_model_made_again_computes_nothing(workspace: Path) -> None:
    shutil.rmtree(workspace / "models")
    likewise.load("tiny", workspace=workspace)
    assert embed(workspace) == (0, 24, 0)


def test_vectors_by_newer_libraries_join_the_old(workspace: Path) -> None:
    """Their passport names the first device; the model is the same."""
    path = workspace / "models" / "tiny" / "passport.json"
    passport = json.loads(path.read_text("utf-8"))
    passport["libraries"]["torch"] = "99.0"
    path.write_text(json.dumps(passport), "utf-8")
    add_ten(workspace)
    assert embed(workspace) == (10, 24, 0)
    assert digests(workspace).rows == 34
    likewise.publish("emoji", workspace=workspace)
    dataset = likewise.open("emoji", workspace=workspace)
    assert len(dataset.vectors("tiny")) == 34


def test_float16_is_the_same_vectors_rounded(workspace: Path) -> None:
    before = vectors(workspace)
    edit(workspace, "model: tiny}", "model: tiny, dtype: float16}")
    assert embed(workspace) == (24, 0, 0)
    assert digests(workspace, "float16").rows == 24
    for content, found in vectors(workspace).items():
        assert found.dtype == np.float16
        np.testing.assert_array_equal(found, before[content].astype(np.float16))
    assert embed(workspace) == (0, 24, 0)


def undecodable(data: bytes) -> bytes:
    """Make a JPEG with valid markers and invalid Huffman tables."""
    broken = bytearray(data)
    at = data.index(b"\xff\xc4") + 5
    broken[at : at + 16] = b"\xff" * 16
    return bytes(broken)


def test_an_image_that_does_not_decode_is_named_and_the_others_kept(workspace: Path) -> None:
    before = digests(workspace)
    put(workspace, "0_bad1.jpg", undecodable((SAMPLES / "1_noto.jpg").read_bytes()))
    put(workspace, "0_bad2.jpg", undecodable((SAMPLES / "1_fluent.jpg").read_bytes()))
    add_ten(workspace)
    assert likewise.ingest("emoji", workspace=workspace).findings == {}
    message = (
        r"^2 images of emoji cannot be decoded: 0_bad\d\.jpg \(.+\), 0_bad\d\.jpg \(.+\); all "
        r"other vectors are kept; replace these files, or add them to the card: "
        r"source: exclude: \[\.\.\.\]$"
    )
    with pytest.raises(DataError, match=message):
        likewise.embed("emoji", "tiny", workspace=workspace)
    assert digests(workspace) == before  # the last good version is unchanged

    card = workspace / "catalog" / "emoji.yaml"
    left_out = "kind: gpr1200, exclude: [0_bad1.jpg, 0_bad2.jpg]"
    card.write_text(card.read_text("utf-8").replace("kind: gpr1200", left_out), "utf-8")
    assert embed(workspace) == (0, 24 + 10, 0)
    assert digests(workspace).rows == 34


def test_boxes_of_one_image_have_vectors_of_their_own(workspace: Path) -> None:
    """Two boxes and a whole image; the box of all pixels has the vector of the image."""
    folder = workspace / "catalog" / "emoji"
    items = tables.open_table(folder / "items.lance", "").read(
        ["item_id", "image_id", "label", "text", "subset", "split", "role", "box", "content"],
    )
    whole = items.filter(pl.col("item_id") == "0_noto.jpg")
    side = float(
        tables.open_table(folder / "images.lance", "")
        .read(["image_id", "width"])
        .filter(pl.col("image_id") == "0_noto.jpg")["width"]
        .item()
    )
    boxes = {"#1": [0.0, 0.0, side, side], "#2": [2.0, 2.0, side / 2, side / 2]}
    cut = [
        whole.with_columns(
            item_id=pl.col("item_id") + number,
            box=pl.lit(box, pl.Array(pl.Float32, 4)),
            content=pl.col("content") + f"#{','.join(map(str, box))}",
        )
        for number, box in boxes.items()
    ]
    shutil.rmtree(folder / "items.lance")
    tables.write_frame(folder / "items.lance", ITEMS, pl.concat([items, *cut]))
    done = likewise.embed("emoji", "tiny", workspace=workspace)
    assert (done.computed, done.taken_over) == (2, 24)
    found = vectors(workspace)
    content = whole["content"].item()
    all_pixels, part = (found[c["content"].item()] for c in cut)
    np.testing.assert_allclose(all_pixels, found[content], atol=1e-6)
    assert float(part @ found[content]) < 0.9999


@pytest.mark.parametrize(
    ("dataset", "model", "error", "said"),
    [
        ("emoij", "tiny", UnknownNameError, r"^no data set named 'emoij' in params\.yaml; did"),
        (
            "emoji",
            "tyni",
            UnknownNameError,
            r"^no model named 'tyni' in the embeddings of emoj",
        ),
    ],
)
def test_a_name_that_nothing_has(
    workspace: Path, dataset: str, model: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        likewise.embed(dataset, model, workspace=workspace)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("models/tiny", r"^model 'tiny' is not made yet; run: dvc repro load@tiny$"),
        (
            "catalog/emoji/items.lance",
            r"^no table emoji/items\.lance; run: dvc repro ingest@emoji$",
        ),
        (
            "catalog/emoji/images.lance",
            r"^no table emoji/images\.lance; run: dvc repro ingest@emoji$",
        ),
    ],
)
def test_an_earlier_step_that_is_missing_is_named(
    workspace: Path, gone: str, said: str
) -> None:
    shutil.rmtree(workspace / gone)
    with pytest.raises(MissingArtefactError, match=said):
        likewise.embed("emoji", "tiny", workspace=workspace)
