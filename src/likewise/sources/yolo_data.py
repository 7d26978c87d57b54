"""YOLO's data.yaml and tables of classes: names, splits and the shape of keypoints."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from likewise.errors import DataError, bounded
from likewise.formats.archives import FileCollection
from likewise.formats.counted_nouns import counted
from likewise.sources.annotation_files import AnnotationFiles, decode_text
from likewise.sources.image_references import match_references
from likewise.sources.split_names import SPLITS
from likewise.sources.yolo_labels import KeypointShape
from likewise.storage.config import parse_yaml

_MAX_CLASSES = 1_000_000
"""Maximum number of classes of a data.yaml that numbers them."""

_CLASS_FILES = r"[^/]*\.ya?ml|classes\.txt|names\.txt|[^/]*\.names"
_KEYS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_PARTS = 32

FindingRows = list[tuple[str, str, str]]


@dataclass
class YoloData:
    """Contents of the files that describe the data set.

    Attributes:
        classes: names of the classes by number; None if no file has them.
        keypoints: shape of the keypoints; None if no file has it.
        entries: (file, split, entry of the split: a folder or a list).
        upright: True if an export of Likewise says that boxes are those of upright pictures.
        doubts: finding rows.
    """

    classes: list[str] | None = None
    keypoints: KeypointShape | None = None
    entries: list[tuple[str, str, str]] = field(default_factory=list)
    upright: bool = False
    doubts: FindingRows = field(default_factory=list)


def read_data(  # noqa: C901 (which table of classes counts)
    files: FileCollection, annotation_files: AnnotationFiles, names: str
) -> YoloData:
    """Read the tables of classes, the first of which counts, and every data.yaml.

    Args:
        files: files of the images.
        annotation_files: annotation files, which are searched first.
        names: file with the names of classes; "" for the usual files.

    Raises:
        DataError: a table of classes is invalid, or the file ``names`` does not exist.
    """
    data = YoloData()
    for collection in (annotation_files, AnnotationFiles(files, files.path)):
        if not collection.is_collection:
            continue
        chosen = ""
        for where, content in _described(collection, names):
            is_named = not names or re.search(rf"(\A|/){_quoted(names)}\Z", where.lower())
            classes = _take(data, where, content)
            if classes is None or not is_named:
                continue
            if data.classes is None:
                data.classes, chosen = classes, where
            elif classes[: len(data.classes)] != data.classes[: len(classes)] and not names:
                data.doubts.append(_disagreement(where, classes, chosen, data.classes))
        if data.classes is not None:
            return data
    if names:
        raise DataError(f"no file {names!r} with names of classes; correct the card")
    return data


def _described(collection: AnnotationFiles, names: str) -> list[tuple[str, bytes]]:
    """Return the files with names of classes, the shortest paths first."""
    pattern = rf"(\A|/)({_quoted(names) + '|' if names else ''}{_CLASS_FILES})\z"
    paths = sorted(collection.find(pattern), key=lambda path: (path.count("/"), path))
    contents = dict(collection.read(pl.Series(paths, dtype=pl.String)))
    return [(path, contents[path]) for path in paths]


def _quoted(name: str) -> str:
    return "".join(f"\\{c}" if not c.isalnum() else c for c in name.lower())


def _disagreement(
    where: str, classes: Sequence[str], chosen: str, others: Sequence[str]
) -> tuple[str, str, str]:
    these, others_shown = bounded(classes, len(classes), 3), bounded(others, len(others), 3)
    detail = (
        f"its names of {counted(len(classes), 'class')} ({these}) differ from those of "
        f"{chosen} ({others_shown}), which counts; to choose one, set --option names=FILE"
    )
    return where, "two-class-tables", detail


def _take(data: YoloData, where: str, content: bytes) -> list[str] | None:
    """Add what a file says to ``data``, and return its names of classes."""
    if not where.lower().endswith((".yaml", ".yml")):
        lines = decode_text(where, content).splitlines()
        return [line.strip() for line in lines if line.strip()]
    document = parse_yaml(content, where)
    if not isinstance(document, dict):
        return None
    shape = document.get("kpt_shape")
    if data.keypoints is None and shape is not None:
        data.keypoints = _shape(where, shape)
    if {"names", "nc"} & set(document):
        own = document.get("likewise")
        notes = own if isinstance(own, dict) else {}
        data.upright |= notes.get("orientation") == "upright"
        splits = notes.get("splits", list(_KEYS))  # an export repeats a list for trainers
        data.entries += [
            (where, split, entry)
            for key, split in _KEYS.items()
            for entry in _texts(document.get(key))
            if key in splits
        ]
    return _names(where, document.get("names"))


def _shape(where: str, shape: Any) -> KeypointShape:
    sizes = list(shape) if isinstance(shape, list | tuple) else []
    if len(sizes) == 2 and all(isinstance(n, int) for n in sizes) and sizes[1] in (2, 3):
        return (sizes[0], sizes[1])
    raise DataError(f"{where}: kpt_shape is not [number of keypoints, 2 or 3]; correct it")


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text.strip()]


def _names(where: str, names: Any) -> list[str] | None:
    if isinstance(names, list):
        return [str(name) for name in names]
    if isinstance(names, dict):
        numbers = {_number(key): name for key, name in names.items()}
        if None not in numbers:
            return _numbered(where, {n: v for n, v in numbers.items() if n is not None})
    if names is not None:
        raise DataError(f"{where}: names is neither a list nor numbers -> names")
    return None


def _number(key: Any) -> int | None:
    """Return the number of a class, also if it is quoted; None if it is not a number."""
    text = str(key).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _numbered(where: str, names: dict[int, Any]) -> list[str]:
    highest = max(names, default=-1)
    if highest >= _MAX_CLASSES:
        raise DataError(
            f"{where}: names has class {highest:,}; at most {_MAX_CLASSES:,} are read"
        )
    return [str(names.get(n, n)) for n in range(highest + 1)]


def lists_of_data(
    entries: Sequence[tuple[str, str, str]], paths: pl.Series
) -> tuple[dict[str, str], FindingRows]:
    """Return path -> split of the lists that a data.yaml names; and finding rows."""
    lists = [entry for entry in entries if entry[2].lower().endswith(".txt")]
    matches = match_references(pl.Series([e[2] for e in lists], dtype=pl.String), paths)
    known = dict(matches.matched.rows())
    missing = [
        (f"{where}: {split}: {entry}", "dangling", "no such list")
        for where, split, entry in lists
        if entry not in known
    ]
    return {known[e]: split for _, split, e in reversed(lists) if e in known}, missing


def splits_from_data(
    entries: Sequence[tuple[str, str, str]], paths: pl.Series
) -> tuple[pl.DataFrame, FindingRows]:
    """Return the split of the images in the folders that a data.yaml names.

    A folder is found by its path from the data.yaml or by its longest end that exists, because
    exports write paths of other machines ("../train/images"). Lists are read elsewhere.

    Args:
        entries: see ``YoloData``.
        paths: paths of all images.

    Returns:
        ``image_id``, ``split`` (the first entry that holds the image counts); and finding rows.
    """
    rank = {split: number for number, split in enumerate(SPLITS)}
    frames = [pl.DataFrame(schema={"image_id": pl.String, "split": pl.String})]
    doubts: FindingRows = []
    parents = paths.str.extract(r"(?s)\A(.*)/").fill_null("").unique().sort().to_list()
    for where, split, entry in sorted(entries, key=lambda e: (rank[e[1]], e[0])):
        if entry.lower().endswith(".txt"):
            continue
        folders = _folders(entry, posixpath.dirname(where), parents)
        if len(folders) != 1:
            problem = "it may be several folders" if folders else "no image is in that folder"
            shown = f": {bounded(sorted(folders), len(folders), 3)}" if folders else ""
            detail = f"{problem}{shown}; its split is not read from here"
            doubts.append((f"{where}: {split}: {entry}", "dangling", detail))
            continue
        folder = folders.pop()
        inside = paths.filter(paths.str.starts_with(f"{folder}/") if folder else paths != "")
        frames.append(pl.DataFrame({"image_id": inside}).with_columns(split=pl.lit(split)))
    every = pl.concat(frames)
    first = every.unique("image_id", keep="first", maintain_order=True)
    twice = every.join(first, on=["image_id", "split"], how="anti")
    for (split,), group in twice.group_by("split", maintain_order=True):
        images = counted(len(group), "image")
        detail = f"{images} of it are also in a split before it, which counts"
        doubts.append((f"{entries[0][0]}: {split}", "two-splits", detail))
    return first, doubts


def _folders(entry: str, base: str, parents: Sequence[str]) -> set[str]:
    """Return the folders of images that ``entry`` can mean, by its longest end that exists."""
    plain = entry.replace("\\", "/").rstrip("/")
    every = {"/".join(p.split("/")[:n]) for p in parents for n in range(1, p.count("/") + 2)}
    joined = posixpath.normpath(posixpath.join(base, plain))
    if joined in every:
        return {joined}
    parts = [part for part in plain.split("/") if part not in ("", ".", "..")][-_PARTS:]
    if not parts:
        return {""} if parents else set()
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        if end in every:
            return {end}
        hits = {folder for folder in every if folder.endswith(f"/{end}")}
        if hits:
            return hits
    return set()
