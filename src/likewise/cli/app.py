"""The likewise command: its commands in groups, and the handling of errors."""

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from likewise.cli import (
    adding,
    attending,
    browsing,
    curating,
    improving,
    indexing,
    listing_kinds,
    maintaining,
    mapping,
    modelling,
    reading,
    scoring,
    searching,
    serving,
    sharing,
    stages,
    starting,
    suspecting,
)
from likewise.cli.failures import exit_with_error, record_interrupts
from likewise.cli.lazy_commands import Declaration, LazyCommands
from likewise.cli.output import print_line, print_note
from likewise.cli.process_settings import prepare_process

INTERRUPTED = 130
"""The exit code of a process that Ctrl-C ended."""

STOPPED = "likewise: stopped; run the same command again to resume"

Command = tuple[str, Callable[..., None], str]

GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "Start a catalogue",
        (
            ("init", starting.init, "likewise init birds-and-cars"),
            ("download", starting.download, "likewise download gpr1200"),
            ("add", adding.add, "likewise add gpr1200 --source gpr1200 --path GPR1200.zip"),
            ("validate", starting.validate, "likewise validate fissp ~/data/fissp"),
            ("rename", starting.rename, "likewise rename birds fowl"),
            ("remove", starting.remove, "likewise remove birds"),
            ("kinds", listing_kinds.kinds, "likewise kinds protocols"),
        ),
    ),
    (
        "Models and runs",
        (
            ("add-model", modelling.add_model, "likewise add-model --known vit_b --data birds"),
            ("list-models", modelling.list_models, "likewise list-models --known"),
            ("add-run", modelling.add_run, "likewise add-run birds lite0 leave-one-out"),
        ),
    ),
    (
        "Stages that dvc repro runs",
        (
            ("prepare", stages.prepare, "likewise prepare gpr1200"),
            ("ingest", stages.ingest, "likewise ingest gpr1200"),
            ("load", stages.load, "likewise load lite0"),
            ("train", stages.train, "likewise train tuned"),
            ("embed", stages.embed, "likewise embed gpr1200 lite0"),
            (
                "import-vectors",
                stages.import_vectors,
                "likewise import-vectors gpr1200 mine vectors.npy --ids ids.txt",
            ),
            ("map", mapping.place_items, "likewise map gpr1200-lite0"),
            ("thumbs", stages.thumbs, "likewise thumbs gpr1200"),
            ("publish", stages.publish, "likewise publish gpr1200"),
            ("evaluate", stages.evaluate, "likewise evaluate gpr1200-lite0-gpr1200"),
        ),
    ),
    (
        "Look at data",
        (
            ("list", reading.list_, "likewise list --json"),
            ("show", reading.show, "likewise show gpr1200 --labels"),
            ("describe", reading.describe, "likewise describe gpr1200 --markdown"),
            ("findings", reading.findings, "likewise findings cards --check box-outside"),
            (
                "query",
                reading.query,
                "likewise query 'select label, count(*) from gpr1200 group by label'",
            ),
            (
                "browse",
                browsing.browse,
                "likewise browse gpr1200 --facet label=cat --facet split --sort width",
            ),
            ("why", reading.why, "likewise why gpr1200 lite0 17_dog.jpg"),
            ("serve", serving.serve, "likewise serve --port 8642"),
            (
                "site",
                serving.site,
                "likewise site paper birds --selection hard --run birds-vit",
            ),
        ),
    ),
    (
        "Search",
        (
            (
                "search",
                searching.search,
                "likewise search gpr1200 --image bird.jpg -k 5 --html hits.html",
            ),
            ("index", indexing.index, "likewise index gpr1200 lite0 hnsw"),
            ("tune", indexing.tune, "likewise tune gpr1200 lite0 --recall 0.95 --memory 2GB"),
            ("indexes", indexing.indexes, "likewise indexes --json"),
        ),
    ),
    (
        "Score and compare",
        (
            (
                "score",
                scoring.score,
                "likewise score gpr1200 --embeddings features.npy --images images/",
            ),
            (
                "compare",
                scoring.compare,
                "likewise compare gpr1200-lite0-gpr1200 gpr1200-vitl-gpr1200",
            ),
            ("leaderboard", scoring.leaderboard, "likewise leaderboard --protocol gpr1200"),
            ("crosswalk", scoring.crosswalk, "likewise crosswalk gpr1200-lite0-gpr1200"),
            ("cite", scoring.cite, "likewise cite gpr1200-lite0-gpr1200"),
            ("report", scoring.report, "likewise report gpr1200-lite0-gpr1200"),
            ("trainings", modelling.trainings, "likewise trainings tuned"),
            ("plot-map", mapping.plot_map, "likewise plot-map gpr1200-lite0 --html map.html"),
            (
                "attention",
                attending.attention,
                "likewise attention vit tuned --dataset birds --figure layers.svg",
            ),
        ),
    ),
    (
        "Improve data",
        (
            ("correct", improving.correct, "likewise correct gpr1200 17_dog.jpg --label cat"),
            ("pending", improving.pending, "likewise pending gpr1200 --json"),
            ("tag", curating.tag, "likewise tag gpr1200 17_dog.jpg --add blurred"),
            ("suspects", suspecting.suspects, "likewise suspects birds lite0 --html page.html"),
            ("measure", improving.measure, "likewise measure gpr1200"),
            ("check", improving.check, "likewise check gpr1200 --html flags.html"),
            ("reviews", curating.reviews, "likewise reviews gpr1200 --name near_duplicate"),
            (
                "review",
                curating.review,
                "likewise review gpr1200 3f2a91c07b5d8e64 --verdict kept --note 'two cameras'",
            ),
            ("select", curating.select, "likewise select gpr1200 hard --where 'width > 500'"),
            ("selections", curating.selections, "likewise selections gpr1200 --json"),
            ("view", improving.view, "likewise view birds_clean"),
            (
                "forget",
                improving.forget,
                "likewise forget gpr1200 17_dog.jpg --reason 'request of 12 May'",
            ),
        ),
    ),
    (
        "Versions and sharing",
        (
            ("log", sharing.log, "likewise log gpr1200"),
            ("diff", sharing.diff, "likewise diff gpr1200 v1 v2 --html changes.html"),
            (
                "release",
                sharing.release,
                'likewise release gpr1200 1.2 -m "Twenty labels corrected"',
            ),
            ("push", sharing.push, "likewise push gpr1200"),
            ("pull", sharing.pull, "likewise pull gpr1200 --no-images"),
            ("merge", sharing.merge, "likewise merge origin/labels"),
            (
                "export",
                sharing.export,
                "likewise export birds coco --to birds-coco --where \"split = 'val'\"",
            ),
        ),
    ),
    (
        "Maintain",
        (
            ("status", maintaining.status, "likewise status --json"),
            ("doctor", maintaining.doctor, "likewise doctor --deep"),
            ("plan", maintaining.plan, "likewise plan --json"),
            ("schemas", maintaining.schemas, "likewise schemas --check"),
        ),
    ),
)
"""Title and commands of each group: name, function and example of a command."""

