"""Complete or undo a release whose process was killed."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from likewise.errors import VersionError
from likewise.storage import under_way, versions
from likewise.storage.workspace import Workspace


def job(dataset: str) -> str:
    """Return the name of the job that releases ``dataset``."""
    return f"release-{dataset}"


def begin(ws: Workspace, dataset: str, tag: str, text: str, files: dict[Path, str]) -> None:
    """Record a release before its first file is written.

    Args:
        ws: the checkout.
        dataset: name of the data set.
        tag: its new tag.
        text: the message of the tag.
        files: the files of the release, with their new texts.
    """
    hashes = {path.name: _sha256(content.encode()) for path, content in files.items()}
    head = versions.resolve(ws.root, "HEAD")
    under_way.begin(ws, job(dataset), head=head, tag=tag, text=text, **hashes)


def settle(ws: Workspace, dataset: str, files: Sequence[Path]) -> str | None:
    """Tag the commit of a release that was killed, or remove its files without a commit.

    Returns:
        The tag of a release that is complete now.
    """
    facts = under_way.facts(ws, job(dataset))
    if facts is None:
        return None
    under_way.remove_locks_of_git(ws, job(dataset))
    tag = facts["tag"]
    if versions.resolve(ws.root, "HEAD") == facts["head"]:
        for file in files:
            if file.is_file() and _sha256(file.read_bytes()) == facts[file.name]:
                _restore(ws, dataset, file)
        done = None
    else:
        done = tag if _is_release(ws, facts["head"], tag) else None
        if done:
            with suppress(VersionError):  # it was set
                words = ("tag", "--annotate", tag, "--message", facts["text"])
                under_way.run_git(ws, job(dataset), *words)
    under_way.end(ws, job(dataset))
    return done


def _is_release(ws: Workspace, before: str, tag: str) -> bool:
    """Return True if the last commit releases ``tag`` and follows the commit ``before``."""
    last = versions.run_git(ws.root, "log", "-1", "--format=%P%n%s").splitlines()
    return last == [before, f"Release {tag}"]


def _restore(ws: Workspace, dataset: str, file: Path) -> None:
    """Give a file that a release wrote the content of the last commit, or remove it."""
    path = ws.relative(file)
    under_way.run_git(ws, job(dataset), "reset", "--quiet", "HEAD", "--", path)
    if versions.run_git(ws.root, "ls-files", "--", path):
        under_way.run_git(ws, job(dataset), "checkout", "--quiet", "--", path)
    else:
        file.unlink()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
