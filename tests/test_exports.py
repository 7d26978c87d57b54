import subprocess
import sys
from pathlib import Path

import pytest

import likewise


def test_the_public_names() -> None:
    assert likewise.__all__ == [
        "Card",
        "Catalogue",
        "Checked",
        "Comparison",
        "ConfigError",
        "Corrected",
        "Crosswalk",
        "DataError",
        "Dataset",
        "Difference",
        "Downloaded",
        "Evaluation",
        "Exported",
        "Forgotten",
        "Hit",
        "Hits",
        "Holder",
        "Indexed",
        "LikewiseError",
        "MissingArtefactError",
        "MissingExtraError",
        "Offer",
        "Passport",
        "Problem",
        "Pulled",
        "QueryResult",
        "Reference",
        "Report",
        "StaleArtefactError",
        "Statistics",
        "Table",
        "Trial",
        "Tuned",
        "UnknownNameError",
        "UnknownOptionError",
        "Version",
        "VersionError",
        "add",
        "attention",
        "check",
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
        "index",
        "indexes",
        "ingest",
        "init",
        "labels",
        "load",
        "log",
        "measure",
        "merge",
        "merge_file",
        "open",
        "publish",
        "pull",
        "pull_columns",
        "pull_images",
        "push",
        "query",
        "references",
        "release",
        "report",
        "schemas",
        "score",
        "search",
        "search_many",
        "show",
        "train",
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
    assert rest == ["__all__: list[str]", "_HOMES: dict[str, str]"]


def test_star_imports_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from likewise import *", namespace)  # noqa: S102 (no other way inside a function)
    assert {*likewise.__all__} == namespace.keys() - {"__builtins__"}


def test_no_module_hides_a_public_name() -> None:
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
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
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
