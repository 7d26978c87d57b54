"""The versions of a data set, from the digests that git holds; no table is opened."""

from dataclasses import dataclass
from pathlib import Path

from likewise import versions
from likewise.config import parse_yaml
from likewise.digests import Digests
from likewise.steps.open import open_workspace


@dataclass(frozen=True)
class Version:
    """A commit in which the data set, or its card, changed.

    ``columns`` are those whose content is another than in the version before: ``label``, or
    ``+resnet50`` for one that came and ``-resnet50`` for one that went; ``(card)`` where the
    card changed. ``names`` are its tags and branches, ``items`` None before it was ingested.
    """

    commit: str
    names: list[str]
    date: str
    author: str
    message: str
    items: int | None
    columns: list[str]


def log(
    dataset: str, *, rev: str | None = None, workspace: Path | None = None
) -> list[Version]:
    """The versions of ``dataset`` that git knows, the latest first.

    Args:
        dataset: its name; it may be gone by now.
        rev: where to begin; by default at what is checked out.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: no such revision, or no version of such a data set.
        VersionError: the catalogue is in no git repository, or nothing is committed yet.
    """
    ws = open_workspace(workspace)
    begin = versions.resolve(ws.root, rev or "HEAD", dataset)
    card, published, items = (
        ws.relative(path)
        for path in (
            ws.card_file(dataset),
            ws.published_digests(dataset),
            ws.digests(dataset, "items"),
        )
    )
    lines = "%h%x09%D%x09%cs%x09%an%x09%s"
    said = versions.run_git(
        ws.root, "log", f"--format={lines}", begin, "--", card, published, items
    ).splitlines()
    if not said:
        ws.dataset(dataset)  # no such name: the nearest ones
    commits = [line.split("\t", 4) for line in said]
    asked = [f"{commit[0]}:./{path}" for commit in commits for path in (published, items, card)]
    texts = versions.texts_at(ws.root, asked)
    known = [
        (_digests(texts[row], texts[row + 1]), texts[row + 2])
        for row in range(0, len(texts), 3)
    ]
    known.append((None, None))
    return [
        Version(
            short,
            _names(refs),
            date,
            author,
            message,
            now[0].rows if now[0] else None,
            _changed(before, now),
        )
        for (short, refs, date, author, message), now, before in zip(
            commits, known[:-1], known[1:], strict=True
        )
    ]


def _names(refs: str) -> list[str]:
    """Tags, then branches, of what git prints as %D."""
    listed = sorted(refs.split(", "), key=lambda name: not name.startswith("tag: "))
    names = (name.split(" -> ")[-1].removeprefix("tag: ") for name in listed)
    return [name for name in names if name and name != "HEAD"]


def _digests(published: str | None, items: str | None) -> Digests | None:
    text = published if published is not None else items
    return None if text is None else Digests.from_yaml(parse_yaml(text.encode(), ""), "")


_Known = tuple[Digests | None, str | None]


def _changed(before: _Known, now: _Known) -> list[str]:
    old = before[0].columns if before[0] else {}
    new = now[0].columns if now[0] else {}
    found = [name for name in new if name in old and new[name] != old[name]]
    found += [f"+{name}" for name in new if name not in old]
    found += [f"-{name}" for name in old if name not in new]
    return found + (["(card)"] if before[1] != now[1] else [])
