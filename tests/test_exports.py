import subprocess
import sys

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
        "Holder",
        "Indexed",
        "LikewiseError",
        "MissingArtefactError",
        "MissingExtraError",
        "Offer",
        "Passport",
        "Problem",
        "Pulled",
        "Reference",
        "Report",
        "StaleArtefactError",
        "Statistics",
        "Trial",
        "Tuned",
        "UnknownNameError",
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
        "describe_markdown",
        "diff",
        "diff_markdown",
        "doctor",
        "download",
        "downloads",
        "embed",
        "evaluate",
        "export",
        "findings",
        "forget",
        "index",
        "ingest",
        "init",
        "labels",
        "list_indexes",
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
        "score",
        "search",
        "search_many",
        "show",
        "train",
        "tune",
        "validate",
        "view",
        "why",
        "write_description",
        "write_diff",
        "write_flags",
        "write_query",
        "write_schemas",
        "write_sheet",
    ]


@pytest.mark.parametrize("name", likewise.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(likewise, name).__doc__


def test_every_public_name_has_one_home() -> None:
    assert sorted(likewise._HOMES) == dir(likewise) == likewise.__all__


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
