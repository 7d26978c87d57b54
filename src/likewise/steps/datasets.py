"""List the data sets of a catalogue."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.summaries import Summary, summary_of
from likewise.formats.paths import StrPath


def datasets(*, rev: str | None = None, workspace: StrPath | None = None) -> list[Summary]:
    """The data sets of the catalogue, sorted by name; read from cards and digests alone.

    ``rev`` names a git revision, to see the catalogue as it was then.

    Raises:
        MissingArtefactError: there is no catalogue, or a data set has no card.
        UnknownNameError: git has no such revision.
    """
    ws = open_workspace(workspace, rev=rev)
    return [summary_of(ws, name) for name in sorted(ws.params.datasets)]
