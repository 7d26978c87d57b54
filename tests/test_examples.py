"""Every public function has an example in its docstring, and the example is true.

The examples run in the catalogue of conftest's ``alice``: the data set ``emoji`` of drawings,
the model ``tiny``, the index ``exact``, the run ``emoji-tiny``, the versions ``v1`` and ``v2``
and a DVC remote. The folder ``pictures`` holds drawings that no data set has yet. The branch
``relabelled`` corrects the label of one drawing. Examples that need further entries in
params.yaml have them in ``ENTRIES``.
"""

import doctest
import inspect
import shutil
from pathlib import Path

import pytest
import yaml

import likewise
from likewise.storage.versions import run_git

pytestmark = [pytest.mark.dvc, pytest.mark.torch]

FUNCTIONS = [name for name in likewise.__all__ if inspect.isroutine(getattr(likewise, name))]

VIT = {"kind": "timm", "backbone": "test_vit.r160_in1k", "weights": "random"}

PLANE = {"dataset": "emoji", "model": "tiny"}

ENTRIES = {
    "attention": ("models", "vit", VIT),
    "check": ("checks", "emoji", {"min_side": 100, "min_bytes": 3000}),
    "map": ("maps", "plane", PLANE),
    "plot_map": ("maps", "plane", PLANE),
}
"""Function -> section, name and entry of params.yaml that its example mentions."""


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
    if name in ENTRIES:
        section, key, entry = ENTRIES[name]
        params = yaml.safe_load((alice / "params.yaml").read_text())
        params.setdefault(section, {})[key] = entry
        (alice / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    report: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=options).run(examples(name), out=report.append)
    assert not report, "".join(report)
