"""List the data sets of a catalogue."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.summaries import Summary, summary_of
from likewise.formats.paths import StrPath


def datasets(*, rev: str | None = None, workspace: StrPath | None = None) -> list[Summary]:
    """List the data sets of the catalogue, sorted by name, then its views.

    Only cards and digests are read, no tables.

    Args:
        rev: a git revision: list the catalogue of that revision.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue, or a data set has no card.
        UnknownNameError: git has no such revision.

    Example:
        >>> [(found.dataset, found.state, found.items) for found in likewise.datasets()]
        [('emoji', 'published', 23)]
        >>> likewise.datasets(rev="v1")[0].items
        24
    """
    ws = open_workspace(workspace, rev=rev)
    names = [*sorted(ws.params.datasets), *sorted(ws.params.views)]
    return [summary_of(ws, name) for name in names]
