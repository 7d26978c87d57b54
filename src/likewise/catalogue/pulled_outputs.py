"""What a pull brought, and its outputs in the checkout."""

from dataclasses import dataclass, field

from likewise.errors import VersionError
from likewise.storage import versions
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Pulled:
    """What came from the remote, and the outputs that are not all here.

    ``columns`` are those of the published table that are here, where some were asked for.
    """

    files: int
    nbytes: int
    partial: list[str] = field(default_factory=list)
    healed: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)


def link_outputs(ws: Workspace, paths: list[str]) -> None:
    """Put whole outputs into the checkout, by DVC, which keeps what it does not know.

    Raises:
        VersionError: it holds what DVC does not know, or cannot be written.
    """
    try:
        if paths:
            versions.run_dvc(ws.root, "checkout", *paths)
    except VersionError as error:
        if "unsaved files" not in str(error):
            raise
        raise VersionError(
            "all is pulled, but the checkout has tables that DVC does not know; it keeps them; "
            "run: dvc commit, to keep them for good, or: dvc checkout --force, to drop them"
        ) from error
