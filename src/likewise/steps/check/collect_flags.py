"""All flags of a data set, by searches that this process or shards compute."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from likewise.catalogue.suspicious_labels import judge_labels, voters_search
from likewise.imaging.near_duplicates import SearchHashes, search_hashes
from likewise.retrieval.neighbour_search import (
    NeighbourSearch,
    SearchNeighbours,
    search_neighbours,
)
from likewise.steps.check.check_inputs import LABELS, SIMILAR, CheckInputs
from likewise.steps.check.copy_flags import check_against, check_copies, check_splits
from likewise.steps.check.file_flags import check_files
from likewise.steps.check.label_flags import check_labels
from likewise.steps.check.vector_flags import check_vectors, similar_search
from likewise.storage import tables

_LABELLED = ("item_id", "image_id", "content", "label")


@dataclass(frozen=True)
class Searches:
    """The functions that search near copies and neighbours, in the order of the flags."""

    hashes: SearchHashes = search_hashes
    neighbours: SearchNeighbours = search_neighbours


def collect_flags(inputs: CheckInputs, searches: Searches) -> Iterator[pl.DataFrame]:
    """Yield all flags of a data set."""
    bounds, table = inputs.bounds, inputs.vectors
    yield from check_files(inputs.images, bounds)
    yield from flags_of_copies(inputs, searches.hashes)
    if bounds.model is not None:
        items, vectors = inputs.items("item_id", "image_id", "content"), table(bounds.model)
        keyed = items.with_columns(content=tables.vector_keys(vectors, items))
        yield from check_vectors(keyed, vectors, bounds, inputs.entry, searches.neighbours)
    if bounds.label_model is not None:
        judged = judge_labels(
            inputs.items(*_LABELLED),
            table(bounds.label_model),
            inputs.entry,
            inputs.ws.params.memory,
            inputs.command(bounds.label_model),
            searches.neighbours,
        )
        yield check_labels(judged, bounds.label_model)


def flags_of_copies(inputs: CheckInputs, search: SearchHashes) -> Iterator[pl.DataFrame]:
    """Yield the flags of copies: in the data set, in earlier splits, in other data sets."""
    images, near = inputs.images, inputs.bounds.near
    yield from check_copies(images, near, search)
    yield from check_splits(images, near, search)
    for other in inputs.compared:
        yield check_against(images, other, inputs.hashes(other), near, search)


def neighbour_searches(inputs: CheckInputs) -> dict[str, NeighbourSearch]:
    """Return the searches of neighbours of ``collect_flags`` by role, in their order."""
    bounds, searches = inputs.bounds, dict[str, NeighbourSearch]()
    if bounds.model is not None and bounds.similar is not None:
        searches[SIMILAR] = similar_search(inputs.vectors(bounds.model), inputs.entry)
    if bounds.label_model is not None:
        searches[LABELS] = voters_search(
            inputs.items(*_LABELLED),
            inputs.vectors(bounds.label_model),
            inputs.entry,
            inputs.ws.params.memory,
            inputs.command(bounds.label_model),
        )
    return searches
