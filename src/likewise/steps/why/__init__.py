"""Trace the origin of a model, of a data set's vectors or of one vector."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.steps.why.column_facts import column_facts, run_facts
from likewise.steps.why.fact import Fact
from likewise.steps.why.item_facts import item_facts
from likewise.steps.why.model_facts import model_facts

__all__ = ["Fact", "why"]


def why(
    name: str,
    model: str | None = None,
    item: str | None = None,
    *,
    workspace: StrPath | None = None,
) -> list[Fact]:
    """Trace the origin of a model, of a data set's vectors by it, or of one item's vector.

    For a model: the facts of its passport, and changes since. For a data set and a model: the
    chain from card and digests over recipe and weights to the column and its runs. For an item:
    also the cosine between the stored vector and a newly computed one.

    Args:
        name: a model; or a data set, followed by one of its models.
        model: the model of the vectors.
        item: an item of the data set.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such data set or model.
        MissingArtefactError: the model is not made yet, or the vectors are not published.
        DataError: the data set has no such item, it cannot be decoded, or the arguments are
            in another order.

    Example:
        >>> for fact in likewise.why("tiny")[1:3]:
        ...     print(fact.what, "=", fact.value)
        backbone = test_resnet.r160_in1k
        weights = random seed 0
    """
    ws = open_workspace(workspace)
    if model is None:
        return model_facts(ws, name)
    if name in ws.params.recipes() and (
        model in ws.params.datasets or model in ws.params.all_views
    ):
        raise DataError(
            f"{name!r} is a model and {model!r} a data set; "
            f"the data set is first: likewise why {model} {name}"
        )
    ws.check_known(name)
    dataset = Dataset(ws, name)
    dataset.need_model(model)
    facts = column_facts(ws, dataset, model)
    facts[-1:-1] = [Fact(f"model: {f.what}", f.value, f.remark) for f in model_facts(ws, model)]
    if item is not None:
        return facts + item_facts(ws, dataset, model, item)
    return facts + run_facts(ws, name, model)
