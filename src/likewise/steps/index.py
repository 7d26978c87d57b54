"""Build an index of a data set's vectors, store it, and measure it."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.kept_indexes import Indexed
from likewise.formats.paths import StrPath
from likewise.retrieval.index_cache import CachedIndex
from likewise.retrieval.indexes.benchmark import Probes
from likewise.retrieval.indexes.exact import Exact
from likewise.storage import journal, timings


def index(dataset: str, model: str, name: str, *, workspace: StrPath | None = None) -> Indexed:
    """Build the index ``name`` of the vectors of ``model``, store it, and measure it.

    Recall and latency are measured against exact search, with random items of the data set as
    queries, each without itself as a hit. They are stored for information only, in
    ``.likewise/indexes/<dataset>/<model>/<name>/facts.json``.

    Args:
        dataset: name of the data set.
        model: name of the model.
        name: name of the index in params.yaml.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such data set, model or index.
        ConfigError: the options of the index are invalid, or do not suit the vectors.
        MissingArtefactError: the data set is not published, or not with this model.
        DataError: another process is building the index, or the folder is not writable.

    Example:
        >>> built = likewise.index("emoji", "tiny", "exact")
        >>> built.items, built.measured.recall
        (23, 1.0)
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    opened = Dataset(ws, dataset)
    opened.need_model(model)
    stored = CachedIndex(ws, opened, model, name)
    with journal.exclusive_job(ws, f"index-{dataset}-{model}-{name}"):
        built = stored.build_current(keep=True)
        vectors = stored.vectors()
        probes = Probes(vectors, Exact().build(vectors))
        facts = stored.record(probes.measure(built, stored.nbytes()))
    if facts.measured is not None:
        job = timings.search_job(dataset, model, name)
        timings.record(ws, job, timings.Timing(1, facts.measured.ms / 1000))
    rows = vectors.rows
    return Indexed(dataset, model, name, "current", rows, rows, "", facts.measured)
