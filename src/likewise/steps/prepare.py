"""Create the files of a data set that people write, if they are missing."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.kept_records import create_records
from likewise.formats.paths import StrPath


def prepare(dataset: str, *, workspace: StrPath | None = None) -> list[str]:
    """Create the empty ``corrections.csv`` and ``forgotten.csv`` of a data set.

    Stages of DVC depend on these files, so they must exist before ``ingest`` runs. Existing
    files are not changed.

    Args:
        dataset: name of the data set.
        workspace: a folder in the catalogue; by default the current one.

    Returns:
        The files that were created, relative to the catalogue.

    Raises:
        UnknownNameError: params.yaml has no such data set.

    Example:
        >>> import pathlib
        >>> pathlib.Path("catalog/emoji/forgotten.csv").unlink()
        >>> likewise.prepare("emoji")
        ['catalog/emoji/forgotten.csv']
        >>> likewise.prepare("emoji")
        []
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    return [ws.relative(path) for path in create_records(ws, [dataset])]
