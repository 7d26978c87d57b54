"""The texts that people write in the catalogue of drawings: tags, verdicts, selections."""

from pathlib import Path

HOUSES = ["0_fluent.jpg", "0_noto.jpg", "0_openmoji.jpg", "0_twemoji.jpg"]
"""The drawings of one category."""


def lines_of(root: Path, name: str) -> list[str]:
    """Return the lines of a text of the data set ``emoji``."""
    return (root / "catalog" / "emoji" / name).read_text("utf-8").splitlines()
