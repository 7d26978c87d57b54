"""An open table: rows, vectors, blobs, files and indices."""

import copy
import multiprocessing
import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pytest

from likewise.errors import DataError, MissingArtefactError
from likewise.storage import tables
from likewise.storage.schema import Column, Contract, vector

DIM = 4
ROWS = 300
TEXTS = ("a red car", "two cars", "a tree", "")
COLUMNS = Contract(
    "made",
    "name",
    "",
    (
        Column("name", pa.string(), ""),
        Column("text", pa.string(), ""),
        vector("single", DIM, "float32"),
        vector("half", DIM, "float16"),
    ),
)
PASSPORTS = {name: {"passport": f'{{"of": "{name}"}}'} for name in ("single", "half")}
VECTORS = np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def names(first: int, last: int) -> list[str]:
    return [f"{row:03}" for row in range(first, last)]


def put(path: Path, first: int, last: int) -> None:
    """Write the rows ``first`` to ``last`` as a fragment."""
    schema = tables.lance_schema(COLUMNS, PASSPORTS)
    part = VECTORS[first:last]
    arrays = [
        pa.FixedSizeListArray.from_arrays(pa.array(part.astype(dtype).ravel()), DIM)
        for dtype in (np.float32, np.float16)
    ]
    texts = [TEXTS[row % len(TEXTS)] for row in range(first, last)]
    columns = [pa.array(names(first, last)), pa.array(texts), *arrays]
    tables.write(path, schema, [pa.record_batch(columns, schema=schema)])


@pytest.fixture
def table(tmp_path: Path) -> tables.Table:
    """Make a table of two fragments."""
    path = tmp_path / "made.lance"
    put(path, 0, 200)
    put(path, 200, ROWS)
    return tables.open_table(path, "dvc repro made")


def test_a_table_describes_itself(table: tables.Table) -> None:
    assert table.rows == ROWS
    assert table.columns == ["name", "text", "single", "half"]
    assert table.metadata_columns == ["name", "text"]
    assert table.vector_columns == ["single", "half"]
    assert table.blob_columns == []
    assert table.source_columns == ()
    assert (table.dim("half"), table.dtype("half")) == (DIM, np.dtype(np.float16))
    assert repr(table) == (
        f"Table('{table.path}', rows=300, columns=['name', 'text', 'single', 'half'])"
    )


def test_a_passport_is_the_bytes_that_were_written(table: tables.Table) -> None:
    assert table.passport("half") == b'{"of": "half"}'
    assert table.metadata("half") == {"passport": '{"of": "half"}'}
    with pytest.raises(DataError, match=r"^made\.lance: the column 'text' has no passport$"):
        table.passport("text")
    with pytest.raises(DataError, match=r"^no column 'singel'; did you mean 'single'\?$"):
        table.passport("singel")


@pytest.mark.parametrize(("column", "dtype"), [("single", np.float32), ("half", np.float16)])
def test_vectors_have_their_shape_and_type(
    table: tables.Table, column: str, dtype: npt.DTypeLike
) -> None:
    whole = table.vectors(column)
    assert (whole.shape, whole.dtype) == ((ROWS, DIM), dtype)
    np.testing.assert_array_equal(whole, VECTORS.astype(dtype))
    batches = list(table.vector_batches(column))
    np.testing.assert_array_equal(np.concatenate(batches), whole)
    positions = [250, 3, 3, 199, 0]
    np.testing.assert_array_equal(table.vectors(column, positions), whole[positions])
    assert table.vectors(column, []).shape == (0, DIM)


def test_take_keeps_the_order_and_repeats(table: tables.Table) -> None:
    batch = table.take([250, 3, 3, 199, 0], ["text", "name"])
    assert batch.schema.names == ["text", "name"]
    assert batch["name"].to_pylist() == ["250", "003", "003", "199", "000"]
    assert table.take([], ["name"]).num_rows == 0


def test_positions_skip_deleted_rows(table: tables.Table) -> None:
    tables.delete_rows(table.path, "name", ["001", "200"])
    now = tables.open_table(table.path)
    kept = [name for name in names(0, ROWS) if name not in ("001", "200")]
    assert now.take([1, 199], ["name"])["name"].to_pylist() == [kept[1], kept[199]]
    scanned = [batch.to_pylist() for batch in now.scan(["_rowoffset", "name"], "name >= '299'")]
    assert scanned == [[{"_rowoffset": 297, "name": "299"}]]


def test_a_frame_is_the_table(table: tables.Table) -> None:
    frame = table.frame().filter(pl.col("name") > "297").select("name").collect()
    assert frame["name"].to_list() == ["298", "299"]
    read = table.frame().select("name", "text").collect()
    assert read.equals(table.read(["name", "text"]))


