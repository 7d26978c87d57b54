"""Validation during training: the scores on held-out items that choose the best weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from likewise.errors import DataError
from likewise.models.training.training_data import TrainingData

if TYPE_CHECKING:
    from likewise.models.training.loop import Validate
    from likewise.models.training.objective import Objective
    from likewise.models.training.trainer import ModelBuilder


def retrieval_validator(builder: "ModelBuilder", held_out: TrainingData) -> "Validate | None":
    """Measure mAP and precision@1 of each held-out item against all others.

    Returns:
        None if no two held-out items have the same class.
    """
    from likewise.models.training.ranking_validation import ranking_validator

    return ranking_validator(
        lambda objective: builder.embed(objective.model, held_out), held_out
    )


def accuracy_validator(
    builder: "ModelBuilder", held_out: TrainingData, names: Sequence[str]
) -> "Validate | None":
    """Measure the accuracy of an objective's classifier on the held-out items.

    Args:
        builder: embeds the items.
        held_out: items of known classes.
        names: the class names in the order of the classifier's outputs.

    Returns:
        None if nothing is held out.
    """
    import torch

    if not len(held_out):
        return None
    number = {name: code for code, name in enumerate(names)}
    codes = torch.tensor([number[label] for label in held_out.items["label"]])

    def validate(objective: Any) -> dict[str, float]:
        vectors = torch.from_numpy(builder.embed(objective.model, held_out))
        classifier = objective.classifier
        with torch.inference_mode():
            scores = classifier(vectors.to(classifier.weight.device)).cpu()
        return {"accuracy": float((scores.argmax(dim=1) == codes).double().mean())}

    return validate


def pair_validator(builder: "ModelBuilder", held_out: TrainingData) -> "Validate | None":
    """Measure acc@1, acc@5 and acc@10 of held-out queries against the held-out gallery.

    Returns:
        None if nothing is held out.

    Raises:
        DataError: the held-out items have no query, or no gallery item.
    """
    import numpy as np

    from likewise.evaluation.metrics import measure
    from likewise.evaluation.ranking import Groups, rank_vectors

    if not len(held_out):
        return None
    roles = np.array(held_out.items["role"].to_list())
    query, gallery = roles == "query", roles == "gallery"
    if not query.any() or not gallery.any():
        raise DataError(
            f"the items of {held_out.name} for validation have no query, or no gallery item"
        )
    codes = np.array(held_out.class_codes()[0], np.int64)
    pairs = Groups.alike(codes[query], codes[gallery])

    def validate(objective: "Objective") -> dict[str, float]:
        vectors = builder.embed(objective.model, held_out)
        ranked = rank_vectors(vectors[query], vectors[gallery], pairs).ranked
        return {n: float(np.nanmean(measure(n, ranked))) for n in ("acc@1", "acc@5", "acc@10")}

    return validate
