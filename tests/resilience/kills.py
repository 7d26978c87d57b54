"""Kill a command at one of its writes or at a moment, run it again, and judge both states."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import forked
from resilience import observed, served
from resilience.team import LARGE, SMALL_PARTS, SMALL_SHARDS, States, copy

PATIENCE_SECONDS = 60

KILLED = """
import os, signal, sys, time
way, number, top, seen = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]
me, count = os.getpid(), 0
os.setsid()
with open(seen + ".group", "w") as file:
    file.write(str(me))
die = os.kill if int(number * 1000) % 2 else os.killpg  # alone, or with its child processes
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink",
           "os.truncate", "os.chmod", "os.utime", "subprocess.Popen", "os.posix_spawn"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

def inside(path):
    if isinstance(path, int):
        return False
    path = os.fsdecode(path)
    return not os.path.isabs(path) or path.startswith(top)

def hook(event, args):
    global count
    if event == "open":
        hit = isinstance(args[2], int) and args[2] & WRITES and inside(args[0])
    else:
        hit = event in CHANGES and ("Popen" in event or "spawn" in event or inside(args[0]))
    if hit and os.getpid() == me:
        count += 1
        if way == "write" and count == number:
            die(me, signal.SIGKILL)

sys.addaudithook(hook)
if way == "moment" and not os.fork():
    time.sleep(number)
    if os.getppid() == me:
        die(me, signal.SIGKILL)
    os._exit(0)
exec(os.environ.get("PREPARE", ""))
sys.argv = ["likewise", *sys.argv[5:]]
from likewise.cli.app import main
began = time.monotonic()
try:
    main()
finally:
    with open(seen, "w") as file:
        file.write(f"{count} {time.monotonic() - began}")
