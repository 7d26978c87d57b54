import dataclasses
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

import forked
import likewise


def test_the_public_names() -> None:
    assert likewise.__all__ == [
        "Added",
        "AddedModels",
        "AmbiguousLayoutError",
        "Architecture",
        "Board",
        "BoardCell",
        "BoardEntry",
        "BrowseOptions",
        "Browsed",
        "Card",
        "Catalogue",
        "Chain",
        "ChangedQuery",
        "ChangedValueError",
        "Checked",
        "Citation",
        "CitedNumber",
        "ComparableTables",
        "ComparedMetric",
        "Comparison",
        "ConfigError",
        "Contents",
        "Corrected",
        "Crosswalk",
        "DataError",
        "Dataset",
        "DefinitionScore",
        "Description",
        "Difference",
        "Doubt",
        "Downloaded",
        "Drift",
        "Embedded",
        "Evaluation",
        "ExpectedCounts",
        "Exported",
        "Fact",
        "Finding",
        "Findings",
        "Forgotten",
        "Hit",
        "Hits",
        "Holder",
        "ImageReader",
        "ImportedVectors",
        "IndexMeasurement",
        "Indexed",
        "Ingested",
        "Interval",
        "Item",
        "Kind",
        "KindFamilies",
        "KindFamily",
        "KindOption",
        "Kinds",
        "LabelCount",
        "LabelFacts",
        "LabelledImages",
        "Leaderboard",
        "LeftOver",
        "Licence",
        "LikewiseError",
        "ListedModel",
        "MapFacts",
        "Mapped",
        "MeasuredImages",
        "Merged",
        "MetricChange",
        "MissingArtefactError",
        "MissingExtraError",
        "ModelFacts",
        "Offer",
        "OlderVersion",
        "PairedDifference",
        "PairedTest",
        "Passport",
        "PendingCorrection",
        "PendingCorrections",
        "Placement",
        "PlannedStage",
        "Preprocessing",
        "Problem",
        "ProtocolVersion",
        "Published",
        "PublishedEntry",
        "Pulled",
        "Pushed",
        "QueryOptions",
        "QueryResult",
        "Reference",
        "ReferenceRow",
        "Released",
        "Removed",
        "Renamed",
        "Report",
        "ReproPlan",
        "RerankedMetrics",
        "Reviewed",
        "Reviews",
        "RunFacts",
        "SearchOptions",
        "Selected",
        "SelectionFacts",
        "Server",
        "ShardCounts",
        "ShardNote",
        "ShardedJob",
        "SplitCounts",
        "SplitFacts",
        "Spread",
        "StaleArtefactError",
        "StaticSite",
        "Statistics",
        "Summary",
        "Suspects",
        "Table",
        "Tagged",
        "TextTower",
        "Thumbnail",
        "Thumbs",
        "Training",
        "Trial",
        "Tuned",
        "UnknownNameError",
        "UnknownOptionError",
        "Validated",
        "Version",
        "VersionError",
        "Viewed",
        "add",
        "add_model",
        "add_run",
        "attention",
        "browse",
        "check",
        "cite",
        "compare",
        "correct",
        "crosswalk",
        "datasets",
        "describe",
        "diff",
        "doctor",
        "download",
        "downloads",
        "embed",
        "evaluate",
        "export",
        "findings",
        "forget",
        "import_vectors",
        "index",
        "indexes",
        "ingest",
        "init",
        "kinds",
        "labels",
        "leaderboard",
        "list_models",
        "load",
        "log",
        "map",
        "measure",
        "merge",
        "merge_file",
        "open",
        "pending",
        "picture",
        "plan",
        "plot_map",
        "prepare",
        "publish",
        "pull",
        "pull_columns",
        "pull_images",
        "push",
        "query",
        "references",
        "release",
        "remove",
        "rename",
        "report",
        "review",
        "reviews",
        "schemas",
        "score",
        "score_order",
        "search",
        "search_many",
        "select",
        "selections",
        "serve",
        "show",
        "site",
        "status",
        "suspects",
        "tag",
        "thumbs",
        "train",
        "trainings",
        "tune",
        "validate",
        "view",
        "why",
    ]


@pytest.mark.parametrize("name", likewise.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(likewise, name).__doc__


def test_the_stub_is_the_only_list_of_names() -> None:
    stub = Path(likewise.__file__).with_suffix(".pyi").read_text("utf-8")
    imports = [line for line in stub.splitlines() if line.startswith("from ")]
    assert sorted(line.rpartition(" ")[2] for line in imports) == likewise.__all__
    assert dir(likewise) == likewise.__all__
    rest = [line for line in stub.splitlines()[1:] if line and line not in imports]
    assert sorted(rest) == ["SYSTEMS: str", "_HOMES: dict[str, str]", "__all__: list[str]"]


def classes_in(annotation: object) -> Iterator[type]:
    """Yield the classes of the package in a type annotation."""
    if inspect.isclass(annotation) and annotation.__module__.startswith("likewise."):
        yield annotation
    for part in get_args(annotation):
        yield from classes_in(part)


def parts_of(found: type) -> Iterator[type]:
    """Yield the classes of the package in the fields, properties and methods of a class."""
    if dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from classes_in(field.type) if field.repr else ()
    if issubclass(found, BaseModel):
        for option in found.model_fields.values():
            yield from classes_in(option.annotation)
    for name, member in inspect.getmembers(found):
        method = member.fget if isinstance(member, property) else member
        method = getattr(method, "func", method)
        if not name.startswith("_") and inspect.isfunction(method):
            yield from classes_in(inspect.signature(method).return_annotation)


def test_what_a_public_function_returns_is_public() -> None:
    public = {getattr(likewise, name) for name in likewise.__all__}
    todo = [found for found in public if inspect.isclass(found)]
    for function in filter(inspect.isfunction, public):
        todo += classes_in(inspect.signature(function).return_annotation)
    seen: set[type] = set()
    while todo:
        found = todo.pop()
        if found not in seen:
            seen.add(found)
            # Table is the access to Lance, whose parts are for other modules.
            todo += parts_of(found) if found is not likewise.Table else ()
    assert sorted(one.__name__ for one in seen if one not in public) == []


def test_star_imports_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from likewise import *", namespace)  # noqa: S102 (no other way inside a function)
    assert {*likewise.__all__} == namespace.keys() - {"__builtins__"}


def test_no_module_hides_a_public_name(tmp_path: Path) -> None:
    """Importing ``likewise.x`` sets the attribute ``x``: no public name may be called so."""
    program = (
        "import importlib, pkgutil, likewise\n"
        "for found in pkgutil.walk_packages(likewise.__path__, 'likewise.'):\n"
        "    if not found.name.endswith('__main__'):\n"
        "        importlib.import_module(found.name)\n"
        "for name in likewise.__all__:\n"
        "    home = getattr(importlib.import_module(likewise._HOMES[name]), name)\n"
        "    assert getattr(likewise, name) is home, name\n"
        "    assert not hasattr(home, '__path__'), name\n"
    )
    done = forked.run(tmp_path, "python", "-c", program)
    assert done.returncode == 0, done.stderr
    folder = Path(likewise.__file__).parent
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & {*likewise.__all__}


def test_no_other_name_is_public() -> None:
    with pytest.raises(AttributeError, match="'likewise' has no attribute 'serach'"):
        getattr(likewise, "serach")  # noqa: B009 (mypy would refuse likewise.serach)


def test_importing_likewise_loads_no_library() -> None:
    program = "import sys, likewise; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"polars", "pyarrow", "lance", "torch", "numpy", "pydantic", "yaml"}
