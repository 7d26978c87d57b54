"""The commands serve and site."""

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Dataset, Json, Selection
from likewise.cli.output import print_json, print_line, print_note
from likewise.errors import size_text
from likewise.formats.counted_nouns import counted


def serve(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            metavar="N",
            help="Port; by default the first free one from 8642.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address at which to listen.")
    ] = "127.0.0.1",
    read_only: Annotated[
        bool | None,
        typer.Option(
            "--read-only/--read-write",
            help="Refuse changes; the default if --host is not loopback, or if the catalogue "
            "cannot be written.",
        ),
    ] = None,
    open_browser: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open a browser if there is one."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another name of the host, as of a proxy."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="Prefix of all addresses behind a proxy.")
    ] = "",
) -> None:
    """Show the catalogue in a browser.

    Browse, search, draw, compare and correct. The page needs no network and runs until Ctrl-C.
    Only this machine can connect. With another --host, other machines can; they need the token
    in the printed address.
    """
    server = likewise.serve(
        port=port,
        host=host,
        read_only=read_only,
        allow_host=allow_host or (),
        root_path=root_path,
    )
    print_line(server.url)
    command = server.ssh_command()
    if command:
        print_note(f"on your own machine, run: {command}\nand open {server.url} there")
    print_note("Ctrl-C ends the server")
    sys.stdout.flush()
    if server.opens_browser if open_browser is None else open_browser:
        webbrowser.open(server.url)
    server.run()


def site(  # noqa: PLR0913 (a function here is a command, an argument an option)
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder to write.")],
    dataset: Dataset,
    *,
    selection: Selection = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="Only items that match, e.g. split = 'test'."),
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN", help="Run whose numbers are shown; repeatable."),
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN", help="One of two runs to compare; give it twice."),
    ] = None,
    map: Annotated[
        list[str] | None,
        typer.Option(metavar="MAP", help="Map on which the items are drawn; repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Write items, runs and a comparison as static pages.

    The folder needs no server and no network: open its index.html, or put it on a web server.
    It is refused if a licence forbids sharing. A site has at most 20,000 items.
    """
    done = likewise.site(
        folder,
        dataset,
        selection=selection,
        where=where,
        runs=run or (),
        compare=compare or (),
        maps=map or (),
    )
    if json:
        print_json({**vars(done), "folder": str(done.folder)})
    else:
        files = f"{counted(done.files, 'file')}, {size_text(done.nbytes)}"
        print_line(f"{done.folder}: {counted(done.items, 'item')}, {files}")
    for note in done.notes:
        print_note(f"note: {note}")
    if not json:
        print_note(f"open {done.folder / 'index.html'}")
