"""List the data sets of a catalogue."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.summaries import Summary, summary_of
from likewise.errors import ConfigError, MissingArtefactError
from likewise.formats.paths import StrPath
from likewise.storage.config import VIEW_SECTIONS
from likewise.storage.workspace import Workspace


def datasets(*, rev: str | None = None, workspace: StrPath | None = None) -> list[Summary]:
    """List the data sets of the catalogue, sorted by name, then its views.

    Only cards and digests are read, no tables. A data set whose card or entry in params.yaml
    cannot be used is listed with the state ``broken``.

    Args:
        rev: a git revision: list the catalogue of that revision.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.
        ConfigError: nothing of params.yaml can be used.
        UnknownNameError: git has no such revision.

    Example:
        >>> [(found.dataset, found.state, found.items) for found in likewise.datasets()]
        [('emoji', 'published', 23)]
        >>> likewise.datasets(rev="v1")[0].items
        24
    """
    ws = open_workspace(workspace, rev=rev)
    return [
        _summary(ws, name)
        for section in ("datasets", *VIEW_SECTIONS)
        for name in sorted(
            [
                *getattr(ws.params, section),
                *(entry.name for entry in ws.params.broken if entry.section == section),
            ]
        )
    ]


def _summary(ws: Workspace, name: str) -> Summary:
    try:
        ws.check_known(name)
        return summary_of(ws, name)
    except (ConfigError, MissingArtefactError) as error:
        return Summary(name, "", "broken", None, [], [], fault=str(error))
