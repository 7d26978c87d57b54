"""Result of a pull, and linking its outputs into the checkout."""

from collections.abc import Collection
from dataclasses import dataclass, field

from likewise.errors import VersionError
from likewise.formats.paths import refuse_links
from likewise.storage import seals, versions
from likewise.storage.workspace import Workspace

_LEFT_OUT = "left_out.json"


@dataclass(frozen=True)
class Pulled:
    """Files that a pull fetched, and outputs that are only partly present.

    ``columns`` are the present columns of the published table, if columns were requested.
    """

    files: int
    nbytes: int
    partial: list[str] = field(default_factory=list)
    healed: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)


def left_out(ws: Workspace) -> set[str]:
    """Return the outputs that pulls left on the remote on purpose.

    A list that this checkout did not seal is not used.
    """
    return set(seals.read_names(ws, ws.record(_LEFT_OUT), _LEFT_OUT))


def record_left_out(ws: Workspace, pulled: Collection[str], partial: Collection[str]) -> None:
    """Record the outputs of a pull that it left on the remote on purpose.

    Args:
        ws: the workspace.
        pulled: all outputs of the pull.
        partial: those that are not here completely.
    """
    names = sorted((left_out(ws) - set(pulled)) | set(partial))
    if names != sorted(left_out(ws)):
        refuse_links(ws.home, ws.record(_LEFT_OUT))
        seals.write_names(ws, ws.record(_LEFT_OUT), _LEFT_OUT, names)


def link_outputs(ws: Workspace, paths: list[str]) -> None:
    """Check out complete outputs by DVC, which does not overwrite unknown files.

    Raises:
        VersionError: the checkout has files unknown to DVC, or cannot be written.
    """
    try:
        if paths:
            versions.check_out(ws.root, paths)
    except VersionError as error:
        if "unsaved files" not in str(error):
            raise
        raise VersionError(
            "all files are pulled, but the checkout contains tables that DVC has not stored, "
            "and these were not replaced; to store them, run: dvc commit; to replace them, "
            "run: dvc checkout --force"
        ) from error
