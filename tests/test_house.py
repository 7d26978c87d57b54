"""The rules of the source tree: one subject per folder, one meaning per name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import likewise

SOURCE = Path(likewise.__file__).parent

FAMILIES = (
    "distributed/engines",
    "evaluation/protocols",
    "exports",
    "imaging/transforms",
    "models/recipes",
    "retrieval/indexes",
    "retrieval/reranking",
    "sources",
)
"""Folders of registered kinds; all families may use the name of a kind for its module."""

LONGEST = 300


def modules() -> list[Path]:
    """Return the path of every module, relative to the package."""
    return sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def classes(module: Path) -> Iterator[str]:
    """Yield the names of the top-level classes of a module."""
    tree = ast.parse((SOURCE / module).read_text(encoding="utf-8"))
    yield from (node.name for node in tree.body if isinstance(node, ast.ClassDef))


def test_the_first_look_is_short() -> None:
    entries = {path.name for path in SOURCE.iterdir()} - {"__pycache__"}
    assert len(entries) <= 20, sorted(entries)


def test_a_module_name_has_one_meaning() -> None:
    places = defaultdict(set)
    for module in modules():
        if module.name not in ("__init__.py", "__main__.py"):
            kind = module.parent.as_posix() in FAMILIES
            places[module.name].add("a kind of a family" if kind else module.as_posix())
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_a_class_name_has_one_meaning() -> None:
    places = defaultdict(list)
    for module in modules():
        for name in classes(module):
            if not name.startswith("_"):
                places[name].append(module.as_posix())
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_no_file_is_long() -> None:
    lengths = {
        module.as_posix(): len((SOURCE / module).read_text(encoding="utf-8").splitlines())
        for module in modules()
    }
    assert not {module: lines for module, lines in lengths.items() if lines > LONGEST}


def test_every_module_of_steps_is_a_public_verb() -> None:
    verbs = {
        path.stem
        for path in (SOURCE / "steps").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {"__init__"}
    functions = {name for name in likewise.__all__ if name[0].islower()}
    assert not verbs - functions
