"""Check that the licences of selected items allow what will be done with them."""

from collections import Counter

from likewise.errors import DataError
from likewise.exports.base import Purpose, Selection
from likewise.exports.licences import licence_counts, licence_verdict
from likewise.formats.counted_nouns import counted


def check_licences(chosen: Selection, purpose: Purpose, *, changed: bool) -> list[str]:
    """Check the licences of ``chosen``, and return remarks on those that are not known.

    Args:
        chosen: the selected items.
        purpose: ``research``, ``sharing`` or ``commercial``.
        changed: True if images are not copied unchanged.

    Raises:
        DataError: a licence forbids the purpose; the message quotes the clause.
    """
    counts: Counter[str | None] = Counter({None: len(chosen.items)})
    if "licence" in chosen.items.columns:
        counts = Counter(chosen.items["licence"].to_list())
    notes = []
    for licence, number in licence_counts(counts, chosen.card.licence):
        verdict = licence_verdict(licence, purpose, changed=changed)
        items = counted(number, f"item of {chosen.dataset}", "is", "are")
        which = f"{items} under {licence.spdx}"
        if verdict.clause:
            raise DataError(
                f"{which}; this licence forbids an export for the purpose {purpose}: "
                f"{verdict.clause}; select other items with where, or ask the rights holder"
            )
        if verdict.unknown:
            notes.append(
                f"{which}: nothing is known here of what {verdict.unknown} allows; "
                "read its terms" + (f": {licence.terms}" if licence.terms else "")
            )
    return notes
