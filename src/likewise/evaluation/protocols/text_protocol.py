"""The interface of protocols that compare items with texts."""

from abc import abstractmethod
from typing import NoReturn

import polars as pl
from pydantic import field_validator

from likewise.errors import DataError
from likewise.evaluation.protocols.base import Evaluation, Protocol
from likewise.evaluation.protocols.query_sets import require_columns
from likewise.evaluation.protocols.spec import ProtocolSpec
from likewise.evaluation.ranking import Progress
from likewise.formats.array_types import AnyArray, Float32Array

TEST_ITEMS = ProtocolSpec(
    queries={"split": ("test", "val")},
    gallery={"split": ("test", "val")},
    query_in_gallery=False,
    normalise=True,
    metric_title="accuracy",
    subset_title="accuracy {}",
)
"""The test items, or all items of a data set without splits."""


class TextProtocol(Protocol):
    """A protocol that compares the vectors of items with vectors of texts, of one model.

    A run of such a protocol needs a model with a text tower.

    Attributes:
        templates: sentences in which ``{}`` stands for a text; the vector of a text is the
            normalised mean of its sentences. By default those of the model's passport.
    """

    templates: tuple[str, ...] | None = None

    @field_validator("templates")
    @classmethod
    def _check_templates(cls, templates: tuple[str, ...] | None) -> tuple[str, ...] | None:
        wrong = [one for one in templates or () if one.count("{}") != 1]
        if wrong or templates == ():
            raise ValueError('each template has {} once: ["a photo of a {}."]')
        return templates

    def check_items(self, rows: pl.DataFrame) -> None:
        """Check that the items have the columns of the protocol."""
        require_columns(self.name, self.columns, rows)

    @abstractmethod
    def texts(self, rows: pl.DataFrame) -> list[str]:
        """Return the texts to embed, in the order of ``text_vectors``.

        Raises:
            DataError: a column is missing, or there is no text.
        """

    @abstractmethod
    def evaluate_texts(
        self,
        vectors: AnyArray,
        text_vectors: Float32Array,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Score one vector per item by the vectors of the texts.

        Args:
            vectors: (n, d) numbers that can be converted to float32.
            text_vectors: (m, d) vectors of ``texts``.
            rows: item_id and ``columns`` of the n items.
            progress: called after every block of queries.

        Raises:
            DataError: shape or type do not fit, a value is NaN or infinite, or no query can be
                scored.
        """

    def evaluate_vectors(
        self,
        vectors: object,
        rows: pl.DataFrame,
        *,
        progress: Progress | None = None,
    ) -> NoReturn:
        """Refuse vectors of items alone.

        Raises:
            DataError: always; vectors of texts are missing.
        """
        raise DataError(
            f"{self.name} compares items with texts, so it needs a model with a text tower: "
            f"likewise add-run DATASET MODEL {self.name}"
        )

    def _templates_text(self) -> str:
        """Return the templates as a report prints them."""
        if self.templates is None:
            return "those of the model"
        return " | ".join(self.templates)
