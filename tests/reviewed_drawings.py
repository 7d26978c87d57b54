"""A catalogue of drawings with copies, whose flags the page reviews."""

from pathlib import Path

import likewise
from checked_drawings import PLAIN, add, drawing, smaller


def make_copies(root: Path) -> None:
    """Make two data sets: ``toys`` has copies of its own, and a leak from ``old``."""
    (root / "catalog").mkdir(parents=True)
    add(root, "old", {"a/0.jpg": drawing(0)}, **PLAIN)
    files = {"a/1.jpg": drawing(1), "b/1.jpg": smaller(1), "c/x.jpg": smaller(0)}
    files |= {"a/2.jpg": drawing(2), "b/2.jpg": drawing(2)}
    add(root, "toys", files, **PLAIN, against=["old"])
    likewise.check("toys", workspace=root)
    for name in ("old", "toys"):
        likewise.publish(name, workspace=root)
