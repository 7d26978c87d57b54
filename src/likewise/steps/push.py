"""Push outputs to a DVC remote, unless a licence forbids it."""

from collections.abc import Sequence
from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.outputs import known_md5s, outputs_of
from likewise.errors import DataError, MissingArtefactError, VersionError, bounded
from likewise.exports.licences import licence_verdict
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.storage.takedown_lock import no_takedowns
from likewise.storage.versions import Output, Store
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Pushed:
    """The result of ``push``.

    Attributes:
        remote: name of the DVC remote.
        files: number of files that it did not have before.
        nbytes: size of these files in bytes.
    """

    remote: str
    files: int
    nbytes: int


def push(
    datasets: Sequence[str] = (),
    *,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pushed:
    """Push the tables, models and reports named in dvc.lock to the remote.

    Run the same command again to resume. git is not touched: push its commits yourself.

    Args:
        datasets: data sets to push, with their models; by default all.
        remote: name of a DVC remote; by default the default remote.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: the remote is public (``public_remotes`` in params.yaml) and the licence in a
            card does not allow sharing the images.
        VersionError: there is no such remote, or it cannot be written.
        MissingExtraError: the library for this kind of remote is not installed.
        MissingArtefactError: a file is neither on this machine nor on the remote.

    Example:
        The remote already has all files.

        >>> likewise.push(["emoji"])
        Pushed(remote='team', files=0, nbytes=0)
    """
    ws = open_workspace(workspace)
    ws.check_params()
    for dataset in datasets:
        ws.dataset(dataset)
    with no_takedowns(ws, datasets or ws.params.datasets, "push"):
        return _push(ws, datasets, remote)


def _push(ws: Workspace, datasets: Sequence[str], remote: str | None) -> Pushed:
    """Push the files of the outputs that the remote does not have."""
    store, wanted = Store(ws.root, remote), outputs_of(ws, datasets)
    name = str(store.remote_settings()["name"])
    if name in ws.params.public_remotes:
        _gate(ws, name, list(datasets) or list(ws.params.datasets))
    md5s = _everything(ws, store, wanted)
    moved = store.push(md5s, "push")
    absent = set(store.lacking(md5s))
    gone = sorted(absent - store.on_remote(absent, "push")) if absent else []
    if gone:
        what = (
            f"{counted(len(gone), 'file', 'is', 'are')} missing here and on {name}: "
            f"{bounded(gone, len(gone), 2)}"
        )
        raise MissingArtefactError(f"{what}; everything else was pushed", "dvc repro")
    return Pushed(name, moved.files, moved.nbytes)


def _gate(ws: Workspace, remote: str, datasets: list[str]) -> None:
    """Refuse to push data sets whose licence does not allow sharing."""
    faults = []
    for dataset in datasets:
        licence = ws.card(dataset).licence
        verdict = licence_verdict(licence, "sharing", changed=False)
        if verdict.clause:
            faults.append(
                f"{dataset} is under {licence.spdx}, which forbids it: {verdict.clause}"
            )
        elif verdict.unknown:
            terms = f': "{licence.terms}"' if licence.terms else ""
            faults.append(f"{dataset} is under {licence.spdx}, which does not allow it{terms}")
    if faults:
        raise DataError(
            f"{remote} is public, but not all licences allow that: {'; '.join(faults)}; "
            "push other data sets by name, or to another remote"
        )


def _everything(ws: Workspace, store: Store, wanted: list[Output]) -> set[str]:
    """Return the MD5 of every file of the outputs, and of their listings."""
    md5s = set()
    for output in wanted:
        members = store.members(output)
        if members is None:
            if (ws.root / output.path).exists():
                what = f"{output.path} is not recorded in DVC's cache"
                raise VersionError(f"{what}; run: dvc commit")
            continue  # not pulled here; the machine that made it pushes it
        md5s |= {output.md5, *members.values()}
    return known_md5s(md5s)
