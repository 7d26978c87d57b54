"""The example of this package: three small data sets of drawings."""

import shutil
import tempfile
from importlib import resources
from pathlib import Path

from likewise.errors import DataError
from likewise.storage.workspace import Workspace

EXAMPLE = ("food", "sketches", "emoji")
"""Names of the data sets, in the order in which they are added."""
CHECKS = {"food": {"min_bytes": 256, "min_side": 64}, "emoji": {"min_side": 100}}
"""Bounds of checks that suit drawings of 96 and 160 pixels."""
PICTURES = "samples"
"""Folder of the pictures, in this package and in a catalogue."""


def check_free(ws: Workspace) -> None:
    """Check that the example does not exist in this catalogue.

    Raises:
        DataError: the folder of the pictures, or one of the data sets, exists.
    """
    datasets = ws.params.datasets if ws.params_file.exists() else {}
    names = [name for name in EXAMPLE if name in datasets or ws.card_file(name).exists()]
    if names or (ws.root / PICTURES).exists():
        what = f"the data set {names[0]!r}" if names else f"the folder {PICTURES}"
        raise DataError(
            f"{ws.root} already has {what}; for the example, name another folder: "
            "likewise init FOLDER --example"
        )


def copy_pictures(ws: Workspace) -> Path:
    """Copy all pictures, their licences and their list of sources, and return the folder.

    Raises:
        DataError: the folder cannot be written; nothing of it is kept.
    """
    target = ws.root / PICTURES
    try:
        with tempfile.TemporaryDirectory(dir=ws.root, prefix=f".{PICTURES}-") as folder:
            copied = shutil.copytree(_templates() / PICTURES, Path(folder) / PICTURES)
            copied.rename(target)
    except (OSError, shutil.Error) as error:
        raise DataError(f"the example cannot be written to {target}: {error}") from error
    return target


def example_card(dataset: str) -> Path:
    """Return the card of a data set of the example."""
    return _templates() / "cards" / f"{dataset}.yaml"


def _templates() -> Path:
    return Path(str(resources.files("likewise.catalogue"))) / "templates"
