"""How good a model in the making is on what was held out: what weights are chosen by."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from likewise.errors import DataError
from likewise.models.training.training_data import Material

if TYPE_CHECKING:
    from likewise.models.training.loop import Validate
    from likewise.models.training.objective import Task
    from likewise.models.training.trainer import Bench


def by_class(bench: "Bench", held: Material) -> "Validate | None":
    """Mean average precision and precision at 1, every item against all others (strict).

    None where no two held-out items are of one class.
    """
    import numpy as np

    from likewise.evaluation.metrics import measure
    from likewise.evaluation.ranking import Groups, rank_vectors

    codes = np.array(held.codes()[0], np.int64)
    if len(codes) == len(np.unique(codes)):
        return None
    same, own = Groups.alike(codes, codes), Groups.one(np.arange(len(codes)))

    def judge(task: "Task") -> dict[str, float]:
        vectors = bench.vectors(task.model, held)
        ranked = rank_vectors(vectors, vectors, same, [own]).ranked
        found = {"map": "ap", "precision@1": "precision@1"}
        return {said: float(np.nanmean(measure(name, ranked))) for said, name in found.items()}

    return judge


def by_accuracy(bench: "Bench", held: Material, names: Sequence[str]) -> "Validate | None":
    """The share of the held-out items that the classifier of a task gives their own class.

    ``names`` are the classes by number. None where nothing is held out.
    """
    import torch

    if not len(held):
        return None
    number = {name: code for code, name in enumerate(names)}
    codes = torch.tensor([number[label] for label in held.items["label"]])

    def judge(task: Any) -> dict[str, float]:
        vectors = torch.from_numpy(bench.vectors(task.model, held))
        with torch.inference_mode():
            scores = task.classifier(vectors.to(task.classifier.weight.device)).cpu()
        return {"accuracy": float((scores.argmax(dim=1) == codes).double().mean())}

    return judge


def by_pair(bench: "Bench", held: Material) -> "Validate | None":
    """Acc@1, 5 and 10 of queries against the gallery of the held-out pairs.

    None where nothing is held out.

    Raises:
        DataError: only one side of the held-out pairs is there.
    """
    import numpy as np

    from likewise.evaluation.metrics import measure
    from likewise.evaluation.ranking import Groups, rank_vectors

    if not len(held):
        return None
    roles = np.array(held.items["role"].to_list())
    query, gallery = roles == "query", roles == "gallery"
    if not query.any() or not gallery.any():
        raise DataError(f"what is held out of {held.name} has no query, or no gallery")
    codes = np.array(held.codes()[0], np.int64)
    pairs = Groups.alike(codes[query], codes[gallery])

    def judge(task: "Task") -> dict[str, float]:
        vectors = bench.vectors(task.model, held)
        ranked = rank_vectors(vectors[query], vectors[gallery], pairs).ranked
        return {n: float(np.nanmean(measure(n, ranked))) for n in ("acc@1", "acc@5", "acc@10")}

    return judge
