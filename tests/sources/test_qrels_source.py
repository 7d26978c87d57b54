"""Benchmarks as mteb, M-BEIR and BEIR publish them, and composed queries."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import likewise
from likewise.errors import DataError
from likewise.sources import SOURCES
from likewise.sources.base import SourceResult
from likewise.sources.qrels import QrelsSource
from memory_files import findings, images, read_memory, rows


def lines(*records: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


def parquet(path: Path, *records: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(records)), path)


def cell(name: str) -> dict[str, Any]:
    return {"bytes": f"picture {name}".encode(), "path": f"{name}.png"}


@pytest.fixture(name="mieb", scope="module")
def _mieb(tmp_path_factory: pytest.TempPathFactory) -> SourceResult:
    """An image task of mteb: images in Parquet; queries are images, texts, and one of both."""
    top = tmp_path_factory.mktemp("mieb")
    parquet(
        top / "corpus/test-00000-of-00001.parquet",
        {"id": "c1", "modality": "image", "text": None, "image": cell("c1")},
        {"id": "c2", "modality": "image", "text": None, "image": cell("c2")},
        {"id": "c3", "modality": "image", "text": None, "image": cell("c3")},
    )
    parquet(
        top / "query/test-00000-of-00001.parquet",
        {"id": "q1", "modality": "image", "text": None, "image": cell("q1")},
        {"id": "q2", "modality": "image,text", "text": "in red", "image": cell("q2")},
    )
    parquet(
        top / "qrels/test-00000-of-00001.parquet",
        {"query-id": "q1", "corpus-id": "c3", "score": 2},
        {"query-id": "q1", "corpus-id": "c1", "score": 1},
        {"query-id": "q2", "corpus-id": "c2", "score": 0},
        {"query-id": "q9", "corpus-id": "c2", "score": 1},
    )
    source = SOURCES.build({"kind": "qrels"}, "source")
    files = source.open(top)
    assert files.read("query/test-00000-of-00001.parquet/00000001.png") == b"picture q2"
    return source.read(files, top)


def test_tables_of_parquet_with_images_are_read(mieb: SourceResult) -> None:
    corpus, query = (f"{name}/test-00000-of-00001.parquet" for name in ("corpus", "query"))
    assert rows(mieb, "record", "role", "split", "text", "relevant", "grades") == {
        f"{corpus}/00000000.png": ["c1", "gallery", "test", None, None, None],
        f"{corpus}/00000001.png": ["c2", "gallery", "test", None, None, None],
        f"{corpus}/00000002.png": ["c3", "gallery", "test", None, None, None],
        f"{query}/00000000.png": [
            "q1", "query", "test", None,
            [f"{corpus}/00000002.png", f"{corpus}/00000000.png"], [2, 1],
        ],
        f"{query}/00000001.png": [
            "q2", "query", "test", "in red", [f"{corpus}/00000001.png"], [0],
        ],
    }  # fmt: skip
    assert findings(mieb) == {
        "unjoined: qrels/test-00000-of-00001.parquet: query": (
            "1 judgements have an id that no row of the queries has: q9"
        )
    }
    assert [left.examples for left in mieb.left_over] == [("modality",)]
    assert QrelsSource.runs(mieb.items) == {"qrels": {}}


def test_judgements_are_scored_by_their_grades(mieb: SourceResult) -> None:
    """q1 ranks c1 (grade 1) before c3 (grade 2); q2 has no relevant item and scores 0."""
    vectors = np.array([[1, 0], [0, 1], [0.5, 0.5], [1, 0], [0, 1]], np.float32)
    result = likewise.score("qrels", embeddings=vectors, items=mieb.items)
    log = float(np.log2(3))
    expected = (1 / 1 + 2 / log) / (2 / 1 + 1 / log)
    assert result.queries["value"].to_list() == pytest.approx([expected, 0])
    assert next(iter(result.metrics.values())) == round((expected + 0) / 2, 4)


MBEIR = {
    **images("mbeir_images/a.jpg", "mbeir_images/b.jpg", "mbeir_images/unused.jpg"),
    "cand_pool/local/mbeir_task0_cand_pool.jsonl": lines(
        {"did": "9:1", "img_path": "mbeir_images/a.jpg", "txt": None, "modality": "image"},
        {"did": "9:2", "img_path": "mbeir_images/b.jpg", "txt": "with text"},
        {"did": "9:3", "img_path": None, "txt": "A lone text."},
        {"did": "9:4", "img_path": "mbeir_images/absent.jpg", "txt": None},
        {"did": "9:1", "img_path": "mbeir_images/b.jpg", "txt": None},
    ),
    "query/test/mbeir_task0_test.jsonl": lines(
        {"qid": "9:10", "query_txt": "A dog.", "query_img_path": None},
        {"qid": "9:11", "query_txt": "A pet.", "query_img_path": None},
        {"qid": "9:12", "query_img_path": "mbeir_images/b.jpg", "pos_cand_list": ["9:2"]},
        {"qid": "9:13", "query_txt": None, "query_img_path": None},
    ),
    "qrels/test/mbeir_task0_test_qrels.txt": (
        "9:10 0 9:1 1 0\n9:11 0 9:1 1 0\n9:12 0 9:2 1 0\n9:12 0 9:3 0.5 0\n"
    ),
}  # fmt: skip


def test_json_lines_and_judgements_of_trec_are_read() -> None:
    """Text queries are captions; a second row of an image is an item of its own."""
    result = read_memory("qrels", MBEIR)
    pool, query = "cand_pool/local/mbeir_task0_cand_pool.jsonl", "query/test/mbeir_task0_test"
    assert rows(result, "record", "role", "text", "captions", "relevant") == {
        "mbeir_images/a.jpg": ["9:1", "gallery", "A dog.", ["A dog.", "A pet."], None],
        "mbeir_images/b.jpg#1": ["9:2", "gallery", "with text", None, None],
        "mbeir_images/b.jpg#2": ["9:12", "query", None, None, ["mbeir_images/b.jpg#1"]],
    }
    assert set(findings(result)) == {
        f"dangling: {pool}: line 4",
        f"twin: {pool}: line 5",
        f"left-out: {pool}",
        f"bad-row: {query}.jsonl: line 4",
        "bad-value: qrels/test/mbeir_task0_test_qrels.txt: line 4",
    }
    assert QrelsSource.runs(result.items) == {"qrels": {}, "image-text": {}}


def test_texts_of_the_corpus_are_captions_of_queries() -> None:
    files = {
        **images("a.jpg", "b.jpg"),
        "corpus.jsonl": lines({"_id": "d1", "text": "A cat."}, {"_id": "d2", "text": "Red."}),
        "queries.jsonl": lines({"_id": "q1", "image": "a.jpg"}, {"_id": "q2", "image": "b"}),
        "qrels/dev.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t3\nq2\td2\t0\n",
    }
    result = read_memory("qrels", files)
    assert rows(result, "text", "captions", "split") == {
        "a.jpg": ["A cat.", ["A cat.", "Red."], "val"],
        "b.jpg": [None, None, None],
    }
    assert findings(result) == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus.jsonl": None}, "expected a table of corpus, such as corpus.jsonl"),
        ({"queries.jsonl": lines({"_id": "q"})}, "no column of images or texts"),
        ({"qrels.tsv": "query-id\tx\nq\td\n"}, "no column of item ids, such as 'corpus-id'"),
        ({"corpus.jsonl": "[" * 9 + "\n"}, "corpus.jsonl: no column of images or texts"),
    ],
)
def test_a_missing_table_or_column_is_one_error(change: Any, message: str) -> None:
    files: dict[str, Any] = {
        **images("a.jpg"),
        "corpus.jsonl": lines({"_id": "d", "image": "a.jpg"}),
        "queries.jsonl": lines({"_id": "q", "text": "t"}),
        "qrels.tsv": "query-id\tcorpus-id\nq\td\n",
    }
    present = {name: data for name, data in {**files, **change}.items() if data is not None}
    with pytest.raises(DataError, match=message):
        read_memory("qrels", present)


def test_a_benchmark_of_texts_only_is_one_error() -> None:
    files = {
        **images("a.jpg"),
        "corpus.jsonl": lines({"_id": "d1", "text": "A cat."}),
        "queries.jsonl": lines({"_id": "q1", "text": "Which animal?"}),
        "qrels/dev.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\n",
    }
    with pytest.raises(DataError, match="its corpus and queries are texts without images"):
        read_memory("qrels", files)


def test_a_column_of_another_type_than_text_is_one_error(tmp_path: Path) -> None:
    parquet(tmp_path / "corpus.parquet", {"id": "c", "image": {"path": b"\xff", "x": 1}})
    parquet(tmp_path / "queries.parquet", {"id": "q", "image": "a.jpg"})
    (tmp_path / "a.jpg").write_bytes(b"")
    source = QrelsSource()
    with pytest.raises(DataError, match=r"corpus\.parquet"):
        source.read(source.open(tmp_path), tmp_path)


def test_images_in_several_columns_are_one_error(tmp_path: Path) -> None:
    parquet(tmp_path / "corpus.parquet", {"id": "c", "image": cell("c")})
    parquet(tmp_path / "queries.parquet", {"id": "q", "picture": cell("q")})
    with pytest.raises(DataError, match="have images in different columns: image, picture"):
        QrelsSource().open(tmp_path)
    (tmp_path / "queries.parquet").write_bytes(b"PAR1 damaged PAR1")
    with pytest.raises(DataError, match=r"queries\.parquet"):
        QrelsSource().open(tmp_path)
