"""A complete small catalogue in git and DVC, which cases copy."""

import os
import subprocess
import sys
from pathlib import Path

ITEMS = 24
"""Number of items of the catalogue."""

_MAKE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import likewise
from emoji_catalogue import make_catalogue
root = Path(sys.argv[1])
make_catalogue(root)
likewise.init(root)
likewise.evaluate("emoji-tiny", workspace=root)
"""


def make_complete(root: Path) -> None:
    """Make it in ``root``, in a process of its own, so that this one stays without threads."""
    root.mkdir()
    # A pipe would stay open as long as the background process that dvc starts.
    words = [sys.executable, "-c", _MAKE, str(root), str(Path(__file__).parents[1])]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
