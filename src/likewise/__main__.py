"""``python -m likewise``: the command line."""

import os
import sys

from likewise import SYSTEMS


def main() -> None:
    """Run the command line; Ctrl-C during its imports ends it as at any other time."""
    if os.name != "posix":
        sys.stderr.write(f"likewise: {SYSTEMS}\n")
        sys.exit(1)
    try:
        from likewise.cli import app
    except KeyboardInterrupt:
        sys.stderr.write("likewise: stopped\n")
        sys.exit(130)
    app.main()


if __name__ == "__main__":
    main()
