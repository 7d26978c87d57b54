"""ARNet: retrieval of photographs by sketches of the same thing (FG-SBIR)."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self, cast

import polars as pl
from pydantic import Field, model_validator

from likewise.errors import DataError, bounded
from likewise.formats.counted_nouns import counted
from likewise.models.passport import Architecture, Passport
from likewise.models.recipes.base import TrainedRecipe
from likewise.models.recipes.validation import pair_validator
from likewise.models.training.training_data import TrainingContext, TrainingData

if TYPE_CHECKING:
    from likewise.models.training.descriptor import Descriptor, DualEncoder
    from likewise.models.training.samplers import Units
    from likewise.models.training.trainer import ModelBuilder, TrainingSetup


class Arnet(TrainedRecipe):
    """FG-SBIR "Basic": encoders for sketches and photographs, four NT-Xent terms.

    Items of the role query are the sketches, items of the role gallery the photographs; items
    with the same label form a pair. Validation holds out whole pairs.

    ``original`` counts false negatives (a photograph twice in a batch) as negatives, and
    chooses the best weights on the test split, as the original program does.

    Attributes:
        dim: length of the linear layer; 0 for none.
        tau: temperature of NT-Xent.
        shared_encoder: use one encoder for sketches and photographs.
        augmented_views: contrast every image with an augmented view of itself too (terms 2 and
            3), as the paper does. If false, the pairs themselves are augmented.
        pseudo_sketch_ratio: share of sketches that are replaced by edges of the photograph.
        gallery_input: input for photographs: the picture, its grey version, or the average over
            its grey version and its edges (a pseudo-sketch).
        test_split: the split that ``original`` chooses weights on.
        weights: ``file:PATH`` (relative to the catalogue), a checkpoint of the original program
            to start from. It was trained on pixels from 0 to 1, so the initial model needs
            ``mean: [0, 0, 0]``, ``std: [1, 1, 1]``, ``crop_pct: 1.0``, ``crop_mode: squash``.
        epochs: passes over the items; 0 keeps the weights of the checkpoint.

    Source: the programs of FG-SBIR ARNet; NT-Xent: Chen et al., SimCLR, ICML 2020.
    """

    kind: ClassVar[str] = "arnet"
    has_original: ClassVar[bool] = True
    dim: int = Field(default=512, ge=0)
    tau: float = Field(default=0.07, gt=0)
    shared_encoder: bool = False
    augmented_views: bool = True
    pseudo_sketch_ratio: float = Field(default=0.0, ge=0, le=1)
    gallery_input: Literal["picture", "grey", "edges"] = "picture"
    test_split: str = "test"
    weights: str | None = Field(default=None, pattern=r"^file:.+$")
    epochs: int = Field(default=20, ge=0)

    @model_validator(mode="after")
    def _check_epochs(self) -> Self:
        """Refuse a model without training and without weights, and LoRA with weights."""
        if self.weights is not None and self.lora_rank:
            raise ValueError(
                "lora_rank cannot be combined with weights; load them by an entry with epochs: "
                "0, and name it as init"
            )
        if not self.epochs and self.weights is None:
            raise ValueError("epochs must be at least 1, except with weights")
        return self

    def entry(self) -> dict[str, object]:
        """Return the kind and all options, without the folder of a file of weights."""
        entry = super().entry()
        if self.weights is None:  # older passports lack it
            del entry["weights"]
        else:
            entry["weights"] = f"file:{Path(self.weights.partition(':')[2]).name}"
        return entry

    def make(
        self,
        folder: Path,
        seed: int,
        context: TrainingContext | None = None,
        *,
        root: Path | None = None,
    ) -> Passport:
        """Train the model, from a checkpoint if one is given, and write it into ``folder``.

        Raises:
            ConfigError: ``context`` is None.
            DataError: the data or the checkpoint do not fit the recipe.
            Stopped: the process received SIGTERM; the training was saved.
        """
        required = self.require(context)
        from likewise.models.training import trainer

        if self.weights is None:
            return super().make(folder, seed, required, root=root)
        from likewise.models.training.arnet_checkpoint import load_weights

        path = (root or Path()) / Path(self.weights.partition(":")[2]).expanduser()
        origin = ""

        def setup(builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
            nonlocal origin
            parts = self.setup(builder, data)
            model = cast("Descriptor | DualEncoder", parts.objective.model)
            origin = load_weights(model, path, f"weights {self.weights!r}")
            return parts

        passport = trainer.train(self, setup, self.entry(), (folder, seed, required))
        source = f"{passport.weights_source}, {origin}" if self.epochs else origin
        passport = passport.model_copy(update={"weights_source": source})
        passport.write(folder)
        return passport

    def architecture(self, base: Architecture) -> Architecture:
        """Return the layers on top of the backbone."""
        return base.model_copy(
            update={
                "projection_dim": self.dim,
                "branches": 1 if self.shared_encoder else 2,
                "gallery_input": self.gallery_input,
            }
        )

    def setup(self, builder: "ModelBuilder", data: TrainingData) -> "TrainingSetup":
        """Train on pairs of sketches and photographs."""
        from likewise.models.training.descriptor import DualEncoder
        from likewise.models.training.pair_objectives import PairObjective
        from likewise.models.training.samplers import ShuffledSampler
        from likewise.models.training.trainer import TrainingSetup

        _queries_and_gallery(data)  # reported before the error about held-out items
        training, held_out = self._hold_out(data)
        training, units = _paired(training)
        architecture = self.architecture(builder.base)
        query = builder.descriptor(architecture)
        model = (
            query
            if self.shared_encoder
            else DualEncoder(query, builder.second_descriptor(architecture))
        )
        objective = PairObjective(
            model,
            builder.augmenter(self),
            builder.preprocessing,
            training.class_codes()[0],
            self,
        )
        return TrainingSetup(
            objective,
            ShuffledSampler(units, self.batch, builder.seed),
            training,
            architecture,
            pair_validator(builder, held_out),
        )

    def _hold_out(self, data: TrainingData) -> tuple[TrainingData, TrainingData]:
        labelled = data.labelled()
        if self.original:
            return labelled, labelled.whole_dataset().in_split(self.test_split).labelled()
        return labelled.hold_out("label", self.validation, 0)


class ArnetMstr(Arnet):
    """ARNet with corrected multi-scale token recycling; see ``training/token_recycling.py``.

    It needs a vision transformer with one class token. Initialise it from an ``arnet`` model,
    as the paper does, or from any other. The loss is that of ARNet plus a decorrelation of the
    tokens of sketches and photographs. The last linear layer has torch's default
    initialisation; the published program uses Kaiming-normal.
    """

    kind: ClassVar[str] = "arnet-mstr"

    def architecture(self, base: Architecture) -> Architecture:
        """Return the layers on top of the backbone."""
        return super().architecture(base).model_copy(update={"head": "recycle"})


def _queries_and_gallery(data: TrainingData) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the items of the roles query and gallery.

    Raises:
        DataError: one of the roles has no items.
    """
    queries = data.filter(pl.col("role") == "query").items
    gallery = data.filter(pl.col("role") == "gallery").items
    if not len(queries) or not len(gallery):
        raise DataError(
            f"{data.name} has no training pairs: {counted(len(queries), 'item')} of the role "
            f"query (sketches), {len(gallery):,} of the role gallery (photographs); choose a "
            "data set whose source gives both"
        )
    return queries, gallery


def _paired(data: TrainingData) -> tuple[TrainingData, "Units"]:
    """Return the queries followed by the gallery, and the rows of each pair.

    Raises:
        DataError: a role has no items, or a query has no gallery item of its label.
    """
    from likewise.models.training.samplers import pair_rows

    queries, gallery = _queries_and_gallery(data)
    unpaired = queries.filter(~pl.col("label").is_in(gallery["label"].implode()))
    if len(unpaired):
        raise DataError(
            f"{counted(len(unpaired), f'query of {data.name}', 'has', 'have')} no photograph "
            f"of the same label: {bounded(unpaired['item_id'], len(unpaired))}; correct the "
            "data, or exclude them in the card: source: exclude: [...]"
        )
    units = pair_rows(queries["label"].to_list(), gallery["label"].to_list())
    return data.with_items(pl.concat([queries, gallery])), units
