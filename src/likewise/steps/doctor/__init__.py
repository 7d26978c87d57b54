"""Find the faults of a catalogue, with a command that repairs each."""

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
from likewise.steps.doctor.problem import Problem, fault_of

__all__ = ["Problem", "doctor"]


def doctor(*, deep: bool = False, workspace: StrPath | None = None) -> list[Problem]:
    """Find the faults of the catalogue; the list is empty if there are none.

    Outputs that ``pull`` left on the remote on purpose are listed, but do not count as faults:
    their ``is_fault`` is False.

    Compares the columns of every table with their digests, asks DVC which stages are out of
    date, and looks for missing, unfinished and orphaned files. Nothing is changed.

    Args:
        deep: also compare the bytes of every image with its sha256, and every file of DVC's
            cache that dvc.lock names with its md5.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        MissingArtefactError: there is no catalogue.

    Example:
        >>> import pathlib
        >>> pathlib.Path("reports/emoji-tiny.parquet").unlink()
        >>> problem = likewise.doctor()[0]
        >>> problem.check, problem.what
        ('missing', 'evaluate@emoji-tiny has no output reports/emoji-tiny.parquet')
        >>> problem.command
        'dvc pull reports/emoji-tiny.parquet'
    """
    ws = open_workspace(workspace)
    broken = intent.params_faults(ws)
    if broken and not intent.has_intact_entries(ws):
        return broken
    if faults := intent.lock_faults(ws):
        return [*broken, *faults]
    checks = {
        "cards": intent.check(ws),
        "files": leftovers.check(ws),
        "content": content.check(ws, deep=deep),
        "take-downs": takedown.check(ws),
        "indexes": index_faults.check(ws),
        "cache": cache_faults.check(ws) if deep else iter(()),
        "environment": environment.check(ws),
    }
    problems = list(broken)
    for name, check in checks.items():
        try:
            commands = {p.command for p in problems if p.check == "table"}
            # What DVC notices of a damaged table was found before by reading the table.
            problems += [p for p in check if not (p.check == "table" and p.command in commands)]
        except BaseException as error:  # noqa: BLE001 (see fault_of)
            fault = fault_of(error)
            if not problems:  # otherwise a damaged table has its own problem
                what = f"the check of {name} stopped: {fault}"
                edited = fault.startswith(ws.pipeline.name)
                command = f"edit {ws.pipeline.name}" if edited else "dvc checkout --force"
                problems.append(Problem("check", what, command))
    return problems
