"""The command kinds, which lists kinds and known data sets."""

from typing import Annotated

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.output import print_json, print_table, print_tip
from likewise.cli.print_kinds import print_kind, print_known

_USES = {
    "sources": "likewise validate {} DIR",
    "metrics": "likewise kinds protocols",
    "protocols": "likewise score {} --embeddings FILE --items FILE",
    "exports": "likewise export DATASET {} --to DIR",
}
"""Command that uses the kinds of a family; other families are used only in params.yaml."""


def _print_known(family: str | None, name: str | None, *, json: bool) -> None:
    """Print the known data sets, or the facts of one.

    Raises:
        UnknownNameError: there is no such data set.
    """
    if family not in (None, "sources"):
        raise typer.BadParameter("only sources have known data sets: kinds sources --known")
    offers = {offer.name: offer for offer in likewise.downloads()}
    if name is not None and name not in offers:
        raise likewise.UnknownNameError("public data set", name, offers)
    if json:
        print_json(list(offers.values()) if name is None else offers[name])
    elif name is None:
        rows = [(o.name, ", ".join(o.kinds), o.title) for o in offers.values()]
        print_table(("name", "read by", "title"), rows)
        print_tip("likewise kinds sources --known NAME")
    else:
        print_known(offers[name])
        print_tip(f"likewise add NAME --source {name} --path DIR")


def kinds(
    family: Annotated[
        str | None,
        typer.Argument(
            metavar="[FAMILY]",
            help="protocols, metrics, sources, recipes, sections or another family.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One kind, with all its options.")
    ] = None,
    known: Annotated[
        bool,
        typer.Option("--known", help="List the public data sets that sources know by name."),
    ] = False,
    json: Json = False,
) -> None:
    """List protocols, metrics, sources, recipes and other kinds.

    Without FAMILY, the families are listed. --json prints the options of every kind with type,
    default and range, and the formula and source of metrics and protocols. Kinds of other
    packages are listed too; their code is not run. `kinds sources --known` lists the public
    data sets, and `kinds sources --known NAME` one of them with its facts.
    """
    if known:
        _print_known(family, name, json=json)
        return
    if family is None:
        families = likewise.kinds()
        if json:
            print_json(list(families))
        else:
            rows = [(f.name, len(f.kinds), f.summary) for f in families]
            print_table(("family", "kinds", "summary"), rows)
            print_tip("likewise kinds FAMILY")
        return
    listed = likewise.kinds(family)
    if name is not None and json:
        print_json(listed[name])
    elif name is not None:
        print_kind(listed[name])
        print_tip(_USES.get(family, "an entry of params.yaml: kind: {}").format(name))
    elif json:
        print_json(list(listed))
    else:
        packages = ["" if k.package == "likewise" else k.package for k in listed]
        table = [(k.name, k.summary, p) for k, p in zip(listed, packages, strict=True)]
        print_table(("name", "summary", "package"), table)
        print_tip(f"likewise kinds {family} NAME")
