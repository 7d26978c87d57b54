"""Judge flags and findings of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.doubts import (
    FILE,
    VERDICTS,
    DoubtKey,
    Verdict,
    VerdictName,
    Verdicts,
    finding_keys,
    flag_keys,
    note_fault,
    read_flags,
    read_verdicts,
)
from likewise.catalogue.source_findings import read_findings
from likewise.errors import ChangedValueError, DataError, UnknownNameError, bounded
from likewise.formats.paths import StrPath
from likewise.storage import journal
from likewise.storage.takedown_lock import no_takedowns
from likewise.storage.workspace import Workspace

Expected = VerdictName | Literal["none"]
"""A verdict that the caller has seen; ``none`` for a doubt without one."""


@dataclass(frozen=True)
class Reviewed:
    """The result of ``review``.

    Attributes:
        dataset: name of the data set.
        file: path of the verdicts, relative to the root of the catalogue.
        changed: number of verdicts that are new, changed or withdrawn.
        judged: number of flags and findings that have a verdict.
        open: number of those without one.
    """

    dataset: str
    file: str
    changed: int
    judged: int
    open: int


def review(  # noqa: PLR0913 (options of a verdict, keyword only)
    dataset: str,
    ids: Sequence[str] = (),
    *,
    verdict: VerdictName | None,
    note: str = "",
    name: str | None = None,
    expect: Expected | None = None,
    expect_note: str | None = None,
    workspace: StrPath | None = None,
) -> Reviewed:
    """Judge flags of ``check`` and findings of ``ingest``, so that they are not listed again.

    Verdicts are rows of ``catalog/<dataset>/reviews.csv``, which git merges one by one. A
    verdict holds for the content of the flag: if its value, its copy or its description
    changes, the flag is listed again. No stage depends on verdicts; ``select(without=...)``
    uses them.

    Args:
        dataset: name of the data set.
        ids: ids of flags and findings, as ``reviews`` lists them.
        verdict: ``kept`` (right, but the item stays), ``dropped`` (right, the item should be
            left out), ``wrong`` (a mistake of the check), or None to withdraw the verdict.
        note: a reason, one line of at most 500 characters.
        name: judge all flags of this name, or findings of this check, that have no verdict
            yet; with None as verdict, all that have one.
        expect: the present verdict, as the caller has seen it, or ``none`` (compare-and-set).
            If another one is present, for example because of a colleague, nothing is changed.
        expect_note: the present note in the same way; an empty text for none.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: there is no such data set, id, flag or check.
        DataError: neither ids nor a name, no such verdict, or a note that cannot be kept.
        ChangedValueError: a present verdict or note is not the expected one; the error has
            both.
        MissingArtefactError: the data set was not ingested, or not checked.

    Example:
        >>> open("emoji/images/0_empty.jpg", "w").close()
        >>> ingested = likewise.ingest("emoji")
        >>> likewise.review("emoji", name="empty", verdict="kept", note="known").judged
        1
        >>> likewise.findings("emoji").total
        0
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    _check(ids, verdict, note, name, expect)
    # Verdicts on copies name items of other data sets, too.
    with no_takedowns(ws, ws.params.datasets, f"review-{dataset}"):
        doubts = {key.id: key for key in _keys(ws, dataset)}
        with journal.exclusive_job(ws, f"review-{dataset}"):
            before = read_verdicts(ws, dataset)
            known = (
                doubts if verdict is not None else {**{key.id: key for key in before}, **doubts}
            )
            chosen = [_find(known, one, dataset) for one in ids]
            if name is not None:
                alike = [key for key in doubts.values() if key.name == name]
                if not alike:
                    names = dict.fromkeys(key.name for key in doubts.values())
                    where = f"the doubts about {dataset}"
                    raise UnknownNameError("flag or check", name, names, where)
                chosen += [key for key in alike if (key in before) == (verdict is None)]
            present = {key: before.get(key, Verdict(None, None)) for key in chosen}
            _compare(dataset, present, expect, expect_note)
            gone = set(chosen)
            after = {key: value for key, value in before.items() if key not in gone}
            if verdict is not None:
                after |= dict.fromkeys(chosen, Verdict(verdict, note or None))
            if after != before:
                FILE.write(ws.reviews(dataset), after)
    changed = sum(before.get(key) != after.get(key) for key in {**before, **after})
    judged = sum(key in after for key in doubts.values())
    file = ws.relative(ws.reviews(dataset))
    return Reviewed(dataset, file, changed, judged, len(doubts) - judged)


def _check(
    ids: Sequence[str], verdict: str | None, note: str, name: str | None, expect: str | None
) -> None:
    if isinstance(ids, str):
        raise DataError(f"ids is the text {ids!r:.80}; give a list of ids")
    if not ids and name is None:
        raise DataError("nothing is chosen; give ids, or the name of a flag or check")
    if verdict is not None and verdict not in VERDICTS:
        raise DataError(
            f"{verdict!r:.80} is not a verdict; choose one of {', '.join(VERDICTS)}"
        )
    if expect is not None and expect not in ("none", *VERDICTS):
        raise DataError(f"expect is {expect!r:.80}; it is one of none, {', '.join(VERDICTS)}")
    if fault := note_fault(note):
        raise DataError(fault)


def _compare(
    dataset: str, present: Verdicts, expect: str | None, expect_note: str | None
) -> None:
    """Refuse the verdict if a present one, or its note, is not the expected one.

    Raises:
        ChangedValueError: it is not; the error has both, None for no verdict or note.
    """
    changes: list[tuple[str, str, str | None, str | None]] = []
    lines = []
    seen = None if expect == "none" else expect
    for key, value in present.items():
        about = f"{key.name} of {key.path!r}"
        if expect is not None and value.verdict != seen:
            changes.append((key.id, "verdict", value.verdict, seen))
            lines.append(f"{about} is {value.verdict or 'open'}, not {seen or 'open'}")
        if expect_note is not None and (value.note or "") != expect_note:
            changes.append((key.id, "note", value.note, expect_note or None))
            lines.append(f"the note on {about} is {value.note or ''!r}, not {expect_note!r}")
    if changes:
        listed = bounded((f"{line} as expected" for line in lines), len(lines), 3)
        raise ChangedValueError(
            f"{dataset}: {listed}; nothing was changed; decide by the present verdicts", changes
        )


def _keys(ws: Workspace, dataset: str) -> list[DoubtKey]:
    flags, findings = read_flags(ws, dataset), read_findings(ws, dataset)
    return [*flag_keys(flags), *finding_keys(findings)]


def _find(doubts: dict[str, DoubtKey], wanted: str, dataset: str) -> DoubtKey:
    """Return the doubt whose id begins with ``wanted``.

    Raises:
        UnknownNameError: there is none.
        DataError: there are several.
    """
    if wanted in doubts:
        return doubts[wanted]
    matching = [
        key for one, key in doubts.items() if len(wanted) >= 4 and one.startswith(wanted)
    ]
    if not matching:
        raise UnknownNameError("doubt", wanted, doubts, f"the doubts about {dataset}")
    if len(matching) > 1:
        ids = bounded((key.id for key in matching), len(matching))
        raise DataError(f"several ids begin with {wanted!r}: {ids}; give more digits")
    return matching[0]
