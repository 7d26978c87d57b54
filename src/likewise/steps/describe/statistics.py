"""Statistics of a data set, as numbers and as pages."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import ClassVar

from likewise.catalogue.contents import Contents
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.pages.written import write_page
from likewise.steps.describe.statistics_page import (
    LABELS,
    histogram,
    statistics_html,
    statistics_markdown,
    with_unit,
)
from likewise.storage.config import Card
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Spread:
    """Distribution of some values: minimum, 5 %, median, 95 % and maximum.

    Quantiles are values of the sample (nearest rank), not interpolated.
    """

    least: float
    low: float
    median: float
    high: float
    greatest: float


@dataclass(frozen=True)
class SplitCounts:
    """Numbers of items and of distinct labels of one split and subset."""

    split: str | None
    subset: str | None
    items: int
    labels: int


@dataclass(frozen=True)
class LabelCount:
    """A label, its text, and the number of items with it."""

    label: str
    text: str | None
    items: int


@dataclass(frozen=True)
class Statistics:
    """Statistics of a data set.

    Attributes:
        dataset: name of the data set.
        card: its card, with title, licence and citation.
        contents: counts of items, images, splits, subsets, roles and formats.
        parts: items and labels of every split and subset, in canonical order.
        labels: every label, sorted by descending number of items, then by name.
        sizes: of images: width and height (pixels), aspect ratio (width / height),
            megapixels, kB.
        modes: pixel layout -> number of images, in descending order.
        boxes: of items with a box: width and height (pixels), share of the image's area
            (0 to 1).
        boxed: number of items with a box.
        licences: licence of single items -> number of items, if the source has a column of
            licences.
        findings: check of ingest -> number of files.
        flags: flag of the last check -> number of images or items.
    """

    MOST_LABELS: ClassVar[int] = LABELS
    """Maximum number of labels that a page lists."""

    with_unit = staticmethod(with_unit)

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
        """Return the statistics as Markdown, without the histogram."""
        return statistics_markdown(self)

    def to_html(self, path: StrPath) -> None:
        """Write the statistics as a self-contained HTML page.

        Args:
            path: the file to write.

        Raises:
            DataError: the file cannot be written.
        """
        svg = histogram(self._counts, 4.6, "none") if self.labels else ""
        tables = list(self._sections())
        page = statistics_html(self.card.title, list(self._facts().items()), tables, svg)
        write_page(path, page)

    def to_reports(self) -> list[Path]:
        """Write the statistics to ``reports/``, as Markdown with a histogram of the labels.

        The files are deterministic and small; commit both to git.

        Returns:
            The files that were written, relative to the root of the catalogue.

        Raises:
            DataError: a file cannot be written.
        """
        page = self.ws.page(self.dataset)
        picture = page.with_suffix(".svg")
        texts = {page: statistics_markdown(self, picture.name if self.labels else "")}
        if self.labels:
            texts[picture] = histogram(self._counts)
        for path, text in texts.items():
            write_page(path, text)
        return [path.relative_to(self.ws.root) for path in texts]

    def __repr__(self) -> str:
        counts = (
            f"{counted(self.contents.items, 'item')} in "
            f"{counted(self.contents.images, 'image')}"
        )
        return f"Statistics({self.dataset}: {counts}, {counted(len(self.labels), 'label')})"

    def _repr_html_(self) -> str:
        return notebook.heading(self.card.title) + self._body()

    @property
    def _counts(self) -> list[int]:
        return [label.items for label in self.labels]

    def _facts(self) -> dict[str, object]:
        licence = self.card.licence
        return {
            "name": self.dataset,
            "items": self.contents.items,
            "images": self.contents.images,
            "size (MB)": self.contents.nbytes / 1e6,
            "labels": len(self.labels),
            "licence": ": ".join(filter(None, (licence.spdx, licence.terms))),
            "citation": self.card.citation,
            "known faults": "; ".join(self.card.faults),
        }

    def _body(self) -> str:
        parts = [notebook.facts(self._facts())]
        for title, heads, rows in self._sections():
            parts += [notebook.heading(title), notebook.table(heads, rows)] if rows else []
            if title == "Labels" and self.labels:
                parts.append(histogram(self._counts))
        return "".join(parts)

    def _sections(self) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]:
        """Yield title, column heads and rows of every table."""
        splits = ("split", "subset", "items", "labels")
        yield "Splits and subsets", splits, [astuple(part) for part in self.parts]
        labels = [astuple(label) for label in self.labels[:LABELS]]
        yield "Labels", ("label", "text", "items"), labels
        spread = ("quantity", "minimum", "5 %", "median", "95 %", "maximum")
        for title, values in (("Images", self.sizes), ("Boxes", self.boxes)):
            yield title, spread, [(with_unit(n), *astuple(s)) for n, s in values.items()]
        for title, head, number, counts in (
            ("Roles", "role", "items", self.contents.roles),
            ("Formats", "format", "images", self.contents.formats),
            ("Pixel layouts", "mode", "images", self.modes),
            ("Licences of single items", "licence", "items", self.licences),
            ("Findings of ingest", "check", "files", self.findings),
            ("Flags of the last check", "flag", "images or items", self.flags),
        ):
            yield title, (head, number), list(counts.items())