def test_a_copy_is_opened_in_the_same_version(table: tables.Table) -> None:
    """``copy`` works like pickle: it calls ``__reduce__`` and opens the table again."""
    tables.delete_rows(table.path, "name", ["000"])
    assert tables.open_table(table.path).rows == ROWS - 1
    assert copy.copy(table).rows == table.rows == ROWS
    tables.remove_old_versions(table.path)
    with pytest.raises(DataError, match=r"made\.lance is damaged .* likewise doctor$"):
        copy.copy(table)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_worker_processes_read_a_pickled_table(table: tables.Table, method: str) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        rows = pool.submit(tables.Table.read, table, ["name"])
        vectors = pool.submit(tables.Table.vectors, table, "half", [299, 7])
        assert rows.result()["name"].to_list() == names(0, ROWS)
        np.testing.assert_array_equal(vectors.result(), table.vectors("half")[[299, 7]])


def test_full_text_search_finds_stems(table: tables.Table) -> None:
    assert table.text_index_columns() == []
    table.create_text_index(["text"])
    assert table.text_index_columns() == ["text"]
    hits = table.search_text(["text"], "car").sort("row")
    assert hits.schema == {"row": pl.Int64, "score": pl.Float32}
    assert hits["row"].to_list() == [row for row in range(ROWS) if row % 4 < 2]
    assert table.search_text(["text"], "boat").is_empty()


@pytest.mark.parametrize("kind", [None, "IVF_FLAT"])
def test_nearest_rows_are_those_of_exact_search(table: tables.Table, kind: str | None) -> None:
    index = table.vector_index("single")
    if kind:
        index.create(kind, VECTORS[:2])
        index.record_options("{}")
    again = tables.open_table(table.path).vector_index("single")
    assert (again.kinds, again.options) == (([kind], "{}") if kind else ([], None))
    allowed = np.arange(ROWS) % 3 == 0
    queries = VECTORS[:5]
    for mask in (None, allowed):
        rows = None if mask is None else index.row_filter(mask)
        options = tables.NeighbourOptions(nprobes=2)
        pairs = index.nearest(queries, 7, options, rows)
        scores = queries @ VECTORS.T
        if mask is not None:
            scores[:, ~mask] = -np.inf
        np.testing.assert_array_equal(pairs.query, np.repeat(np.arange(5), 7))
        wanted = np.argsort(-scores, axis=1)[:, :7]
        np.testing.assert_array_equal(pairs.row.reshape(5, 7), wanted)
        similarity = 1 - pairs.distance.reshape(5, 7)
        np.testing.assert_allclose(similarity, np.take_along_axis(scores, wanted, 1), atol=1e-6)


def test_an_index_is_linked_only_to_equal_vectors(table: tables.Table, tmp_path: Path) -> None:
    equal, other = tmp_path / "equal.lance", tmp_path / "other.lance"
    for path, turn in ((equal, 200), (other, 100)):
        put(path, 0, turn)
        put(path, turn, ROWS)
    assert not tables.open_table(equal).vector_index("single").link_from(table.path)
    table.vector_index("single").create("IVF_FLAT", VECTORS[:2])
    assert tables.open_table(equal).vector_index("single").link_from(table.path)
    assert tables.open_table(equal).vector_index("single").kinds == ["IVF_FLAT"]
    assert tables.open_table(equal).vector_index("half").kinds == []
    assert not tables.open_table(other).vector_index("single").link_from(table.path)


def test_columns_have_their_files(tmp_path: Path) -> None:
    """The vectors of a published table are in separate files, which may be missing."""
    path = tmp_path / "published.lance"
    schema = tables.lance_schema(COLUMNS, PASSPORTS)
    plain = pa.schema([schema.field("name")])
    tables.write(path, plain, [pa.record_batch([pa.array(["a", "b"])], schema=plain)])
    lists = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS[:2].ravel()), DIM)
    field = schema.field("single")
    batch = pa.record_batch([lists], schema=pa.schema([field]))
    tables.add_column(path, field, [batch])
    table = tables.open_table(path)
    (file,) = table.files(["single"])
    assert set(table.files(["name", "single"])) == {file, *table.files(["name"])}
    assert (table.missing_vectors(), table.is_complete()) == ([], True)
    (path / file).unlink()
    assert (table.missing_vectors(), table.is_complete()) == (["single"], False)
    assert table.read(["name"])["name"].to_list() == ["a", "b"]


def test_a_table_without_an_index_folder_is_incomplete(table: tables.Table) -> None:
    table.create_scalar_index("name", "BTREE")
    assert table.is_complete()
    shutil.rmtree(table.path / "_indices")
    assert not tables.open_table(table.path).is_complete()


def test_files_contain_deleted_rows_until_they_are_erased(table: tables.Table) -> None:
    assert not table.files_contain("name", ["0", "0000"])
    assert table.files_contain("name", ["no such", "250"])
    tables.delete_rows(table.path, "name", ["250"])
    assert tables.open_table(table.path).files_contain("name", ["250"])
    assert tables.erase_rows(table.path, "name", ["250"])
    assert not tables.open_table(table.path).files_contain("name", ["250"])
    assert not tables.erase_rows(table.path, "name", ["250"])
    assert tables.open_table(table.path).rows == ROWS - 1


def test_a_pull_is_named_where_a_table_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "emoji" / "items.lance"
    with pytest.raises(MissingArtefactError, match=re.escape("no table emoji/items.lance")):
        tables.Table(path, "likewise pull emoji")
