"""The published table: items, image facts and vectors joined, for any Lance client."""

import json
import shutil
from pathlib import Path

import lance
import numpy as np
import polars as pl
import pytest

import likewise
from likewise.errors import ConfigError, DataError, MissingArtefactError, StaleArtefactError
from likewise.models import recipes
from likewise.storage import tables
from likewise.storage.config import read_yaml
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import digest_batches
from likewise.storage.schema import PUBLISHED

pytestmark = pytest.mark.torch

SAMPLES = Path(__file__).parents[2] / "samples" / "emoji" / "images"


def table(root: Path) -> tables.Table:
    return tables.open_table(root / "catalog" / "emoji.lance", "")


def digests(root: Path) -> Digests:
    path = root / "catalog" / "emoji.columns.yaml"
    return Digests.from_yaml(read_yaml(path), path.name)


def remake(root: Path) -> None:
    likewise.ingest("emoji", workspace=root)
    likewise.embed("emoji", "tiny", workspace=root)
    likewise.publish("emoji", workspace=root)


def params(root: Path, old: str, new: str) -> None:
    path = root / "params.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def second_model(root: Path) -> None:
    """Embed the data set with another model."""
    params(
        root,
        "embeddings:\n",
        "  other: {kind: timm, backbone: test_resnet.r160_in1k, weights: random, "
        "input_size: 64}\n"
        "embeddings:\n  emoji-other: {dataset: emoji, model: other, dtype: float16}\n",
    )
    likewise.load("other", workspace=root)
    likewise.embed("emoji", "other", workspace=root)


def test_the_columns_are_the_contracts_and_one_a_model(workspace: Path) -> None:
    second_model(workspace)
    done = likewise.publish("emoji", workspace=workspace)
    # It is listed first in params.yaml, but its column is the last one.
    assert (done.items, done.models) == (24, ["tiny", "other"])
    schema = table(workspace).schema
    assert schema.names == [*PUBLISHED.names(), "tiny", "other"]
    for name in ("other", "tiny"):
        written = workspace / "models" / name / "passport.json"
        carried = table(workspace).passport(name)
        assert json.loads(carried) == json.loads(written.read_text("utf-8"))
    assert [schema.field(c.name).type for c in PUBLISHED.columns] == [
        c.type for c in PUBLISHED.columns
    ]


def test_rows_are_items_in_canonical_order_with_their_images_facts(workspace: Path) -> None:
    folder = workspace / "catalog" / "emoji"
    items = tables.open_table(folder / "items.lance", "")
    images = tables.open_table(folder / "images.lance", "")
    facts = ["sha256", "width", "height", "format", "mode", "orientation", "nbytes"]
    expected = items.read(items.schema.names).join(
        images.read(["image_id", *facts]), on="image_id", maintain_order="left"
    )
    published = table(workspace).read(PUBLISHED.names())
    assert published.equals(expected.select(PUBLISHED.names()))


def test_every_item_has_the_vector_of_its_own_picture(workspace: Path) -> None:
    # A second file of other pixels sorts before or after all contents, so rows move.
    shutil.copy(SAMPLES / "1_noto.jpg", workspace / "emoji" / "images" / "0_a.jpg")
    remake(workspace)
    dataset = likewise.open("emoji", workspace=workspace)
    encoder = recipes.load(workspace / "models" / "tiny")
    stored = dataset.vectors("tiny")
    for row, item in enumerate(dataset.items["item_id"]):
        own = encoder.encode(dataset.images([item]))[0]
        np.testing.assert_allclose(stored[row], own, atol=1e-6)
        assert int(np.argmax(stored @ own)) == row


def test_a_corrected_label_moves_the_row_and_not_the_vector(workspace: Path) -> None:
    before = likewise.open("emoji", workspace=workspace)
    old = dict(zip(before.items["item_id"], before.vectors("tiny"), strict=True))
    images = workspace / "emoji" / "images"
    (images / "1000_noto.jpg").rename(images / "0_znoto.jpg")
    remake(workspace)
    now = likewise.open("emoji", workspace=workspace)
    assert now.items["item_id"].to_list()[4] == "0_znoto.jpg"
    found = dict(zip(now.items["item_id"], now.vectors("tiny"), strict=True))
    np.testing.assert_array_equal(found.pop("0_znoto.jpg"), old.pop("1000_noto.jpg"))
    for item, vector in found.items():
        np.testing.assert_array_equal(vector, old[item])


def test_the_digest_file_is_the_tables(workspace: Path) -> None:
    opened = table(workspace)
    found = digest_batches(opened.scan(opened.schema.names), PUBLISHED.key)
    said = digests(workspace)
    assert (said.rows, said.columns) == (found.rows, found.columns)
    assert list(said.columns) == opened.schema.names


