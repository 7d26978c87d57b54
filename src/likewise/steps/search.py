"""Search the items nearest to an image, an item, a vector, a text or keywords."""

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
    """Search a data set for the items nearest to an image, an item, a vector or a text.

    Args:
        dataset: name of the data set, or names of several with vectors of the same model.
        rev: git revision of the data set to search; by default the checkout.
        workspace: a folder in the catalogue; by default the current one.
        options: the query and the settings of the search, as keywords:

            - image: a file, its bytes, an opened image or an array of pixels, which the model
              embeds; or several of them.
            - id: an item of the data set, or several; they are left out of the hits.
            - vector: a vector, or a file with one (``.npy`` ...); it need not be normalised.
            - text: a description of an image, or several, which the text tower of the model
              embeds. With an image, item or vector, the query is the weighted sum of both.
            - text_weight: weight of the text in that sum, 0 to 1; 0.5 by default.
            - templates: sentences with ``{}`` for the text, such as ``"a photo of a {}"``,
              whose vectors are averaged; by default those of the model.
            - keywords: words of labels and texts, scored by BM25. Combined with an image, item,
              vector or text, both rankings are fused (the sum of 1 / (60 + rank)).
            - box: x1, y1, x2, y2 in pixels: search by this part of the image only.
            - unlike: an item of the data set, or several, that the hits should be unlike: half
              of their mean vector is subtracted from the query; they are left out of the hits.
            - not_text: a description that the hits should be unlike, or several, likewise.
            - combine: with several queries, search by their ``mean``, or by the nearest
              (``max``).
            - model: model whose vectors are compared; by default the only one, or the only
              one with a text tower for a text.
            - k: maximum number of hits, 10 by default.
            - offset: skip the first hits, for the next page.
            - min_score: minimum score of a hit; without ``k``, all hits that reach it.
            - per_label: maximum number of hits per label.
            - role: role of the hits: ``gallery`` by default, so a sketch that is a query finds
              photographs; ``query`` or ``any``. Items without a role have every role.
            - query_role: role as which pictures of the query are embedded, if the model treats
              roles differently: ``query``, as a sketch (the default), or ``gallery``, as a
              photograph.
            - where: an SQL condition; only items that meet it are compared. Strings are in
              single quotes: ``label = 'cat' AND split <> 'test'``.
            - index: an index of params.yaml; by default ``exact``.
            - rerank: a re-ranker of params.yaml, or a kind of re-ranker with its defaults: the
              first hits are ordered by their neighbours, too.

    Returns:
        The hits, best first; equal scores are in the order of the data set. Each has rank
        (from 1), score (the cosine), item_id, label, text, subset, split, path (of the image)
        and dataset. ``hits.frame`` is a polars frame of all; ``hits.to_html(path)`` and
        ``hits.to_png(path)`` write their images.

    Raises:
        DataError: the query is invalid: not an image, a wrong length, invalid SQL, a text and
            a model without a text tower ...
        UnknownNameError: there is no such data set, model, item or index.
        MissingArtefactError: the data set was not published, or the model is missing.
        UnknownOptionError: there is no such keyword; the nearest ones are named.
        StaleArtefactError: the vectors or the index belong to another version of the model.

    Examples:
        >>> hits = likewise.search("emoji", id="200_noto.jpg", k=3)
        >>> hits[0].item_id, round(hits[0].score, 3)
        ('200_fluent.jpg', 0.995)
        >>> likewise.search("emoji", keywords="scissors")["item_id"].to_list()
        ['400_noto.jpg', '400_openmoji.jpg', '400_twemoji.jpg']
        >>> likewise.search("emoji", id="200_noto.jpg", k=3, rerank="alpha-qe")[0].item_id
        '0_openmoji.jpg'
    """
    wanted = Query.from_options(options)
    names = as_list(dataset)
    opened = [open_catalogue(name, rev=rev, workspace=workspace) for name in names]
    if len(opened) == 1:
        return search_dataset(opened[0], wanted)
    return search_datasets(opened, wanted)
