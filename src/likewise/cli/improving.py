"""Commands that improve data: correct, measure, check, view, forget."""

from collections.abc import Collection
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import (
    Dataset,
    Engine,
    Html,
    Json,
    Shard,
)
from likewise.cli.output import (
    print_json,
    print_line,
    print_next,
    print_note,
    print_table,
)
from likewise.cli.print_difference import SHOWN, note_truncation
from likewise.cli.print_shards import print_shards
from likewise.errors import bounded
from likewise.formats.counted_nouns import counted


def correct(
    dataset: Dataset,
    items: Annotated[list[str], typer.Argument(metavar="ITEM...", help="Ids of the items.")],
    label: Annotated[str | None, typer.Option(help="Their correct label.")] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="COLUMN=VALUE", help="Value of another column; repeatable."
        ),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[COLUMN=]VALUE",
            help="Refuse if the present value is another one; repeatable.",
        ),
    ] = None,
) -> None:
    """Correct labels or other values of items.

    Corrections are written to catalog/DATASET/corrections.csv; publish and train use the
    corrections instead of the values of the source. An empty value means null. COLUMN of
    --expect may be left out if one column is corrected.
    """
    corrections = {} if label is None else {"label": label or None}
    for value in values or []:
        column, equals, text = value.partition("=")
        if not equals:
            raise typer.BadParameter(f"{value!r} is not COLUMN=VALUE")
        corrections[column] = text or None
    if not corrections:
        raise typer.BadParameter("give --label or --set COLUMN=VALUE")
    expected = dict(_expected(value, corrections) for value in expect or [])
    done = likewise.correct(dataset, items, corrections, expect=expected)
    changed = counted(done.changed, "value")
    print_line(f"{dataset}: {changed} changed, {counted(done.corrections, 'correction')}")
    if done.new_label is not None:
        near = f"; did you mean {done.nearest_label!r}?" if done.nearest_label else ""
        print_note(f"warning: no item of {dataset} had the label {done.new_label!r}{near}")
    if done.learners:
        models = bounded(done.learners, len(done.learners))
        print_note(f"learn from {dataset}, so dvc repro trains them again: {models}")
        print_next("likewise pull (if the images are not here), then: dvc repro")
        return
    print_next("dvc repro --allow-missing, then: git commit")


def _expected(value: str, columns: Collection[str]) -> tuple[str, str | None]:
    """Return the column and the value of an option ``--expect``."""
    column, equals, text = value.partition("=")
    if equals and column in columns:
        return column, text or None
    if len(columns) > 1:
        raise typer.BadParameter(f"--expect {value!r}: give COLUMN=VALUE, for each column")
    return next(iter(columns)), value or None


def pending(dataset: Dataset, json: Json = False) -> None:
    """List the corrections that are not published yet.

    The table shows the published and the corrected value of each.
    """
    waiting = likewise.pending(dataset)
    if json:
        print_json(waiting)
        return
    rows = [
        (row.item_id, row.column, row.published or "-", row.corrected or "-")
        for row in waiting.rows
    ]
    if rows:
        print_table(("item", "column", "published", "corrected"), rows)
    print_note(
        f"{counted(len(rows), 'correction')} of {waiting.corrections:,} not published yet"
    )
    if waiting.unknown:
        print_note(
            f"{counted(len(waiting.unknown), 'item')} with corrections not in {dataset}: "
            f"{bounded(waiting.unknown, len(waiting.unknown))}"
        )
    if rows:
        print_next(f"{waiting.command}, then: git commit {waiting.file} dvc.lock")


def measure(dataset: Dataset, engine: Engine = None, shard: Shard = None) -> None:
    """Measure brightness, sharpness and perceptual hash of images.

    Only new images are decoded. `check` derives flags from the measurements. Large data sets on
    several processes or nodes: docs/scale.md.
    """
    done = likewise.measure(dataset, engine=engine, shard=shard)
    print_line(f"{dataset}: {counted(done.computed, 'image')} measured")
    if print_shards(done.shards, shard, f"likewise measure {dataset}"):
        return
    print_line(f"{done.taken_over:,} reused, {done.dropped:,} dropped")
    print_next(f"likewise check {dataset}")


