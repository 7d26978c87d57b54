"""Settings of the process that runs a command: memory, imports and streams.

They hold for the command line only. A program that imports likewise keeps its own settings.
"""

import atexit
import gc
import importlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, TextIO

from likewise.cli.output import print_note
from likewise.errors import BrokenEntryWarning

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_GC_THRESHOLD = 100_000
"""Number of new objects after which the garbage collector runs; Python's default is 700."""


def prepare_process() -> None:
    """Set up the process before a command is parsed."""
    _reduce_garbage_collection()
    _import_only_installed_packages()
    _import_few_modules()
    _release_freed_memory()
    _use_system_allocator()
    _prepare_streams()


class _OtherLoader(MetaPathFinder):
    """An import hook: one package is imported by another loader."""

    def __init__(self, package: str, loader: type[SourceFileLoader]) -> None:
        self._package = package
        self._loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to import the package; None for every other name."""
        if fullname != self._package:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = self._loader(spec.loader.name, spec.loader.path)
        return spec


class _PyarrowLoader(SourceFileLoader):
    """Import pyarrow as if pandas were not installed.

    pyarrow looks for pandas when it makes its first array, and so imports it: 0.15 s for every
    command that reads a table. Its answer is "not installed" while pandas is hidden, which is
    only during that first array. pyarrow looks again when a conversion needs pandas.
    """

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        with _hidden("pandas"):
            module.array(())


class _NumbaLoader(SourceFileLoader):
    """Import numba as if SciPy, coverage and cffi were not installed.

    numba imports them for compiled linear algebra, line counts and C functions, which no loop
    of this package uses: 0.5 s of the 0.9 s until its first loop runs.
    """

    def exec_module(self, module: ModuleType) -> None:
        with _hidden("scipy", "coverage", "cffi"):
            super().exec_module(module)
            for name in ("numba.np.arraymath", "numba.core.typing.cffi_utils"):
                importlib.import_module(name)  # they look for SciPy and cffi


class _Hidden(MetaPathFinder):
    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"{fullname} is not needed yet", name=fullname)


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Let packages that are not loaded yet appear as not installed."""
    finder = _Hidden(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _import_few_modules() -> None:
    """Import no pandas, SciPy or plugins of pydantic where no command needs them.

    pydantic would read the metadata of all installed packages to find its plugins.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    loaders = {"pyarrow": _PyarrowLoader, "numba": _NumbaLoader}
    for package in loaders.keys() - sys.modules.keys():
        sys.meta_path.insert(0, _OtherLoader(package, loaders[package]))


def _reduce_garbage_collection() -> None:
    """Collect garbage less often, and not at exit; short commands end half a second earlier.

    Otherwise the collector scans all imported objects repeatedly: during the imports, and at
    exit once per module.
    """
    gc.set_threshold(_GC_THRESHOLD, 50, 100)
    atexit.register(_freeze_objects)


def _freeze_objects() -> None:
    # A library that torch loads counts its objects at exit and prints those that remain.
    if "torch" not in sys.modules:
        gc.freeze()


def _import_only_installed_packages() -> None:
    """Keep child processes from importing from the current folder (Python's ``-P``)."""
    os.environ.setdefault("PYTHONSAFEPATH", "1")


def _release_freed_memory() -> None:
    """Let polars return freed memory to the system at once; this halves its memory use.

    The allocator of polars (jemalloc, see its TUNING.md) reads the variable at import.
    """
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")


def _use_system_allocator() -> None:
    """Use the system's allocator in Arrow; a large ingest then peaks 110 MB lower.

    Arrow reads the variable at import.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


_show_other_warning = warnings.showwarning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a broken entry of params.yaml as one note; other warnings as Python does."""
    if issubclass(category, BrokenEntryWarning):
        print_note(f"likewise: {message}")
    else:
        _show_other_warning(message, category, filename, lineno, file, line)


class _OpenOutput(io.FileIO):
    """The output of a stage, which nobody may read any more, as after ``dvc repro | head``."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write the bytes; what a closed pipe does not take is dropped."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return memoryview(data).nbytes


def _keep_outputs_open() -> None:
    """Let a stage of DVC end its work where the reader of its messages has ended.

    Otherwise a stage that has written its outputs would fail, and DVC would not record them.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.flush()
            raw = _OpenOutput(stream.fileno(), "wb", closefd=False)
            buffered = name == "stderr" or stream.line_buffering
            text = io.TextIOWrapper(
                io.BufferedWriter(raw), encoding=stream.encoding, line_buffering=buffered
            )
            setattr(sys, name, text)


def _prepare_streams() -> None:
    if "DVC_STAGE" in os.environ:
        _keep_outputs_open()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    warnings.simplefilter("always", BrokenEntryWarning)
    warnings.showwarning = _show_warning
    # fsspec leaves a coroutine unawaited when a server refuses one of several files.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
