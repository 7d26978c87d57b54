"""Oxford5k and Paris6k: lists of good, ok and junk images for each query.

Source: Philbin et al., Object Retrieval with Large Vocabularies and Fast Spatial Matching,
CVPR 2007, and the ground truth of https://www.robots.ox.ac.uk/~vgg/data/oxbuildings/.
"""

import math
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa

from likewise.errors import bounded
from likewise.formats.archives import FileCollection
from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import AnnotationFiles
from likewise.sources.base import (
    Source,
    SourceResult,
    findings_from_rows,
    is_image,
    no_images_error,
    source_result,
    whole_image_items,
)
from likewise.sources.delimited_text import FindingRow
from likewise.sources.table_rows import match_images
from likewise.storage.schema import Column

LISTS = ("good", "ok", "junk")

_IDS = pa.list_(pa.string())
_EXAMPLES = 3
_OXFORD = "oxc1_"
"""Prefix of the names of queries of Oxford5k."""


class GoodOkJunkSource(Source):
    """Landmark retrieval with four text files per query, next to images in any folder.

    ``{name}_query.txt`` has the name of an image and a box (x1, y1, x2, y2), and
    ``{name}_good.txt``, ``{name}_ok.txt`` and ``{name}_junk.txt`` list images, without suffix.
    All images are the gallery, in the order of their paths; then come the queries, which are
    boxes. The label of a query is its name without the number; its columns ``good``, ``ok`` and
    ``junk`` list ids of gallery items.
    """

    title: ClassVar[str] = "Landmarks"
    protocols: ClassVar[tuple[str, ...]] = ("oxford5k",)
    extra_columns: ClassVar[tuple[Column, ...]] = (
        Column("good", _IDS, "of a query: images that show it clearly", nullable=True),
        Column("ok", _IDS, "of a query: images that show more than 25 % of it", nullable=True),
        Column("junk", _IDS, "of a query: images that count neither way", nullable=True),
    )

    def read(self, files: FileCollection, annotations: Path) -> SourceResult:
        """See ``Source.read``."""
        images = files.listing().select("path").filter(is_image()).sort("path")["path"]
        texts = AnnotationFiles(files, annotations)
        names = texts.find(r"_(query|good|ok|junk)\.txt\z")
        if not names.str.ends_with("_query.txt").any():
            raise texts.missing_error("all_souls_1_query.txt and all_souls_1_good.txt")
        if images.is_empty():
            raise no_images_error(files, "images that the queries name")
        queries, lists, findings = _read(texts, names)
        wanted = [query["image"] for query in queries] + [
            n for part in lists.values() for n in part
        ]
        matches = match_images(pl.Series("reference", wanted, pl.String), images, files.path)
        ids = dict(matches.matched.select("reference", "path").iter_rows())
        rows, unknown = _items(queries, lists, ids)
        findings += unknown
        listed = {name: pl.List(pl.String) for name in LISTS}
        schema: dict[str, Any] = {
            **dict.fromkeys(("item_id", "image_id", "label", "role"), pl.String),
            "box": pl.List(pl.Float32),
            **listed,
        }
        boxes = pl.DataFrame(rows, schema).with_columns(pl.col("box").list.to_array(4))
        gallery = pl.DataFrame({"item_id": images, "image_id": images, "role": "gallery"})
        items = pl.concat([gallery, boxes], how="diagonal")
        return source_result(
            files,
            items,
            findings_from_rows(findings),
            extra_columns=self.extra_columns,
            whole_images=whole_image_items(items),
        )


def _items(
    queries: list[dict[str, Any]], lists: dict[str, list[str]], ids: dict[str, str]
) -> tuple[list[dict[str, Any]], list[FindingRow]]:
    """Return the query items, and findings about names without an image."""
    rows: list[dict[str, Any]] = []
    numbers: dict[str, int] = defaultdict(int)
    findings = [row for where, names in lists.items() for row in _missing(where, names, ids)]
    for query in queries:
        image = ids.get(query["image"])
        if image is None:
            detail = f"no image is called {query['image']}"
            findings.append((query["where"], "dangling", detail))
            continue
        numbers[image] += 1
        row: dict[str, Any] = {"item_id": f"{image}#{numbers[image]}", "image_id": image}
        row |= {"role": "query", "label": query["label"], "box": query["box"]}
        for kind in LISTS:
            names = lists.get(query["stem"] + f"{kind}.txt", ())
            row[kind] = [ids[name] for name in names if name in ids]
        rows.append(row)
    return rows, findings


def _read(
    texts: AnnotationFiles, names: pl.Series
) -> tuple[list[dict[str, Any]], dict[str, list[str]], list[FindingRow]]:
    """Return the queries, the lists by their path, and findings about invalid files."""
    queries: list[dict[str, Any]] = []
    lists: dict[str, list[str]] = {}
    findings: list[FindingRow] = []
    for where, data in sorted(texts.read(names)):
        try:
            text = data.decode()
        except UnicodeDecodeError:
            findings.append((where, "bad-annotation", "it is not UTF-8"))
            continue
        if not where.endswith("_query.txt"):
            lists[where] = list(dict.fromkeys(text.split()))
            continue
        image, *numbers = text.split() or [""]
        box = _numbers(numbers)
        if box is None:
            detail = "expected the name of an image, and x1, y1, x2, y2"
            findings.append((where, "bad-annotation", detail))
            continue
        name = where.rpartition("/")[2].removesuffix("_query.txt")
        landmark, _, number = name.rpartition("_")
        label = landmark if landmark and number.isdecimal() else name
        image = image.removeprefix(_OXFORD)
        stem = where.removesuffix("query.txt")
        queries.append(
            {"where": where, "stem": stem, "image": image, "label": label, "box": box}
        )
    for query in queries:
        for kind in LISTS:
            where = query["stem"] + f"{kind}.txt"
            if where not in lists:
                findings.append((where, "absent", "the query has no such list; it is empty"))
    return queries, lists, findings


def _numbers(words: list[str]) -> list[float] | None:
    """Return the corners of a box with an area; None if they are not valid."""
    try:
        x1, y1, x2, y2 = box = [float(word) for word in words]
    except ValueError:
        return None
    return box if all(map(math.isfinite, box)) and x1 < x2 and y1 < y2 else None


def _missing(where: str, names: list[str], ids: dict[str, str]) -> list[FindingRow]:
    """Return a finding row about names of a list that no image has."""
    missing = [name for name in names if name not in ids]
    if not missing:
        return []
    shown = bounded(missing[:_EXAMPLES], len(missing), _EXAMPLES)
    detail = (
        f"{len(missing):,} of {counted(len(names), 'name', 'has', 'have')} no image: {shown}"
    )
    return [(where, "dangling", detail)]
