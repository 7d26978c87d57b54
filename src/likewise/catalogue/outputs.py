"""DVC outputs of a catalogue by data set."""

from collections.abc import Iterable, Iterator, Sequence

from likewise.storage import artefacts
from likewise.storage.versions import Output, cached_outputs, paths_in_git
from likewise.storage.workspace import Workspace


def outputs_of(ws: Workspace, datasets: Sequence[str] = ()) -> list[Output]:
    """Return the outputs in dvc.lock that DVC stores: all, or those of some data sets.

    The outputs of a data set are its tables, the models that embed it, and the results of its
    runs. Outputs that dvc.yaml leaves to git (``cache: false``) are not among them.

    Raises:
        UnknownNameError: no such data set.
    """
    for dataset in datasets:
        ws.dataset(dataset)
    known = cached_outputs(ws)
    if not datasets:
        return known
    paths = {path for dataset in datasets for path in _paths(ws, dataset)}
    folders = tuple(f"{ws.relative(ws.tables(dataset))}/" for dataset in datasets)
    return [out for out in known if out.path in paths or out.path.startswith(folders)]


def in_git(ws: Workspace, path: str) -> bool:
    """Return whether git stores the output ``path``, and DVC's cache does not."""
    return bool(paths_in_git(ws, [path]))


def known_md5s(md5s: Iterable[str]) -> set[str]:
    """Return the distinct MD5s without empty ones, which belong to stages that never ran."""
    return {md5 for md5 in md5s if md5 and md5 != "None"}


def _paths(ws: Workspace, dataset: str) -> Iterator[str]:
    """Yield the paths of a data set's outputs according to params.yaml."""
    models = ws.params.models_of(dataset)
    for output in artefacts.artefacts(ws):
        stage = output.stage
        if stage.dataset == dataset or (output.name == "model" and stage.key in models):
            yield ws.relative(output.path)
