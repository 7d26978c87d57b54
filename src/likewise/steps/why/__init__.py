"""Where something comes from: a model, a column of vectors and its numbers, or one vector."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
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
    """Why a model, a data set's vectors by it, or an item's vector is what it is.

    Of a model: every fact of its passport, and what has changed since. Of a data set and a
    model: the chain from card and digests over recipe and weights to the column and its runs.
    Of an item too: its pixels are embedded again, and compared with the stored vector.

    Args:
        name: a model, or a data set and then a model of it.
        model: whose vectors.
        item: an item of the data set.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such data set or model.
        MissingArtefactError: the model is not made yet, or the vectors are not published.
        DataError: no such item, or it cannot be decoded.
    """
    ws = open_workspace(workspace)
    if model is None:
        return model_facts(ws, name)
    ws.check_known(name)
    dataset = Dataset(ws, name)
    dataset.need_model(model)
    facts = column_facts(ws, dataset, model)
    facts[-1:-1] = [Fact(f"model: {f.what}", f.value, f.remark) for f in model_facts(ws, model)]
    if item is not None:
        return facts + item_facts(ws, dataset, model, item)
    return facts + run_facts(ws, name, model)
