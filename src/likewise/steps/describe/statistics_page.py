"""The statistics of a data set as a page in Markdown, with a picture of its labels."""

import functools
from pathlib import Path

import jinja2

from likewise.catalogue.catalogue import open_workspace
from likewise.errors import DataError
from likewise.formats.paths import StrPath
from likewise.pages.markdown import literal
from likewise.pages.svg import BLUE, drawing
from likewise.steps.describe import Statistics, describe
from likewise.storage import journal

LABELS = 50
"""So many labels are listed; the picture shows all."""

_BARS = 240


def write_description(dataset: str, *, workspace: StrPath | None = None) -> list[Path]:
    """Write the statistics page of ``dataset`` into ``reports/``, with its picture.

    The same tables give the same bytes; both files are for git.

    Returns:
        The files that were written, from the catalogue's root.

    Raises:
        UnknownNameError: the catalogue has no such data set.
        MissingArtefactError: it was not ingested.
        DataError: nothing can be written there.
    """
    ws = open_workspace(workspace)
    found = describe(dataset, workspace=ws.root)
    page, picture = ws.page(dataset), ws.page(dataset).with_suffix(".svg")
    texts = {page: describe_markdown(found, picture.name if found.labels else "")}
    if found.labels:
        texts[picture] = histogram([label.items for label in found.labels])
    try:
        for path, text in texts.items():
            journal.write_text(path, text)
    except OSError as error:
        raise DataError(f"{page} cannot be written: {error.strerror}") from error
    return [path.relative_to(ws.root) for path in texts]


def describe_markdown(found: Statistics, picture: str = "") -> str:
    """The page; ``picture`` is the name of the labels' histogram beside it, if there is one."""
    return _template().render(s=found, picture=picture, most=LABELS)


def histogram(counts: list[int]) -> str:
    """An SVG of the items a label, most first; of many labels, means of neighbours.

    Args:
        counts: the items of every label, descending.
    """
    bars = _merged(counts)
    with drawing(7.2, 2.4, paper="white") as (axes, drawn):
        axes.stairs(bars, fill=True, color=BLUE)
        axes.set_xticks([])
        axes.set(
            title=f"{len(counts):,} labels, {counts[-1]:,} to {counts[0]:,} items each",
            xlabel="labels, most items first",
            ylabel="items",
        )
    return drawn.svg


def _merged(counts: list[int]) -> list[float]:
    """At most ``_BARS`` numbers: means of runs of neighbours of nearly equal length."""
    bars = min(_BARS, len(counts))
    edges = [number * len(counts) // bars for number in range(bars + 1)]
    runs = [counts[edges[n] : edges[n + 1]] for n in range(bars)]
    return [sum(run) / len(run) for run in runs]


def _cell(value: object) -> str:
    """``value`` as text of a table: nothing in it is markup, and it is one line."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return literal(str(value))


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("likewise.pages", "templates")
    # Markdown is no HTML: the filter does what must be done to texts.
    environment = jinja2.Environment(  # noqa: S701
        loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cell"] = _cell
    return environment.get_template("describe.md")
