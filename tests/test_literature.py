"""Published tables: complete, with sources, and shown only for their own protocol."""

from typing import Any

import pytest

import likewise
from likewise.evaluation.literature import comparable_tables
from likewise.evaluation.protocols import PROTOCOLS
from likewise.evaluation.protocols.retrieval import Retrieval
from likewise.sources.known import known_datasets

GPR = {"queries": 12_000, "gallery": 12_000, "labels": 1_200}


@pytest.mark.parametrize("table", likewise.references(), ids=lambda table: table.title)
def test_every_table_is_whole(table: Any) -> None:
    assert table.source
    if table.protocol is None:
        assert table.note
        assert not table.rows
        return
    known = PROTOCOLS.build({"kind": table.protocol.name}, "here")
    assert known.version == table.protocol.version
    assert table.dataset in known_datasets()
    assert table.counts
    assert table.counts.keys() <= {"queries", "gallery", "labels"}
    assert len(table.counts) == 3 or "does not state" in table.note
    most = {"percent": 100, "share": 1, "score": 4}[table.unit]
    for row in table.rows:
        assert len(row.values) == len(table.metrics)
        assert all(value is None or 0 < value <= most for value in row.values)


def test_all_five_systems_are_there_with_or_without_numbers() -> None:
    rows = {table.title: len(table.rows) for table in likewise.references()}
    systems = {
        "ChairV2": 13, "Clothes-V1": 7, "CompCars image retrieval": 0, "FISSP": 0,
        "GPR1200": 20, "GPR1200 (its notebook)": 3, "ImageNet Subset": 0, "ShoeV2": 14,
    }  # fmt: skip
    assert {title: rows[title] for title in systems} == systems


def test_a_mean_over_subsets_of_one_size_is_the_mean_of_their_means() -> None:
    gpr = next(table for table in likewise.references() if table.title == "GPR1200")
    # Values are rounded to 0.1; two rows differ by more than that, as the note says.
    odd = {("ResNet-101", 42.8), ("Swin-B", 61.4)}
    for row in gpr.rows:
        if (row.model, row.values[0]) in odd:
            continue
        values = [value for value in row.values if value is not None]
        assert values[0] == pytest.approx(sum(values[1:]) / 6, abs=0.1001)


def test_only_the_same_protocol_version_and_counts_are_comparable() -> None:
    tables = comparable_tables("gpr1200", 1, GPR).tables
    assert [table.title for table in tables] == ["GPR1200", "GPR1200 (its notebook)"]
    assert comparable_tables("gpr1200-strict", 1, GPR).tables == []
    assert comparable_tables("gpr1200", 2, GPR).tables == []
    fewer = {**GPR, "queries": 850}
    assert comparable_tables("gpr1200", 1, fewer).reasons == []
    assert comparable_tables("gpr1200", 1, fewer, known=["cub-200-2011"]).reasons == []
    smaller = comparable_tables("gpr1200", 1, fewer, known=["gpr1200"])
    assert smaller.tables == []
    assert len(smaller.reasons) == 1  # one for both tables of GPR1200
    assert smaller.reasons[0] == ("GPR1200's published numbers are of 12,000 queries, here 850")


def test_a_table_without_all_counts_is_for_its_own_data_set() -> None:
    counts = {"queries": 7, "gallery": 9, "labels": 21}
    one = ("sketchy-zero-shot-21", 1)
    assert comparable_tables(*one, counts).tables == []
    (table,) = comparable_tables(*one, counts, known=["sketchy-extended"]).tables
    assert table.title == "Sketchy, extended (21 classes)"
    fewer = {**counts, "labels": 3}
    (reason,) = comparable_tables(*one, fewer, known=["sketchy-extended"]).reasons
    assert reason.endswith("are of 21 labels, here 3")


@pytest.mark.parametrize("table", likewise.references(), ids=lambda table: table.title)
def test_a_table_has_metrics_of_its_protocol(table: Any) -> None:
    if table.protocol is None:
        return
    protocol = PROTOCOLS.build({"kind": table.protocol.name}, "here")
    if not isinstance(protocol, Retrieval) or table.dataset == "gpr1200":
        return  # names of subsets, or of both directions
    spec = protocol.task_spec
    for metric in table.metrics:
        known = {spec.metric_title, *spec.further_metrics}
        assert metric in known or metric.partition(" ")[0] in known


def test_values_are_shown_in_the_units_of_the_report() -> None:
    table, notebook = comparable_tables("gpr1200", 1, GPR).tables
    row = next(row for row in table.rows if row.model == "ViT-L")
    assert table.values(row, percent=False)["all"] == 0.632
    assert table.values(row, percent=True)["all"] == 63.2
    assert notebook.values(notebook.rows[0], percent=True)["all"] == 55.59
    chairs = next(table for table in likewise.references() if table.title == "ChairV2")
    aa = next(row for row in chairs.rows if row.model == "SketchAA")
    assert chairs.values(aa, percent=True) == {"acc@1": 52.89, "acc@10": 94.88}
