"""Commands of maintenance: status, doctor, plan, schemas."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

import likewise
from likewise.cli.arguments import Json
from likewise.cli.durations import duration_text
from likewise.cli.output import (
    counts,
    print_json,
    print_line,
    print_next,
    print_table,
    print_tip,
)
from likewise.errors import size_text

if TYPE_CHECKING:
    from likewise import PlannedStage


def status(json: Json = False) -> None:
    """List jobs in shards that are not committed yet.

    The list has the shards that are planned, done and failed, and the hosts that computed them.

    Run the command of a job without --shard to compute what is missing and to commit it.
    """
    jobs = likewise.status()
    if json:
        print_json(jobs)
        return
    if not jobs:
        print_line("no job runs in shards")
        print_tip("likewise plan")
        return
    print_table(
        ("job", "plan", "shards", "done", "begun", "failed", "rows done", "seconds"),
        [
            (
                f"{one.job}" if one.current else f"{one.job} (earlier inputs)",
                one.plan,
                one.planned,
                one.done,
                len(one.begun),
                len(one.failed),
                one.rows_done,
                one.seconds,
            )
            for one in jobs
        ],
    )
    notes = [(one.job, note, "failed") for one in jobs for note in one.failed]
    notes += [(one.job, note, "begun") for one in jobs for note in one.begun]
    for job, note, state in notes:
        ago = "" if note.age is None else f" {duration_text(note.age)} ago"
        what = f"{job}: shard {note.shard} {state}{ago}, {note.by}"
        print_line(f"{what}{note.why and ': '}{note.why}")
    for one in jobs:
        hosts = Counter[str]()
        for process, number in one.by.items():
            hosts[process.partition(" on ")[2]] += number
        if hosts:
            print_line(f"{one.job}: done by {counts(hosts)}")
    print_tip("run the command of a job without --shard; to discard shards: likewise doctor")


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Also re-read every image.")] = False,
    json: Json = False,
) -> None:
    """Find problems and print the command that fixes each.

    The exit code is 1 if there are problems. Outputs that `pull --no-images` left on the
    remote are listed, but do not count, nor does a check that is not possible now: on a
    read-only file system, or while another process of DVC is running.
    """
    problems = likewise.doctor(deep=deep)
    faults = [problem for problem in problems if problem.is_fault]
    if json:
        print_json(problems)
    elif problems:
        print_table(
            ("check", "problem", "command"), [(p.check, p.what, p.command) for p in problems]
        )
    if not faults and not json:
        print_line("no problems found")
        print_tip("likewise list")
    if faults:
        if not json:
            print_tip("run these commands, then: likewise doctor")
        raise typer.Exit(1)


def plan(json: Json = False) -> None:
    """List the stages of the next `dvc repro`, with time and disk.

    Times are at the rates that this checkout measured, as if everything were computed; a stage
    computes only what is new. The start of processes and the work of DVC are not in them. A
    stage that follows a changed one runs only if the results differ. Nothing is run.
    """
    planned = likewise.plan()
    if json:
        print_json(planned)
        return
    if not planned.stages:
        print_line("dvc repro has nothing to run")
        return
    print_table(("stage", "runs", "time", "disk", "reason"), map(_planned, planned.stages))
    print_line(f"if all of them run: {planned.summary}")
    print_tip("dvc repro")


def _planned(stage: "PlannedStage") -> tuple[str, ...]:
    """Return stage, certainty, time, disk and reason as texts."""
    return (
        stage.stage,
        "yes" if stage.certain else "if needed",
        "unknown" if stage.seconds is None else duration_text(stage.seconds),
        "unknown" if stage.nbytes is None else size_text(stage.nbytes),
        stage.reason,
    )


def schemas(
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; exit 1 if a file differs.")
    ] = False,
) -> None:
    """Write the column schema of every table to schemas/."""
    changed = likewise.schemas(check=check)
    for name in changed:
        print_line(f"{'differs:' if check else 'wrote'} {name}")
    if check and changed:
        print_next("likewise schemas")
        raise typer.Exit(1)
    if not changed:
        print_line("schemas are up to date")
