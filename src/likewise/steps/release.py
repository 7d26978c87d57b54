"""Release a version of a data set: checks, changelog, Croissant and a git tag."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from likewise.catalogue import stopped_release
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.clean_checkout import need_clean
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.export_selection import selection
from likewise.errors import DataError, bounded
from likewise.exports.croissant import croissant_document
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.formats.text_files import read_text
from likewise.steps.diff import diff
from likewise.steps.doctor import doctor
from likewise.steps.show import show
from likewise.storage import artefacts, journal, under_way, versions
from likewise.storage.workspace import Workspace

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")

_LEFT_ALONE = ("library", "views", "unfinished", "orphan", "source", "kept", "elsewhere")
"""Checks of the doctor that do not affect a release."""


@dataclass(frozen=True)
class Released:
    """The result of ``release``.

    Attributes:
        dataset: name of the data set.
        tag: the new git tag.
        before: tag of the release before; "" for the first one.
        changes: summary of the changes since then.
        findings: number of findings in the released version.
        files: files that were written and committed, relative to the catalogue's root.
    """

    dataset: str
    tag: str
    before: str
    changes: str
    findings: int
    files: list[str]


def release(
    dataset: str, version: str, *, message: str = "", workspace: StrPath | None = None
) -> Released:
    """Release the checked-out ``dataset`` as ``version``: a commit and an annotated tag.

    Tags are named like gto's, ``gpr1200@v1.2.0``; ``likewise.open("gpr1200", rev="1.2")`` opens
    that release. The changes since the last release are added to
    ``catalog/<dataset>/CHANGELOG.md``. ``croissant.json`` in that folder describes the release
    in Croissant 1.0; it contains the SHA-256 of the table that ``likewise export gpr1200
    croissant --rev 1.2`` writes. Run ``likewise push`` and ``git push --follow-tags`` next.

    Args:
        dataset: name of the data set.
        version: 1, 1.2 or 1.2.3, larger than all released ones.
        message: text for the changelog and the tag.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: the version is malformed or too small, there are uncommitted changes, the
            licence is missing, or the doctor finds problems. All reasons are listed.
        UnknownNameError: the catalogue has no such data set.
        MissingArtefactError: the data set is not published.

    Example:
        >>> released = likewise.release("emoji", "1.0")
        >>> released.tag, released.changes
        ('emoji@v1.0.0', 'first release')
    """
    ws = open_workspace(workspace)
    ws.check_params()
    shown = show(dataset, workspace=workspace)
    findings = sum(shown.findings.values())
    changelog, croissant = ws.changelog(dataset), ws.croissant(dataset)
    files = [ws.relative(path) for path in (changelog, croissant)]
    with journal.exclusive_job(ws, stopped_release.job(dataset)):
        completed = stopped_release.settle(ws, dataset, (changelog, croissant))
    tag, before = _tag(ws, dataset, version, completed)
    if tag == completed:
        changes = _changes(ws, dataset, before)
        return Released(dataset, tag, before, changes, findings, files)
    need_clean(ws)
    _check(ws, dataset)
    changes = _changes(ws, dataset, before)
    items = shown.contents.items if shown.contents else 0
    summary = f"{counted(items, 'item')}." + (f" Since {before}: {changes}." if before else "")
    entry = "\n\n".join(part for part in (message.strip(), summary) if part)
    with journal.exclusive_job(ws, stopped_release.job(dataset)):
        texts = {
            changelog: _changelog(changelog, dataset, tag, entry),
            croissant: _croissant(ws, dataset, tag),
        }
        subject = f"Release {tag}"
        text = f"{subject}\n\n{entry}"
        stopped_release.begin(ws, dataset, tag, text, texts)
        for path, content in texts.items():
            atomic.write_text(path, content)
        job = stopped_release.job(dataset)
        under_way.run_git(ws, job, "add", "--", *files)
        under_way.run_git(ws, job, "commit", "--quiet", "--message", subject, "--", *files)
        under_way.run_git(ws, job, "tag", "--annotate", tag, "--message", text)
        under_way.end(ws, job)
    return Released(dataset, tag, before, changes, findings, files)


def _changes(ws: Workspace, dataset: str, before: str) -> str:
    return diff(dataset, before, workspace=ws.root).summary if before else "first release"


def _croissant(ws: Workspace, dataset: str, tag: str) -> str:
    """Describe the release in Croissant; no pixel is read."""
    folder = journal.Staging(ws, f"release-{dataset}").folder
    try:
        chosen = selection(Dataset(ws, dataset), pixels=False)
        return croissant_document(chosen, tag.partition("@v")[2], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tag(ws: Workspace, dataset: str, version: str, completed: str | None) -> tuple[str, str]:
    """Return the tag of the new release and that of the last one, without ``completed``."""
    asked = _VERSION.fullmatch(version)
    if not asked:
        raise DataError(f"{version!r} is not a version; write 1, 1.2 or 1.2.3")
    numbers = tuple(int(part or 0) for part in asked.groups())
    known = {}
    for name in versions.run_git(ws.root, "tag", "--list", f"{dataset}@v*").split():
        if match := _VERSION.fullmatch(name.partition("@")[2]):
            known[tuple(int(part or 0) for part in match.groups())] = name
    if known.get(numbers) == completed:
        known.pop(numbers, None)
    last = max(known, default=None)
    if last is not None and numbers <= last:
        raise DataError(f"{dataset} was released as {known[last]}; choose a larger version")
    return f"{dataset}@v{'.'.join(map(str, numbers))}", known[last] if last else ""


def _check(ws: Workspace, dataset: str) -> None:
    """Refuse to release an incomplete, unpublished or unlicensed data set."""
    faults = [
        f"{problem.what} (run: {problem.command})"
        for problem in doctor(workspace=ws.root)
        if problem.check not in _LEFT_ALONE
    ]
    licence = ws.card(dataset).licence
    if licence.spdx == "NOASSERTION" and not licence.terms:
        card = ws.relative(ws.card_file(dataset))
        faults.append(f"{card} names no licence; set its spdx or terms")
    if not ws.published_digests(dataset).is_file():
        command = artefacts.published(ws, dataset).command
        faults.append(f"{dataset} is not published (run: {command})")
    if faults:
        reasons = bounded(faults, len(faults), 10)
        number = counted(len(faults), "reason")
        raise DataError(f"{dataset} cannot be released, for {number}: {reasons}")


def _changelog(path: Path, dataset: str, tag: str, entry: str) -> str:
    """Return the changelog in ``path`` with a new entry before the others."""
    head = f"# {dataset}: releases\n"
    earlier = read_text(path).removeprefix(head) if path.is_file() else ""
    return f"{head}\n## {tag}\n\n{entry}\n{earlier}"
