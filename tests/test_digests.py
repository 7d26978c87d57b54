"""The digest of a column depends only on its content."""

import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import lance
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.errors import DataError
from likewise.storage.digests import Digests
from likewise.storage.digests.digester import Digester, digest_batches, digest_set
from likewise.storage.digests.key_ranges import RangeDigester

ROWS = 40
RNG = np.random.default_rng(7)
VECTORS = RNG.standard_normal((ROWS, 4)).astype(np.float32)
TABLE = pa.table(
    {
        "key": pa.array([f"item {n:02d}" for n in range(ROWS)]),
        "label": pa.array([None if n % 7 == 0 else f"label {n % 3}" for n in range(ROWS)]),
        "width": pa.array(range(100, 100 + ROWS), pa.int32()),
        "score": pa.array([n / 3 for n in range(ROWS)], pa.float64()),
        "flag": pa.array([n % 2 == 0 for n in range(ROWS)]),
        "pixels": pa.array([bytes([n, 255 - n]) for n in range(ROWS)], pa.binary()),
        "box": pa.array(
            [None if n % 5 == 0 else [0.0, 1.0, 2.0, float(n)] for n in range(ROWS)],
            pa.list_(pa.float32(), 4),
        ),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), 4),
    }
)


def digests(table: pa.Table) -> Digests:
    return digest_batches(table.combine_chunks().to_batches(), "key")


def dictionary_encoded(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("label")
    return table.set_column(at, "label", table["label"].dictionary_encode())


def large_types(table: pa.Table) -> pa.Table:
    schema = table.schema
    for name, wide in (("label", pa.large_string()), ("key", pa.string_view())):
        schema = schema.set(schema.get_field_index(name), pa.field(name, wide))
    schema = schema.set(schema.get_field_index("width"), pa.field("width", pa.int64()))
    return table.cast(schema)


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda t: t.take(np.random.default_rng(1).permutation(ROWS)),
        lambda t: t.slice(0, ROWS),
        lambda t: pa.concat_tables([t.slice(30), t.slice(3, 27), t.slice(0, 3)]),
        dictionary_encoded,
        large_types,
        lambda t: t.select(list(reversed(t.column_names))),
    ],
    ids=["rows", "slices", "pieces", "dictionary", "large types", "columns"],
)
def test_layout_does_not_matter(rewritten: Callable[[pa.Table], pa.Table]) -> None:
    assert digest_batches(rewritten(TABLE).to_batches(), "key") == digests(TABLE)


@pytest.mark.parametrize("size", [1, 3, ROWS - 1, ROWS])
def test_chunking_does_not_matter(size: int) -> None:
    assert digest_batches(TABLE.to_batches(max_chunksize=size), "key") == digests(TABLE)


def test_lance_fragments_deletions_and_compaction_do_not_matter(tmp_path: Path) -> None:
    dataset = lance.write_dataset(TABLE, tmp_path / "t.lance", max_rows_per_file=7)
    extra = TABLE.slice(0, 5).set_column(0, "key", pa.array([f"gone {n}" for n in range(5)]))
    dataset = lance.write_dataset(extra, tmp_path / "t.lance", mode="append")
    dataset.delete("key LIKE 'gone%'")
    assert digest_batches(dataset.to_batches(), "key") == digests(TABLE)
    dataset.optimize.compact_files(target_rows_per_fragment=1000)
    assert len(dataset.get_fragments()) < 6
    assert digest_batches(dataset.to_batches(batch_size=11), "key") == digests(TABLE)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_any_single_value_matters(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([n for n in TABLE.column_names if n != "key"]))
    row = data.draw(st.integers(0, ROWS - 1))
    values = TABLE[name].to_pylist()
    old = values[row]
    values[row] = data.draw(strategy(name))
    changed = TABLE.set_column(
        TABLE.column_names.index(name), name, pa.array(values, TABLE.schema.field(name).type)
    )
    one, two = digests(TABLE).columns, digests(changed).columns
    assert (one[name] != two[name]) == (repr(old) != repr(values[row]))
    assert {n: d for n, d in one.items() if n != name} == {
        n: d for n, d in two.items() if n != name
    }


def strategy(name: str) -> st.SearchStrategy[object]:
    four = st.lists(st.floats(width=32, allow_nan=False), min_size=4, max_size=4)
    return {
        "label": st.one_of(st.none(), st.text()),
        "width": st.integers(-(2**31), 2**31 - 1),
        "score": st.floats(allow_nan=False),
        "flag": st.booleans(),
        "pixels": st.binary(),
        "box": st.one_of(st.none(), four),
        "vector": four,
    }[name]


