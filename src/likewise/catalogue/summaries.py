"""Summary of a data set: state, size, models and runs."""

from dataclasses import dataclass
from typing import Literal

from likewise.storage.digests import read_digests
from likewise.storage.workspace import Workspace

State = Literal["added", "ingested", "published", "broken"]


@dataclass(frozen=True)
class Summary:
    """State, number of items, models and runs of a data set or a view.

    Attributes:
        dataset: its name.
        title: title of the data set.
        state: added, ingested or published; broken if its card or its entry in params.yaml
            cannot be used.
        items: number of items; None if they are not counted yet.
        models: models whose vectors are published.
        runs: runs of params.yaml that score it.
        view_of: of a view, its data set; otherwise None.
        fault: why a data set is broken.
    """

    dataset: str
    title: str
    state: State
    items: int | None
    models: list[str]
    runs: list[str]
    view_of: str | None = None
    fault: str = ""


def summary_of(ws: Workspace, name: str) -> Summary:
    """Summarise the data set or view ``name`` from its card and digests, not its tables."""
    published = read_digests(ws.published_digests(name))
    ingested = read_digests(ws.digests(name, "items"))
    known = published or ingested
    models = ws.params.models_of(name)
    return Summary(
        name,
        ws.card(name).title,
        "published" if published else "ingested" if ingested else "added",
        known.rows if known else None,
        [model for model in models if published and model in published.columns],
        [run for run, entry in ws.params.runs.items() if entry.dataset == name],
        ws.params.base(name) if name in ws.params.all_views else None,
    )
