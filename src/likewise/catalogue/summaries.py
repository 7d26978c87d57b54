"""A data set in one line: its state, size, models and runs."""

from dataclasses import dataclass
from typing import Literal

from likewise.catalogue.contents import read_digests
from likewise.storage.workspace import Workspace

State = Literal["added", "ingested", "published"]


@dataclass(frozen=True)
class Summary:
    """A data set in a line: how far it is, how many items it has, and who embedded it."""

    dataset: str
    title: str
    state: State
    items: int | None
    models: list[str]
    runs: list[str]


def summary_of(ws: Workspace, name: str) -> Summary:
    """The line of the data set ``name``, from its card and digests alone."""
    published = read_digests(ws.published_digests(name))
    ingested = read_digests(ws.digests(name, "items"))
    known = published or ingested
    wanted = ws.params.models_of(name)
    return Summary(
        name,
        ws.card(name).title,
        "published" if published else "ingested" if ingested else "added",
        known.rows if known else None,
        [model for model in wanted if published and model in published.columns],
        [run for run, entry in ws.params.runs.items() if entry.dataset == name],
    )
