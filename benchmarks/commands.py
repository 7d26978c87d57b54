"""Measure the start-up time of short commands, compared with Python itself.

    python benchmarks/commands.py [--small]

The catalogue contains the emoji samples: ingested, embedded by a tiny model with random weights
(nothing is downloaded), and published. The peers are lower bounds: Python that does nothing,
and Python that imports the libraries that read a table.
"""

import json
import re
import sys
from functools import partial
from pathlib import Path

import data
from measure import LIKEWISE, Table, medians, parser, run

SQL = "select subset, count(*) as items from emoji group by subset order by subset"
PARAMS = """\
models:
  tiny: {kind: timm, backbone: test_vit.r160_in1k, weights: random}
indexes:
  exact: {kind: exact}
"""
NOTHING, POLARS, LIBRARIES = "python", "polars", "polars and lance"
HELP, LIST, SHOW, QUERY = "help", "list", "show", "query"
HEAVY = ("torch", "timm", "faiss", "dvc", "numba", "scipy")

_COMMANDS = {
    NOTHING: (sys.executable, "-c", "pass"),
    POLARS: (sys.executable, "-c", "import polars"),
    LIBRARIES: (sys.executable, "-c", "import polars, lance"),
    HELP: (LIKEWISE, "--help"),
    LIST: (LIKEWISE, "list"),
    SHOW: (LIKEWISE, "show", "emoji"),
    QUERY: (LIKEWISE, "query", SQL, "--json"),
}


def publish(root: Path) -> None:
    """Make a catalogue in ``root`` with the emoji samples, published."""
    data.catalogue(root, "emoji", "gpr1200", data.SAMPLES, PARAMS)
    for step in ("ingest emoji", "load tiny", "embed emoji tiny", "publish emoji"):
        run(LIKEWISE, *step.split(), cwd=root)


def loaded(root: Path, *words: str) -> set[str]:
    """Return the top-level modules that ``likewise`` imports with these arguments."""
    said = run(sys.executable, "-X", "importtime", "-m", "likewise", *words, cwd=root).output
    modules = set(re.findall(r"^import time:[ \d|]+\| +([^\s.]+)", said, re.MULTILINE))
    if "likewise" not in modules:
        raise SystemExit(
            f"python -X importtime says something else than expected: {said[:200]}"
        )
    return modules


def check_query(root: Path) -> None:
    """Stop if the query prints no answer or a wrong one."""
    answer = json.loads(run(*_COMMANDS[QUERY], cwd=root).output)
    items = len(list((data.SAMPLES / "images").iterdir()))
    if sum(row["items"] for row in answer) != items:
        raise SystemExit(f"the query counts other than the {items} emoji: {answer}")


def _seconds(root: Path, command: tuple[str, ...]) -> float:
    return run(*command, cwd=root).seconds


def measure(table: Table, root: Path, rounds: int) -> None:
    """Add all rows."""
    publish(root)
    check_query(root)
    parts = {name: partial(_seconds, root, words) for name, words in _COMMANDS.items()}
    seconds = medians(parts, rounds)
    table.below(
        "likewise --help; peer: python -c pass", seconds[HELP], 0.3, peer=seconds[NOTHING]
    )
    table.below(
        'likewise query; peer: python -c "import polars, lance"',
        seconds[QUERY],
        1.0,
        peer=seconds[LIBRARIES],
    )
    table.at_most(
        'likewise list; peer: python -c "import polars"', seconds[LIST], seconds[POLARS], 1.1
    )
    for name in (SHOW, QUERY):
        what = f'likewise {name}; peer: python -c "import polars, lance"'
        table.at_most(what, seconds[name], seconds[LIBRARIES], 1.1)
    for name, words in ((HELP, ["--help"]), (LIST, ["list"]), (QUERY, ["query", SQL])):
        heavy = [module for module in HEAVY if module in loaded(root, *words)]
        target, met = "not torch", "torch" not in heavy
        table.holds(
            f"heavy modules that {name} imports", " ".join(heavy) or "none", target, met=met
        )


def main() -> None:
    """Measure the commands on the samples."""
    small = parser(__doc__).parse_args().small
    rounds = 1 if small else 7
    table = Table(f"Commands, medians of {rounds} rounds", small=small)
    with data.work() as work:
        measure(table, work / "catalogue", rounds)
    table.print()


if __name__ == "__main__":
    main()
