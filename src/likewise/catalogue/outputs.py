"""What of a catalogue lies in DVC, by data set."""

from collections.abc import Iterable, Sequence

from likewise.storage.versions import Output, outputs
from likewise.storage.workspace import Workspace

_IN_GIT = (".yaml", ".json", ".csv")
"""Outputs of these suffixes are small texts, which dvc.yaml leaves to git."""


def outputs_of(ws: Workspace, datasets: Sequence[str] = ()) -> list[Output]:
    """The outputs that dvc.lock names and DVC keeps: all, or those of some data sets.

    With a data set come its tables, the models that embed it, and the results of its runs.

    Raises:
        UnknownNameError: there is no such data set.
    """
    for dataset in datasets:
        ws.dataset(dataset)
    known = [out for out in outputs(ws.root).values() if not out.path.endswith(_IN_GIT)]
    if not datasets:
        return known
    return [out for out in known if any(_belongs(ws, out.path, d) for d in datasets)]


def kept(md5s: Iterable[str]) -> set[str]:
    """Those that name something; a stage that was never run has none."""
    return {md5 for md5 in md5s if md5 and md5 != "None"}


def _belongs(ws: Workspace, path: str, dataset: str) -> bool:
    params = ws.params
    places = [ws.relative(ws.published(dataset))]
    places += [ws.relative(ws.model(model)) for model in params.models_of(dataset)]
    places += [
        ws.relative(ws.queries(run))
        for run, entry in params.runs.items()
        if entry.dataset == dataset
    ]
    return path in places or path.startswith(f"catalog/{dataset}/")
