"""Damage one byte of a file of a catalogue; doctor names it, and its command repairs it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import forked
from resilience import observed
from resilience.team import States, copy

KINDS = {
    "data": ("catalog/**/*.lance/data/*.lance",),
    "packs": ("catalog/**/*.blob",),
    "manifests": ("catalog/**/_versions/*",),
    "transactions": ("catalog/**/_transactions/*",),
    "text index": ("catalog/**/_indices/*/*",),
    "digests": ("catalog/*/columns/*.yaml", "catalog/*.columns.yaml", "catalog/.pixels/*"),
    "flags": ("catalog/emoji/flags.yaml",),
    "card": ("catalog/emoji.yaml",),
    "params": ("params.yaml",),
    "pipeline": ("dvc.yaml",),
    "lock": ("dvc.lock",),
    "corrections": ("catalog/emoji/corrections.csv",),
    "take-downs": ("catalog/emoji/forgotten.csv",),
    "passport": ("models/tiny/passport.json",),
    "weights": ("models/tiny/model.safetensors",),
    "index": (".likewise/indexes/emoji/tiny/ivf/*",),
    "rows": ("reports/*.parquet",),
    "reports": ("reports/*.json",),
    "likewise": (".likewise/locks/*", ".likewise/stamps/*"),
    "views": (".likewise/views/**/*",),
    "cache": (".dvc/cache/files/md5/*/*",),
    "dvc": (".dvc/config", ".dvcignore", ".gitattributes", "catalog/.gitignore"),
}
"""Kind of files -> their patterns in a catalogue."""

WRITTEN = ("card", "params", "pipeline", "corrections", "take-downs", "dvc", "lock")
"""Kinds that people write or git tracks: a change may be meant, and git names it."""

_ROUNDS = 3


@dataclass
class Flip:
    """One damaged byte, what came of it, and the faults of likewise.

    Attributes:
        kind: kind of the file.
        path: the file, relative to the root.
        at: place of the byte.
        cut: the file ends there; otherwise one of its bits is changed.
        effect: ``none``, ``error`` or ``value``: the worst that readers saw.
        named: doctor named it (``deep``: only with --deep).
    """

    kind: str
    path: str
    at: int
    cut: bool
    effect: str = "none"
    named: str = ""
    faults: list[str] = field(default_factory=list)


class Flipper:
    """Damages copies of a complete catalogue."""

    def __init__(self, states: States, folder: Path) -> None:
        """Work in ``folder``."""
        self._made, self._folder = states.get("made"), folder
        self._right: dict[str, observed.Answer] = {}

    def plan(self, kind: str, count: int, seed: int) -> Iterator[Flip]:
        """Yield damages of the files of a kind, two flips for each cut."""
        root = self._made / "alice"
        found = (path for pattern in KINDS[kind] for path in root.glob(pattern))
        files = sorted(path for path in found if path.is_file() and path.stat().st_size)
        rng = random.Random(f"{seed}-{kind}")  # noqa: S311 (no secret)
        for number in range(count):
            path = rng.choice(files)
            at = rng.randrange(path.stat().st_size)
            yield Flip(kind, str(path.relative_to(root)), at, number % 3 == 2)

    def run(self, flip: Flip, *, keep: bool = False) -> Flip:
        """Damage the file, read the catalogue, ask doctor, repair, and read again."""
        if not self._right:
            root = copy(self._made, self._folder / "undamaged") / "alice"
            self._right = observed.answers(root)
        name = f"{flip.kind}-{flip.at}-{'cut' if flip.cut else 'bit'}".replace(" ", "-")
        team = self._folder / name
        root = copy(self._made, team) / "alice"
        before = (root / flip.path).read_bytes()
        _damage(root / flip.path, flip)
        self._read(flip, root)
        problems = self._ask(flip, root)
        if problems:
            self._repair(flip, root, problems, before)
        elif flip.effect != "none" and not _is_named_by_git(flip, root):
            flip.faults.append(f"doctor names nothing; {flip.effect}")
        if not keep:
            forked.run(self._folder, "rm", "-rf", str(team))
        return flip

    def _read(self, flip: Flip, root: Path) -> None:
        for words, (code, text) in observed.answers(root).items():
            if (code, text) == self._right.get(words):
                continue
            if code and flip.effect == "none":
                flip.effect = "error"
            if not code and words in self._right:
                flip.effect = "value"
            if code and ("Traceback" in text or not text.startswith("likewise: ")):
                flip.faults.append(f"{words}: {text[-400:]}")

    @staticmethod
    def _ask(flip: Flip, root: Path) -> list[dict[str, str]]:
        for options in ((), ("--deep",)):
            try:
                problems = observed.problems(root, *options)
            except (AssertionError, ValueError) as error:
                flip.faults.append(str(error)[-400:])
                return []
            if problems:
                flip.named = "deep" if options else "plain"
                return problems
        return []

    def _repair(
        self, flip: Flip, root: Path, problems: list[dict[str, str]], before: bytes
    ) -> None:
        tried: list[str] = []
        for _ in range(_ROUNDS):
            for command in dict.fromkeys(problem["command"] for problem in problems):
                tried.append(command)
                if command.startswith("edit "):
                    (root / flip.path).write_bytes(before)
                    continue
                done = forked.run(root, "sh", "-c", command)
                if done.returncode:
                    tried.append(f"(exit code {done.returncode}: {done.stderr[-200:]})")
            problems = self._ask(flip, root)
            if not problems:
                break
        if problems:
            flip.faults.append(f"not repaired by {tried}: {problems}")
        now = observed.answers(root)
        if not problems and now != self._right and not _is_named_by_git(flip, root):
            wrong = [words for words, answer in now.items() if answer != self._right.get(words)]
            flip.faults.append(f"wrong after {tried}: {wrong}: {now[wrong[0]][1][:200]}")


def _damage(path: Path, flip: Flip) -> None:
    data = bytearray(path.read_bytes())
    if flip.cut:
        del data[flip.at :]
    else:
        data[flip.at] ^= 1 << flip.at % 8
    path.chmod(path.stat().st_mode | 0o200)
    path.write_bytes(data)


def _is_named_by_git(flip: Flip, root: Path) -> bool:
    """Return True if people may have changed the file, and git shows the change."""
    if flip.kind not in WRITTEN:
        return False
    return bool(forked.run(root, "git", "status", "--porcelain", "--", flip.path).stdout)
