"""Lance tables: written, changed, linked and read."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from likewise.errors import DataError, MissingArtefactError
from likewise.storage import tables
from likewise.storage.digests.digester import digest_batches
from likewise.storage.schema import EMBEDDINGS, FINDINGS, IMAGES, Column, Contract, vector
from likewise.storage.tables import row_index

WORDS = Contract("words", "word", "", (Column("word", pa.string(), ""),))
PASSPORT = {"vector": {"passport": "{}"}}


def put(path: Path, *words: str) -> None:
    """Write words, or append them: one fragment."""
    batch = pa.record_batch([pa.array(words, pa.string())], schema=WORDS.arrow())
    tables.write(path, tables.lance_schema(WORDS), [batch])


def words(path: Path) -> list[str]:
    return tables.open_table(path, "").read(["word"])["word"].to_list()


def put_images(path: Path, data: Sequence[bytes]) -> None:
    hashes = [hashlib.sha256(d).hexdigest() for d in data]
    size = [len(d) for d in data]
    columns = [
        pa.array([f"{n}.jpg" for n in range(len(data))]),
        pa.array(hashes),
        *(pa.array([1] * len(data), pa.int32()) for _ in ("width", "height")),
        *(pa.array(["?"] * len(data)) for _ in ("format", "mode")),
        pa.array([1] * len(data), pa.int8()),
        pa.array(size, pa.int64()),
        pa.array(data, pa.large_binary()),
    ]
    schema = tables.lance_schema(IMAGES)
    batch = pa.record_batch(columns, schema=IMAGES.arrow())
    tables.write(path, schema, [tables.as_blobs(batch, schema)])


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below ``folder`` and its bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "words.lance"


def test_a_second_write_appends(path: Path) -> None:
    put(path, "b", "a")
    put(path, "c")
    assert words(path) == ["b", "a", "c"]
    assert tables.next_fragment(path) == 2


def test_what_a_killed_first_write_left_is_not_a_table(path: Path) -> None:
    (path / "data").mkdir(parents=True)
    (path / "data" / "half.lance").write_bytes(b"half")
    assert not tables.exists(path)
    put(path, "a")
    assert words(path) == ["a"]
    assert "data/half.lance" not in content(path)


def test_a_table_that_is_not_there_names_its_command(path: Path) -> None:
    assert tables.next_fragment(path) == 0
    with pytest.raises(
        MissingArtefactError, match=r"^no table deep/words\.lance; run: dvc repro x$"
    ):
        tables.open_table(path, "dvc repro x")


def test_a_damaged_table_names_doctor(path: Path) -> None:
    put(path, "a")
    for manifest in path.glob("_versions/*.manifest"):
        manifest.write_bytes(b"nothing that Lance knows")
    with pytest.raises(
        DataError, match=r"words\.lance is damaged .* likewise doctor$"
    ) as caught:
        tables.open_table(path, "dvc repro x")
    assert "\n" not in str(caught.value)


def test_delete_rows_deletes_the_named_values(path: Path) -> None:
    put(path, "it's", "b", '"c"')
    tables.delete_rows(path, "word", [])
    tables.delete_rows(path, "word", ["it's", '"c"', "not there"])
    assert words(path) == ["b"]


def test_delete_rows_deletes_any_number_of_values_in_one_version(path: Path) -> None:
    many = [f"{n:04}" for n in range(2500)]
    put(path, *many)
    before = len(list(path.glob("_versions/*.manifest")))
    tables.delete_rows(path, "word", many[:-2])
    assert words(path) == many[-2:]
    assert len(list(path.glob("_versions/*.manifest"))) == before + 1


def test_delete_rows_before_a_fragment_keeps_newer_rows(path: Path) -> None:
    put(path, "a", "b")
    boundary = tables.next_fragment(path)
    put(path, "a", "c")
    tables.delete_rows(path, "word", ["a", "c"], before=boundary)
    assert words(path) == ["b", "a", "c"]


def test_remove_old_versions_leaves_one_version_and_its_files(path: Path) -> None:
    put(path, "a", "b")
    boundary = tables.next_fragment(path)
    put(path, "c")
    tables.delete_rows(path, "word", ["a", "b"], before=boundary)
    tables.remove_old_versions(path)
    assert words(path) == ["c"]
    assert len(list(path.glob("_versions/*.manifest"))) == 1
    assert len(list(path.glob("data/*.lance"))) == 1


def test_a_linked_table_shares_its_bytes_and_nothing_else(path: Path, tmp_path: Path) -> None:
    put(path, "a", "b")
    before = content(path)
    copy = tmp_path / "copy.lance"
    tables.link_tree(path, copy)
    shared = [file for file in copy.rglob("*") if file.is_file()]
    assert {file.stat().st_nlink for file in shared} == {2}

    put(copy, "c")
    tables.delete_rows(copy, "word", ["a"])
    tables.remove_old_versions(copy)
    assert words(copy) == ["b", "c"]
    assert content(path) == before


def test_link_tree_starts_over_where_it_was_killed(path: Path, tmp_path: Path) -> None:
    put(path, "a")
    copy = tmp_path / "copy.lance"
    (tmp_path / "copy.lance.linking").mkdir()
    (tmp_path / "copy.lance.linking" / "half").touch()
    tables.link_tree(path, copy)
    assert content(copy) == content(path)
    assert not (tmp_path / "copy.lance.linking").exists()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_vectors_come_back_as_they_were_stored(path: Path, dtype: str) -> None:
    contract = EMBEDDINGS.with_columns(vector("vector", 3, dtype))
    schema = tables.lance_schema(contract, PASSPORT)
    rows = tables.BATCH + 1  # more than a batch
    values = np.arange(3 * rows).reshape(rows, 3).astype(dtype)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 3)
    contents = pa.array([f"{n:05}" for n in range(rows)])
    tables.write(path, schema, [pa.record_batch([contents, lists], schema=schema)])

    table = tables.open_table(path, "")
    found = table.vectors("vector")
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, values)
    assert table.vector_columns == ["vector"]
    assert table.metadata_columns == ["content"]


def test_blobs_come_in_the_order_that_is_asked(path: Path) -> None:
    data = [bytes([n]) * (n + 1) for n in range(5)]
    put_images(path, data[:3])
    put_images(path, data[3:])
    table = tables.open_table(path, "")
    asked = [4, 0, 0, 3]
    assert table.blobs("image", asked) == [data[n] for n in asked]
    assert table.blobs("image", []) == []
    assert "image" not in table.metadata_columns


def test_packed_blobs_are_next_to_the_table(path: Path) -> None:
    put_images(path, [bytes(100_000)] * 3)
    packs = [file.stat().st_size for file in path.rglob("*.blob")]
    assert packs == [3 * 100_000]


def test_a_frames_digests_are_its_tables(path: Path) -> None:
    frame = pl.DataFrame(
        {"finding_id": ["b", "a"], "check": ["x", "y"], "path": ["1", "2"], "detail": ["", "d"]}
    )
    written = tables.write_frame(path, FINDINGS, frame)
    assert written == tables.open_table(path, "").digest(FINDINGS)
    assert written == digest_batches(frame.to_arrow().to_batches(), "finding_id")


def test_an_empty_frame_is_a_table(path: Path) -> None:
    frame = pl.DataFrame(schema=dict.fromkeys(FINDINGS.names(), pl.String))
    written = tables.write_frame(path, FINDINGS, frame)
    assert written.rows == 0
    assert written == tables.open_table(path, "").digest(FINDINGS)


def test_a_column_that_is_not_there_has_neighbours(path: Path) -> None:
    put(path, "a")
    table = tables.open_table(path, "")
    table.need_column("word")
    with pytest.raises(DataError, match=r"^no label column 'wrod'; did you mean 'word'\?$"):
        table.need_column("wrod", "label column")


def test_a_scan_keeps_the_order_and_takes_conditions(path: Path) -> None:
    put(path, "c", "a", "b")
    batches = tables.open_table(path).scan(["word"], "word <> 'a'")
    assert [w for batch in batches for w in batch.column(0).to_pylist()] == ["c", "b"]


def test_a_sources_own_columns_say_what_they_mean(tmp_path: Path) -> None:
    further = (
        Column("year", pa.int16(), "when it was built", "years", nullable=True),
        Column("maker", pa.string(), "who built it"),
    )
    rows = [{"finding_id": "a", "check": "b", "path": "c", "detail": "d"}]
    frame = pl.DataFrame(rows).with_columns(year=pl.lit(None), maker=pl.lit("e"))
    digests = tables.write_frame(tmp_path / "t.lance", FINDINGS, frame, further)
    table = tables.open_table(tmp_path / "t.lance", "")
    assert table.source_columns == further
    assert table.schema.names == [*FINDINGS.names(), "year", "maker"]
    assert table.digest(FINDINGS.with_columns(*further)) == digests


def test_rows_are_found_by_the_values_of_a_column(tmp_path: Path) -> None:
    keys = [f"k{n * 7919 % 30_011}" for n in range(30_011)]
    schema = pa.schema([("key", pa.string()), ("number", pa.int64())])
    batch = pa.record_batch([pa.array(keys), pa.array(range(30_011))], schema=schema)
    tables.write(tmp_path / "t.lance", schema, [batch])
    table = tables.open_table(tmp_path / "t.lance")
    wanted = ["k5", "absent", "k30000", "k0", "k5"]
    rows = tables.RowIndex(table, "key").positions(pl.Series(wanted))
    assert [None if row < 0 else keys[row] for row in rows] == [
        "k5", None, "k30000", "k0", "k5"
    ]  # fmt: skip
    frame = tables.take_frame(table, rows, ["number", "key"])
    assert frame["key"].to_list() == ["k5", None, "k30000", "k0", "k5"]
    assert frame["number"].to_list() == [None if row < 0 else row for row in rows]


def test_a_column_with_a_value_twice_has_no_index(tmp_path: Path) -> None:
    schema = pa.schema([("key", pa.string())])
    tables.write(
        tmp_path / "t.lance",
        schema,
        [pa.record_batch([pa.array(["a", "b", "a"])], schema=schema)],
    )
    with pytest.raises(DataError, match="values of key occur twice"):
        tables.RowIndex(tables.open_table(tmp_path / "t.lance"), "key").warm()


def test_rows_are_found_by_their_keys(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:05}" for number in np.random.default_rng(0).permutation(20_000)]
    schema = pa.schema({"name": pa.string()})
    tables.write(path, schema, [pa.record_batch([names], schema=schema)])
    wanted = ["00007", "none", "19999", "00007", "00000"]
    expected = [names.index(name) if name != "none" else tables.NO_ROW for name in wanted]
    index = tables.RowIndex(tables.open_table(path), "name")
    assert index.positions(wanted).tolist() == expected
    assert index.positions([]).tolist() == []
    assert index.positions(names).tolist() == list(range(20_000))

    calls = iter(range(100))

    def colliding(keys: pl.Series, seeds: tuple[int, int]) -> Any:
        """Hashes of which the first ones of the first block are all equal."""
        first, second = real(keys, seeds)
        return (np.zeros_like(first) if next(calls) == 0 else first), second

    real = row_index._hashes
    monkeypatch.setattr(row_index, "_hashes", colliding)
    again = tables.RowIndex(tables.open_table(path), "name")
    assert again.positions(wanted).tolist() == expected
