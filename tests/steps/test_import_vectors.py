"""Import of vectors that were made elsewhere."""

import json
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import torch
from safetensors.numpy import save_file

import likewise
from forked import run, run_dvc
from likewise.errors import ConfigError, DataError, UnknownNameError
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
        (_nan, "1 vectors (0_twemoji.jpg) are not finite"),
        (_zero, "1 vectors (0_twemoji.jpg) are zero"),
        (_missing, "4 items have no vector: 0_fluent.jpg"),
        (_twice, "are other vectors of an item that has one already"),
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
    run_dvc(recorded, "repro", "--quiet")
    assert run_dvc(recorded, "status", "--json").strip() == "{}"
    np.save("mine.npy", vectors[::-1])
    changed = json.loads(run_dvc(recorded, "status", "--json"))
    assert list(changed) == ["import@emoji-mine"]
    output = run_dvc(recorded, "repro")
    ran = [line for line in output.splitlines() if line.startswith("Running stage")]
    assert [line.split("'")[1] for line in ran] == ["import@emoji-mine", "publish@emoji"]
