"""Commands on the quality of data: download, measure, check, view, describe."""

import sys
from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Html, Json
from likewise.cli.output import (
    print_json,
    print_line,
    print_markdown,
    print_next,
    print_note,
    print_table,
    print_tip,
)


def download(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Known data set; without it, list all.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Target folder; by default data/NAME."),
    ] = None,
    json: Json = False,
) -> None:
    """Download a known data set, or print how to get it.

    Run the same command again to resume. Existing files are never overwritten; archives are
    not unpacked.
    """
    if name is None:
        known = likewise.downloads()
        if json:
            print_json(known)
        else:
            rows = [(o.name, "yes" if o.public else "no", o.title) for o in known]
            print_table(("name", "public", "title"), rows)
            print_tip("likewise download NAME")
        return
    done = likewise.download(name, folder)
    if json:
        print_json(done)
        return
    for action, files in (("downloaded", done.fetched), ("already present", done.kept)):
        for file in files:
            print_line(f"{action}: {done.folder}/{file}")
    for file in done.unverified:
        print_line(f"not verified, because no checksum is published: {done.folder}/{file}")
    print_line(f"licence: {done.licence}")
    print_next(done.next)


def describe(
    dataset: Dataset,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write the statistics to reports/, with a plot.")
    ] = False,
    json: Json = False,
) -> None:
    """Print the statistics of a data set; in a pipe, as Markdown.

    The statistics cover splits, labels, sizes, boxes, formats, licences, findings and flags.
    """
    statistics = likewise.describe(dataset)
    if markdown:
        for path in statistics.to_reports():
            print_note(f"wrote {path}")
    if json:
        print_json(statistics)
    elif not markdown:
        if sys.stdout.isatty():
            from likewise.cli.print_statistics import print_statistics

            print_statistics(statistics)
        else:
            print_markdown(statistics.to_markdown().rstrip())
        print_tip(f"likewise describe {dataset} --markdown")


def measure(dataset: Dataset) -> None:
    """Measure brightness, sharpness and perceptual hash of images.

    Only new images are decoded. `check` derives flags from the measurements.
    """
    done = likewise.measure(dataset)
    print_line(f"{dataset}: {done.computed:,} images measured")
    print_line(f"{done.taken_over:,} reused, {done.dropped:,} dropped")
    print_next(f"likewise check {dataset}")


def view(
    name: Annotated[str, typer.Argument(metavar="VIEW", help="View of params.yaml.")],
) -> None:
    """Publish a data set without the items that have certain flags.

    The section `views` of params.yaml names the data set and the flags. A view is searched and
    scored by its name, like a data set.
    """
    done = likewise.view(name)
    print_line(f"{name}: {done.items:,} items, {done.left_out:,} excluded")
    print_next(f"likewise search {name} --image FILE")


def check(
    dataset: Dataset,
    json: Json = False,
    html: Html = None,
) -> None:
    """Flag duplicates, leaks and poor images; nothing is deleted.

    The thresholds are in the section `checks` of params.yaml. `query` reads the flags from the
    table DATASET_flags.
    """
    done = likewise.check(dataset)
    if html:
        done.to_html(html)
        print_note(f"wrote {html}")
    if json:
        print_json(done)
        return
    print_line(f"{dataset}: {done.flagged:,} of {done.images:,} images are flagged")
    print_table(("flag", "number"), done.flags.items())
    if done.unmeasured:
        print_note(
            f"not compared, because not measured: {', '.join(done.unmeasured)}; run: dvc repro"
        )
    if done.leaks:
        print_line("")
        print_table(("leaks into", "images"), done.leaks.items())
    print_next(f'likewise query "select * from {dataset}_flags"')  # noqa: S608 (a hint)
