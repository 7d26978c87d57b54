"""``python -m likewise``: the command line."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C during its imports ends it as at any other time."""
    try:
        from likewise.cli import app
    except KeyboardInterrupt:
        sys.stderr.write("likewise: stopped\n")
        sys.exit(130)
    app.main()


if __name__ == "__main__":
    main()
