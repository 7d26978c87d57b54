"""ARNet: sketches and photographs of the same thing, brought together (FG-SBIR)."""

from typing import TYPE_CHECKING, ClassVar, Literal

import polars as pl
from pydantic import Field

from likewise.errors import DataError, bounded
from likewise.models.passport import Architecture
from likewise.models.recipes.base import Trained
from likewise.models.recipes.validation import by_pair
from likewise.models.training.training_data import Material

if TYPE_CHECKING:
    from likewise.models.training.samplers import Units
    from likewise.models.training.trainer import Bench, Lesson


class Arnet(Trained):
    """FG-SBIR "Basic": an encoder for sketches, one for photographs, four NT-Xent terms.

    Items of the role query are the sketches, those of the role gallery the photographs; what
    has the same label is a pair. ``shared_encoder`` has one encoder for both.
    ``augmented_views`` compares every image with an augmented view of itself too (terms 2 and
    3), as the paper does; without it the pairs themselves are augmented.
    ``pseudo_sketch_ratio`` is the share of sketches that is replaced by edges of the
    photograph. ``gallery_input`` is how photographs are seen: as they are, in grey, or in grey
    and as a pseudo-sketch of their edges, averaged.

    ``original`` has false negatives (a photograph twice in a batch) count as negatives, and
    chooses the best weights on the test split, as the original program does.

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

    def architecture(self, base: Architecture) -> Architecture:
        """What stands on the backbone."""
        return base.model_copy(
            update={
                "project": self.dim,
                "branches": 1 if self.shared_encoder else 2,
                "gallery": self.gallery_input,
            }
        )

    def lesson(self, bench: "Bench", material: Material) -> "Lesson":
        """Pairs to bring together; whole pairs are held out."""
        from likewise.models.training.descriptor import Branches
        from likewise.models.training.pair_objectives import PairTask
        from likewise.models.training.samplers import Shuffled
        from likewise.models.training.trainer import Lesson

        _need_sides(material)  # before any is held out: that may be all there is to say
        learned, held = self._split(material)
        material, units = _pairs(learned)
        architecture = self.architecture(bench.base)
        query = bench.descriptor(architecture)
        model = query if self.shared_encoder else Branches(query, bench.another(architecture))
        task = PairTask(model, bench.views(self), bench.config, material.codes()[0], self)
        return Lesson(
            task,
            Shuffled(units, self.batch, bench.seed),
            material,
            architecture,
            by_pair(bench, held),
        )

    def _split(self, material: Material) -> tuple[Material, Material]:
        labelled = material.labelled()
        if self.original:
            return labelled, labelled.whole().part(self.test_split).labelled()
        return labelled.held_out("label", self.validation, 0)


class ArnetMstr(Arnet):
    """ARNet with multi-scale token recycling, built right; see ``training/recycle.py``.

    A vision transformer with one class token. Start it from an ``arnet`` model, as the paper
    does, or from any other. The loss is ARNet's plus the decorrelation of both sides' tokens.
    The last linear layer begins as torch's do; the published one begins Kaiming-normal.
    """

    kind: ClassVar[str] = "arnet-mstr"

    def architecture(self, base: Architecture) -> Architecture:
        """What stands on the backbone."""
        return super().architecture(base).model_copy(update={"head": "recycle"})


def _need_sides(material: Material) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The queries and the gallery.

    Raises:
        DataError: one of them is not there.
    """
    queries = material.where(pl.col("role") == "query").items
    gallery = material.where(pl.col("role") == "gallery").items
    if not len(queries) or not len(gallery):
        raise DataError(
            f"{material.name} has no pairs to learn from: {len(queries):,} items of the role "
            f"query (sketches), {len(gallery):,} of the role gallery (photographs); choose a "
            "data set whose source gives both"
        )
    return queries, gallery


def _pairs(material: Material) -> tuple[Material, "Units"]:
    """The queries and then the gallery, and which of them are pairs.

    Raises:
        DataError: one side is not there, or a query has nothing in the gallery.
    """
    from likewise.models.training.samplers import pairs

    queries, gallery = _need_sides(material)
    alone = queries.filter(~pl.col("label").is_in(gallery["label"].implode()))
    if len(alone):
        raise DataError(
            f"{len(alone):,} queries of {material.name} have no photograph of their label: "
            f"{bounded(alone['item_id'], len(alone))}; mend the data, or leave them out by the "
            "card: source: exclude: [...]"
        )
    paired = pl.concat([queries, gallery])
    units = pairs(queries["label"].to_list(), gallery["label"].to_list())
    return material.of(paired), units
