"""Check that two versions of likewise behave alike.

    python scripts/compare_behaviour record CHECKOUT OUT.json
    python scripts/compare_behaviour compare OLD.json NEW.json [--intended FILE]

`record` runs the pipeline of the samples and every command that prints or writes results, with
the code of CHECKOUT/src and the libraries of this Python, in a temporary copy of CHECKOUT.
`compare` prints every difference and its place. It exits with 1 if the file of intended
differences does not explain one of them (see `intended.yaml`).
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import yaml
from differences import Intended, differences
from record import record

INTENDED = Path(__file__).parent / "intended.yaml"


def main() -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="compare_behaviour", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record", help="record the behaviour of a checkout")
    one.add_argument("checkout", type=Path)
    one.add_argument("out", type=Path)
    one.add_argument("--keep", type=Path, help="work in this new folder, and keep it")
    two = commands.add_parser("compare", help="compare two records")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    two.add_argument("--intended", "--renamed", type=Path, default=INTENDED)
    options = parser.parse_args()
    if options.command == "compare":
        return _compare(options.old, options.new, options.intended)
    return _record(options.checkout, options.out, options.keep)


def _record(checkout: Path, out: Path, keep: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="behaviour-") as temporary:
        recorded = record(checkout.resolve(), (keep or Path(temporary)).resolve())
    out.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {out}: {len(recorded)} places")
    return 0


def _compare(old: Path, new: Path, intended: Path) -> int:
    known = Intended.of(yaml.safe_load(intended.read_text(encoding="utf-8")))
    before, after = (json.loads(path.read_text(encoding="utf-8")) for path in (old, new))
    unexplained = 0
    for place, was, now in differences(known.renamed_in(before), after):
        reason = known.reason(place)
        unexplained += reason is None
        print(f"{place}\n  was {was}\n  now {now}\n  {reason or 'NOT INTENDED'}")
    print(f"{unexplained} differences that are not intended", file=sys.stderr)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
