"""Find the items nearest to a picture, an item, a vector or words."""

from collections.abc import Sequence
from typing import Unpack

from likewise.formats.paths import StrPath
from likewise.retrieval.federated import search_datasets
from likewise.retrieval.hits import Hits
from likewise.retrieval.search_options import SearchOptions
from likewise.retrieval.search_query import Query, as_list
from likewise.retrieval.single import search_dataset
from likewise.steps.open import open as open_catalogue


def search(
    dataset: str | Sequence[str],
    *,
    rev: str | None = None,
    workspace: StrPath | None = None,
    **options: Unpack[SearchOptions],
) -> Hits:
    """The items of a data set nearest to a picture, to one of its items, a vector or words.

    Args:
        dataset: its name, or the names of several whose vectors are by the same model.
        rev: a git revision, to search the data set as it was then.
        workspace: a folder in the catalogue; by default the current one.
        options: what to look for and how, by keyword:

            - image: a file, its bytes, an opened image or an array of pixels, which the model
              embeds; or several of them.
            - id: an item of the data set, or several; they are left out of the hits.
            - vector: a vector, or a file with one (``.npy`` ...); its length does not matter.
            - text: words of labels and texts, scored by BM25. Together with an image, item or
              vector both rankings are fused (the sum of 1 / (60 + rank)).
            - box: x1, y1, x2, y2 in pixels: search by this part of the image only.
            - combine: of several, look for the ``mean``, or score by the nearest (``max``).
            - model: whose vectors to compare; by default the only model there is.
            - k: how many hits, 10 by default; fewer if there are fewer items.
            - offset: how many of the best hits to skip: the next page.
            - min_score: no hit has a lower score; without ``k``, all that reach it are hits.
            - per_label: the maximum number of hits of one label.
            - role: which items may be hits: ``gallery`` by default, so a sketch that is a
              query finds photographs; ``query`` or ``any``. Those without have every role.
            - where: an SQL condition; only items that meet it are compared. Strings stand in
              single quotes: ``label = 'cat' AND split <> 'test'``.
            - index: an index of params.yaml; by default ``exact``.

    Returns:
        The hits, the best first, equal scores in the order of the data set. Each has rank
        (from 1), score (the cosine), item_id, label, text, subset, split, path (of the image)
        and dataset. ``hits.frame`` is the polars frame of all; ``hits.to_html(path)`` and
        ``hits.to_png(path)`` write their pictures.

    Raises:
        DataError: the query is none: no picture, another length, wrong SQL ...
        UnknownNameError: no such data set, model, item or index.
        MissingArtefactError: the data set was not published, or the model is not here.
        UnknownOptionError: there is no such keyword; the nearest ones.
        StaleArtefactError: the vectors or the index are of another version of the model.
    """
    wanted = Query.from_options(options)
    names = as_list(dataset)
    opened = [open_catalogue(name, rev=rev, workspace=workspace) for name in names]
    if len(opened) == 1:
        return search_dataset(opened[0], wanted)
    return search_datasets(opened, wanted)
