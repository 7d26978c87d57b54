"""ILIAS from texts to images."""

from typing import Any, ClassVar

import numpy as np
import polars as pl

from likewise.errors import DataError
from likewise.evaluation.metrics import METRICS, measure
from likewise.evaluation.protocols.averages import Averages
from likewise.evaluation.protocols.base import Evaluation
from likewise.evaluation.protocols.exclusions import codes
from likewise.evaluation.protocols.inputs import as_vectors, l2_normalised
from likewise.evaluation.protocols.instances import Ilias
from likewise.evaluation.protocols.query_sets import (
    select_gallery,
    select_queries,
)
from likewise.evaluation.protocols.text_protocol import TextProtocol
from likewise.evaluation.ranking import Groups, Progress, rank_vectors
from likewise.formats.array_types import AnyArray, Float32Array


class IliasText(TextProtocol):
    """mAP@1k from the texts of objects to positives and distractors, in percent.

    A query is a text of the query items of a label. Relevant are the gallery items with this
    label; precision is divided as in ``ilias``, and a query without hits scores 0.

    Source: Kordopatis-Zilos et al., ILIAS, CVPR 2025 (arXiv:2502.11748), and
    ``evaluation/src/dataset.py`` of the repository ilias-vrg/ilias.
    """

    name: ClassVar[str] = "ilias-text"
    columns: ClassVar[tuple[str, ...]] = ("label", "subset", "role", "text")

    @property
    def formula(self) -> str:
        """The formula of the main metric."""
        return f"mean over texts of {METRICS['ap-smaller'].formula}, k = 1000"

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        spec = Ilias.spec.describe()
        shared = {name: spec[name] for name in spec if name not in ("queries", "left_out")}
        return {
            "queries": "distinct texts of the items with role query of every label",
            "templates": self._templates_text(),
            **shared,
        }

    def texts(self, rows: pl.DataFrame) -> list[str]:
        """Return the texts of the queries, in the order of the items."""
        return self._queries(rows)["text"].to_list()

    def evaluate_texts(
        self,
        vectors: AnyArray,
        text_vectors: Float32Array,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Rank the gallery for every text."""
        queries, gallery = self._queries(rows), select_gallery(rows, Ilias.spec)
        items = l2_normalised(*as_vectors(vectors, rows["item_id"]))
        texts = l2_normalised(*as_vectors(text_vectors, queries["text"]))
        labels, own = codes(rows, ["label"]), queries["row"].to_numpy()
        relevant = Groups.alike(labels[own], labels[gallery])
        ranked = rank_vectors(texts, items[gallery], relevant, progress=progress).ranked
        if not (ranked.relevant > 0).any():
            raise DataError("nothing can be scored: no text has a relevant item in the gallery")
        means = Averages(Ilias.spec, rows[own], labels[own])
        columns = {}
        for name, title, subset in (
            (Ilias.spec.metric, "mAP@1k", "mAP@1k {}"),
            ("ir-recall@1000", "ir-recall@1000", ""),
        ):
            values = np.where(ranked.relevant > 0, measure(name, ranked), 0)
            means.add(values, title, subset)
            columns["value" if subset else title] = values
        counts = {
            "queries": len(queries),
            "gallery": len(gallery),
            "labels": len(np.unique(labels[own])),
        }
        table = rows[own].select("item_id", "label", "subset").with_columns(**columns)
        notes = [f"texts: {len(queries):,}"]
        without = int((ranked.relevant == 0).sum())
        if without:
            notes.append(f"queries without relevant items, scored 0: {without:,}")
        described = self.describe()
        return Evaluation(
            means.values, table, described, notes, means.intervals, counts, means.unrounded
        )

    def _queries(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return row (of the first item), label and text of every query.

        Raises:
            DataError: no query item has a label and a text.
        """
        self.check_items(rows)
        chosen = select_queries(rows, Ilias.spec)
        items = rows[chosen].select("label", "text", row=pl.Series(chosen))
        known = items.filter(
            pl.col("label").is_not_null() & (pl.col("text").str.strip_chars() != "")
        )
        if known.is_empty():
            raise DataError(
                "nothing can be scored: no item with the role query has a label and a text"
            )
        return known.unique(["label", "text"], keep="first", maintain_order=True)
