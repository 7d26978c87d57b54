"""Bring what this machine made to a DVC remote, unless a licence forbids it."""

from collections.abc import Sequence
from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.outputs import known_md5s, outputs_of
from likewise.errors import DataError, MissingArtefactError, VersionError, bounded
from likewise.exports.licences import licence_verdict
from likewise.formats.paths import StrPath
from likewise.storage.versions import Output, Store
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Pushed:
    """What went to the remote: files and bytes that it did not have yet."""

    remote: str
    files: int
    nbytes: int


def push(
    datasets: Sequence[str] = (),
    *,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pushed:
    """Bring the tables, models and reports that dvc.lock names to the remote.

    A push that was stopped goes on where it was. git is not touched: push its commits too.

    Args:
        datasets: these alone, with their models; by default all.
        remote: a remote of DVC's; by default its default one.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: the remote is public (``public_remotes`` in params.yaml) and a card's licence
            does not let the images be passed on.
        VersionError: there is no such remote, or it cannot be written.
        MissingExtraError: the library for this kind of remote is not installed.
        MissingArtefactError: something is neither here nor there.
    """
    ws = open_workspace(workspace)
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
            f"{len(gone):,} files are neither here nor on {name}: {bounded(gone, len(gone), 2)}"
        )
        raise MissingArtefactError(f"{what}; everything else was pushed", "dvc repro")
    return Pushed(name, moved.files, moved.nbytes)


def _gate(ws: Workspace, remote: str, datasets: list[str]) -> None:
    """Refuse to publish what its licence does not let one pass on."""
    faults = []
    for dataset in datasets:
        licence = ws.card(dataset).licence
        found = licence_verdict(licence, "sharing", changed=False)
        if found.clause:
            faults.append(
                f"{dataset} is under {licence.spdx}, which forbids it: {found.clause}"
            )
        elif found.unknown:
            said = f': "{licence.terms}"' if licence.terms else ""
            faults.append(f"{dataset} is under {licence.spdx}, which does not allow it{said}")
    if faults:
        raise DataError(
            f"{remote} is public, and not everything may be: {'; '.join(faults)}; "
            "push other data sets by name, or to another remote"
        )


def _everything(ws: Workspace, store: Store, wanted: list[Output]) -> set[str]:
    """The md5 of every file of the outputs, and of the lists of them."""
    md5s = set()
    for output in wanted:
        members = store.members(output)
        if members is None:
            if (ws.root / output.path).exists():
                what = f"{output.path} is not recorded in DVC's cache"
                raise VersionError(f"{what}; run: dvc commit")
            continue  # never pulled to this machine: whoever made it pushes it
        md5s |= {output.md5, *members.values()}
    return known_md5s(md5s)