"""
"""Runs likewise and kills it at its n-th change of a file in a folder, or after seconds."""


@dataclass(frozen=True)
class Verb:
    """A command that is killed.

    Attributes:
        state: the state of the team before it.
        words: its arguments.
        done: part of its error if its result exists already; "" if it may always run again.
        steps: False if its files change together; otherwise each may be old or new.
        folder: the folder of the team in which it runs.
        prepare: makes Python code that runs before it, with the help of a folder.
    """

    state: str
    words: tuple[str, ...]
    done: str = ""
    steps: bool = False
    folder: str = "alice"
    prepare: Callable[[Path], str] | None = None


def small_shards(_: Path) -> str:
    """Return the code that cuts small shards."""
    return SMALL_SHARDS


def small_parts(_: Path) -> str:
    """Return the code that cuts small shards of an index."""
    return SMALL_PARTS


def large(_: Path) -> str:
    """Return the code that ranks and checks in shards."""
    return LARGE


VERBS = {
    "ingest": Verb("grown", ("ingest", "emoji")),
    "ingest-shard": Verb("grown", ("ingest", "emoji", "--shard", "0/2"), prepare=small_shards),
    "ingest-shards": Verb("half ingested", ("ingest", "emoji"), prepare=small_shards),
    "embed": Verb("ingested", ("embed", "emoji", "tiny")),
    "measure": Verb("embedded", ("measure", "emoji")),
    "check": Verb("measured", ("check", "emoji")),
    "check-shards": Verb("half checked", ("check", "emoji"), prepare=large),
    "embed-shard": Verb(
        "ingested", ("embed", "emoji", "tiny", "--shard", "0/2"), prepare=small_shards
    ),
    "embed-shards": Verb("half embedded", ("embed", "emoji", "tiny"), prepare=small_shards),
    "measure-processes": Verb(
        "embedded", ("measure", "emoji", "--engine", "processes"), prepare=small_shards
    ),
    "publish": Verb("checked", ("publish", "emoji")),
    "evaluate": Verb("published", ("evaluate", "emoji-tiny")),
    "evaluate-shard": Verb(
        "published", ("evaluate", "emoji-tiny", "--shard", "0/1"), prepare=large
    ),
    "evaluate-shards": Verb("half evaluated", ("evaluate", "emoji-tiny"), prepare=large),
    "index": Verb("unindexed", ("index", "emoji", "tiny", "ivf")),
    "index-shards": Verb(
        "half indexed", ("index", "emoji", "tiny", "ivf"), prepare=small_parts
    ),
    "export": Verb("made", ("export", "emoji", "webdataset", "--to", "out"), "is not empty"),
    "correct": Verb("made", ("correct", "emoji", "0_openmoji.jpg", "--label", "200")),
    "tag": Verb("made", ("tag", "emoji", "0_openmoji.jpg", "--add", "doubtful")),
    "select": Verb("made", ("select", "emoji", "houses", "--where", "label = '0'")),
    "review": Verb("made", ("review", "emoji", "--name", "similar", "--verdict", "kept")),
    "forget": Verb(
        "made", ("forget", "emoji", "0_fluent.jpg", "--reason", "request 1"), steps=True
    ),
    "merge": Verb("branched", ("merge", "relabelled"), steps=True),
    "release": Verb("made", ("release", "emoji", "1.0", "-m", "First"), "released", steps=True),
    "rename": Verb("made", ("rename", "emoji", "drawings"), "no data set"),
    "remove": Verb("made", ("remove", "emoji"), "no data set"),
    "train": Verb("untrained", ("train", "learned")),
    "push": Verb("unpushed", ("push",), steps=True),
    "pull": Verb("cloned", ("pull",), steps=True),
    "download": Verb("made", ("download", served.NAME), steps=True, prepare=served.prepare),
}
_LAST = 14
"""Number of last writes at which a third of the kills are."""

FEW = ("train", "push", "pull", "download")
"""Verbs that are killed fewer times."""


@dataclass
class Undisturbed:
    """A verb that nobody killed: the states around it, its writes, its seconds, problems."""

    before: dict[str, str]
    after: dict[str, str]
    problems: list[dict[str, str]]
    leftovers: list[str]
    writes: int
    seconds: float


@dataclass
class Kill:
    """One kill and its faults."""

    verb: str
    way: str
    number: float
    landed: bool = False
    faults: list[str] = field(default_factory=list)


class Killer:
    """Kills verbs in copies of prepared teams."""

    def __init__(self, states: States, folder: Path) -> None:
        """Work in ``folder``."""
        self._states, self._folder = states, folder
        self._undisturbed: dict[str, Undisturbed] = {}

    def undisturbed(self, name: str) -> Undisturbed:
        """Return the facts of a verb that runs to its end; run it once."""
        if name not in self._undisturbed:
            self._undisturbed[name] = self._measure(name)
        return self._undisturbed[name]

    def _measure(self, name: str) -> Undisturbed:
        verb, team = VERBS[name], self._folder / f"{name}-undisturbed"
        root = copy(self._states.get(VERBS[name].state), team) / verb.folder
        before = seen(verb, root)
        done = self._run(verb, root, "count", 0)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        count, seconds = (self._folder / f"{name}-undisturbed.seen").read_text().split()
        after = seen(verb, root)
        found = Undisturbed(
            before,
            after,
            observed.problems(root),
            observed.leftovers(root),
            int(count),
            float(seconds),
        )
        assert observed.leftovers(root) == [], observed.leftovers(root)
        forked.run(self._folder, "rm", "-rf", str(team))
        return found

    def plan(self, name: str, count: int, seed: int) -> Iterator[Kill]:
        """Yield kills that are spread over the writes and the time of a verb."""
        facts = self.undisturbed(name)
        rng = random.Random(f"{seed}-{name}")  # noqa: S311 (no secret)
        for number in range(count):
            share = (number + rng.random()) / count
            if number % 3 == 2:
                yield Kill(name, "moment", round(share * facts.seconds, 4))
            elif number % 3 == 1:  # where results take their places
                yield Kill(name, "write", facts.writes - int(share * min(_LAST, facts.writes)))
            else:
                yield Kill(name, "write", 1 + int(share * facts.writes))

    def run(self, kill: Kill, *, keep: bool = False) -> Kill:
        """Kill the verb, judge the state, run it again, and judge the result."""
        verb, facts = VERBS[kill.verb], self.undisturbed(kill.verb)
        team = self._folder / f"{kill.verb}-{kill.way}-{kill.number}"
        root = copy(self._states.get(verb.state), team) / verb.folder
        done = self._run(verb, root, kill.way, kill.number)
        kill.landed = done.returncode == -9
        await_group(Path(f"{self._seen(root)}.group"))
        if not kill.landed and done.returncode:
            kill.faults.append(f"exit code {done.returncode}: {done.stderr[-300:]}")
        first = forked.run(root, "likewise", "list")
        if first.returncode:
            kill.faults.append(f"list: {first.stderr[-300:]}")
        now = seen(verb, root)
        kill.faults += judge(verb, facts, now)
        again = self._run(verb, root, "count", 0)
        complete = without_parts(now) == facts.after and verb.done and verb.done in again.stderr
        if again.returncode and not complete:
            kill.faults.append(f"run again: {again.stderr[-300:]}")
        kill.faults += [
            f"afterwards {line}" for line in differences(facts.after, seen(verb, root))
        ]
        found = observed.problems(root)
        kill.faults += [
            f"doctor: {problem}" for problem in found if problem not in facts.problems
        ]
        kill.faults += [f"left: {path}" for path in observed.leftovers(root)]
        if not keep:
            forked.run(self._folder, "rm", "-rf", str(team))
        return kill

    def _run(self, verb: Verb, root: Path, way: str, number: float):  # type: ignore[no-untyped-def]
        written = str(self._seen(root))
        words = ("python", "-c", KILLED, way, str(number), str(root.parent), written)
        code = verb.prepare(self._folder / "served") if verb.prepare else ""
        return forked.run(root, *words, *verb.words, PREPARE=code)

    @staticmethod
    def _seen(root: Path) -> Path:
        return root.parent.with_name(f"{root.parent.name}.seen")


def await_group(file: Path) -> None:
    """Wait until the child processes of a killed one have ended."""
    with suppress(ProcessLookupError, FileNotFoundError):
        for _ in range(PATIENCE_SECONDS * 20):
            os.killpg(int(file.read_text()), 0)
            time.sleep(0.05)


def seen(verb: Verb, root: Path) -> dict[str, str]:
    """Return the state of a catalogue; of a push also that of the remote."""
    state = observed.state(root)
    if verb.words[0] == "push":
        state |= observed.remote_files(root.parent)
    if verb.words[0] == "index":
        # Without facts.json, which is written last, the files of a folder are not an index.
        made = sorted(file.parent for file in (root / ".likewise/indexes").rglob("facts.json"))
        names = [sorted(file.name for file in folder.iterdir()) for folder in made]
        state |= {
            "index": str([[name for name in part if ".part" not in name] for part in names])
        }
    return state


def judge(verb: Verb, facts: Undisturbed, now: dict[str, str]) -> list[str]:
    """Return how a state after a kill is neither the old nor the new one."""
    now = without_parts(now)
    if verb.steps:
        now.pop("git status", None)
        now.pop("dvc.lock", None)  # DVC records one stage after the other
    else:
        lines = now.get("git status", "").splitlines(keepends=True)
        now["git status"] = "".join(line for line in lines if not _is_part(line))
    if now in (facts.before, facts.after):
        return []
    if not verb.steps:
        changed = differences(facts.before, now)
        return [f"neither old nor new: {changed[:4]}, not {differences(facts.after, now)[:4]}"]
    keys = facts.before.keys() | facts.after.keys() | now.keys()
    return [
        f"neither old nor new: {key}: {now.get(key)!r}"
        for key in sorted(keys)
        if key in now
        and now[key] not in (facts.before.get(key), facts.after.get(key), observed.INCOMPLETE)
    ]


def without_parts(state: dict[str, str]) -> dict[str, str]:
    """Return a state without temporary files, also in the status of git."""
    kept = {path: digest for path, digest in state.items() if not _is_part(path)}
    lines = kept.get("git status", "").splitlines(keepends=True)
    status = "".join(line for line in lines if not _is_part(line))
    return kept | ({"git status": status} if "git status" in kept else {})


def _is_part(path: str) -> bool:
    """Return True for a file that likewise, or git during a merge, has not finished."""
    return ".part" in path or ".merge_file_" in path


def differences(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """Return the entries that differ, in words."""
    keys = sorted(first.keys() | second.keys())
    return [
        f"{key}: {first.get(key)!r} -> {second.get(key)!r}"
        for key in keys
        if first.get(key) != second.get(key)
    ]
