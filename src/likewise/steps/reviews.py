"""List the flags and findings of a data set, with the verdicts on them."""

from collections.abc import Iterator
from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.doubts import (
    Verdict,
    Verdicts,
    finding_keys,
    flag_keys,
    read_flags,
    read_verdicts,
)
from likewise.catalogue.source_findings import read_findings
from likewise.errors import UnknownNameError
from likewise.formats.paths import StrPath
from likewise.storage.workspace import Workspace

SHOWN = 20
"""Default number of doubts that are listed."""


@dataclass(frozen=True)
class Doubt:
    """A flag of ``check`` or a finding of ``ingest``, and the verdict on it.

    Attributes:
        id: 16 hexadecimal digits, a hash of the content of the flag or finding.
        kind: ``flag`` or ``finding``.
        name: the flag, or the check of the finding.
        path: the item or image; of a finding, the file or place in the source.
        other_dataset: the data set of ``other``; "" for the same one.
        other: the image or item that it is too similar to; "" for none.
        detail: a description.
        verdict: ``kept``, ``dropped``, ``wrong``, or None without a verdict.
        note: the note on the verdict.
    """

    id: str
    kind: str
    name: str
    path: str
    other_dataset: str
    other: str
    detail: str
    verdict: str | None
    note: str | None


@dataclass(frozen=True)
class Reviews:
    """The result of ``reviews``.

    Attributes:
        dataset: name of the data set.
        file: path of the verdicts, relative to the root of the catalogue.
        open: number of flags and findings without a verdict.
        judged: number of those with one.
        stale: number of verdicts on flags and findings that changed or do not exist any more.
        doubts: the first flags and findings, by kind, name and path.
    """

    dataset: str
    file: str
    open: int
    judged: int
    stale: int
    doubts: list[Doubt]


def reviews(
    dataset: str,
    *,
    name: str | None = None,
    judged: bool = False,
    limit: int | None = SHOWN,
    workspace: StrPath | None = None,
) -> Reviews:
    """List the flags and findings of ``dataset`` that have no verdict; see ``review``.

    Args:
        dataset: name of the data set.
        name: only this flag, or findings of this check.
        judged: also list those that have a verdict.
        limit: maximum number that is listed; None for all.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: there is no such data set, or no flag or finding of this name.
        MissingArtefactError: the data set was not ingested, or not checked.
        DataError: the file of verdicts cannot be parsed.

    Example:
        >>> open("emoji/images/0_empty.jpg", "w").close()
        >>> ingested = likewise.ingest("emoji")
        >>> doubt = likewise.reviews("emoji").doubts[0]
        >>> doubt.kind, doubt.name, doubt.path
        ('finding', 'empty', '0_empty.jpg')
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    verdicts = read_verdicts(ws, dataset)
    doubts = sorted(
        _doubts(ws, dataset, verdicts), key=lambda d: (d.kind, d.name, d.path, d.id)
    )
    present = {doubt.id for doubt in doubts}
    stale = sum(key.id not in present for key in verdicts)
    if name is not None:
        known = dict.fromkeys(doubt.name for doubt in doubts)
        if name not in known:
            raise UnknownNameError("flag or check", name, known, f"the doubts about {dataset}")
        doubts = [doubt for doubt in doubts if doubt.name == name]
    unjudged = [doubt for doubt in doubts if doubt.verdict is None]
    listed = (doubts if judged else unjudged)[:limit]
    file = ws.relative(ws.reviews(dataset))
    number = len(doubts) - len(unjudged)
    return Reviews(dataset, file, len(unjudged), number, stale, listed)


def _doubts(ws: Workspace, dataset: str, verdicts: Verdicts) -> Iterator[Doubt]:
    flags, findings = read_flags(ws, dataset), read_findings(ws, dataset)
    for frame, keys in ((flags, flag_keys(flags)), (findings, finding_keys(findings))):
        for key, detail in zip(keys, frame["detail"], strict=True):
            verdict = verdicts.get(key, Verdict(None, None))
            place = (key.kind, key.name, key.path, key.other_dataset, key.other)
            yield Doubt(key.id, *place, detail, *verdict)
