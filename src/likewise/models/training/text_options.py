"""Options of contrastive image-text training, and the texts that it reads."""

from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from likewise.errors import DataError
from likewise.models.passport import Architecture
from likewise.models.training.options import TrainingOptions
from likewise.models.training.training_data import PART, TrainingData


class TextOptions(TrainingOptions):
    """Options of the recipe contrastive-text.

    Attributes:
        image: locked (the backbone is frozen) or trained (both towers learn; the last weights
            are kept).
        words: the texts: text (the column of that name), label, or text-or-label (the label of
            items without a text).
        classifier: ``package:NAME`` or ``file:PATH`` (relative to the catalogue), the
            weights of the backbone with its classifier of ImageNet. The names of the classes
            are learned too, each with the row of its class in place of images, so that words
            which no item has are known. Only with ``image: locked`` and ``dim: 0``.
        text_init: random, or regression: the text tower is linear and starts from a ridge
            regression of the vectors of the texts (of a text: the mean vector of its images, or
            the row of its class), so that a word has the same vector in each text. Only with
            ``image: locked`` and ``dim: 0``.
        ridge: weight of the ridge of ``text_init: regression``.
        dim: length of a linear layer on the backbone's vectors, which learns in both modes; 0
            for none.
        width: length of the vectors of pieces, and of the hidden layer of the text tower.
        ngrams: smallest and largest length of the n-grams.
        piece_dropout: share of the pieces of a text that are left out in training.
        loss: infonce (the symmetric loss of CLIP) or sigmoid (SigLIP's).
        batch: items per step.
        epochs: passes over the items; 0 keeps the start, which must be a regression.
        lr: maximum learning rate.
        weight_decay: weight decay of the optimiser.
    """

    image: Literal["locked", "trained"] = "locked"
    words: Literal["text", "label", "text-or-label"] = "text"
    classifier: str | None = Field(default=None, pattern=r"^(package|file):.+$")
    text_init: Literal["random", "regression"] = "random"
    ridge: float = Field(default=0.3, gt=0)
    dim: int = Field(default=0, ge=0)
    width: int = Field(default=128, gt=0)
    ngrams: tuple[int, int] = (3, 5)
    piece_dropout: float = Field(default=0.2, ge=0, lt=1)
    loss: Literal["infonce", "sigmoid"] = "infonce"
    batch: int = Field(default=256, gt=0)
    epochs: int = Field(default=100, ge=0)
    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)

    @model_validator(mode="after")
    def _check_modes(self) -> Self:
        """Refuse options that a mode does not read."""
        if not 1 <= self.ngrams[0] <= self.ngrams[1]:
            raise ValueError("ngrams must be two lengths, the smaller first: [3, 5]")
        if self.image == "trained" and (self.validation or self.ema):
            raise ValueError(
                "image: trained keeps the last weights; set validation: 0 and leave out ema"
            )
        if self.image == "trained" and self.init_share:
            raise ValueError("init_share would change vectors of images only; leave it out")
        if self.image == "locked" and self.partial:
            names = ", ".join(self.partial)
            raise ValueError(f"{names}: the backbone is frozen; set image: trained")
        if self.classifier and (self.image == "trained" or self.dim):
            raise ValueError("classifier needs image: locked and dim: 0, the backbone's space")
        if self.text_init == "regression" and (self.image == "trained" or self.dim):
            raise ValueError("text_init: regression needs image: locked and dim: 0")
        if not self.epochs and self.text_init == "random":
            raise ValueError("epochs: 0 needs text_init: regression; a random tower must learn")
        return self

    def architecture(self, base: Architecture) -> Architecture:
        """Return the layers on top of the backbone."""
        update = {"projection_dim": self.dim, "normalise_before_projection": self.dim > 0}
        return base.model_copy(update=update)

    def with_texts(self, data: TrainingData) -> TrainingData:
        """Keep the items that have a text, and set their column ``text``.

        Raises:
            DataError: no item has a text.
        """
        label = pl.col("label")
        if PART in data.items.columns and not self.merge_labels:
            label = label.str.replace(r"^[a-z0-9_]+:", "")  # the name of the data set
        label = label.str.replace_all("[_-]+", " ")
        text = {
            "text": pl.col("text"),
            "label": label,
            "text-or-label": pl.coalesce("text", label),
        }[self.words]
        items = data.items.with_columns(text=text.str.strip_chars())
        kept = data.with_items(items.filter(pl.col("text").fill_null("") != ""))
        if not len(kept):
            raise DataError(
                f"no training item of {data.name} has a text; set words: label, to learn from "
                "the words of labels"
            )
        return kept
