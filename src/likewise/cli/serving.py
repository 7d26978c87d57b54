"""The command serve."""

import sys
import webbrowser
from typing import Annotated

import typer

import likewise
from likewise.cli.output import print_line, print_note


def serve(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, metavar="N", help="Port; by default a free one."),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address at which to listen.")
    ] = "127.0.0.1",
    read_only: Annotated[
        bool | None,
        typer.Option(
            "--read-only/--read-write",
            help="Refuse changes; the default where --host is not loopback.",
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

    Look, search, draw and compare. The page is served by this machine for this machine until
    Ctrl-C. It needs no network. With another --host, other machines can connect; they need the
    token in the printed address.
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
