"""Import of vectors that were made elsewhere."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import lance
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import torch
from lance.file import LanceFileWriter
from safetensors.numpy import save_file

import likewise
from forked import run, run_dvc
from likewise.errors import ConfigError, DamagedError, DataError, UnknownNameError
from likewise.models.tensor_files import read_tensor

RUNS = """\
runs:
  emoji-mine: {dataset: emoji, model: mine, index: exact, protocol: gpr1200}
"""

Vectors = npt.NDArray[np.floating]


@pytest.fixture
def vectors(workspace: Path) -> Vectors:
    """The vectors of the 24 items by the model ``tiny``, in canonical order."""
    return np.array(likewise.open("emoji").vectors("tiny"))


@pytest.fixture
def ids(workspace: Path) -> list[str]:
    """The ids of the items, in canonical order."""
    return likewise.open("emoji").items["item_id"].to_list()


def published(model: str = "mine") -> Vectors:
    likewise.publish("emoji")
    return np.array(likewise.open("emoji").vectors(model))


def write(path: str, vectors: Vectors, ids: list[str]) -> Path:
    """Write vectors with their ids in the format of the suffix of ``path``."""
    file = Path(path)
    rows = vectors.tolist()
    if file.suffix == ".npz":
        np.savez(file, embeddings=vectors, ids=np.array(ids))
    elif file.suffix == ".parquet":
        pl.DataFrame({"item_id": ids, "vector": rows}).write_parquet(file)
    elif file.suffix == ".csv":
        numbers = {f"d{i}": vectors[:, i].tolist() for i in range(vectors.shape[1])}
        pl.DataFrame({"item_id": ids, **numbers}).write_csv(file)
    elif file.suffix == ".pt":
        torch.save({"embeddings": torch.from_numpy(vectors), "ids": ids}, file)
    return file


def test_vectors_in_canonical_order_become_a_model(vectors: Vectors) -> None:
    np.save("mine.npy", vectors)
    done = likewise.import_vectors("emoji", "mine", "mine.npy", origin="a lab's model")
    assert (done.vectors, done.dim, done.normalised, done.findings) == (24, 96, 0, {})
    assert np.array_equal(published(), vectors)
    hits = [
        likewise.search("emoji", model=model, id="0_noto.jpg", k=5).frame["item_id"].to_list()
        for model in ("tiny", "mine")
    ]
    assert hits[0] == hits[1]


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".csv", ".pt"])
def test_ids_determine_the_items_in_every_format(
    vectors: Vectors, ids: list[str], suffix: str
) -> None:
    order = np.random.default_rng(0).permutation(len(ids))
    path = write(f"mine{suffix}", vectors[order], [ids[i] for i in order])
    likewise.import_vectors("emoji", "mine", path)
    assert np.array_equal(published(), vectors)


def test_ids_can_be_in_a_file_of_their_own(vectors: Vectors, ids: list[str]) -> None:
    save_file({"features": np.ascontiguousarray(vectors[::-1])}, "mine.safetensors")
    Path("mine.txt").write_text("\n".join(reversed(ids)) + "\n", "utf-8")
    likewise.import_vectors("emoji", "mine", "mine.safetensors", ids="mine.txt")
    assert np.array_equal(published(), vectors)


def test_other_lengths_are_normalised(vectors: Vectors) -> None:
    np.save("mine.npy", vectors * 3)
    assert likewise.import_vectors("emoji", "mine", "mine.npy").normalised == 24
    assert np.allclose(published(), vectors, atol=1e-6)


def test_the_report_is_that_of_the_catalogues_own_model(vectors: Vectors) -> None:
    np.save("mine.npy", vectors)
    likewise.import_vectors("emoji", "mine", "mine.npy")
    text = Path("params.yaml").read_text("utf-8")
    Path("params.yaml").write_text(text.replace("runs:\n", RUNS), "utf-8")
    published()
    tiny, mine = (likewise.evaluate(f"emoji-{model}") for model in ("tiny", "mine"))
    assert tiny.metrics == mine.metrics
    assert tiny.queries.equals(mine.queries)


def test_what_does_not_fit_is_a_finding(vectors: Vectors, ids: list[str]) -> None:
    """Unknown items, repeated rows, and items of one content with other vectors."""
    shutil.copy("emoji/images/0_noto.jpg", "emoji/images/0_twin.jpg")
    likewise.ingest("emoji")
    likewise.embed("emoji", "tiny")
    path = write(
        "mine.parquet",
        np.concatenate([vectors, vectors[5:6], vectors[:1], vectors[:1]]),
        [*ids, "0_twin.jpg", ids[0], "gone.jpg"],
    )
    done = likewise.import_vectors("emoji", "mine", path)
    assert done.findings == {"different-vectors": 1, "repeated-vector": 1, "unknown-item": 1}
    [finding] = likewise.findings("emoji", check="different-vectors").first
    assert finding.path == "0_twin.jpg"
    assert finding.detail.startswith("mine: its pixels are those of 0_noto.jpg")
    stored = published()
    rows = dict(zip(likewise.open("emoji").items["item_id"], stored, strict=True))
    assert np.array_equal(rows["0_twin.jpg"], rows["0_noto.jpg"])


def _nan(vectors: Vectors, ids: list[str]) -> tuple[Vectors, list[str]]:
    vectors[3, 5] = np.nan
    return vectors, ids


def _zero(vectors: Vectors, ids: list[str]) -> tuple[Vectors, list[str]]:
    vectors[3] = 0
    return vectors, ids


def _missing(vectors: Vectors, ids: list[str]) -> tuple[Vectors, list[str]]:
    return vectors[4:], ids[4:]


def _twice(vectors: Vectors, ids: list[str]) -> tuple[Vectors, list[str]]:
    return vectors, [*ids[:5], ids[4], *ids[6:]]


def _foreign(vectors: Vectors, ids: list[str]) -> tuple[Vectors, list[str]]:
    return vectors, [f"x/{one}" for one in ids]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_nan, "mine.parquet: 1 vector (0_twemoji.jpg) with NaN"),
        (_zero, "mine.parquet: 1 vector (0_twemoji.jpg) of zeros"),
        (_missing, "4 items without a vector: 0_fluent.jpg"),
        (_twice, "of an item that has another vector"),
        (_foreign, "none of its 24 ids is an item of the data set"),
    ],
)
def test_a_fault_refuses_the_file_and_writes_nothing(
    vectors: Vectors, ids: list[str], damage: object, message: str
) -> None:
    path = write("mine.parquet", *damage(vectors, ids))  # type: ignore[operator]
    before = Path("params.yaml").read_text("utf-8")
    with pytest.raises(DataError) as error:
        likewise.import_vectors("emoji", "mine", path)
    assert message in str(error.value)
    assert Path("params.yaml").read_text("utf-8") == before
    assert not Path("catalog/emoji/embeddings/mine.lance").exists()


def test_another_number_of_vectors_without_ids_is_refused(vectors: Vectors) -> None:
    np.save("mine.npy", vectors[:20])
    with pytest.raises(DataError, match="has 20 vectors, and the data set 24 items"):
        likewise.import_vectors("emoji", "mine", "mine.npy")
    np.save("mine.npy", np.concatenate([vectors, vectors]))
    with pytest.raises(DataError, match="has 48 vectors, and the data set 24 items"):
        likewise.import_vectors("emoji", "mine", "mine.npy")


@pytest.mark.parametrize("shape", [(24,), (24, 2, 4), (24, 0)])
def test_another_shape_is_refused(workspace: Path, shape: tuple[int, ...]) -> None:
    np.save("mine.npy", np.ones(shape, np.float32))
    with pytest.raises(DataError, match="expected \\(items, dimensions\\)"):
        likewise.import_vectors("emoji", "mine", "mine.npy")


def test_lists_of_various_lengths_are_refused(ids: list[str]) -> None:
    rows = [[1.0, 2.0]] * 23 + [[1.0]]
    pl.DataFrame({"item_id": ids, "vector": rows}).write_parquet("mine.parquet")
    with pytest.raises(DataError, match="differ in length: 1, 2 numbers"):
        likewise.import_vectors("emoji", "mine", "mine.parquet")


def test_tensors_run_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    torch.save({"embeddings": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(DataError, match="cannot be read"):
        read_tensor(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_the_name_of_a_model_is_refused(vectors: Vectors) -> None:
    np.save("mine.npy", vectors)
    with pytest.raises(ConfigError, match="has a model 'tiny' that embeds images"):
        likewise.import_vectors("emoji", "tiny", "mine.npy")
    with pytest.raises(ConfigError, match="a column or table 'label'"):
        likewise.import_vectors("emoji", "label", "mine.npy")
    with pytest.raises(UnknownNameError, match="mine"):
        likewise.import_vectors("emoji", "mine")


def test_a_picture_cannot_be_embedded_by_imported_vectors(vectors: Vectors) -> None:
    np.save("mine.npy", vectors)
    likewise.import_vectors("emoji", "mine", "mine.npy")
    published()
    with pytest.raises(DataError, match="the vectors of 'mine' were imported"):
        likewise.search("emoji", model="mine", image="emoji/images/0_noto.jpg")


def test_a_changed_file_runs_import_and_publish_only(recorded: Path) -> None:
    vectors = np.array(likewise.open("emoji").vectors("tiny"))
    np.save("mine.npy", vectors)
    printed = run(recorded, "likewise", "import-vectors", "emoji", "mine", "mine.npy", "--json")
    assert json.loads(printed.stdout)["vectors"] == 24
    stages = ["import@emoji-mine", "publish@emoji"]
    likewise.publish("emoji")
    run_dvc(recorded, "commit", "--force", "--quiet", *stages)
    np.save("mine.npy", vectors[::-1])
    output = run_dvc(recorded, "repro")
    ran = [line for line in output.splitlines() if line.startswith("Running stage")]
    assert [line.split("'")[1] for line in ran] == stages
    assert run_dvc(recorded, "status", "--json").strip() == "{}"


def test_other_columns_than_dimensions_are_refused(vectors: Vectors, ids: list[str]) -> None:
    """A numeric label is not read as a dimension, and a text is not left out."""
    numbers = {f"d{i}": vectors[:, i].tolist() for i in range(4)}
    frame = pl.DataFrame({"item_id": ids, **numbers, "label": range(24)})
    frame.write_csv("mine.csv")
    with pytest.raises(DataError, match=r"mine\.csv: 'label' is not a dimension"):
        likewise.import_vectors("emoji", "mine", "mine.csv")
    text = frame.drop("label").with_columns(
        d2=pl.when(pl.int_range(24) == 3).then(pl.lit("n/a")).otherwise(pl.lit("0.5"))
    )
    text.write_csv("mine.csv")
    with pytest.raises(
        DataError, match=r"d2 has no number in 1 of 24 rows, first in row 4: 'n/a'"
    ):
        likewise.import_vectors("emoji", "mine", "mine.csv")


def test_the_ids_of_an_npz_are_read_or_refused(vectors: Vectors, ids: list[str]) -> None:
    order = list(reversed(range(24)))
    backwards = [ids[i] for i in order]
    np.savez("texts.npz", embeddings=vectors[order], item_id=np.array(backwards))
    np.savez("bytes.npz", embeddings=vectors[order], ids=np.array(backwards, "S"))
    for path in ("texts.npz", "bytes.npz"):
        likewise.import_vectors("emoji", "mine", path)
        assert np.array_equal(published(), vectors)
    np.savez("mine.npz", embeddings=vectors, keys=np.array(ids))
    with pytest.raises(DataError, match="the array 'keys' has texts; name it 'ids'"):
        likewise.import_vectors("emoji", "mine", "mine.npz")
    np.savez("mine.npz", embeddings=vectors, ids=np.array(ids, object))
    with pytest.raises(DataError, match="its ids cannot be read"):
        likewise.import_vectors("emoji", "mine", "mine.npz")


def test_an_npz_that_claims_more_than_it_has_is_refused(vectors: Vectors) -> None:
    header = io.BytesIO()
    claim = {"descr": "|S64", "fortran_order": False, "shape": (2**36,)}
    np.lib.format.write_array_header_1_0(header, claim)
    array = io.BytesIO()
    np.save(array, vectors)
    with zipfile.ZipFile("mine.npz", "w") as archive:
        archive.writestr("embeddings.npy", array.getvalue())
        archive.writestr("ids.npy", header.getvalue())
    with pytest.raises(DataError, match="claims the shape"):
        likewise.import_vectors("emoji", "mine", "mine.npz")


def test_very_long_and_very_short_vectors_keep_their_direction(vectors: Vectors) -> None:
    scales = np.where(np.arange(24) % 2, 1e-200, 1e200)[:, None]
    np.save("mine.npy", vectors.astype(np.float64) * scales)
    likewise.import_vectors("emoji", "mine", "mine.npy")
    assert np.allclose(published(), vectors, atol=1e-6)


@pytest.mark.filterwarnings("ignore::likewise.errors.BrokenEntryWarning")
def test_a_broken_entry_of_imported_vectors_stops_publish(vectors: Vectors) -> None:
    np.save("mine.npy", vectors)
    likewise.import_vectors("emoji", "mine", "mine.npy")
    published()
    text = Path("params.yaml").read_text("utf-8")
    broken = text.replace("model: mine", "model: mine\n    dtype: float8")
    Path("params.yaml").write_text(broken, "utf-8")
    for command in (
        lambda: likewise.publish("emoji"),
        lambda: likewise.import_vectors("emoji", "mine"),
    ):
        with pytest.raises(ConfigError, match=r"imported\.emoji-mine"):
            command()


def test_damaged_findings_of_an_import_are_named(vectors: Vectors) -> None:
    np.save("mine.npy", vectors)
    likewise.import_vectors("emoji", "mine", "mine.npy")
    Path("catalog/emoji/embeddings/mine.findings.json").write_text('[["a"], 3]')
    with pytest.raises(DamagedError, match="has no findings; run: dvc repro --force import@"):
        likewise.findings("emoji")


def test_files_that_are_empty_absent_or_folders(vectors: Vectors, ids: list[str]) -> None:
    np.save("mine.npy", vectors)
    Path("mine.txt").write_text("\n".join(ids) + "\n\n", "utf-8")
    assert likewise.import_vectors("emoji", "mine", "mine.npy", ids="mine.txt").vectors == 24
    np.save("none.npy", vectors[:0])
    Path("folder.npy").mkdir()
    for path, given, message in (
        ("none.npy", None, "none.npy: it has no vectors|0 vectors"),
        ("folder.npy", None, "is a folder"),
        ("mine.npy", "absent.txt", r"absent.txt: No such file or directory$"),
    ):
        with pytest.raises(DataError, match=message):
            likewise.import_vectors("emoji", "mine", path, ids=given)
    with pytest.raises(ConfigError, match="dtype"):
        likewise.import_vectors("emoji", "mine", "mine.npy", dtype="float64")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["dataset", "file"])
def test_vectors_of_a_lance_table_are_read(vectors: Vectors, ids: list[str], kind: str) -> None:
    order = np.random.default_rng(0).permutation(len(ids))
    rows = pl.DataFrame(
        {
            "note": ["x"] * len(ids),
            "id": [ids[i] for i in order],
            "vector": pl.Series(vectors[order], dtype=pl.Array(pl.Float32, vectors.shape[1])),
        }
    ).to_arrow()
    if kind == "dataset":
        lance.write_dataset(rows, "mine.lance")
    else:
        with LanceFileWriter("mine.lance", rows.schema) as writer:
            writer.write_batch(rows)
    done = likewise.import_vectors("emoji", "mine", "mine.lance")
    assert (done.vectors, done.findings) == (24, {})
    assert np.array_equal(published(), vectors)
    np.save("mine.npy", vectors[order])
    likewise.import_vectors("emoji", "other", "mine.npy", ids="mine.lance")
    assert np.array_equal(published("other"), vectors)


def test_other_folders_and_files_are_refused(workspace: Path) -> None:
    Path("folder.lance").mkdir()
    Path("text.lance").write_text("no table " * 100)
    for path, message in (
        ("folder.lance", "folder.lance: is not a Lance dataset; name its folder"),
        ("text.lance", "text.lance: cannot be read: .*not appear to be a Lance file"),
        ("absent.lance", "absent.lance: no such file or folder"),
    ):
        with pytest.raises(DataError, match=message):
            likewise.import_vectors("emoji", "mine", path)


def test_items_of_one_content_keep_their_own_vectors(vectors: Vectors, ids: list[str]) -> None:
    shutil.copy("emoji/images/0_noto.jpg", "emoji/images/0_twin.jpg")
    likewise.ingest("emoji")
    likewise.embed("emoji", "tiny")
    path = write("mine.parquet", np.concatenate([vectors, vectors[5:6]]), [*ids, "0_twin.jpg"])
    done = likewise.import_vectors("emoji", "mine", path, key="item")
    assert (done.vectors, done.findings) == (25, {})
    assert likewise.import_vectors("emoji", "mine").written is False
    stored = published()
    rows = dict(zip(likewise.open("emoji").items["item_id"], stored, strict=True))
    assert np.array_equal(rows["0_twin.jpg"], vectors[5])
    assert np.array_equal(rows["0_noto.jpg"], vectors[ids.index("0_noto.jpg")])
    hits = likewise.search("emoji", model="mine", id="0_twin.jpg", k=1)
    assert hits.frame["item_id"].to_list() == [ids[5]]
    likewise.forget("emoji", ["0_twin.jpg"], reason="request")  # and the image of its bytes
    gone = ("0_noto.jpg", "0_twin.jpg")
    kept = [number for number, item in enumerate(rows) if item not in gone]
    assert len(kept) == 23
    assert lance.dataset("catalog/emoji/embeddings/mine.lance").count_rows() == 23
    assert np.array_equal(likewise.open("emoji").vectors("mine"), stored[kept])
