"""The entries of params.yaml to which an entry refers."""

from collections.abc import Iterator

from likewise.storage.config.card import Entry, training_data
from likewise.storage.config.entry_names import Names
from likewise.storage.config.params import (
    FITTED_SECTIONS,
    MODEL_SECTIONS,
    VIEW_SECTIONS,
    Params,
)

Place = tuple[str, str]
"""Section and name of an entry."""


def references(params: Params, names: Names) -> dict[Place, list[Place]]:
    """Return, for each valid entry, the entries to which it refers."""
    links: dict[Place, list[Place]] = {}
    for section in FITTED_SECTIONS:
        for name, recipe in getattr(params, section).items():
            used = [str(recipe.get(option)) for option in ("init", "teacher")]
            models = [place for model in used for place in _models(model)]
            data = [("datasets", dataset) for dataset in training_data(recipe)]
            links[section, name] = [*models, *data, *_stored_vectors(recipe, names)]
    links |= _vector_links(params, names)
    for name, bounds in params.checks.items():
        embedders = sorted({bounds.model or "", bounds.label_model or ""})
        pairs = [place for model in embedders for place in _pair(names, (name, model))]
        others = [("checks", other) for other in bounds.against or ()]
        index = ("indexes", bounds.index)
        links["checks", name] = [("datasets", name), index, *others, *pairs]
    links |= {("thumbs", name): [("datasets", name)] for name in params.thumbs}
    links |= _links_of_views(params)
    for name, run in params.runs.items():
        links["runs", name] = [
            ("datasets", run.dataset),
            *((section, run.dataset) for section in VIEW_SECTIONS),
            *_models(run.model),
            ("indexes", run.index),
            *_pair(names, (params.base(run.dataset), run.model)),
        ]
    return links


def _links_of_views(params: Params) -> dict[Place, list[Place]]:
    links: dict[Place, list[Place]] = {
        ("views", name): [("checks", view.of), ("datasets", view.of)]
        for name, view in params.views.items()
    }
    for section in VIEW_SECTIONS[1:]:
        for name, entry in getattr(params, section).items():
            links[section, name] = [("datasets", entry.of)]
    return links


def _vector_links(params: Params, names: Names) -> dict[Place, list[Place]]:
    """Return the links of entries of vectors, and of maps of vectors."""
    links: dict[Place, list[Place]] = {}
    for name, vectors in params.embeddings.items():
        links["embeddings", name] = [("datasets", vectors.dataset), *_models(vectors.model)]
    for name, made in params.imported.items():
        links["imported", name] = [("datasets", made.dataset)]
    for name, drawn in params.maps.items():
        pair = _pair(names, (drawn.dataset, drawn.model))
        links["maps", name] = [("datasets", drawn.dataset), *_models(drawn.model), *pair]
    return links


def _stored_vectors(recipe: Entry, names: Names) -> Iterator[Place]:
    """Yield the entries of the vectors that an adapter reads."""
    if recipe.get("kind") == "adapter":
        for dataset in training_data(recipe):
            yield from _pair(names, (dataset, str(recipe.get("init"))))


def _models(name: str) -> Iterator[Place]:
    """Yield the places at which a model of this name can be defined."""
    yield from ((section, name) for section in MODEL_SECTIONS)


def _pair(names: Names, pair: tuple[str, str]) -> Iterator[Place]:
    """Yield the entry of the vectors of a data set by a model, if there is one."""
    if pair in names.vectors:
        yield names.vectors[pair]
