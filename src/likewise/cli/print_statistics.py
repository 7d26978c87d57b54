"""Output of ``likewise describe`` on a terminal; in a pipe it is Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from likewise.cli.output import print_facts, print_line, print_table
from likewise.cli.text_table import NumberStyle, number_texts
from likewise.errors import size_text
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Spread, Statistics

_STYLE = NumberStyle(4, grouped=True)


def print_statistics(statistics: "Statistics") -> None:
    """Print statistics as facts and tables that fit the terminal."""
    contents = statistics.contents
    print_facts(_card(statistics))
    splits = [(p.split, p.subset, p.items, p.labels) for p in statistics.parts]
    _print_section("Splits and subsets", ("split", "subset", "items", "labels"), splits)
    if len(contents.parts) > 1:
        digests = [(p.split, p.items, p.labels, p.digest) for p in contents.parts]
        heads = ("split", "items", "labels", "digest")
        _print_section("Splits with equal digests contain the same items", heads, digests)
    _print_counts("Roles", ("role", "items"), contents.roles)
    most = statistics.MOST_LABELS
    labels = [(n.label, n.text, n.items) for n in statistics.labels[:most]]
    _print_section("Labels", ("label", "text", "items"), labels)
    if len(statistics.labels) > most:
        print_line(
            f"The {most} labels with most items of {len(statistics.labels):,}; "
            f"list all: likewise show {statistics.dataset} --labels"
        )
    _print_spreads("Images", _with_units(statistics, statistics.sizes))
    _print_counts("Formats", ("format", "images"), contents.formats)
    _print_counts("Pixel layouts", ("mode", "images"), statistics.modes)
    if statistics.boxed:
        title = f"Boxes: {counted(statistics.boxed, 'item')}, in pixels of the image as stored"
        _print_spreads(title, _with_units(statistics, statistics.boxes))
    _print_counts("Licences of single items", ("licence", "items"), statistics.licences)
    title = "Findings of ingest: files left out or repaired"
    _print_counts(title, ("check", "files"), statistics.findings)
    _print_counts("Flags of the last check", ("flag", "images or items"), statistics.flags)


def _card(statistics: "Statistics") -> Iterator[tuple[str, str]]:
    card, contents = statistics.card, statistics.contents
    terms = f"\n{card.licence.terms}" if card.licence.terms else ""
    yield statistics.dataset, card.title
    yield "licence", f"{card.licence.spdx}{terms}"
    yield "citation", card.citation
    yield "homepage", card.homepage
    yield "faults", "\n".join(card.faults)
    size = size_text(contents.nbytes)
    yield "items", f"{contents.items:,} in {counted(contents.images, 'image')}, {size}"
    yield "labels", f"{len(statistics.labels):,}"


def _print_section(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table under its title; a table without rows is left out."""
    if rows:
        print_line("")
        print_line(title)
        print_table(heads, rows)


def _print_counts(title: str, heads: tuple[str, str], counts: Mapping[str, int]) -> None:
    _print_section(title, heads, list(counts.items()))


def _with_units(
    statistics: "Statistics", spreads: "Mapping[str, Spread]"
) -> "dict[str, Spread]":
    return {statistics.with_unit(name): spread for name, spread in spreads.items()}


def _print_spreads(title: str, spreads: "Mapping[str, Spread]") -> None:
    """Print distributions; the numbers of a quantity have equal decimals."""
    rows = []
    for name, spread in spreads.items():
        values: tuple[float, ...]
        values = (spread.least, spread.low, spread.median, spread.high, spread.greatest)
        if all(float(value).is_integer() for value in values):
            values = tuple(map(int, values))
        rows.append((name, *number_texts(values, _STYLE)))
    heads = ("quantity", "minimum", "5 %", "median", "95 %", "maximum")
    _print_section(title, heads, rows)
