"""Merge versions of one file: git's merge driver for what people write, and dvc.lock."""

from collections.abc import Mapping
from pathlib import Path

from likewise.catalogue import corrections
from likewise.catalogue.corrections import Conflict, Corrections, Key
from likewise.catalogue.merge_driver import (
    CORRECTIONS,
    LOCK,
    Side,
    curated_format,
    describe_conflict,
    merge_curated,
    merge_texts,
)
from likewise.errors import DataError
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.storage import versions
from likewise.storage.config import parse_yaml
from likewise.storage.renamed_stages import current_lock


def merge_file(
    base: StrPath, ours: StrPath, theirs: StrPath, name: str, *, prefer: Side | None = None
) -> list[str]:
    r"""Merge three versions of the file ``name`` into ``ours``; git's merge driver calls this.

    Corrections, tags, verdicts and selections are merged by value, and dvc.lock by stage. For
    other files, the changed side is kept. If both sides changed, the version of this branch is
    kept until the next ``dvc repro`` writes the file again.

    Args:
        base: file with the version of the common ancestor.
        ours: file with the version of this branch; the result is written to it.
        theirs: file with the version of the other branch.
        name: path of the file in the repository.
        prefer: side whose value wins in a conflict, ``ours`` or ``theirs``.

    Returns:
        One line per conflict; in the result, such values are those of this branch. Empty with
        ``prefer``.

    Raises:
        DataError: a version cannot be read, or corrections cannot be parsed.

    Example:
        >>> from pathlib import Path
        >>> for name, label in (("base", "0"), ("ours", "200"), ("theirs", "400")):
        ...     row = f"0_noto.jpg,label,{label},0"
        ...     _ = Path(name).write_text(f"item_id,column,value,was\n{row}\n")
        >>> likewise.merge_file("base", "ours", "theirs", "catalog/emoji/corrections.csv")
        ["label of '0_noto.jpg' is '200' here, '400' there"]
    """
    contents = [_content(Path(path)) for path in (base, ours, theirs)]
    target = Path(ours)
    form = curated_format(name)
    if form is None and Path(name).name not in (CORRECTIONS, LOCK):
        if contents[1] == contents[0]:
            atomic.write_bytes(target, contents[2])
        return []  # if both sides changed the file, the next dvc repro writes it again
    texts = [_decoded(content, name) for content in contents]
    if form is not None:
        text, lines = merge_curated(form, texts, name, prefer)
        atomic.write_text(target, text)
        return lines
    if Path(name).name == CORRECTIONS:
        merged, conflicts = merge_texts(texts, name)
        if prefer == "theirs":
            merged = _chosen(merged, conflicts)
        atomic.write_text(target, corrections.text(merged))
        return (
            [] if prefer else [describe_conflict(key, pair) for key, pair in conflicts.items()]
        )
    atomic.write_text(target, _merge_locks(texts, name))
    return []


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}; nothing was merged"
        raise DataError(f"{what}; name the files with the three versions") from error


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8: {error}; merge it by hand: git merge") from error


def _chosen(merged: Corrections, conflicts: Mapping[Key, Conflict]) -> Corrections:
    """Return ``merged`` with their value for every conflict."""
    rest = {key: value for key, value in merged.items() if key not in conflicts}
    return {**rest, **{key: theirs for key, (_, theirs) in conflicts.items() if theirs}}


def _merge_locks(texts: list[str], name: str) -> str:
    """Return dvc.lock with each stage of the branch that changed it, or else of this branch."""
    base, ours, theirs = (
        document if isinstance(document := parse_yaml(text.encode(), name), dict) else {}
        for text in texts
    )
    stages = [
        current_lock(document.get("stages") or {}, {}) for document in (base, ours, theirs)
    ]
    merged = {}
    for stage in {**stages[1], **stages[2]}:
        was, mine, other = (side.get(stage) for side in stages)
        chosen = other if mine == was else mine
        if chosen is not None:
            merged[stage] = chosen
    head = ours or theirs or {"schema": "2.0"}
    return versions.lock_text({**head, "stages": merged})
