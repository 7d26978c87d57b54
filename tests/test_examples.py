"""Every public function has an example in its docstring, and the example is true.

The examples run in the catalogue of conftest's ``alice``: the data set ``emoji`` of drawings,
the model ``tiny``, the index ``exact``, the run ``emoji-tiny``, the versions ``v1`` and ``v2``
and a DVC remote. The folder ``pictures`` holds drawings that no data set has yet. The branch
``relabelled`` corrects the label of one drawing.
"""

import doctest
import inspect
import shutil
from pathlib import Path

import pytest

import likewise
from likewise.storage.versions import run_git

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

FUNCTIONS = [name for name in likewise.__all__ if inspect.isroutine(getattr(likewise, name))]


@pytest.fixture(scope="module")
def _prepared(_team: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The team, with a branch that corrects a label."""
    top = tmp_path_factory.mktemp("examples") / "team"
    shutil.copytree(_team, top, symlinks=True, ignore=shutil.ignore_patterns("site", "views"))
    root = top / "alice"
    run_git(root, "checkout", "--quiet", "-b", "relabelled")
    likewise.correct("emoji", ["0_znoto.jpg"], {"label": "1000"}, workspace=root)
    run_git(root, "add", "catalog")
    run_git(root, "commit", "--quiet", "--message", "relabelled")
    run_git(root, "checkout", "--quiet", "main")
    return top


def examples(name: str) -> doctest.DocTest:
    """The examples in the docstring of a public function."""
    function = getattr(likewise, name)
    finder = doctest.DocTestFinder(recurse=False, exclude_empty=False)
    [test] = finder.find(function, name, module=False, globs={"likewise": likewise})
    return test


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_has_an_example(name: str) -> None:
    found = examples(name).examples
    assert any(f"likewise.{name}(" in one.source for one in found), f"no example of {name}"
    for one in found:
        assert doctest.SKIP not in one.options, one.source
        assert one.want.strip() not in {"...", "Ellipsis"}, one.source


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_public_function_is_true(name: str, alice: Path) -> None:
    if not examples(name).examples:
        pytest.fail(f"no example of {name}")
    shutil.copytree(alice / "emoji" / "images", alice / "pictures")
    report: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=options).run(examples(name), out=report.append)
    assert not report, "".join(report)
