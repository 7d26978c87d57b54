"""The files of a model's folder, which its passport names with their digests."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from likewise.errors import DataError, MissingArtefactError
from likewise.formats import atomic
from likewise.formats.file_hashes import file_sha256
from likewise.formats.paths import path_fault
from likewise.models.passport import WEIGHTS, Passport

CONFIG = "config"
"""The folder, inside a model's folder, of configuration and tokenizer."""


def copy_into(folder: Path, files: Iterable[Path], part: str = CONFIG) -> None:
    """Copy files into a part of a model's folder, under their own names."""
    target = folder / part
    with atomic.writing(target):
        target.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, target / file.name)


def digests(folder: Path, part: str = CONFIG) -> dict[str, str]:
    """Return the SHA-256 of every file in a part of a model's folder, by relative path."""
    files = sorted(path for path in (folder / part).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def file_faults(folder: Path, passport: Passport) -> Iterator[tuple[str, str]]:
    """Yield the files that differ from the passport, weights included: name and fault.

    Raises:
        DataError: the passport names a file outside of the folder.
    """
    expected = dict(passport.files)
    if passport.weights_sha256:
        expected[WEIGHTS] = passport.weights_sha256
    for name, sha256 in expected.items():
        if fault := path_fault(name):
            raise DataError(f"{folder}: the passport names {name!r}: {fault}")
        path = folder / name
        if not path.is_file():
            yield name, "does not exist"
        elif file_sha256(path) != sha256:
            yield name, "differs from the digest in its passport"


def check_files(folder: Path, passport: Passport) -> None:
    """Compare the files of a model with its passport; the weights are compared too.

    Raises:
        MissingArtefactError: a file is missing.
        DataError: a file differs, or the passport names one outside of the folder.
    """
    for name, fault in file_faults(folder, passport):
        if not (folder / name).is_file():
            raise MissingArtefactError(f"{folder / name} {fault}", "dvc checkout")
        raise DataError(f"{folder / name} differs from its passport; run: dvc checkout")
