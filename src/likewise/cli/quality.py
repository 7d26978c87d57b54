"""The commands about data before they are used: download, measure, check, view, describe."""

from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Html, Json
from likewise.cli.output import as_json, note, say, table


def download(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which; without it they are listed.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Where; by default data/NAME.")
    ] = None,
    json: Json = False,
) -> None:
    """Fetch a known data set, or say how to get it.

    What broke off is gone on with by the same command; nothing is overwritten or unpacked.
    """
    if name is None:
        offers = likewise.downloads()
        if json:
            as_json(offers)
        else:
            rows = [(o.name, "yes" if o.public else "by hand", o.title) for o in offers]
            table(("name", "public", "what"), rows)
        return
    done = likewise.download(name, folder)
    if json:
        as_json(done)
        return
    for what, files in (("fetched", done.fetched), ("there already", done.kept)):
        for file in files:
            say(f"{what}: {done.folder}/{file}")
    say(f"licence: {done.licence}")
    say(f"next: {done.next}")


def describe(
    dataset: Dataset,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write it to reports/, with a picture.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell a data set's statistics, as a page in Markdown.

    Splits, labels, sizes, boxes, formats, licences, findings and flags.
    """
    found = likewise.describe(dataset)
    if markdown:
        for path in found.to_reports():
            note(f"wrote {path}")
    if json:
        as_json(found)
    elif not markdown:
        say(found.to_markdown().rstrip())


def measure(dataset: Dataset) -> None:
    """Measure brightness, sharpness and look of every image.

    The look is a perceptual hash. Only images that are new are decoded; `check` makes flags of
    the measures.
    """
    done = likewise.measure(dataset)
    say(f"{dataset}: {done.computed:,} images measured")
    say(f"{done.taken_over:,} taken over, {done.dropped:,} dropped")


def view(
    name: Annotated[str, typer.Argument(metavar="VIEW", help="A view of params.yaml.")],
) -> None:
    """Publish a data set without what has some flags.

    params.yaml says of what data set, without which flags; search and score it by its name.
    """
    done = likewise.view(name)
    say(f"{name}: {done.items:,} items, {done.left_out:,} left out")


def check(
    dataset: Dataset,
    json: Json = False,
    html: Html = None,
) -> None:
    """Flag copies, leaks and poor images; nothing is deleted.

    The bounds are in params.yaml (checks). The flags are the table x_flags of `query`.
    """
    done = likewise.check(dataset)
    if html:
        done.to_html(html)
        note(f"wrote {html}")
    if json:
        as_json(done)
        return
    say(f"{dataset}: {done.flagged:,} of {done.images:,} images are flagged")
    table(("flag", "number"), done.flags.items())
    if done.leaks:
        say("")
        table(("also in", "images"), done.leaks.items())
