"""What of a catalogue lies in DVC, by data set."""

from collections.abc import Iterable, Iterator, Sequence

from likewise.storage import artefacts
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
    places = {place for dataset in datasets for place in _places(ws, dataset)}
    folders = tuple(f"{ws.relative(ws.tables(dataset))}/" for dataset in datasets)
    return [out for out in known if out.path in places or out.path.startswith(folders)]


def known_md5s(md5s: Iterable[str]) -> set[str]:
    """Those that name something; a stage that was never run has none."""
    return {md5 for md5 in md5s if md5 and md5 != "None"}


def _places(ws: Workspace, dataset: str) -> Iterator[str]:
    """The outputs that params.yaml asks for and that come with a data set."""
    models = ws.params.models_of(dataset)
    for made in artefacts.artefacts(ws):
        if made.stage.dataset == dataset or (made.name == "model" and made.stage.key in models):
            yield ws.relative(made.path)
