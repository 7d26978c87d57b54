"""Add a data set to a catalogue: its card, and its entries in params.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.counting import frequencies
from likewise.catalogue.kept_records import empty_records
from likewise.catalogue.name_clashes import check_columns
from likewise.catalogue.params_editor import ParamsEditor, dump_yaml
from likewise.errors import DataError, bounded
from likewise.evaluation.protocols import PROTOCOLS
from likewise.formats.object_storage import as_path
from likewise.formats.paths import StrPath
from likewise.retrieval.index_cache import exact_entry
from likewise.sources import SOURCES
from likewise.sources.base import Source
from likewise.sources.completeness import count_differences
from likewise.sources.known import known_datasets
from likewise.sources.known.layout_choice import LayoutChoice, known_facts, known_layout
from likewise.sources.layout_hint import find_layout, read_with_hint
from likewise.storage.config import (
    Card,
    ExpectedCounts,
    card_options,
    check_dataset_name,
    read_card,
)
from likewise.storage.sealed_listings import listings_of
from likewise.storage.workspace import Workspace


@dataclass(frozen=True)
class Added:
    """Contents of a new data set, from file names and annotations, and its new entries.

    Attributes:
        dataset: name of the data set.
        card: path of the new card, relative to the root of the catalogue.
        items: number of items.
        labels: number of distinct labels.
        findings: number of findings.
        runs: names of the new runs in params.yaml.
        licence: SPDX identifier or terms from the card; "" if unknown.
        damaged: first unreadable annotations, with reasons; "" if there are none.
        source: kind of source.
        layout: description of the layout, if ``add`` found it; else "".
        splits: split -> number of items; items without split are not counted.
        incomplete: differences from the published counts, such as ``5,990 of 5,994 items`` or
            ``split train: 5,990 of 5,994 items``.
        checks: check -> number of findings, the most frequent first, without those of damaged.
        first_finding: path and detail of the first finding of the first of these checks; "" if
            there are none.
    """

    dataset: str
    card: str
    items: int
    labels: int
    findings: int
    runs: list[str]
    licence: str = ""
    damaged: str = ""
    source: str = ""
    layout: str = ""
    splits: dict[str, int] = field(default_factory=dict)
    incomplete: list[str] = field(default_factory=list)
    checks: dict[str, int] = field(default_factory=dict)
    first_finding: str = ""


def add(  # noqa: PLR0913 (the fields of a card and an entry)
    dataset: str,
    *,
    source: str | None = None,
    path: StrPath,
    annotations: StrPath | None = None,
    title: str | None = None,
    options: Mapping[str, Any] | None = None,
    card: StrPath | None = None,
    models: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
    workspace: StrPath | None = None,
) -> Added:
    """Write the card of ``dataset`` and its entries in params.yaml, without reading pixels.

    The entries combine the data set with models and protocols: with every model in the section
    ``models`` of params.yaml and every protocol of its layout that its items suit, unless you
    name others. Without labels there are no runs by default. Comments are kept.

    Args:
        dataset: name of the data set: lower-case letters, digits and '_'.
        source: kind of source, or name of a public data set (``likewise.downloads()``), whose
            declaration then gives options, licence, citation, counts and protocols; by default
            the public data set that ``path`` has, or the layout that reads most.
        path: folder or archive of the images, or its address such as ``s3://bucket/prefix``.
        annotations: file or folder of the annotations; by default they are in ``path``.
        title: title of the data set; by default the layout's title, or the name.
        options: options of the source, written to the card, e.g. ``{"label": "species"}``.
        card: a card whose contents the new card takes, where the other arguments state none.
        models: models of params.yaml that embed it; none of them if empty.
        protocols: protocols that score it; none of them if empty.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        AmbiguousLayoutError: no source is given, and several layouts fit.
        ConfigError: the source does not have this option, or rejects its value.
        DataError: the name exists already or is invalid, no file in ``path`` fits the layout,
            or a column has the name of a model.
        UnknownNameError: unknown kind of source, public data set, model or protocol.

    Example:
        >>> added = likewise.add("drawings", source="gpr1200", path="pictures")
        >>> added.items, added.labels
        (23, 6)
        >>> added.runs
        ['drawings-tiny-gpr1200', 'drawings-tiny-gpr1200-strict']
        >>> likewise.add("plain", source="gpr1200", path="pictures", models=[]).runs
        []
    """
    check_dataset_name(dataset)
    ws = open_workspace(workspace)
    if dataset in ws.params.datasets or ws.card_file(dataset).exists():
        raise DataError(
            f"{dataset!r} is in the catalogue; choose another name, or edit its card"
        )
    embedders = _models(ws, models)
    for protocol in protocols or ():
        PROTOCOLS.load(protocol)
    template = None if card is None else read_card(Path(card).expanduser())
    with listings_of(ws, dataset):
        is_new = template is None and (source is not None or annotations is None)
        choice = known_layout(source, as_path(path)) if is_new else None
        folder, explained = _places(choice, path, annotations)
        known = None if source in SOURCES.kinds() else choice
        given = known.source if known else card_options(template, source)
        fit = find_layout(folder, explained) if given["kind"] is None else None
        source = fit.kind if fit else given["kind"]
        kind = SOURCES.load(source)
        entry = {"path": ws.as_written(folder), "annotations": ws.as_written(explained)}
        stated = {**given, "kind": source, **(options or {})}
        layout = SOURCES.build(stated, "source")
        reading = read_with_hint(layout, source, folder, explained)
    check_columns(dataset, (column.name for column in reading.extra_columns), embedders)
    labels = reading.items["label"].n_unique() - (reading.items["label"].null_count() > 0)
    stated |= layout.settled(reading.items)
    published = known.protocols if known else None
    own = kind.runs(reading.items) if published is None else published
    chosen = own if protocols is None else {name: own.get(name, {}) for name in protocols}
    runs = _runs(ws, dataset, embedders, chosen)
    written = _card(dataset, stated, title, kind, template or known)
    _write(ws, dataset, written, entry, embedders, runs)
    return Added(
        dataset,
        ws.relative(ws.card_file(dataset)),
        len(reading.items),
        labels,
        len(reading.findings),
        list(runs),
        _licence(written.get("licence", {})),
        _damaged(reading.findings),
        source,
        fit.describe() if fit else known.describe() if known else "",
        _splits(reading.items),
        _incomplete(reading.items, written),
        *_by_check(reading.findings),
    )


def _places(
    choice: LayoutChoice | None, path: StrPath, annotations: StrPath | None
) -> tuple[Path, Path]:
    """Return the places of the images and of their annotations."""
    folder = choice.path if choice else as_path(path)
    if annotations is not None:
        return folder, as_path(annotations)
    return folder, choice.annotations if choice else folder


def _incomplete(items: pl.DataFrame, card: Mapping[str, Any]) -> list[str]:
    """Return the differences from the counts of ``card``."""
    counts = ExpectedCounts.model_validate(card.get("counts", {}))
    differences = count_differences(items, counts)
    return [
        detail if detail.endswith(f" {what}") else f"{what}: {detail}"
        for what, _, detail in differences
    ]


def _by_check(findings: pl.DataFrame) -> tuple[dict[str, int], str]:
    """Return check -> number and the first finding, without those that _damaged names."""
    others = findings.filter(pl.col("check") != "bad-annotation")
    checks = frequencies(others["check"])
    first = others.filter(check=next(iter(checks), ""))
    texts = first.select(pl.concat_str("path", "detail", separator=": ")).to_series()
    return checks, next(iter(texts), "")


def _splits(items: pl.DataFrame) -> dict[str, int]:
    """Return split -> number of items, in the order of the items."""
    counts = items.drop_nulls("split").group_by("split", maintain_order=True).len()
    return dict(counts.iter_rows())


def _licence(stated: Mapping[str, str]) -> str:
    known = stated.get("spdx", "").replace("NOASSERTION", "")
    return known or stated.get("terms", "")


def _damaged(findings: pl.DataFrame) -> str:
    """Return the first annotations that were left out because they cannot be read."""
    bad = findings.filter(check="bad-annotation")
    reasons = bad.select(pl.concat_str("path", "detail", separator=": ")).to_series()
    return bounded(reasons, len(reasons), 2)


def _card(
    dataset: str,
    source: dict[str, Any],
    title: str | None,
    kind: type[Source],
    template: Card | LayoutChoice | None,
) -> dict[str, Any]:
    """Return a new card, with the layout's own facts if ``dataset`` bears the layout's name."""
    if isinstance(template, LayoutChoice):
        heading = {"title": title or template.known.title, "source": source}
        return {**heading, **template.card_facts()}
    if template is not None:
        given = template.model_dump(mode="json", exclude_defaults=True)
        return {**given, "title": title or template.title, "source": source}
    own = dataset == source["kind"]
    facts = kind.card_defaults() if own else {"licence": {"spdx": "NOASSERTION"}}
    if own and dataset in known_datasets() and len(source) == 1:
        facts |= known_facts(dataset, known_datasets()[dataset])
    full_title = title or (kind.title if own else "") or dataset
    return {"title": full_title, "source": source, **facts}


def _models(ws: Workspace, names: Sequence[str] | None) -> list[str]:
    """Return the models that embed the data set, without repetitions.

    Raises:
        UnknownNameError: params.yaml has no such model.
    """
    if names is None:
        return [*ws.params.models, *ws.params.functions]
    for name in names:
        ws.params.section(name)
    return list(dict.fromkeys(names))


def _runs(
    ws: Workspace,
    dataset: str,
    models: Sequence[str],
    protocols: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    index = exact_entry(ws) or next(iter(ws.params.indexes), "")
    return {
        f"{dataset}-{model}-{protocol}": {
            "dataset": dataset,
            "model": model,
            "index": index,
            "protocol": protocol,
            **options,
        }
        for model in models
        for protocol, options in protocols.items()
        if index
    }


def _write(
    ws: Workspace,
    dataset: str,
    card: dict[str, Any],
    entry: dict[str, str],
    models: Sequence[str],
    runs: dict[str, dict[str, Any]],
) -> None:
    """Write the card and params.yaml in one transaction."""
    entries = ParamsEditor(ws)
    entries.add("datasets", {dataset: entry})
    embeddings = {
        f"{dataset}-{model}": {"dataset": dataset, "model": model, "dtype": "float32"}
        for model in models
    }
    entries.add("embeddings", embeddings)
    known = known_datasets().get(card.get("known", ""))  # a card to copy may have any name
    entries.add("checks", {dataset: dict(known.checks) if known else {}})
    entries.add("runs", runs)
    entries.add_file(ws.card_file(dataset), dump_yaml(card))
    for path, text in empty_records(ws, dataset).items():
        if not path.exists():
            entries.add_file(path, text)
    entries.commit()
