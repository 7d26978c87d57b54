"""List the versions of a data set from the digests in git, without opening a table."""

from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.formats.paths import StrPath
from likewise.storage import versions
from likewise.storage.config import parse_yaml
from likewise.storage.digests import Digests
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Version:
    """A commit that changed the data set or its card.

    Attributes:
        commit: abbreviated hash of the commit.
        names: its tags and branches.
        date: date of the commit, YYYY-MM-DD.
        author: author of the commit.
        message: first line of the commit message.
        items: number of items; None before the data set was ingested.
        columns: columns whose content differs from the version before: ``label``, or
            ``+resnet50`` for an added and ``-resnet50`` for a removed one; ``(card)`` if the
            card changed, and so ``(tags)``, ``(reviews)`` and ``(selections)``.
    """

    commit: str
    names: list[str]
    date: str
    author: str
    message: str
    items: int | None
    columns: list[str]


def log(
    dataset: str, *, rev: str | None = None, workspace: StrPath | None = None
) -> list[Version]:
    """List the versions of ``dataset`` in git, the latest first; none if it was not committed.

    Args:
        dataset: name of the data set; it may have been removed since.
        rev: git revision to start from; by default the checkout.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: git has no such revision, or no version of such a data set.
        VersionError: the catalogue is in no git repository, or nothing is committed yet.

    Example:
        >>> [(version.names[0], version.items) for version in likewise.log("emoji")]
        [('v2', 23), ('v1', 24)]
    """
    ws = open_workspace(workspace)
    begin = versions.resolve(ws.root, rev or "HEAD", dataset)
    paths = tuple(
        ws.relative(path)
        for path in (
            ws.card_file(dataset),
            ws.published_digests(dataset),
            ws.digests(dataset, "items"),
            ws.tags(dataset),
            ws.reviews(dataset),
            ws.selections(dataset),
        )
    )
    lines = "--format=%h%x09%D%x09%cs%x09%an%x09%s"
    output = versions.run_git(ws.root, "log", lines, begin, "--", *paths).splitlines()
    if not output:
        ws.dataset(dataset)  # an unknown name raises, with the nearest names
        return []
    commits = [line.split("\t", 4) for line in output]
    releases = _named(ws, begin, dataset)
    states = _states(ws, [*(commit[0] for commit in commits), *releases], paths)
    known = [_Known(*states[commit[0]]) for commit in commits]
    names = _by_state(commits, releases, states)
    return [
        Version(
            short,
            names[short],
            date,
            author,
            message,
            now.digests.rows if now.digests else None,
            _changed(before, now),
        )
        for (short, _, date, author, message), now, before in zip(
            commits, known, [*known[1:], _Known()], strict=True
        )
    ]


_State = tuple[str | None, ...]
"""The texts at a commit: the card, the published digests, the items' digests, tags, verdicts.

The last one lists the selections with the hashes of their contents.
"""


def _named(ws: Workspace, begin: str, dataset: str) -> dict[str, list[str]]:
    """Map commits up to ``begin`` to their tags and branches, except others' releases."""
    releases = {}
    words = ("log", "--simplify-by-decoration", "--format=%h%x09%D", begin)
    for line in versions.run_git(ws.root, *words).splitlines():
        short, _, refs = line.partition("\t")
        releases[short] = [n for n in _names(refs) if n.partition("@v")[0] in (dataset, n)]
    return releases


def _states(ws: Workspace, shorts: list[str], paths: tuple[str, ...]) -> dict[str, _State]:
    texts = versions.texts_at(ws.root, [f"{s}:./{path}" for s in shorts for path in paths])
    count = len(paths)
    return {s: tuple(texts[n * count : (n + 1) * count]) for n, s in enumerate(shorts)}


def _by_state(
    commits: list[list[str]], releases: dict[str, list[str]], states: dict[str, _State]
) -> dict[str, list[str]]:
    """Return the names of each version, with those of later commits that did not change it.

    A release is such a commit: it only writes a changelog.
    """
    names = {commit[0]: list(releases.get(commit[0], ())) for commit in commits}
    newest = {states[commit[0]]: commit[0] for commit in reversed(commits)}
    for short, own in releases.items():
        if short not in names and states[short] in newest:
            names[newest[states[short]]] += own
    return names


def _names(refs: str) -> list[str]:
    """Return the tags, then the branches, in git's ``%D``."""
    listed = sorted(refs.split(", "), key=lambda name: not name.startswith("tag: "))
    names = (name.split(" -> ")[-1].removeprefix("tag: ") for name in listed)
    return [name for name in names if name and name != "HEAD"]


_CURATED = ("tags", "reviews", "selections")
"""Files of people that do not change the published table, in the order of ``_State``."""


class _Known:
    """The card and the digests of a version."""

    def __init__(
        self,
        card: str | None = None,
        published: str | None = None,
        items: str | None = None,
        *curated: str | None,
    ) -> None:
        self.card = card
        self.curated = curated or (None,) * len(_CURATED)
        text = published if published is not None else items
        self.digests = (
            None if text is None else Digests.from_yaml(parse_yaml(text.encode(), ""), "")
        )


def _changed(before: _Known, now: _Known) -> list[str]:
    old = before.digests.columns if before.digests else {}
    new = now.digests.columns if now.digests else {}
    changes = [name for name in new if name in old and new[name] != old[name]]
    changes += [f"+{name}" for name in new if name not in old]
    changes += [f"-{name}" for name in old if name not in new]
    changes += ["(card)"] if before.card != now.card else []
    pairs = zip(_CURATED, before.curated, now.curated, strict=True)
    return changes + [f"({name})" for name, old, new in pairs if old != new]
