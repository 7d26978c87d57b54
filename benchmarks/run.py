"""Run the benchmarks in sequence and print their tables.

    python benchmarks/run.py [--small] [--only NAME] [--markdown FILE]

Each benchmark runs in its own process. If one fails, the others still run.
"""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from measure import parser

NAMES = (
    "ingest",
    "million",
    "tables",
    "scale_rows",
    "scale",
    "versions",
    "sharing",
    "commands",
    "embed",
    "score",
    "rows",
    "curation",
    "search",
    "indexes",
    "rerank",
    "exports",
    "figures",
    "check",
    "significance",
    "leaderboard",
    "suspects",
    "train",
    "trained",
    "words",
    "web",
)
LIBRARIES = (
    "pylance",
    "polars",
    "torch",
    "faiss-gpu",
    "faiss-cpu",
    "dvc",
    "datasets",
    "hnswlib",
    "usearch",
    "lancedb",
    "ray",
    "cleanlab",
)


def machine() -> str:
    """Describe the machine, the library versions and the load."""
    versions = {name: _version(name) for name in LIBRARIES}
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {libraries}. "
        f"Running or waiting processes before the benchmark: {os.getloadavg()[0]:.1f}."
    )


def run(name: str, *, small: bool) -> tuple[str, bool]:
    """Run a benchmark, print its output as it arrives, and return the output and success."""
    script = Path(__file__).with_name(f"{name}.py")
    command = [sys.executable, str(script), *(["--small"] if small else [])]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return "".join(lines), child.returncode == 0


def main() -> int:
    """Run the selected benchmarks; the exit status is 1 if one of them failed."""
    made = parser(__doc__)
    made.add_argument("--only", action="append", choices=NAMES, help="this one; repeatable")
    made.add_argument("--markdown", type=Path, help="write what is printed there too")
    options = made.parse_args()
    said, failed = [f"{machine()}\n\n"], []
    print(said[0], end="", flush=True)
    for name in options.only or NAMES:
        printed, succeeded = run(name, small=options.small)
        said.append(printed)
        failed += [] if succeeded else [name]
    if options.markdown:
        options.markdown.write_text("".join(said), encoding="utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
