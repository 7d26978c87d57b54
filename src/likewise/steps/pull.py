"""Pull a catalogue's tables from a DVC remote, with or without pixels."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.outputs import outputs_of
from likewise.catalogue.pulled_outputs import Pulled, link_outputs, record_left_out
from likewise.errors import VersionError, bounded
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.storage import artefacts, versions
from likewise.storage.schema import EMBEDDINGS
from likewise.storage.takedown_lock import no_takedowns
from likewise.storage.versions import Output, Store
from likewise.storage.workspace import Workspace

PACK = ".blob"
"""The suffix of files that hold only pixels."""


def pull(
    datasets: Sequence[str] = (),
    *,
    images: bool = True,
    verify: bool = False,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pulled:
    """Pull the outputs named in dvc.lock into the cache, and link them into the checkout.

    Run the same command again to resume; only missing files are fetched. With
    ``images=False``, only tables are pulled: labels, boxes, facts and published vectors.
    Models and unpublished vectors are then fetched when a command needs them. The images table
    is not linked into the checkout, but its facts can be read, and
    ``likewise.open(...).images(ids)`` fetches the pixels it needs.

    Args:
        datasets: data sets to pull, with their models; by default all.
        images: pull pixels and models too. Without them, a data set of photographs has about a
            hundredth of its size.
        verify: check all cached files of these outputs, and fetch damaged ones again.
        remote: name of a DVC remote; by default the default remote.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        VersionError: there is no remote, it cannot be read, or it lacks a file.
        UnknownNameError: there is no such data set.

    Example:
        Nothing is fetched here: the cache already has all files.

        >>> pulled = likewise.pull(["emoji"], verify=True)
        >>> pulled.files, pulled.partial, pulled.healed
        (0, [], [])
    """
    ws = open_workspace(workspace)
    for dataset in datasets:
        ws.dataset(dataset)
    with no_takedowns(ws, datasets or ws.params.datasets, "pull"):
        return _pull(ws, datasets, remote, images=images, verify=verify)


def _pull(
    ws: Workspace, datasets: Sequence[str], remote: str | None, *, images: bool, verify: bool
) -> Pulled:
    """Fetch the missing files of the outputs, and link them."""
    store, wanted = Store(ws.root, remote), outputs_of(ws, datasets)
    listings = [out.md5 for out in wanted if out.md5.endswith(".dir")]
    healed = _heal(ws, store, wanted, listings) if verify else []
    lists = store.fetch(listings, "pull")
    files = {out.path: store.members(out) or {} for out in wanted}
    later = set() if images else _later(ws)
    md5s = {
        md5
        for out, members in files.items()
        for path, md5 in members.items()
        if images or not (out in later or path.endswith(PACK))
    }
    if verify:
        healed += _heal(ws, store, wanted, md5s)
    moved = store.fetch(md5s, "pull")
    lacking = set(store.lacking(md5 for members in files.values() for md5 in members.values()))
    partial = [path for path, members in files.items() if lacking & set(members.values())]
    link_outputs(ws, [out.path for out in wanted if out.path not in partial])
    record_left_out(ws, [out.path for out in wanted], () if images else partial)
    return Pulled(lists.files + moved.files, lists.nbytes + moved.nbytes, partial, healed)


def _later(ws: Workspace) -> set[str]:
    """Return the outputs that readers of tables do not need: models, and published vectors.

    A published table holds the vectors in its own order. ``versions.locate`` fetches the
    other copy when a command embeds, publishes or searches by an image.
    """
    known = versions.outputs(ws.root)
    return {
        ws.relative(made.path)
        for made in artefacts.artefacts(ws)
        if made.name == "model"
        or (
            made.name == EMBEDDINGS.name
            and ws.relative(ws.published(made.stage.dataset)) in known
        )
    }


def _heal(ws: Workspace, store: Store, wanted: list[Output], md5s: Iterable[str]) -> list[str]:
    """Fetch damaged files of the cache again, and replace all links to them.

    Raises:
        VersionError: the remote does not have the files; nothing is changed.
    """
    bad = list(store.damaged(md5s))
    if not bad:
        return []
    lost = sorted(set(bad) - store.on_remote(bad, "pull"))
    if lost:
        what = (
            f"{counted(len(lost), 'file of the cache', 'is', 'are')} damaged, and the remote "
            "has no intact copy"
        )
        names = bounded(map(store.path, lost), len(lost), 2)
        raise VersionError(f"{what}: {names}; make them again with: dvc repro --force")
    links = _links(ws, store, wanted, bad)
    for md5 in bad:
        store.drop(md5)
    store.fetch(bad, "pull")
    for path, md5 in links:
        atomic.replace_by_link(path, store.path(md5))
    mended = {
        f"{out.path}/{path}".rstrip("/")
        for out in wanted
        for path, md5 in {**(store.members(out) or {}), "": out.md5}.items()
        if md5 in bad
    }
    return sorted(mended)


def _links(
    ws: Workspace, store: Store, wanted: list[Output], bad: list[str]
) -> list[tuple[Path, str]]:
    """Find the links to damaged files in the checkout and in views, each with its MD5."""
    numbers = {store.path(md5).stat().st_ino: md5 for md5 in bad}
    places = [ws.root / out.path for out in wanted] + [ws.views]
    files = [f for place in places for f in (place, *place.rglob("*")) if f.is_file()]
    linked = ((path, numbers.get(path.stat().st_ino)) for path in files)
    return [(path, md5) for path, md5 in linked if md5 is not None]