def check(
    dataset: Dataset,
    judged: Annotated[
        bool, typer.Option("--judged", help="Also count flags that have a verdict.")
    ] = False,
    json: Json = False,
    html: Html = None,
    engine: Engine = None,
    shard: Shard = None,
) -> None:
    """Flag duplicates, leaks and poor images; nothing is deleted.

    The thresholds are in the section `checks` of params.yaml. `query` reads the flags from the
    table DATASET_flags. Large data sets on several processes or nodes: docs/scale.md.
    """
    command = f"likewise check {dataset}"
    if shard is not None:
        print_shards(likewise.check(dataset, engine=engine, shard=shard), shard, command)
        return
    done = likewise.check(dataset, judged=judged, engine=engine)
    if html:
        done.to_html(html)
        print_note(f"wrote {html}")
    if json:
        print_json(done)
        return
    print_shards(done.shards, None, command)
    print_line(
        f"{dataset}: {done.flagged:,} of {counted(done.images, 'image', 'is', 'are')} flagged"
    )
    print_table(("flag", "number"), done.flags.items())
    for flag, option in done.usual.items():
        print_note(
            f"{flag}: more than half of the images; if they are as you want them, change "
            f"{option} of checks.{dataset} in params.yaml (null turns the flag off)"
        )
    if done.judged:
        print_note(f"{counted(done.judged, 'flag')} with a verdict left out; see --judged")
    if done.unmeasured:
        print_note(
            f"not compared, because not measured: {', '.join(done.unmeasured)}; run: dvc repro"
        )
    if done.leaks:
        print_line("")
        print_table(("leaks into", "images"), done.leaks.items())
    print_next(f'likewise query "select * from {dataset}_flags"')  # noqa: S608 (a hint)


def view(
    name: Annotated[str, typer.Argument(metavar="VIEW", help="View of params.yaml.")],
) -> None:
    """Publish a part of the items of a data set.

    An entry of params.yaml names the data set and, in `views`, flags whose items are left out,
    in `filtered`, a condition, or in `selected`, a selection. A view is searched and scored by
    its name, like a data set.
    """
    done = likewise.view(name)
    print_line(f"{name}: {counted(done.items, 'item')}, {done.left_out:,} excluded")
    if done.unknown:
        print_note(f"{counted(done.unknown, 'selected item')} not in the data set")
    print_next(f"likewise search {name} --image FILE")


def forget(
    dataset: Dataset,
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Id of an item or image, or the SHA-256 of a file."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Reason, kept in git; do not name persons.")
    ] = "",
    purge: Annotated[
        bool,
        typer.Option(
            "--purge", help="Also erase files of old versions, here and on all remotes."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Remove items permanently, and list what still contains them.

    An item is removed with its image and all images of the same bytes, from every table, index
    and result. forgotten.csv records these images, so that a later ingest cannot add them
    again. Without an ID, the entries of forgotten.csv are applied again.
    """
    done = likewise.forget(dataset, items or (), reason=reason, purge=purge)
    if json:
        print_json(done)
        return
    print_line(
        f"{dataset}: {counted(len(done.items), 'item')} removed now, {done.forgotten:,} in "
        "total"
    )
    for name in done.items:
        print_line(f"removed: {name}")
    if done.purged:
        print_line(f"{counted(done.purged, 'file')} erased")
    if done.holders:
        rows = [(h.kind, h.where, h.what, h.command) for h in done.holders[:SHOWN]]
        print_table(("still contained in", "where", "what", "command"), rows)
        note_truncation(len(done.holders), "holders")
    else:
        print_line("nothing known here still contains them")
    print_note(
        "clones, caches and exports elsewhere are not checked; run likewise forget there"
    )
    if done.remade or done.repro:
        print_next(f"dvc repro, then: git add {done.file} dvc.lock ..., git commit, push both")
