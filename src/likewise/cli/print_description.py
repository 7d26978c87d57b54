"""What ``likewise show`` prints for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from likewise.cli.output import cell, counts, say, table

if TYPE_CHECKING:
    from likewise import Contents, Description, LabelFacts, RunFacts, SplitFacts

INDENT = 10


def print_description(found: "Description") -> None:
    """Print a description: facts, models, runs, and the next command."""
    for name, text in _card(found):
        _fact(name, text)
    if found.contents:
        for name, text in _contents(found.contents):
            _fact(name, text)
    _fact("findings", counts(found.findings))
    if found.models:
        say("")
        rows = [
            (m.model, m.dim, m.dtype, m.passport.backbone, m.passport.weights_source)
            for m in found.models
        ]
        table(("model", "dim", "dtype", "backbone", "weights"), rows)
    _runs(found)
    if found.next:
        say("")
        say(f"next: {found.next}")


def _fact(name: str, text: str) -> None:
    """A name and what is to say of it; nothing where there is nothing."""
    for number, line in enumerate(text.splitlines()):
        say(f"{'' if number else name:<{INDENT}}{cell(line)}")


def _card(found: "Description") -> Iterator[tuple[str, str]]:
    card = found.card
    terms = f"\n{card.licence.terms}" if card.licence.terms else ""
    yield found.dataset, f"{card.title} ({found.state})"
    yield "source", f"{card.source.get('kind')}: {found.path}"
    yield "licence", f"{card.licence.spdx}{terms}"
    yield "citation", card.citation
    yield "faults", "\n".join(card.faults)


def _contents(contents: "Contents") -> Iterator[tuple[str, str]]:
    megabytes = contents.nbytes / 1e6
    yield "items", f"{contents.items:,} in {contents.images:,} images, {megabytes:,.1f} MB"
    if contents.labels:
        yield "labels", _labels(contents.labels)
    yield "splits", "\n".join(map(_split, contents.parts))
    yield "subsets", counts(contents.subsets)
    yield "roles", counts(contents.roles)
    yield "formats", counts(contents.formats)
    widths, heights = (_range(r) for r in (contents.widths, contents.heights))
    yield "sizes", f"width {widths}, height {heights} pixels"


def _split(part: "SplitFacts") -> str:
    """A split in a line; what tells it from others of its name, to twelve digits."""
    digest = f", digest {part.digest[:12]}" if part.digest else ""
    return f"{part.split or 'none'} {part.items:,} items, {part.labels:,} labels{digest}"


def _labels(labels: "LabelFacts") -> str:
    each = f"{_range((labels.fewest, labels.most))} items each"
    if labels.fewest != labels.most:
        each += f", median {labels.median:g}"
    without = f"; {labels.unlabelled:,} items without" if labels.unlabelled else ""
    more = ", ..." if labels.number > len(labels.first) else ""
    return f"{labels.number:,}: {each}{without}\n{', '.join(labels.first)}{more}"


def _range(ends: tuple[int, int]) -> str:
    return f"{ends[0]:,}" if ends[0] == ends[1] else f"{ends[0]:,} to {ends[1]:,}"


def _runs(found: "Description") -> None:
    """The runs with their numbers: a table for those that have the same metrics."""
    alike: dict[tuple[str, ...], list[RunFacts]] = {}
    for run in found.runs:
        alike.setdefault(tuple(run.metrics or ()), []).append(run)
    for names, runs in alike.items():
        say("")
        rows = [
            (run.run, run.index, run.protocol, *(run.metrics or {}).values()) for run in runs
        ]
        table(("run", "index", "protocol", *names), rows)