def test_a_renamed_key_changes_every_column() -> None:
    keys = TABLE["key"].to_pylist()
    renamed = TABLE.set_column(0, "key", pa.array(["another", *keys[1:]]))
    one, two = digests(TABLE).columns, digests(renamed).columns
    assert all(one[name] != two[name] for name in TABLE.column_names)


def test_swapped_values_change_the_column() -> None:
    labels = TABLE["label"].to_pylist()
    labels[1], labels[2] = labels[2], labels[1]
    swapped = TABLE.set_column(1, "label", pa.array(labels))
    assert digests(swapped).columns["label"] != digests(TABLE).columns["label"]


def test_values_do_not_run_into_each_other() -> None:
    def of(values: list[str | None]) -> str:
        table = pa.table({"key": ["a", "b"], "value": pa.array(values, pa.string())})
        return digests(table).columns["value"]

    found = {
        of(["xy", "z"]),
        of(["x", "yz"]),
        of(["", "xyz"]),
        of([None, "xyz"]),
        of(["xyz", ""]),
    }
    assert len(found) == 5


def test_the_encoding_is_frozen() -> None:
    """Digests are in people's git history: another encoding would break every catalogue."""
    small = pa.table({"key": ["b", "a"], "n": pa.array([2, None]), "v": [b"2", b"1"]})
    keys = b"text 2\n" + b"\1\1" + struct.pack("<2q", 1, 1) + b"ab"
    numbers = b"integer 2\n" + b"\0\1" + struct.pack("<2q", 0, 2)
    wide = b"wide 2\n" + b"\1\1" + sha256(b"1").digest() + sha256(b"2").digest()
    head = b"likewise column 1\n" + keys
    assert digests(small).columns == {
        "key": sha256(head).hexdigest()[:32],
        "n": sha256(head + numbers).hexdigest()[:32],
        "v": sha256(head + wide).hexdigest()[:32],
    }
    found = digest_set(pa.chunked_array([["b", "a", "b"]]))
    assert found == sha256(b"likewise set 1\n" + keys).hexdigest()[:32]


def test_two_rows_with_one_key_are_refused() -> None:
    twins = pa.table({"key": ["a", "b", "a"], "n": [1, 2, 3]})
    with pytest.raises(DataError, match="key: 1 value occurs twice: a"):
        digests(twins)


def test_an_empty_table_has_digests() -> None:
    digester = Digester("key")
    digester.add(pa.RecordBatch.from_pylist([], schema=TABLE.schema))
    assert digester.digests().rows == 0


def test_yaml_round_trip() -> None:
    found = digests(TABLE)
    assert found.rows == ROWS
    document = {"rows": found.rows, "columns": found.columns}
    assert Digests.from_yaml(document, "x.yaml") == found
    with pytest.raises(DataError, match="not a digest file"):
        Digests.from_yaml(["no"], "x.yaml")


@given(st.integers(0, 200), st.integers(30, 90), st.integers(9, 50), st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_digests_by_ranges_of_keys_are_those_of_the_whole(
    rows: int, range_rows: int, batch: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    table = TABLE.take(rng.integers(0, ROWS, rows)).drop_columns(["key"])
    keys = [f"{n:04d} ä" * int(rng.integers(1, 4)) for n in rng.permutation(rows)]
    content = [None if n % 11 == 0 else f"c{n % 7}" for n in range(rows)]
    table = table.append_column("key", pa.array(keys, pa.string()))
    table = table.append_column("content", pa.array(content, pa.string()))
    batches = table.combine_chunks().to_batches(max_chunksize=batch) or [
        pa.RecordBatch.from_pylist([], table.schema)
    ]
    with TemporaryDirectory() as folder:
        digester = RangeDigester("key", Path(folder) / "ranges", range_rows)
        for one in batches:
            digester.add(one.select([n for n in table.column_names if n != "vector"]))
        for one in batches:  # a column may follow all others
            digester.add(one.select(["vector"]))
        found = digester.digests()
    assert found == digest_batches(batches, "key")
    assert found.contents == digest_batches(batches, "key").contents


def test_repeated_keys_in_ranges_are_the_same_error(tmp_path: Path) -> None:
    keys = [f"k{n % 70}" for n in range(100)]
    batch = pa.record_batch({"key": pa.array(keys)})
    with pytest.raises(DataError) as whole:
        digest_batches([batch], "key")
    digester = RangeDigester("key", tmp_path / "ranges", 9)
    digester.add(batch)
    with pytest.raises(DataError) as ranged:
        digester.digests()
    assert str(ranged.value) == str(whole.value)
