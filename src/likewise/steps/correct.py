"""Correct values of items without changing the source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from likewise.catalogue import corrections
from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.correctable_items import (
    CorrectableItems,
    open_correctable,
    present_values,
)
from likewise.catalogue.corrections import Corrections, Key, Value
from likewise.catalogue.dataset_entries import learners
from likewise.errors import ChangedValueError, DataError, bounded
from likewise.formats.paths import StrPath
from likewise.storage import journal
from likewise.storage.takedown_lock import no_takedown

Wanted = str | None | Mapping[str, str | None]
"""A value for all items, or one for each of them by its id; None is an empty value."""


@dataclass(frozen=True)
class Corrected:
    """Result of a correction.

    Attributes:
        dataset: name of the data set.
        file: path of the corrections, relative to the root of the catalogue.
        changed: number of values that changed.
        corrections: number of corrections in the file.
        new_label: the corrected label, if no item has it yet; it may be a typing error.
        nearest_label: the existing label that is most similar to ``new_label``.
        before: column -> item -> value before; ``correct`` with these values undoes it.
        after: column -> item -> value now; ``expect`` of that undo.
        learners: models that learn from the data set, so that ``dvc repro`` trains them again.
    """

    dataset: str
    file: str
    changed: int
    corrections: int
    new_label: str | None = None
    nearest_label: str | None = None
    before: dict[str, dict[str, str | None]] = field(default_factory=dict, repr=False)
    after: dict[str, dict[str, str | None]] = field(default_factory=dict, repr=False)
    learners: list[str] = field(default_factory=list, repr=False)


def correct(
    dataset: str,
    items: Sequence[str],
    values: Mapping[str, Wanted],
    *,
    expect: Mapping[str, Wanted] | None = None,
    workspace: StrPath | None = None,
) -> Corrected:
    """Replace values of ``items`` that are wrong in the source.

    The corrections are written to ``catalog/<dataset>/corrections.csv``, which can also be
    edited by hand. Run ``dvc repro`` to publish and evaluate with them; it needs neither the
    source nor the images, unless a model learns from the data set. A corrected label also sets
    the text of that label, if other items have it. Setting a value back to that of the source
    removes its correction. All values change, or none.

    Args:
        dataset: name of the data set.
        items: ids of the items to correct.
        values: column -> correct value, None for an empty one. It is the same for all
            ``items``; or a mapping from each item to its value.
        expect: column -> present value, as the caller has seen it (compare-and-set). If
            another value is present, for example because of a colleague, nothing is changed.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: no such item or column, or the column is ``box``: correct boxes in the
            source.
        ChangedValueError: a present value is not the expected one; the error has both.
        MissingArtefactError: the data set was not ingested.

    Example:
        The label and its text change:

        >>> likewise.correct("emoji", ["0_znoto.jpg"], {"label": "1000"}, expect={"label": "0"})
        Corrected(dataset='emoji', file='catalog/emoji/corrections.csv', changed=2,
                  corrections=2, new_label=None, nearest_label=None)
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    with no_takedown(ws, dataset, f"correct-{dataset}"):
        known = open_correctable(ws, dataset)
        for column in (*values, *(expect or ())):
            corrections.check_column(column, known.table.schema.names)
        wanted = dict(_wanted(known, items, values))
        expected = {
            Key(item, column): _of(value, item, column)
            for column, value in (expect or {}).items()
            for item in items
        }
        columns = list(dict.fromkeys(key.column for key in (*wanted, *expected)))
        rows = known.rows(items, columns)
        own = present_values(rows, {})
        with journal.exclusive_job(ws, f"correct-{dataset}"):
            file = ws.corrections(dataset)
            before = corrections.read(file)
            _compare(dataset, present_values(rows, before), expected)
            after = dict(before)
            for key, value in wanted.items():
                if own[key] == value:
                    after.pop(key, None)
                else:
                    after[key] = Value(value, own[key])
            new = {key: after[key] for key in wanted if key in after}
            # It raises an error if a value does not fit its column.
            corrections.apply_corrections(rows, new, ws.relative(file))
            corrections.write(file, after)
    changed = {key for key in {**before, **after} if before.get(key) != after.get(key)}
    label, near = _new_label(known, wanted, before)
    present = present_values(rows, before)
    replaced = {key.column for key in wanted}
    held = {key: value for key, value in present.items() if key.column in replaced}
    where, undo, now = ws.relative(file), _by_column(held), _by_column({**held, **wanted})
    models = [name for _, name in learners(ws.params, dataset)]
    return Corrected(dataset, where, len(changed), len(after), label, near, undo, now, models)


def _by_column(values: Mapping[Key, str | None]) -> dict[str, dict[str, str | None]]:
    columns: dict[str, dict[str, str | None]] = {}
    for key, value in values.items():
        columns.setdefault(key.column, {})[key.item_id] = value
    return columns


def _of(value: Wanted, item: str, column: str) -> str | None:
    """Return the value of one item.

    Raises:
        DataError: the values have none for the item.
    """
    if not isinstance(value, Mapping):
        return value
    if item not in value:
        raise DataError(f"no value of {column} is given for the item {item!r}; give one")
    return value[item]


def _wanted(
    known: CorrectableItems, items: Sequence[str], values: Mapping[str, Wanted]
) -> Iterator[tuple[Key, str | None]]:
    """Yield the value of each item and column; a label sets the text of that label, too."""
    for column, value in values.items():
        for item in items:
            yield Key(item, column), _of(value, item, column)
    if "label" in values and "text" not in values:
        for item in items:
            is_known, text = known.text_of(_of(values["label"], item, "label"))
            if is_known:
                yield Key(item, "text"), text


def _compare(
    dataset: str, present: Mapping[Key, str | None], expected: Mapping[Key, str | None]
) -> None:
    """Refuse the correction if a present value is not the expected one."""
    changes = [
        (*key, present[key], value) for key, value in expected.items() if present[key] != value
    ]
    if changes:
        lines = (
            f"{column} of {item!r} is {_shown(now)}, not {_shown(seen)} as expected"
            for item, column, now, seen in changes
        )
        listed = bounded(lines, len(changes), 3)
        raise ChangedValueError(
            f"{dataset}: {listed}; nothing was changed; decide by the present values", changes
        )


def _shown(value: str | None) -> str:
    return "empty" if value is None else repr(value)


def _new_label(
    known: CorrectableItems, wanted: Mapping[Key, str | None], before: Corrections
) -> tuple[str | None, str | None]:
    """Return a label that neither the source nor a correction has yet, and the nearest one."""
    labels = dict.fromkeys(value for key, value in wanted.items() if key.column == "label")
    corrected = {value.value for key, value in before.items() if key.column == "label"}
    for label in labels:
        if label is not None and label not in corrected and label not in known.labels:
            names = [name for name in known.labels if name is not None]
            return label, next(iter(get_close_matches(label, names, 1)), None)
    return None, None
