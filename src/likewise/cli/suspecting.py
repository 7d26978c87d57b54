"""The command that lists likely wrong labels."""

from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Html, Json, Model
from likewise.cli.output import print_command, print_json, print_note, print_tip
from likewise.cli.print_suspects import print_suspects


def suspects(  # noqa: PLR0913 (an argument is an option)
    dataset: Dataset,
    model: Model,
    *,
    index: Annotated[
        str, typer.Option(metavar="NAME", help="Index that searches the neighbours.")
    ] = "exact",
    most: Annotated[
        int, typer.Option(min=0, metavar="N", help="Maximum number of suspects.")
    ] = 20,
    commands: Annotated[
        bool, typer.Option("--commands", help="Print only the commands that correct.")
    ] = False,
    json: Json = False,
    html: Html = None,
) -> None:
    """List likely wrong labels, the most doubtful first.

    The nearest items of other content vote for their labels. A label is a suspect if another
    one has more votes, or by confident learning. Nothing is changed: --commands prints one line
    for each suspect, to paste into a shell. --json lists all suspects with their neighbours.
    """
    if json and commands:
        raise typer.BadParameter("give one of --json and --commands")
    doubtful = likewise.suspects(dataset, model, index=index)
    if html:
        doubtful.to_html(html)
        print_note(f"wrote {html}")
    if json:
        print_json(doubtful)
    elif commands:
        for line in doubtful.rows["command"].drop_nulls().head(most):
            print_command(line)
    else:
        print_suspects(doubtful, most)
        print_tip(f"likewise suspects {dataset} {model} --html suspects.html")
