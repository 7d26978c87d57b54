"""Look a catalogue over, and say of everything that is wrong which command mends it."""

from likewise.catalogue.catalogue import open_workspace
from likewise.formats.paths import StrPath
from likewise.steps.doctor import (
    cache_faults,
    content,
    environment,
    index_faults,
    intent,
    leftovers,
    takedown,
)
from likewise.steps.doctor.problem import Problem

__all__ = ["Problem", "doctor"]


def doctor(*, deep: bool = False, workspace: StrPath | None = None) -> list[Problem]:
    """Everything that is wrong with the catalogue; an empty list where all is well.

    It reads every table's columns and compares them with their digests, asks DVC what is out
    of date, and looks for what is missing, half done, or left over. It changes nothing.

    Args:
        deep: also read every image and compare its bytes with its sha256, and every file of
            DVC's cache that dvc.lock names with its md5.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.
    """
    ws = open_workspace(workspace)
    faults = intent.params_faults(ws)
    if faults:
        return faults
    return [
        *intent.check(ws),
        *leftovers.check(ws),
        *content.check(ws, deep=deep),
        *takedown.check(ws),
        *index_faults.check(ws),
        *(cache_faults.check(ws) if deep else ()),
        *environment.check(ws),
    ]
