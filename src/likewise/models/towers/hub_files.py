"""Folders of models: on this machine, or a repository of the Hugging Face hub."""

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from likewise.errors import DataError, bounded
from likewise.formats import atomic

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
"""Files of a tokenizer of transformers."""

VOCABULARIES = (
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
"""Files with the tokens of a tokenizer, of which it has at least one."""

REMOTE_CODE = "auto_map"
"""The key of a configuration that names code of the model's author, which is never run."""

_FOLDER = "folder:"


@dataclass(frozen=True)
class ModelFolder:
    """A folder with the files of a model.

    Attributes:
        path: the folder.
        origin: its exact origin, without a path of this machine.
    """

    path: Path
    origin: str


def find(
    model: str, root: Path | None, files: Sequence[str], weights: Sequence[Sequence[str]]
) -> ModelFolder:
    """Return the folder of a model; files of the hub are fetched, or taken from its cache.

    Args:
        model: ``folder:PATH`` (relative to ``root``), or ``ORGANISATION/NAME`` of the hub,
            optionally with ``@REVISION``.
        root: a folder, by default the current one.
        files: patterns of other files to fetch; folders in the repository are left out.
        weights: patterns of files of weights; the first group with a file is fetched.

    Raises:
        DataError: there is no such folder, or the files cannot be fetched.
    """
    if model.startswith(_FOLDER):
        path = (root or Path()) / Path(model.removeprefix(_FOLDER)).expanduser()
        if not path.is_dir():
            raise DataError(f"model {model!r}: the folder does not exist; correct the path")
        return ModelFolder(path, f"folder:{path.name}")
    repository, _, revision = model.partition("@")
    path = _fetched(repository, revision or None, files, weights)
    return ModelFolder(path, f"hub {repository}@{path.name}")


def existing(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the files of these names, or patterns, in ``folder``."""
    paths = (path for name in names for path in sorted(folder.glob(name)))
    return [path for path in dict.fromkeys(paths) if path.is_file()]


def tokenizer_files(folder: Path, model: str) -> list[Path]:
    """Return the files of the tokenizer in ``folder``.

    Raises:
        DataError: there is no file of tokens.
    """
    if not existing(folder, VOCABULARIES):
        raise DataError(
            f"model {model!r} has a text tower, but its tokenizer is missing: it needs "
            f"{bounded(VOCABULARIES, len(VOCABULARIES), most=3)}; add the file, or set text: "
            "false to embed images only"
        )
    return existing(folder, TOKENIZER_FILES)


def copy_files(files: Iterable[Path], target: Path) -> None:
    """Copy files into the folder ``target``, without the names of remote code."""
    with atomic.writing(target):
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            if file.suffix == ".json" and REMOTE_CODE.encode() in file.read_bytes():
                document = json.loads(file.read_bytes())
                document.pop(REMOTE_CODE, None)
                text = json.dumps(document, indent=2) + "\n"
                (target / file.name).write_text(text, encoding="utf-8")
            else:
                shutil.copyfile(file, target / file.name)


def _fetched(
    repository: str,
    revision: str | None,
    files: Sequence[str],
    weights: Sequence[Sequence[str]],
) -> Path:
    from huggingface_hub import snapshot_download

    def snapshot(patterns: Sequence[str]) -> Path:
        return Path(
            snapshot_download(
                repository,
                revision=revision,
                allow_patterns=list(patterns),
                ignore_patterns=["*/*"],
            )
        )

    try:
        return _first_with_weights(snapshot, files, weights, repository)
    except (OSError, ValueError) as error:  # every error of the library and of the network
        message = " ".join(str(error).split())[:120] or type(error).__name__
        raise DataError(
            f"model {repository!r} cannot be fetched from the hub ({message}); connect to the "
            "network, correct the name, or copy the model and set model: folder:PATH"
        ) from error


def _first_with_weights(
    snapshot: Callable[[Sequence[str]], Path],
    files: Sequence[str],
    weights: Sequence[Sequence[str]],
    repository: str,
) -> Path:
    for group in weights:
        folder = snapshot([*files, *group])
        if existing(folder, group):
            return folder
    if not weights:
        return snapshot(files)
    names = [name for group in weights for name in group]
    raise DataError(f"model {repository!r} has no file of weights: {', '.join(names)}")
