"""The source of a function: a module, or a package, of the catalogue's author."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from likewise.errors import ConfigError, DataError
from likewise.formats import atomic
from likewise.formats.paths import path_fault
from likewise.models.author_code import FUNCTION

SOURCE = "source"
"""The folder, inside a model's folder, of the copied source."""

_IGNORED = shutil.ignore_patterns("__pycache__", ".*")


def source_file(function: str, root: Path) -> str:
    """Return the file, or the folder of the package, of ``module:callable`` below ``root``.

    Raises:
        ConfigError: there is neither.
    """
    name = function.partition(":")[0].partition(".")[0]
    for relative, exists in ((f"{name}.py", Path.is_file), (name, Path.is_dir)):
        if exists(root / relative):
            return relative
    raise ConfigError(
        f"function {function!r}: there is neither {name}.py nor a folder {name} in the "
        "catalogue's folder; write the file, or correct the name"
    )


def copy_source(function: str, file: str, root: Path, folder: Path) -> None:
    """Copy the source of a function into a model's folder.

    Raises:
        ConfigError: ``file`` is not the source of the function, or outside of the catalogue.
        DataError: it does not exist.
    """
    name, path = function.partition(":")[0].partition(".")[0], root / file
    if fault := path_fault(file):
        raise ConfigError(f"file {file!r} of the function {function}: {fault}")
    if Path(file).name not in (name, f"{name}.py"):
        raise ConfigError(f"function {function!r} is not in {file}; set file: {name}.py")
    if not path.exists():
        raise DataError(f"file {file!r} of the function {function} does not exist")
    target = folder / SOURCE
    with atomic.writing(target):
        target.mkdir()
        if path.is_dir():
            shutil.copytree(path, target / name, ignore=_IGNORED)
        else:
            shutil.copyfile(path, target / path.name)


def import_function(function: str, folder: Path) -> Callable[[Sequence[Any]], Any]:
    """Import a function from the source in a model's folder: its code runs.

    The module gets a name of its own, so that two versions of it never meet, and nothing is
    written next to it.

    Raises:
        DataError: the import fails, or the module has no such function.
    """
    module_name, _, name = function.partition(":")
    top, *inner = module_name.split(".")
    source = folder / SOURCE
    unique = f"likewise_{FUNCTION}_{abs(hash(str(source.resolve()))):x}_{top}"
    try:
        module = _import_top(unique, source, top)
        if inner:
            module = importlib.import_module(".".join((unique, *inner)))
    except Exception as error:
        raise DataError(
            f"function {function}: {failure(error, 'its import', source)}"
        ) from error
    attribute = getattr(module, name, None)
    if not callable(attribute):
        raise DataError(
            f"function {function}: {module_name} has no function {name!r}; correct the name, "
            "or define it, then run: dvc repro"
        )
    return attribute  # type: ignore[no-any-return]


def failure(error: BaseException, action: str, source: Path) -> str:
    """Return one line about an error in the author's code, with the line that raised it."""
    message = " ".join(str(error).split())[:200]
    place, trace = "", error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(source):
            place = f" ({path.relative_to(source)}, line {trace.tb_lineno})"
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        place = f" (line {error.lineno})"
    reason = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"{action} raised {reason}{place}; correct it, then run: dvc repro"


class _Loader(SourceFileLoader):
    """A loader that writes no bytecode: the folder of a model must not change."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""


def _import_top(unique: str, source: Path, top: str) -> ModuleType:
    package = source / top
    is_package = package.is_dir()
    path = package / "__init__.py" if is_package else source / f"{top}.py"
    for folder in (package, *package.rglob("*")) if is_package else ():
        if folder.is_dir():
            finder = FileFinder(str(folder), (_Loader, SOURCE_SUFFIXES))
            sys.path_importer_cache[str(folder)] = finder
    for name in [n for n in sys.modules if n == unique or n.startswith(f"{unique}.")]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        unique,
        path,
        loader=_Loader(unique, str(path)),
        submodule_search_locations=[str(package)] if is_package else None,
    )
    assert spec is not None  # noqa: S101 (a loader is given)
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    _Loader(unique, str(path)).exec_module(module)
    return module
