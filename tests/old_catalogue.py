"""The catalogue of `fixtures/catalogue_0_1.tar.xz`, written by likewise 0.1."""

import json
import tarfile
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
NAME = "catalogue_0_1"


def extract(folder: Path) -> Path:
    """Unpack it with its git repository and DVC cache below ``folder``; return its root."""
    with tarfile.open(FIXTURES / f"{NAME}.tar.xz") as packed:
        packed.extractall(folder, filter="tar")
    return folder / NAME


def expected() -> dict[str, Any]:
    """Return the values of likewise 0.1: identities, digests, reports, outputs of commands."""
    text = (FIXTURES / f"{NAME}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
