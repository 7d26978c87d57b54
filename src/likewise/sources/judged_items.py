"""Items of a benchmark, with the lists of what is relevant to each query."""

import json
from pathlib import Path

import polars as pl

from likewise.errors import bounded
from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import JSON_ERRORS
from likewise.sources.base import findings_about, findings_from_rows
from likewise.sources.delimited_text import FindingRow
from likewise.sources.table_rows import match_images

_COLUMNS = (
    *("id", "image", "text", "label", "subset", "split", "relevant", "members"),
    *(":where", ":table"),
)
_EXAMPLES = 3
_PAIR = {"query": pl.String, "item": pl.String, "subset": pl.String, "grade": pl.Int64}
"""Columns of judgements; a null subset means any."""


def locate_records(
    rows: pl.DataFrame, role: str, images: pl.Series, top: Path
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the rows of a table with ``image_id`` and ``role``, and findings.

    Rows of absent images, without an image and a text, and of a repeated id are left out. The
    id of a row without one is the name of its image, that of a query its place.

    Args:
        rows: rows of the corpus or of the queries, as ``read_tables`` returns them.
        role: gallery or query.
        images: paths of all images.
        top: folder or archive of the images.
    """
    absent = [pl.lit(None, pl.String).alias(c) for c in _COLUMNS if c not in rows.columns]
    rows = rows.with_columns(absent).select(_COLUMNS)
    texts = [_joined_texts(text) for text in rows["text"]]
    rows = rows.with_columns(pl.Series("text", texts, pl.String), role=pl.lit(role))
    matches = match_images(rows["image"], images, top)
    ids = matches.matched.select(image="reference", image_id="path")
    rows = rows.join(ids, on="image", how="left", maintain_order="left")
    names = ("id", "image", "text") if role == "gallery" else ("id", ":where")
    rows = rows.with_columns(id=pl.coalesce(names))
    is_lost = pl.col("image").is_not_null() & pl.col("image_id").is_null()
    lost = rows.filter(is_lost).join(
        matches.unmatched.rename({"reference": "image"}), on="image", how="left"
    )
    detail = pl.format("it names '{}': {}", "image", "detail")
    where = lost.with_columns(path=":where")
    faults = [
        findings_about(where.filter(check=check), check, detail)
        for check in lost["check"].unique().sort()
    ]
    rows = rows.filter(~is_lost)
    is_empty = pl.col("image_id").is_null() & pl.col("text").is_null()
    empty = rows.filter(is_empty).select(path=":where")
    faults.append(findings_about(empty, "bad-row", "it has no image and no text"))
    rows = rows.filter(~is_empty)
    is_first = pl.struct("id", "subset").is_first_distinct()
    twins = rows.filter(~is_first).select(path=":where")
    faults.append(findings_about(twins, "twin", "a row before it has the same id"))
    return rows.filter(is_first), faults


def _joined_texts(text: str | None) -> str | None:
    """Return a text; several texts in a list are joined by "and"."""
    if text is None or not text.startswith("["):
        return text
    try:
        parts = json.loads(text)
    except (*JSON_ERRORS, RecursionError):
        return text
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return text
    return " and ".join(part.strip() for part in parts) or None


def with_item_ids(records: pl.DataFrame) -> pl.DataFrame:
    """Add ``item_id``: the image, with a number if several rows have it; null for texts."""
    number = pl.int_range(1, pl.len() + 1).over("image_id")
    is_shared = pl.len().over("image_id") > 1
    numbered = pl.format("{}#{}", "image_id", number)
    shared = pl.when(is_shared).then(numbered).otherwise("image_id")
    return records.with_columns(item_id=pl.when(pl.col("image_id").is_not_null()).then(shared))


def stated_pairs(judged: pl.DataFrame) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Return the judgements of tables as pairs with grades, and finding rows.

    Judgements whose grade is not a whole number are left out.

    Args:
        judged: rows as ``read_tables`` returns them.
    """
    if judged.is_empty():
        return pl.DataFrame(schema={**_PAIR, ":table": pl.String, "split": pl.String}), []
    grade = pl.col("grade") if "grade" in judged.columns else pl.lit("1")
    number = grade.cast(pl.Float64, strict=False)
    rows = judged.with_columns(number=number, subset=pl.lit(None, pl.String))
    is_whole = (pl.col("number") == pl.col("number").round()) & pl.col("number").is_finite()
    odd = rows.filter(~is_whole.fill_null(value=False))
    findings = [
        (where, "bad-value", "its grade is not a whole number") for where in odd[":where"]
    ]
    rows = rows.filter(is_whole.fill_null(value=False)).with_columns(
        grade=pl.col("number").cast(pl.Int64, strict=False)
    )
    return rows.select(*_PAIR, ":table", "split"), findings


def listed_pairs(records: pl.DataFrame) -> pl.DataFrame:
    """Return the judgements in the column ``relevant`` of queries, with grade 1."""
    return _pairs(records, "relevant")


def _pairs(records: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the ids that ``column`` lists, as pairs with grade 1."""
    lists = records.filter(pl.col(column).is_not_null())
    cells = [_ids(text) for text in lists[column]]
    exploded = lists.select(
        "subset", ":table", query="id", item=pl.Series("item", cells, pl.List(pl.String))
    ).explode("item")
    return exploded.drop_nulls("item").select(
        "query", "item", "subset", ":table", grade=pl.lit(1, pl.Int64),
        split=pl.lit(None, pl.String),
    ).select(*_PAIR, ":table", "split")  # fmt: skip


def _ids(text: str) -> list[str]:
    """Return the ids of a cell: a list in JSON, also as ``members`` of an object, or one id."""
    if text.startswith(("[", "{")):
        try:
            values = json.loads(text)
        except (*JSON_ERRORS, RecursionError):
            values = None
        values = values.get("members") if isinstance(values, dict) else values
        if isinstance(values, list):
            return [v if isinstance(v, str) else json.dumps(v) for v in values]
    return [text]


def join_pairs(
    records: pl.DataFrame, pairs: pl.DataFrame, *, of_groups: bool = False
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Join judgements, or members of groups, with the rows of both sides.

    Returns:
        ``query_item``, ``query_text``, ``corpus_item``, ``corpus_text``, ``grade`` and
        ``split``, in the order of the judgements; a repeated one counts once. Unknown ids are
        finding rows.
    """
    sides = {
        name: records.filter(role=role).select(
            "id",
            pl.col("item_id").alias(f"{name}_item"),
            pl.col("text").alias(f"{name}_text"),
            pl.col("subset").alias(f"{name}_subset"),
        )
        for name, role in (("query", "query"), ("corpus", "gallery"))
    }
    findings: list[FindingRow] = []
    noun = "members of groups" if of_groups else "judgements"
    for name, key in (("query", "query"), ("corpus", "item")):
        missing = pairs.join(sides[name], left_on=key, right_on="id", how="anti")
        for (table,), part in missing.group_by(":table", maintain_order=True):
            examples = part[key].unique(maintain_order=True)
            detail = (
                f"{len(part):,} {noun} have an id that no row of the "
                f"{'queries' if name == 'query' else 'corpus'} has: "
                f"{bounded(examples.head(_EXAMPLES), len(examples), _EXAMPLES)}"
            )
            place = "members" if of_groups else key
            findings.append((f"{table}: {place}", "unjoined", detail))
        pairs = pairs.join(sides[name], left_on=key, right_on="id", maintain_order="left_right")
        same = pl.col("subset") == pl.col(f"{name}_subset")
        pairs = pairs.filter(same.fill_null(value=True))
    columns = ["query", "item", "query_subset", "corpus_subset", "grade"]
    return pairs.unique(columns, keep="first", maintain_order=True), findings


def with_members(
    items: pl.DataFrame, records: pl.DataFrame
) -> tuple[pl.DataFrame, list[FindingRow]]:
    """Return the items with ``members``, if the rows of queries list any, and finding rows.

    Args:
        items: the items, one for each query with an image.
        records: rows with ``item_id`` and the lists of ids as they are written.
    """
    listed = _pairs(records.filter(role="query"), "members")
    if listed.is_empty():
        return items, []
    pairs, unknown = join_pairs(records, listed, of_groups=True)
    lists = pairs.drop_nulls(["query_item", "corpus_item"]).group_by(
        item_id="query_item", maintain_order=True
    )
    members = lists.agg(members="corpus_item")
    return items.join(members, on="item_id", how="left", maintain_order="left"), unknown


def with_relevance(records: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the items with ``relevant``, ``grades`` and ``captions``, where there are any.

    Args:
        records: rows with ``item_id``; those of texts become captions.
        pairs: judgements as ``join_pairs`` returns them.
    """
    items = records.filter(pl.col("item_id").is_not_null()).drop("relevant", "members")
    both = pairs.drop_nulls(["query_item", "corpus_item"])
    lists = both.group_by(item_id="query_item", maintain_order=True).agg(
        relevant="corpus_item", grades="grade", judged="split"
    )
    lists = lists.with_columns(pl.col("judged").list.drop_nulls().list.first())
    if (both["grade"] == 1).all():
        lists = lists.drop("grades")
    if len(both):
        items = items.join(lists, on="item_id", how="left", maintain_order="left")
        items = items.with_columns(split=pl.coalesce("split", "judged")).drop("judged")
    positive = pairs.filter(pl.col("grade") >= 1)
    captions = pl.concat(
        positive.filter(pl.col(f"{other}_item").is_null())
        .drop_nulls(f"{side}_item")
        .select(item_id=f"{side}_item", caption=f"{other}_text", judged="split")
        for side, other in (("corpus", "query"), ("query", "corpus"))
    )
    if captions.is_empty():
        return items
    lists = captions.group_by("item_id", maintain_order=True).agg(
        pl.col("caption").unique(maintain_order=True).alias("captions"),
        pl.col("judged").drop_nulls().first(),
    )
    items = items.join(lists, on="item_id", how="left", maintain_order="left")
    return items.with_columns(
        text=pl.coalesce("text", pl.col("captions").list.first()),
        split=pl.coalesce("split", "judged"),
    ).drop("judged")


def lone_text_findings(records: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return a finding per table with texts that are relevant to no image."""
    used = {"query": "corpus", "corpus": "query"}
    rows = []
    for name, other in used.items():
        role = "query" if name == "query" else "gallery"
        texts = records.filter((pl.col("role") == role) & pl.col("item_id").is_null())
        known = pairs.filter(pl.col("grade") >= 1).drop_nulls(f"{other}_item")
        lone = texts.filter(~pl.col("text").is_in(known[f"{name}_text"].unique().implode()))
        for (table,), part in lone.group_by(":table", maintain_order=True):
            detail = (
                f"{counted(len(part), 'text', 'is', 'are')} relevant to no image, and left "
                f"out: {bounded(part['id'].head(_EXAMPLES), len(part), _EXAMPLES)}"
            )
            rows.append((str(table), "left-out", detail))
    return findings_from_rows(rows)
