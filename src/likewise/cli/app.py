"""The likewise command: its commands in the order of use, and the one place for errors."""

import atexit
import gc
import io
import os
import sys
import warnings
from typing import Annotated, NoReturn

import typer

import likewise
from likewise.cli import (
    care,
    comparisons,
    faults,
    find,
    history,
    make,
    quality,
    read,
    sharing,
    write,
)
from likewise.cli.output import note, say

INTERRUPTED = 130
"""The exit code of a process that Ctrl-C ended."""

_YOUNG = 100_000
"""So many new objects before the collector looks; Python's own bound is 700."""

COMMANDS = (
    ("init", make.init, "likewise init birds-and-cars"),
    ("add", make.add, "likewise add gpr1200 --source gpr1200 --path ~/data/GPR1200.zip"),
    ("download", quality.download, "likewise download gpr1200"),
    ("ingest", make.ingest, "likewise ingest gpr1200"),
    ("correct", make.correct, "likewise correct gpr1200 17_dog.jpg --label cat"),
    ("load", make.load, "likewise load lite0"),
    ("train", make.train, "likewise train tuned"),
    ("embed", make.embed, "likewise embed gpr1200 lite0"),
    ("publish", make.publish, "likewise publish gpr1200"),
    ("evaluate", make.evaluate, "likewise evaluate gpr1200-lite0-gpr1200"),
    (
        "compare",
        comparisons.compare,
        "likewise compare gpr1200-lite0-gpr1200 gpr1200-vitl-gpr1200",
    ),
    ("crosswalk", comparisons.crosswalk, "likewise crosswalk gpr1200-lite0-gpr1200"),
    ("measure", quality.measure, "likewise measure gpr1200"),
    ("check", quality.check, "likewise check gpr1200 --html flags.html"),
    ("view", quality.view, "likewise view birds_clean"),
    ("list", read.list_, "likewise list --json"),
    ("show", read.show, "likewise show gpr1200 --labels"),
    ("describe", quality.describe, "likewise describe gpr1200 --markdown"),
    ("findings", faults.findings, "likewise findings cards --check box-outside"),
    ("validate", faults.validate, "likewise validate fissp ~/data/fissp"),
    (
        "query",
        read.query,
        "likewise query 'select label, count(*) from gpr1200 group by label'",
    ),
    ("search", find.search, "likewise search gpr1200 --image bird.jpg -k 5 --html hits.html"),
    ("index", find.index, "likewise index gpr1200 lite0 hnsw"),
    ("tune", find.tune, "likewise tune gpr1200 lite0 --recall 0.95 --memory 2GB"),
    ("indexes", find.indexes, "likewise indexes --json"),
    ("score", read.score, "likewise score gpr1200 --embeddings features.npy --images images/"),
    (
        "attention",
        write.attention,
        "likewise attention vit --image bird.jpg --figure heads.svg",
    ),
    ("report", write.report, "likewise report gpr1200-lite0-gpr1200"),
    (
        "export",
        write.export,
        "likewise export birds coco --to birds-coco --where \"split = 'val'\"",
    ),
    ("log", history.log, "likewise log gpr1200"),
    ("diff", history.diff, "likewise diff gpr1200 v1 v2 --html changes.html"),
    ("release", sharing.release, 'likewise release gpr1200 1.2 -m "Twenty labels corrected"'),
    ("push", sharing.push, "likewise push gpr1200"),
    ("pull", sharing.pull, "likewise pull gpr1200 --no-images"),
    ("merge", sharing.merge, "likewise merge origin/labels"),
    (
        "forget",
        history.forget,
        "likewise forget gpr1200 17_dog.jpg --reason 'request of 12 May'",
    ),
    ("why", read.why, "likewise why gpr1200 lite0 17_dog.jpg"),
    ("doctor", care.doctor, "likewise doctor --deep"),
    ("schemas", care.schemas, "likewise schemas --check"),
)
"""Name, function, example."""

# Help without rich: it is the same in a terminal, in a pipe and in docs/cli.md, and quick.
app = typer.Typer(
    name="likewise",
    help="The versioned catalogue for image-retrieval research.",
    epilog="Example: likewise init, then: likewise add emoji --source gpr1200 --path images/",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 96, "help_option_names": ["-h", "--help"]},
)
for _name, _function, _example in COMMANDS:
    app.command(_name, epilog=f"Example: {_example}")(_function)

app.command("merge-file", hidden=True)(sharing.merge_file)


def _collect_seldom() -> None:
    """Look for garbage less often, and not on the way out: half a second of a short command.

    The collector looks at all that imports have made, over and over while they make it, and
    again at the end for each of the modules.
    """
    gc.set_threshold(_YOUNG, 50, 100)
    atexit.register(_freeze)


def _freeze() -> None:
    # What torch brings counts its objects at the end, and prints those that are left.
    if "torch" not in sys.modules:
        gc.freeze()


def _give_back() -> None:
    """Have polars give memory back as it is freed: kept for later it is half of what is held.

    Read as polars is loaded, from the variable of its allocator (jemalloc, TUNING.md).
    """
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")


def _use_system_allocator() -> None:
    """Choose Arrow's memory pool: its own keeps 110 MB more at the peak of a large ingest.

    Arrow reads the variable when it is loaded.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        say(metadata.version("likewise"))
        raise typer.Exit


@app.callback()
def _likewise(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """The versioned catalogue for image-retrieval research."""


def main() -> None:
    """Run the command line; a user's fault is a line on stderr and an exit code."""
    _collect_seldom()
    _give_back()
    _use_system_allocator()
    _prepare_streams()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has had enough; the interpreter's own flush must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            note("likewise: stopped; run the same command again to go on")
        raise
    except likewise.LikewiseError as error:
        note(f"likewise: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        _refused(error)


def _prepare_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # fsspec leaves a coroutine behind where a server refuses one of several files.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)


def _refused(error: OSError) -> NoReturn:
    """Report what the system refuses; any other error is a bug, and keeps its traceback."""
    from likewise.errors import cannot_write

    said = cannot_write(error)
    if isinstance(error, PermissionError) and error.filename:  # to read it, or to write it
        said = f"{error.filename}: {error.strerror}"
    if not said:
        raise error
    note(f"likewise: {said}")
    sys.exit(likewise.DataError.exit_code)
