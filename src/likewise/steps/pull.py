"""Bring a catalogue's tables from a DVC remote: all, all but pixels, or some items' pixels."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.outputs import outputs_of
from likewise.errors import DataError, VersionError, bounded
from likewise.formats.paths import StrPath
from likewise.retrieval.filters import holds
from likewise.steps.open import open as open_catalogue
from likewise.storage import tables, versions
from likewise.storage.versions import Output, Store
from likewise.storage.workspace import Workspace

PACK = ".blob"
"""The suffix of files that hold nothing but pixels."""


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


def pull(
    datasets: Sequence[str] = (),
    *,
    images: bool = True,
    verify: bool = False,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pulled:
    """Bring what dvc.lock names into the cache, and link it into the checkout.

    A pull that was stopped goes on with the files that it lacks. Without pixels come the
    tables: labels, boxes, facts, and the vectors as they are published. Models, and the tables
    that vectors are published from, come when a verb needs them. The images table is not put
    into the checkout; its facts are read all the same, and
    ``likewise.open(...).images(ids)`` fetches the pixels that it needs.

    Args:
        datasets: these alone, with their models; by default all.
        images: pixels too, and models; without them a photographic data set is a hundredth
            in size.
        verify: read all that the cache holds of them again, and fetch what is damaged.
        remote: a remote of DVC's; by default its default one.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        VersionError: there is no remote, it cannot be read, or lacks something.
        UnknownNameError: there is no such data set.
    """
    ws = open_workspace(workspace)
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
    _link(ws, [out.path for out in wanted if out.path not in partial])
    return Pulled(lists.files + moved.files, lists.nbytes + moved.nbytes, partial, healed)


def pull_images(
    dataset: str,
    *,
    where: str | None = None,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pulled:
    """Bring the pixels of the items for which the SQL ``where`` holds, by default of all.

    Pixels lie in packs; those that hold one of the items come, and no others.

    Raises:
        VersionError: there is no remote, it cannot be read, or lacks something.
        DataError: the SQL is wrong, or no item is meant.
    """
    if where is None:
        return pull([dataset], remote=remote, workspace=workspace)
    ws = open_workspace(workspace)
    opened = open_catalogue(dataset, workspace=workspace)
    chosen = opened.items.filter(holds(opened.table, where))
    if chosen.is_empty():
        raise DataError(f"no item of {dataset} is meant by: {where}")
    output = ws.table(dataset, "images")
    path = versions.present(ws, output)
    table = tables.open_table(path, f"likewise pull {dataset} --no-images")
    rows = tables.read(table, ["image_id"]).with_row_index("row")
    numbers = rows.join(chosen.select("image_id").unique(), on="image_id")["row"].to_list()
    packs = tables.packs(table, "image", numbers)
    moved = versions.complete(ws, output, packs, remote)
    files = versions.files_of(ws, output)
    lacking = Store(ws.root).lacking(files.values())
    if not lacking:
        _link(ws, [ws.relative(output)])
    return Pulled(moved.files, moved.nbytes, [ws.relative(output)] if lacking else [])


def pull_columns(
    dataset: str,
    columns: Sequence[str],
    *,
    remote: str | None = None,
    workspace: StrPath | None = None,
) -> Pulled:
    """Bring ``columns`` of the published table of ``dataset``, as far as its files allow.

    All columns but vectors lie in one file and come together; every model's vectors have files
    of their own. A table that an older release published has one file, and comes whole.
    ``likewise.open``, ``query`` and ``search`` read what is here; vectors that are not are
    fetched when they are asked for.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: its published table has no such column.
        VersionError: there is no remote, it cannot be read, or lacks something.
    """
    ws = open_workspace(workspace)
    ws.known(dataset)
    output = ws.published(dataset)
    path, head = versions.pull_part(ws, output, _is_head, remote)
    table = tables.open_table(path, f"likewise pull {dataset}")
    for column in columns:
        tables.need_column(table, column)
    files = tuple(tables.files_of(table, {*tables.metadata_columns(table), *columns}))
    path, moved = versions.pull_part(ws, output, lambda file: file.startswith(files), remote)
    lacking = tables.absent(table, path)
    if not Store(ws.root).lacking(versions.files_of(ws, output).values()):
        _link(ws, [ws.relative(output)])
    return Pulled(
        head.files + moved.files,
        head.nbytes + moved.nbytes,
        [ws.relative(output)] if lacking else [],
        columns=[name for name in table.schema.names if name not in lacking],
    )


def _later(ws: Workspace) -> set[str]:
    """Outputs that nobody needs who reads tables: models, and vectors that are published.

    A published table has them in its own order, and ``versions.present`` fetches the others
    for whoever embeds, publishes, or searches by a picture.
    """
    known = versions.outputs(ws.root)
    models = {ws.relative(ws.model(name)) for name in ws.params.recipes()}
    return models | {
        ws.relative(ws.embeddings(entry.dataset, entry.model))
        for entry in ws.params.embeddings.values()
        if ws.relative(ws.published(entry.dataset)) in known
    }


def _is_head(file: str) -> bool:
    """Whether a file of a table says what the table is, and holds neither rows nor indices."""
    return not file.startswith(("data/", "_indices/"))


def _link(ws: Workspace, paths: list[str]) -> None:
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


def _heal(ws: Workspace, store: Store, wanted: list[Output], md5s: Iterable[str]) -> list[str]:
    """Fetch damaged files of the cache anew, and put them wherever they are linked to.

    Raises:
        VersionError: the remote does not have them; nothing is changed then.
    """
    bad = list(store.damaged(md5s))
    if not bad:
        return []
    lost = sorted(set(bad) - store.on_remote(bad, "pull"))
    if lost:
        what = f"{len(lost):,} files of the cache are damaged, and the remote has no other"
        named = bounded(map(store.path, lost), len(lost), 2)
        raise VersionError(f"{what}: {named}; make them anew with: dvc repro --force")
    links = _links(ws, store, wanted, bad)
    for md5 in bad:
        store.drop(md5)
    store.fetch(bad, "pull")
    for path, md5 in links:
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        os.link(store.path(md5), beside)
        beside.replace(path)
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
    """The files of the checkout and of views that are damaged ones, each with its MD5."""
    numbers = {store.path(md5).stat().st_ino: md5 for md5 in bad}
    places = [ws.root / out.path for out in wanted] + [versions.scratch(ws) / "views"]
    found = [f for place in places for f in (place, *place.rglob("*")) if f.is_file()]
    linked = ((path, numbers.get(path.stat().st_ino)) for path in found)
    return [(path, md5) for path, md5 in linked if md5 is not None]
