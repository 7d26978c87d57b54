"""Verdicts on flags and findings: ``catalog/<dataset>/reviews.csv``, merged by git.

A flag of ``check`` or a finding of ``ingest`` is a doubt about an image or item. The id of a
doubt is a hash of all that the check wrote about it, so a verdict holds until the doubt
changes. No stage depends on the file.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple, get_args

import polars as pl

from likewise.catalogue.flags import flag_rows
from likewise.catalogue.keyed_text import KeyedText
from likewise.formats.counted_nouns import counted
from likewise.storage import artefacts, tables, versions
from likewise.storage.schema import FLAGS
from likewise.storage.workspace import Workspace

FLAG, FINDING = "flag", "finding"

VerdictName = Literal["kept", "dropped", "wrong"]
"""``kept``: right, but the item stays. ``dropped``: right, and the item should be left out.
``wrong``: the doubt is a mistake of the check."""

VERDICTS: tuple[str, ...] = get_args(VerdictName)

LONGEST_NOTE = 500

_ID = re.compile(r"[0-9a-f]{16}")
_FORMULA = "=+-@"


class DoubtKey(NamedTuple):
    """A doubt: its kind, its flag or check, what it is about, and the hash of its content."""

    kind: str
    name: str
    path: str
    other_dataset: str
    other: str
    id: str


class Verdict(NamedTuple):
    """The verdict on a doubt, and a note."""

    verdict: str | None
    note: str | None


Verdicts = dict[DoubtKey, Verdict]


def note_fault(note: str) -> str:
    """Return why a note cannot be kept, or ""."""
    if len(note) > LONGEST_NOTE:
        return (
            f"the note has {counted(len(note), 'character')}; at most {LONGEST_NOTE} are kept"
        )
    if not note.isprintable():
        return "the note has a line end or a control character; write one line of text"
    if note.startswith(tuple(_FORMULA)):
        return f"the note begins with {note[0]!r}, which a spreadsheet runs as a formula"
    return ""


def _fault(key: DoubtKey, value: Verdict) -> str:
    if key.kind not in {FLAG, FINDING}:
        return f"{key.kind[:80]!r} is neither {FLAG} nor {FINDING}"
    if not _ID.fullmatch(key.id):
        return f"{key.id[:80]!r} is not an id of a doubt: 16 hexadecimal digits"
    if value.verdict not in VERDICTS:
        return f"{str(value.verdict)[:80]!r} is not a verdict: {', '.join(VERDICTS)}"
    return note_fault(value.note or "")


def _describe(key: DoubtKey) -> str:
    return f"the verdict on {key.name} of {key.path!r}"


HEAD = (*DoubtKey._fields, *Verdict._fields)

FILE = KeyedText(HEAD, DoubtKey, Verdict, len(DoubtKey._fields), _describe, _fault)
"""The format of the file."""


def read_verdicts(ws: Workspace, dataset: str) -> Verdicts:
    """Return the verdicts of a data set, or of the data set of a view.

    Raises:
        DataError: the file cannot be parsed; the line is named.
    """
    return FILE.read(ws.reviews(ws.params.base(dataset)))


def flag_keys(rows: pl.DataFrame) -> Iterator[DoubtKey]:
    """Yield the key of each row of the table of flags."""
    for row in rows.select(FLAGS.names()[1:]).iter_rows():
        flag, image, item, _, dataset, other, _ = row
        yield DoubtKey(FLAG, flag, item or image, dataset or "", other or "", _id(FLAG, *row))


def finding_keys(rows: pl.DataFrame) -> Iterator[DoubtKey]:
    """Yield the key of each finding (check, path, detail)."""
    for row in rows.select("check", "path", "detail").iter_rows():
        yield DoubtKey(FINDING, row[0], row[1], "", "", _id(FINDING, *row))


def without_judged(
    ws: Workspace, dataset: str, rows: pl.DataFrame, kind: str
) -> tuple[pl.DataFrame, int]:
    """Return the flags or findings without a verdict, and the number of the others."""
    judged = {key.id for key in read_verdicts(ws, dataset) if key.kind == kind}
    if not judged:
        return rows, 0
    rest = rows.filter(pl.Series(_are_not_in(rows, kind, judged), dtype=pl.Boolean))
    return rest, len(rows) - len(rest)


def read_doubted(ws: Workspace, dataset: str, flags: Collection[str]) -> pl.LazyFrame:
    """Return image_id and item_id of the rows with one of ``flags`` that count as right.

    Those whose verdict is ``kept`` or ``wrong`` do not.

    Raises:
        UnknownNameError: no such flag.
        MissingArtefactError: the data set was not checked.
    """
    rows = flag_rows(ws, dataset, flags).collect()
    verdicts = read_verdicts(ws, dataset).items()
    kept = {key.id for key, value in verdicts if value.verdict != "dropped"}
    mask = pl.Series(_are_not_in(rows, FLAG, kept), dtype=pl.Boolean)
    return rows.filter(mask).select("image_id", "item_id").lazy()


def read_flags(ws: Workspace, dataset: str) -> pl.DataFrame:
    """Return the flags of the last check of a data set; none without a check."""
    made = artefacts.table(ws, ws.params.base(dataset), FLAGS.name)
    path = versions.locate(ws, made.path)
    if not tables.exists(path):
        return pl.DataFrame(pl.from_arrow(FLAGS.arrow().empty_table()))
    return tables.open_table(path, made.command).read(FLAGS.names())


def _are_not_in(rows: pl.DataFrame, kind: str, ids: Collection[str]) -> Iterable[bool]:
    keys = flag_keys(rows) if kind == FLAG else finding_keys(rows)
    return [key.id not in ids for key in keys]


def _id(*content: object) -> str:
    """Return 16 digits of a hash of all that is known about a doubt."""
    text = json.dumps(content, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
