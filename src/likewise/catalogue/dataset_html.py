"""The summary of an open data set in a notebook."""

from likewise.catalogue.counting import count_splits
from likewise.pages import notebook
from likewise.storage import tables
from likewise.storage.config import Card


def summary_html(table: tables.Table, name: str, card: Card) -> str:
    """Return HTML with the counts, columns and licence of the published data set ``name``."""
    splits = count_splits(table.frame(), "split", "subset").rows()
    facts = {
        "items": table.rows,
        "models": ", ".join(table.vector_columns),
        "columns": ", ".join(table.metadata_columns),
        "licence": ": ".join(filter(None, (card.licence.spdx, card.licence.terms))),
        "citation": card.citation,
    }
    return (
        notebook.heading(f"{name}: {card.title}")
        + notebook.facts(facts)
        + notebook.table(("split", "subset", "items", "labels"), splits)
    )
