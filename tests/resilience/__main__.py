"""Attack small catalogues: ``python tests/resilience kills``.

``kills`` ends commands by SIGKILL at their writes and at moments. Afterwards every file has its
old or its new content, the same command completes its work, the result equals that of an
undisturbed run, and doctor finds no fault.

``flips`` changes one bit of a file, or cuts the file. What readers notice, doctor names; its
commands repair it, and the answers are right again.

``readers`` searches and queries while DVC checks out two versions in turn. Each answer is
that of one version. Two runs of ``dvc repro`` at once do no damage.

The exit code is 1 if there is a fault.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from resilience import flips, kills, readers
from resilience.team import States, isolate

Attack = tuple[str, str, str, list[str]]
"""Kind of an attack, what it was, its outcome, and its faults."""


def kill_tasks(options: argparse.Namespace, states: States) -> Iterator[Callable[[], Attack]]:
    """Yield the kills; each returns its verb, its moment, and its faults."""
    killer = kills.Killer(states, options.folder)
    verbs = options.only or list(kills.VERBS)
    few = [verb for verb in verbs if verb in kills.FEW]
    for verb in verbs:
        count = options.few if verb in few else options.each
        for number, kill in enumerate(killer.plan(verb, options.first + count, options.seed)):
            if number < options.first:
                continue
            yield lambda kill=kill: _kill(killer, kill, keep=options.keep)  # type: ignore[misc]


def _kill(killer: kills.Killer, kill: kills.Kill, *, keep: bool) -> Attack:
    killer.run(kill, keep=keep)
    outcome = "killed" if kill.landed else "the kill came too late"
    return kill.verb, f"{kill.way} {kill.number}", outcome, kill.faults


def flip_tasks(options: argparse.Namespace, states: States) -> Iterator[Callable[[], Attack]]:
    """Yield the damages; each returns the kind of its file, what came of it, and its faults."""
    flipper = flips.Flipper(states, options.folder)
    for kind in options.only or list(flips.KINDS):
        for number, flip in enumerate(
            flipper.plan(kind, options.first + options.each, options.seed)
        ):
            if number >= options.first:
                yield lambda flip=flip: _flip(flipper, flip, keep=options.keep)  # type: ignore[misc]


def _flip(flipper: flips.Flipper, flip: flips.Flip, *, keep: bool) -> Attack:
    flipper.run(flip, keep=keep)
    what = f"{flip.path} {'cut' if flip.cut else 'bit'} {flip.at}"
    outcome = f"effect {flip.effect}, named {flip.named or 'no'}"
    return flip.kind, what, outcome, flip.faults


def reader_tasks(options: argparse.Namespace, states: States) -> Iterator[Callable[[], Attack]]:
    """Yield what readers got during checkouts of two versions, and two runs of DVC at once."""
    for what, outcome, faults in readers.repro_twice(states, options.folder):
        yield lambda: (what, "two at once", outcome, faults)  # noqa: B023 (called at once)
    for what, outcome, faults in readers.watch(states, options.folder, options.checkouts):
        yield lambda: (what[:40], "during a checkout", outcome, faults)  # noqa: B023


TASKS = {"kills": kill_tasks, "flips": flip_tasks, "readers": reader_tasks}


def main() -> int:
    """Run the attacks, print each fault, and a table of all."""
    parser = argparse.ArgumentParser(prog="python tests/resilience", description=__doc__)
    parser.add_argument("attack", choices=sorted(TASKS))
    parser.add_argument("--each", type=int, default=14, help="attacks of each kind")
    parser.add_argument("--few", type=int, default=4, help="attacks of each slow kind")
    parser.add_argument("--checkouts", type=int, default=50, help="checkouts under readers")
    parser.add_argument("--only", action="append", help="run this kind only; may be repeated")
    parser.add_argument("--first", type=int, default=0, help="number of the first attack")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="keep the attacked catalogues")
    parser.add_argument("--states", type=Path, help="folder of prepared states; kept")
    options = parser.parse_args()
    top = Path(tempfile.mkdtemp(prefix="likewise-resilience-"))
    options.folder = top / "work"
    options.folder.mkdir()
    isolate(options.states or top)
    states = States(options.states or top / "states")
    faulty, total, began = Counter[str](), Counter[str](), time.monotonic()
    outcomes = Counter[tuple[str, str]]()
    for task in TASKS[options.attack](options, states):
        kind, what, outcome, faults = task()
        outcomes[kind, outcome] += 1
        total[kind] += 1
        faulty[kind] += bool(faults)
        for fault in faults:
            print(f"{kind} {what}: {fault}"[:600], flush=True)
    for kind, count in total.items():
        of_kind = ", ".join(f"{n} {o}" for (k, o), n in sorted(outcomes.items()) if k == kind)
        print(f"{kind:12} {count:5} attacks {faulty[kind]:5} with faults; {of_kind}")
    seconds = time.monotonic() - began
    print(f"{sum(total.values()):,} attacks, {sum(faulty.values()):,} faults, {seconds:.0f} s")
    if not options.keep:
        shutil.rmtree(top, ignore_errors=True)
    return int(sum(faulty.values()) > 0)


if __name__ == "__main__":
    sys.exit(main())
