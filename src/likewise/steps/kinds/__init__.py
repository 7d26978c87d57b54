"""List the kinds of sources, recipes, indexes, metrics, protocols, exports and others."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, overload

from likewise.distributed.engines import ENGINES
from likewise.errors import UnknownNameError
from likewise.evaluation.metrics import METRICS, TERMS
from likewise.evaluation.protocols import PROTOCOLS
from likewise.exports import EXPORTS
from likewise.imaging.transforms import TRANSFORMS
from likewise.models.recipes import RECIPES
from likewise.registry import Registry
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.reranking import RERANKERS
from likewise.sources import SOURCES
from likewise.steps.kinds.foreign_kinds import entry_point_kind
from likewise.steps.kinds.kind import Kind, KindFamilies, KindFamily, KindOption, Kinds
from likewise.steps.kinds.own_kinds import class_kind
from likewise.steps.kinds.sections import SECTIONS, section_kind

__all__ = ["Kind", "KindFamilies", "KindFamily", "KindOption", "Kinds", "kinds"]

_REGISTRIES: dict[str, Registry[Any]] = {
    "sources": SOURCES,
    "recipes": RECIPES,
    "indexes": INDEXES,
    "rerankers": RERANKERS,
    "protocols": PROTOCOLS,
    "exports": EXPORTS,
    "transforms": TRANSFORMS,
    "engines": ENGINES,
}

_SUMMARIES = {
    "sources": "Layouts of data sets on disk, for add and validate.",
    "recipes": "Ways to make a model, for params.yaml.",
    "indexes": "Ways to search vectors, for params.yaml.",
    "rerankers": "Ways to re-rank the hits of a search, for runs and search --rerank.",
    "metrics": "Values of one query, as protocols average them.",
    "protocols": "Definitions of how a benchmark is scored, for runs and score.",
    "exports": "Formats that export writes.",
    "transforms": "Changes of an image when it is read, for params.yaml.",
    "engines": "Who computes the shards of large jobs, for params.yaml.",
    "sections": "Sections of params.yaml, and the card of a data set.",
}
"""The families in the order of their use, each with its sentence."""


@overload
def kinds() -> KindFamilies: ...
@overload
def kinds(family: str) -> Kinds: ...
def kinds(family: str | None = None) -> Kinds | KindFamilies:
    """List the kinds of a family, with their options; without a family, list the families.

    Kinds of other packages, which they register by entry points, are included. They are
    described by their source text; no module of another package is imported, so only options
    that the text states are listed.

    Args:
        family: ``sources``, ``recipes``, ``indexes``, ``rerankers``, ``metrics``,
            ``protocols``, ``exports``, ``transforms``, ``engines`` or ``sections`` (of
            params.yaml, and the card of a data set).

    Returns:
        The kinds by name: one sentence, the options with type, default and range, and for
        metrics and protocols the formula and its source.

    Raises:
        UnknownNameError: there is no such family; the error lists all families.

    Example:
        >>> metrics = likewise.kinds("metrics")
        >>> metrics["precision"].formula
        '(number of r_j <= k) / k'
        >>> resize = likewise.kinds("transforms")["resize"]
        >>> [(option.name, option.range) for option in resize.options]
        [('side', '> 0'), ('edge', ''), ('filter', '')]
        >>> [family.name for family in likewise.kinds()][:3]
        ['sources', 'recipes', 'indexes']
    """
    if family is None:
        return KindFamilies([KindFamily(n, s, _names(n)) for n, s in _SUMMARIES.items()])
    if family not in _SUMMARIES:
        raise UnknownNameError("family of kinds", family, _SUMMARIES, complete=True)
    if family == "metrics":
        return Kinds(family, list(_metrics()))
    if family == "sections":
        return Kinds(family, [section_kind(name) for name in _names(family)])
    return Kinds(family, [_kind(_REGISTRIES[family], name) for name in _names(family)])


def _names(family: str) -> list[str]:
    if family == "sections":
        return sorted(SECTIONS)
    return sorted(METRICS) if family == "metrics" else _REGISTRIES[family].kinds()


def _kind(registry: Registry[Any], name: str) -> Kind:
    owners = registry.owners(name)
    if len(owners) > 1:
        text = f"Registered by {' and '.join(sorted(owners))}; uninstall one of them."
        return Kind(name, text, package=", ".join(sorted(owners)))
    for point in registry.entry_points(name):
        return entry_point_kind(point, owners[0])
    loaded = registry.load_builtin(name)
    described = class_kind(name, loaded)
    if registry is not PROTOCOLS:
        return described
    protocol = loaded()
    return replace(described, formula=protocol.formula, settings=protocol.describe())


def _metrics() -> Iterator[Kind]:
    for name, metric in sorted(METRICS.items()):
        rank = KindOption(
            "k",
            "int",
            None,
            metric.rank == "needed",
            ">= 1",
            f"number of ranked items that count, written {name}@5"
            f"{'' if metric.rank == 'needed' else '; by default all'}",
        )
        yield Kind(
            name,
            metric.summary,
            [] if metric.rank == "none" else [rank],
            metric.formula,
            metric.source,
            {"denominator": metric.denominator, "terms": TERMS},
        )
