"""Output of ``likewise show`` as text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from likewise.cli.output import (
    counts,
    print_facts,
    print_line,
    print_next,
    print_note,
    print_table,
    print_tip,
)
from likewise.errors import size_text
from likewise.formats.counted_nouns import counted

if TYPE_CHECKING:
    from likewise import Contents, Description, LabelFacts, RunFacts, SplitFacts

INDENT = 10


def print_description(description: "Description") -> None:
    """Print a description: facts, models, runs, and the next command."""
    facts = [*_card(description)]
    if description.contents:
        facts += _contents(description.contents)
    print_facts([*facts, ("findings", counts(description.findings))], INDENT)
    if description.models:
        print_line("")
        rows = [
            (m.model, m.dim, m.dtype, m.passport.backbone, m.passport.weights_source)
            for m in description.models
        ]
        print_table(("model", "dim", "dtype", "backbone", "weights"), rows)
    _runs(description)
    if description.remark:
        print_note(f"likewise: {description.remark}")
    if description.next:
        print_next(description.next)
    elif not description.remark:
        print_tip(f"likewise search {description.dataset} --image FILE --html hits.html")


def _card(description: "Description") -> Iterator[tuple[str, str]]:
    card = description.card
    terms = f"\n{card.licence.terms}" if card.licence.terms else ""
    yield description.dataset, f"{card.title} ({description.state})"
    yield "source", f"{card.source.get('kind')}: {description.path}"
    yield "licence", f"{card.licence.spdx}{terms}"
    yield "citation", card.citation
    yield "homepage", card.homepage
    yield "faults", "\n".join(card.faults)


def _contents(contents: "Contents") -> Iterator[tuple[str, str]]:
    size = size_text(contents.nbytes)
    yield "items", f"{contents.items:,} in {counted(contents.images, 'image')}, {size}"
    if contents.labels:
        yield "labels", _labels(contents.labels)
    yield "splits", "\n".join(map(_split, contents.parts))
    yield "subsets", counts(contents.subsets)
    yield "roles", counts(contents.roles)
    yield "formats", counts(contents.formats)
    widths, heights = (_range(r) for r in (contents.widths, contents.heights))
    yield "sizes", f"width {widths}, height {heights} pixels"


def _split(part: "SplitFacts") -> str:
    """Return a split as one line, with the first twelve digits of its digest."""
    digest = f", digest {part.digest[:12]}" if part.digest else ""
    items, labels = counted(part.items, "item"), counted(part.labels, "label")
    return f"{part.split or 'none'} {items}, {labels}{digest}"


def _labels(labels: "LabelFacts") -> str:
    noun = "item" if labels.most == 1 else "items"
    size = f"{_range((labels.fewest, labels.most))} {noun} each"
    if labels.fewest != labels.most:
        size += f", median {labels.median:g}"
    without = (
        f"; {counted(labels.unlabelled, 'item')} without a label" if labels.unlabelled else ""
    )
    more = ", ..." if labels.number > len(labels.first) else ""
    return f"{labels.number:,}: {size}{without}\n{', '.join(labels.first)}{more}"


def _range(ends: tuple[int, int]) -> str:
    return f"{ends[0]:,}" if ends[0] == ends[1] else f"{ends[0]:,} to {ends[1]:,}"


def _runs(description: "Description") -> None:
    """Print the runs and their metrics, one table for each set of metrics."""
    groups: dict[tuple[str, ...], list[RunFacts]] = {}
    for run in description.runs:
        groups.setdefault(tuple(run.metrics or ()), []).append(run)
    for names, runs in groups.items():
        print_line("")
        rows = [
            (run.run, run.index, run.protocol, *(run.metrics or {}).values()) for run in runs
        ]
        print_table(("run", "index", "protocol", *names), rows)
    for run in description.runs:
        if run.by_value:
            print_line("")
            print_line(f"{run.run} by {run.by}")
            metrics = list(next(iter(run.by_value.values())))
            parts = [
                (value, *(numbers.get(name, "") for name in metrics))
                for value, numbers in run.by_value.items()
            ]
            print_table((run.by, *metrics), parts)
