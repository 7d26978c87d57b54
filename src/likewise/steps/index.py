"""Make an index of a data set's vectors, keep it, and measure it."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.kept_indexes import Indexed
from likewise.formats.paths import StrPath
from likewise.retrieval.index_cache import Stored
from likewise.retrieval.indexes.benchmark import Probes
from likewise.retrieval.indexes.exact import Exact
from likewise.storage import journal


def index(dataset: str, model: str, name: str, *, workspace: StrPath | None = None) -> Indexed:
    """Make the index ``name`` of the vectors of ``model``, keep it, and measure it.

    Its recall and latency stand beside those of exact search, on items of the data set drawn
    at random, each without itself. Nothing else reads them: they are in
    ``.likewise/indexes/<dataset>/<model>/<name>/facts.json``.

    Raises:
        UnknownNameError: no such data set, model or index.
        ConfigError: the index's options are wrong, or do not suit the vectors.
        MissingArtefactError: the data set is not published, or not by that model.
        DataError: another process makes it now, or nothing can be written here.
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    opened = Dataset(ws, dataset)
    opened.need_model(model)
    stored = Stored(ws, opened, model, name)
    with journal.exclusive_job(ws, f"index-{dataset}-{model}-{name}"):
        built = stored.fresh()
        vectors = stored.vectors()
        probes = Probes(vectors, Exact().build(vectors))
        facts = stored.note(probes.measure(built, stored.nbytes()))
    rows = vectors.rows
    return Indexed(dataset, model, name, "current", rows, rows, "", facts.measured)
