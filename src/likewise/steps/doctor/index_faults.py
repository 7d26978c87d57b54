"""Checks of kept indexes: stale or unused."""

from collections.abc import Iterator

from likewise.catalogue.kept_indexes import find_cached_indexes
from likewise.steps.doctor.problem import Problem, size
from likewise.storage.workspace import Workspace


def check(ws: Workspace) -> Iterator[Problem]:
    """Yield the indexes that a search would refuse, and those not in params.yaml."""
    for one in find_cached_indexes(ws):
        name = f"index {one.index!r} of {one.dataset} by {one.model}"
        held = size(ws.index(one.dataset, one.model, one.index))
        if one.state == "stale":
            yield Problem(
                "index",
                f"{name} was built from other vectors or with other options",
                one.command,
            )
        elif one.state == "unused":
            what = f"params.yaml does not use {name}, which occupies {held}"
            yield Problem("index", what, one.command)
