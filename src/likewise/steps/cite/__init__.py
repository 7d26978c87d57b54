"""Cite a run: a paragraph for a paper, BibTeX entries, and its numbers."""

from dataclasses import dataclass

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.run_results import RunRecord, read_record
from likewise.errors import LikewiseError
from likewise.formats.counted_nouns import counted
from likewise.formats.latex_text import latex
from likewise.formats.paths import StrPath
from likewise.pages import notebook
from likewise.steps.cite.run_facts import CitedFacts, bibtex_entries, methods_text
from likewise.steps.kinds import kinds


@dataclass(frozen=True)
class CitedNumber:
    """One metric of a run.

    Attributes:
        metric: its name.
        value: its value, in the units of the reports.
        low: lower end of its 95 % confidence interval; None without one.
        high: upper end of that interval.
    """

    metric: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Citation:
    """The texts that a paper needs about a run.

    Attributes:
        run: name of the run.
        methods: a paragraph about data, model, training, protocol, re-ranker and intervals, as
            plain text.
        bibtex: BibTeX entries of the data set, the model, the protocol and the re-ranker.
        numbers: the metrics with their intervals.
        missing: facts that neither card, passport, protocol nor re-ranker state.
        decimals: decimals of the numbers.
    """

    run: str
    methods: str
    bibtex: str
    numbers: list[CitedNumber]
    missing: list[str]
    decimals: int = 4

    def __repr__(self) -> str:
        return (
            f"Citation({self.run}: {counted(len(self.numbers), 'number')}, "
            f"{len(self.missing)} missing)"
        )

    def _repr_html_(self) -> str:
        heads = ("metric", "value", "95 % confidence interval")
        lines = "".join(notebook.paragraph(f"missing: {text}") for text in self.missing)
        return (
            notebook.heading(self.run)
            + notebook.paragraph(self.methods)
            + notebook.table(heads, self.number_rows())
            + lines
        )

    def number_rows(self) -> list[tuple[str, str, str]]:
        """Return metric, value and interval of every number as texts."""

        def text(value: float) -> str:
            return f"{value:.{self.decimals}f}"

        return [
            (
                one.metric,
                text(one.value),
                ""
                if one.low is None or one.high is None
                else f"{text(one.low)} to {text(one.high)}",
            )
            for one in self.numbers
        ]

    def to_latex(self) -> str:
        r"""Return the paragraph and the numbers as LaTeX, which cites the entries."""
        keys = ",".join(_keys(self.bibtex))
        rows = [" & ".join(map(latex, row)) + r" \\" for row in self.number_rows()]
        return "\n".join(
            [
                rf"{latex(self.methods.removesuffix('.'))}~\cite{{{keys}}}.",
                "",
                r"\begin{center}",
                r"\begin{tabular}{lrr}",
                r"\toprule",
                r"metric & value & 95 \% CI \\",
                r"\midrule",
                *rows,
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{center}",
                "",
            ]
        )


def cite(run: str, *, workspace: StrPath | None = None) -> Citation:
    """Write a methods paragraph, BibTeX entries and the numbers of ``run``.

    Every fact is of the card of the data set, the passport of the model, the protocol, the
    re-ranker or the report. A fact that none of them states is listed as missing.

    Args:
        run: name of an evaluated run.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        UnknownNameError: params.yaml has no such run.
        MissingArtefactError: the run was not evaluated.
        DataError: a report is damaged.

    Example:
        >>> citation = likewise.cite("emoji-tiny")
        >>> print(citation.methods[:50])
        We evaluate test_resnet.r160_in1k (96 dimensions,
        >>> citation.numbers[0].metric, round(citation.numbers[0].value, 2)
        ('all', 0.66)
    """
    ws = open_workspace(workspace)
    entry = ws.run(run)
    record = read_record(ws, run)
    facts = CitedFacts(
        run=entry,
        card=ws.card(entry.dataset),
        protocol=record.protocol,
        protocol_source=_source("protocols", str(record.protocol["name"])),
        recipe_source=_source("recipes", str(_recipe(record).get("kind", ""))),
        counts=record.lineage["counts"],
        items=record.lineage["items"],
        model=record.lineage["model"],
        reranking=record.reranking,
        reranker=record.reranker,
        reranker_source=_source("rerankers", record.reranker),
    )
    numbers = []
    for metric, value in record.metrics.items():
        statistic = record.statistics.get(metric, {})
        numbers.append(CitedNumber(metric, value, statistic.get("low"), statistic.get("high")))
    decimals = int(record.protocol.get("decimals", 4))
    missing = facts.missing()
    return Citation(run, methods_text(facts), bibtex_entries(facts), numbers, missing, decimals)


def _recipe(record: RunRecord) -> dict[str, object]:
    recipe = record.lineage["model"].get("recipe")
    return recipe if isinstance(recipe, dict) else {}


def _source(family: str, name: str) -> str:
    """Return the publication of a kind; "" if none is stated, or it is not installed."""
    try:
        return kinds(family)[name].source
    except LikewiseError:
        return ""


def _keys(bibtex: str) -> list[str]:
    lines = (line for line in bibtex.splitlines() if line.startswith("@"))
    return [line.partition("{")[2].rstrip(",") for line in lines]
