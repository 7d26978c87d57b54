"""Validation by retrieval: each held-out item against all others."""

from collections.abc import Callable

import numpy as np

from likewise.evaluation.metrics import measure
from likewise.evaluation.ranking import Groups, rank_vectors
from likewise.formats.array_types import Float32Array
from likewise.models.training.loop import Validate
from likewise.models.training.objective import Objective
from likewise.models.training.training_data import TrainingData


def ranking_validator(
    embed: Callable[[Objective], Float32Array], held_out: TrainingData
) -> Validate | None:
    """Measure mAP and precision@1 of the vectors that ``embed`` gives of held-out items.

    Returns:
        None if no two held-out items have the same class.
    """
    codes = np.array(held_out.class_codes()[0], np.int64)
    if len(codes) == len(np.unique(codes)):
        return None
    same_class = Groups.alike(codes, codes)
    itself = Groups.one(np.arange(len(codes)))

    def validate(objective: Objective) -> dict[str, float]:
        vectors = embed(objective)
        ranked = rank_vectors(vectors, vectors, same_class, [itself]).ranked
        metrics = {"map": "ap", "precision@1": "precision@1"}
        return {
            name: float(np.nanmean(measure(metric, ranked))) for name, metric in metrics.items()
        }

    return validate