COMMANDS = tuple(command for _, commands in GROUPS for command in commands)


_COMMANDS = LazyCommands(
    {name: Declaration(function, f"Example: {line}") for name, function, line in COMMANDS}
    | {"merge-file": Declaration(sharing.merge_file, hidden=True)}
)


class GroupedCommands(TyperGroup):
    """The command line, whose help lists the commands in groups."""

    def __init__(self, **attributes: Any) -> None:
        """Take the commands from the table above."""
        super().__init__(**attributes | {"commands": _COMMANDS})

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, of which none is built."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group. The arguments have private types of typer."""
        widest = max(len(name) for name, _, _ in COMMANDS)
        for title, commands in GROUPS:
            with formatter.section(title):
                rows = []
                for name, _, _ in commands:
                    command = self.get_command(ctx, name)
                    limit = formatter.width - widest - 6
                    text = "" if command is None else command.get_short_help_str(limit)
                    rows.append((name.ljust(widest), text))
                formatter.write_dl(rows)


# Help without rich is fast, and the same in a terminal, in a pipe and in docs/cli.md.
app = typer.Typer(
    name="likewise",
    cls=GroupedCommands,
    help="The versioned catalogue for image-retrieval research.",
    epilog="Example: likewise init, then: likewise add emoji --source gpr1200 --path images/",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 96, "help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        from importlib import metadata

        print_line(metadata.version("likewise"))
        raise typer.Exit


@app.callback()
def _likewise(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """The versioned catalogue for image-retrieval research."""


def main() -> None:
    """Run the command line; an error of the user is one line on stderr and an exit code."""
    prepare_process()
    interrupts = record_interrupts()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader closed the pipe; the interpreter's flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print_note(STOPPED)
        raise
    except BaseException as error:  # noqa: BLE001 (a bug is raised again)
        # A library may turn the interrupt of an import into an error of its own.
        if interrupts or isinstance(error, KeyboardInterrupt):
            print_note(STOPPED)
            sys.exit(INTERRUPTED)
        exit_with_error(error)