def test_publishing_again_changes_no_digest(workspace: Path) -> None:
    before = digests(workspace)
    likewise.publish("emoji", workspace=workspace)
    assert digests(workspace) == before


def test_labels_have_indices(workspace: Path) -> None:
    indices = lance.dataset(table(workspace).path).describe_indices()
    found = {index.name: index.index_type for index in indices}
    assert found == {
        "label_idx": "BTree",
        "split_idx": "Bitmap",
        "subset_idx": "Bitmap",
        "label_words": "Inverted",
        "text_words": "Inverted",
    }


def test_lancedb_filters_and_searches_it(workspace: Path) -> None:
    import lancedb

    opened = lancedb.connect(workspace / "catalog").open_table("emoji")
    assert opened.count_rows() == 24
    filtered = opened.search().where("label = '400'").select(["item_id"]).to_list()
    assert [row["item_id"] for row in filtered] == [
        f"400_{drawn_by}.jpg" for drawn_by in ("fluent", "noto", "openmoji", "twemoji")
    ]
    dataset = likewise.open("emoji", workspace=workspace)
    vectors = dataset.vectors("tiny")
    order = np.argsort(-(vectors @ vectors[9]), kind="stable")[:5]
    found = opened.search(vectors[9], vector_column_name="tiny").limit(5).to_list()
    assert [row["item_id"] for row in found] == dataset.items["item_id"][
        order.tolist()
    ].to_list()


def test_polars_scans_it(workspace: Path) -> None:
    frame = pl.scan_lance(str(table(workspace).path))
    counts = frame.group_by("subset", maintain_order=True).len().collect()
    assert counts["len"].to_list() == [4] * 6


def test_items_without_vectors_are_not_published(workspace: Path) -> None:
    before = digests(workspace)
    for number in (1, 2, 3):
        data = (SAMPLES / "1_noto.jpg").read_bytes() + bytes(number)
        (workspace / "emoji" / "images" / f"0_more{number}.jpg").write_bytes(data)
    likewise.ingest("emoji", workspace=workspace)
    said = r"^'tiny' has no vector for 3 items of 'emoji'; run: dvc repro embed@emoji-tiny$"
    with pytest.raises(StaleArtefactError, match=said):
        likewise.publish("emoji", workspace=workspace)
    assert digests(workspace) == before


def test_a_model_that_has_not_embedded_is_named(workspace: Path) -> None:
    params(workspace, "embeddings:\n", "embeddings:\n  e2: {dataset: emoji, model: m2}\n")
    params(workspace, "models:\n", "models:\n  m2: {kind: timm, backbone: test_vit}\n")
    said = r"^no table embeddings/m2\.lance; run: dvc repro embed@e2$"
    with pytest.raises(MissingArtefactError, match=said):
        likewise.publish("emoji", workspace=workspace)


def test_a_data_set_without_models_is_published_all_the_same(workspace: Path) -> None:
    params(
        workspace, "embeddings:\n  emoji-tiny: {dataset: emoji, model: tiny}", "embeddings: {}"
    )
    params(workspace, "runs:\n  emoji-tiny: {", "runs: {}\n# {")
    done = likewise.publish("emoji", workspace=workspace)
    assert (done.items, done.models) == (24, [])
    assert table(workspace).schema.names == PUBLISHED.names()


def test_how_vectors_are_indexed_is_published_and_embedded_again_for_nothing(
    workspace: Path,
) -> None:
    params = workspace / "params.yaml"
    text = params.read_text("utf-8")
    entry = "emoji-tiny: {dataset: emoji, model: tiny"
    params.write_text(
        text.replace(entry, f"{entry}, ann: {{kind: IVF_PQ, rows: 300}}", 1), "utf-8"
    )
    digests = workspace / "catalog" / "emoji" / "columns" / "tiny.yaml"
    before = digests.read_text("utf-8")
    assert likewise.embed("emoji", "tiny").computed == 0
    assert digests.read_text("utf-8") != before  # publish depends on it
    likewise.publish("emoji")
    published = (workspace / "catalog" / "emoji.columns.yaml").read_text("utf-8")
    assert "kind: IVF_PQ" in published
    params.write_text(text.replace(entry, f"{entry}, ann: {{kind: IVF}}", 1), "utf-8")
    with pytest.raises(ConfigError, match=r"embeddings.emoji-tiny.ann: kind: "):
        likewise.publish("emoji")


def test_a_table_without_items_is_not_published(workspace: Path) -> None:
    path = str(workspace / "catalog/emoji/items.lance")
    lance.write_dataset(lance.dataset(path).to_table().slice(0, 0), path, mode="overwrite")
    with pytest.raises(DataError, match="emoji has no items to publish"):
        likewise.publish("emoji", workspace=workspace)
