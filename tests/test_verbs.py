"""The rules of steps/: every module is a verb or part of one, and verbs keep their parts."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import likewise

STEPS = Path(likewise.__file__).parent / "steps"
VERBS = sorted({path.stem for path in STEPS.iterdir() if not path.name.startswith("_")})


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_public_function_of_the_name_of_its_module(verb: str) -> None:
    function = getattr(importlib.import_module(f"likewise.steps.{verb}"), verb)
    assert inspect.isfunction(function)
    assert getattr(likewise, verb) is function


def test_a_verb_imports_of_another_only_its_function() -> None:
    wrong = []
    for path in sorted(STEPS.rglob("*.py")):
        own = path.relative_to(STEPS).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            package, _, module = node.module.partition("likewise.steps.")
            if package or not module or module.partition(".")[0] == own:
                continue
            names = [alias.name for alias in node.names]
            if names != [module]:
                wrong.append(f"{path.relative_to(STEPS)} imports {names} from {module}")
    assert wrong == []
