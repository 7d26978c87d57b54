"""List the stored indexes of a checkout."""

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.kept_indexes import Indexed, find_cached_indexes
from likewise.formats.paths import StrPath


def indexes(*, workspace: StrPath | None = None) -> list[Indexed]:
    """List the stored indexes of this checkout, with their state.

    Args:
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.

    Example:
        >>> built = likewise.index("emoji", "tiny", "exact")
        >>> [(found.dataset, found.index, found.state) for found in likewise.indexes()]
        [('emoji', 'exact', 'current')]
    """
    return list(find_cached_indexes(open_workspace(workspace)))
