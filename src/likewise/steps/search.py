"""Find the items nearest to a picture, an item, a vector or words."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from likewise.formats.paths import StrPath
from likewise.retrieval.federated import search_over
from likewise.retrieval.query import as_list
from likewise.retrieval.searcher import search_in
from likewise.steps.open import open_catalogue


def search(
    dataset: str | Sequence[str],
    *,
    rev: str | None = None,
    workspace: StrPath | None = None,
    **query: Any,
) -> pl.DataFrame:
    """The items of a data set nearest to a picture, to one of its items, a vector or words.

    Args:
        dataset: its name, or the names of several whose vectors are by the same model.
        rev: a git revision, to search the data set as it was then.
        workspace: a folder in the catalogue; by default the current one.
        query: what to look for and how, by keyword:

            - model: whose vectors to compare; by default the only model there is.
            - image: a file, its bytes or an opened picture, embedded by the model; or several.
            - box: x1, y1, x2, y2 in pixels of the image; only this part of it.
            - id: an item of the data set, or several; they are left out of the hits.
            - vector: a vector, or a file with one (``.npy`` ...); its length is of no matter.
            - combine: of several, look for the ``mean``, or score by the nearest (``max``).
            - text: words of labels and texts, scored by BM25; beside one of the others, both
              rankings are fused (the sum of 1 / (60 + rank)).
            - k: how many hits, 10 by default; fewer where fewer items there are.
            - offset: so many of the best are passed over: the next page.
            - min_score: no hit scores less; without ``k``, all that score as much are hits.
            - per_label: at most so many hits a label.
            - role: items of which role may be found: ``gallery`` by default, so a sketch that
              is a query finds photographs; ``query`` or ``any``. Those without have every role.
            - where: SQL; only the items for which it holds are compared. Texts stand in single
              quotes: ``label = 'cat' AND split <> 'test'``.
            - index: an index of params.yaml; by default ``exact``.

    Returns:
        rank (from 1), score (the cosine), item_id, label, text, subset, split, path (of the
        image) and dataset; the best first, equal scores in the data set's order.

    Raises:
        DataError: the query is none: no picture, another length, wrong SQL ...
        UnknownNameError: no such data set, model, item or index.
        MissingArtefactError: the data set was not published, or the model is not here.
        StaleArtefactError: the vectors or the index are of another version of the model.
    """
    names = as_list(dataset)
    opened = [open_catalogue(name, rev=rev, workspace=workspace) for name in names]
    if len(opened) == 1:
        return search_in(opened[0], **query)
    return search_over(opened, **query)
