"""List the indexes that a checkout keeps."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.kept_indexes import Indexed, find_cached_indexes
from likewise.formats.paths import StrPath


def indexes(*, workspace: StrPath | None = None) -> list[Indexed]:
    """Every index that this checkout keeps, and whether it is up to date.

    Raises:
        MissingArtefactError: there is no catalogue.
    """
    return list(find_cached_indexes(open_workspace(workspace)))
