"""The statistics of a data set: numbers, and pages that show them."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from likewise.catalogue.contents import Contents
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.pages.written import write_page
from likewise.steps.describe.statistics_page import LABELS, histogram, statistics_markdown
from likewise.storage.config import Card
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Spread:
    """How some numbers are spread: least, 5 %, median, 95 % and greatest of them.

    A quantile is the number of that rank, never one between two.
    """

    least: float
    low: float
    median: float
    high: float
    greatest: float


@dataclass(frozen=True)
class SplitCounts:
    """The items of one split and subset, and how many labels they have."""

    split: str | None
    subset: str | None
    items: int
    labels: int


@dataclass(frozen=True)
class LabelCount:
    """A label, its text, and how many items have it."""

    label: str
    text: str | None
    items: int


@dataclass(frozen=True)
class Statistics:
    """What a data set holds, in numbers.

    Attributes:
        dataset: its name.
        card: what it is, with licence and citation.
        contents: counts of items, images, splits, subsets, roles and formats.
        parts: items and labels of every split and subset, in canonical order.
        labels: every label, most items first, then by name.
        sizes: of images: width, height, aspect ratio (width / height), megapixels, kB.
        modes: pixel layout -> images, most first.
        boxes: of items with a box: width, height, share of the image's area (0 to 1).
        boxed: how many items have a box.
        licences: licence of single items -> how many have it, where the source says so.
        findings: check of ingest -> files.
        flags: flag of the last check -> images or items.
    """

    dataset: str
    card: Card
    contents: Contents
    ws: Workspace = field(repr=False, compare=False)
    parts: list[SplitCounts] = field(default_factory=list)
    labels: list[LabelCount] = field(default_factory=list)
    sizes: dict[str, Spread] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    boxes: dict[str, Spread] = field(default_factory=dict)
    boxed: int = 0
    licences: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)

    def to_markdown(self) -> str:
        """The statistics as Markdown, without a picture."""
        return statistics_markdown(self)

    def to_html(self, path: StrPath) -> None:
        """Write the statistics as a page, which needs no other file and no network.

        Raises:
            DataError: the file cannot be written.
        """
        write_page(path, notebook.page(self.card.title, self._body()))

    def to_reports(self) -> list[Path]:
        """Write the statistics into ``reports/``, as Markdown with a histogram of the labels.

        The same tables give the same bytes; both files are for git.

        Returns:
            The files that were written, from the catalogue's root.

        Raises:
            DataError: a file cannot be written.
        """
        page = self.ws.page(self.dataset)
        picture = page.with_suffix(".svg")
        texts = {page: statistics_markdown(self, picture.name if self.labels else "")}
        if self.labels:
            texts[picture] = self._histogram()
        for path, text in texts.items():
            write_page(path, text)
        return [path.relative_to(self.ws.root) for path in texts]

    def __repr__(self) -> str:
        counts = f"{self.contents.items:,} items in {self.contents.images:,} images"
        return f"Statistics({self.dataset}: {counts}, {len(self.labels):,} labels)"

    def _repr_html_(self) -> str:
        return notebook.heading(self.card.title) + self._body()

    def _histogram(self) -> str:
        return histogram([label.items for label in self.labels])

    def _body(self) -> str:
        licence = self.card.licence
        parts = [
            notebook.facts(
                {
                    "name": self.dataset,
                    "items": self.contents.items,
                    "images": self.contents.images,
                    "labels": len(self.labels),
                    "licence": ": ".join(filter(None, (licence.spdx, licence.terms))),
                    "citation": self.card.citation,
                    "known faults": "; ".join(self.card.faults),
                }
            )
        ]
        for title, heads, rows in self._sections():
            parts += [notebook.heading(title), notebook.table(heads, rows)] if rows else []
            if title == "Labels" and self.labels:
                parts.append(self._histogram())
        return "".join(parts)

    def _sections(self) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]:
        """Title, heads and rows of every table."""
        splits = ("split", "subset", "items", "labels")
        yield "Splits and subsets", splits, [astuple(part) for part in self.parts]
        labels = [astuple(label) for label in self.labels[:LABELS]]
        yield "Labels", ("label", "text", "items"), labels
        spread = ("", "least", "5 %", "median", "95 %", "greatest")
        yield "Images", spread, [(name, *astuple(s)) for name, s in self.sizes.items()]
        yield "Boxes", spread, [(name, *astuple(s)) for name, s in self.boxes.items()]
        for title, head, counts in (
            ("Roles", "role", self.contents.roles),
            ("Formats", "format", self.contents.formats),
            ("Pixel layouts", "mode", self.modes),
            ("Licences of single items", "licence", self.licences),
            ("Findings of ingest", "check", self.findings),
            ("Flags", "flag", self.flags),
        ):
            yield title, (head, "number"), list(counts.items())
