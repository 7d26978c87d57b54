"""Read a catalogue during checkouts of DVC, and run DVC twice at once."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import forked
from resilience import observed
from resilience.team import States, copy, run
from servers import until

COMMANDS = (
    ("query", "select item_id, label, sha256, tiny from emoji", "--json"),
    ("query", "select item_id, label from emoji_items", "--json"),
    ("search", "emoji", "--id", "0_fluent.jpg", "-k", "30", "--json"),
    ("search", "emoji", "--keywords", "house", "-k", "30", "--json"),
)

OPEN = """
import hashlib, sys, time
import likewise
from likewise.errors import LikewiseError
try:
    emoji = likewise.open("emoji")
    for _ in range(4):
        parts = [repr(emoji.items.to_dicts()).encode(), emoji.vectors("tiny").tobytes()]
        parts += emoji.images(emoji.items["item_id"].to_list(), encoded=True)
        print(hashlib.sha256(b"".join(parts)).hexdigest())
        time.sleep(0.3)
except LikewiseError as error:
    sys.exit(f"likewise: {error}")
"""
"""Opens a data set and reads it four times; prints a digest of what it read."""


def watch(states: States, folder: Path, checkouts: int) -> Iterator[tuple[str, str, list[str]]]:
    """Yield what readers got during the checkouts: a command, its outcome, and faults."""
    root = copy(states.get("two versions"), folder / "readers") / "alice"
    right: dict[str, set[str]] = {}
    for version in ("v1", "v2"):
        _check_out(root, version)
        for words, answer in _read(root).items():
            assert answer[0] == 0, answer
            right.setdefault(words, set()).add(answer[1])
    assert all(len(texts) == 2 for texts in right.values()), right
    with ThreadPoolExecutor(1) as pool:
        toggling = pool.submit(_toggle, root, checkouts)
        while not toggling.done():
            for words, (code, text) in _read(root).items():
                yield words, *_judge(code, text, right.get(words, set()))
        toggling.result()
    found = observed.problems(root)
    yield "doctor", "clean" if not found else "not clean", [str(problem) for problem in found]


def _check_out(root: Path, version: str) -> None:
    run(root, "git", "checkout", "--quiet", version)
    run(root, "dvc", "checkout", "--quiet")


def _toggle(root: Path, checkouts: int) -> None:
    for number in range(checkouts):
        _check_out(root, ("v1", "v2")[number % 2])


def _read(root: Path) -> dict[str, observed.Answer]:
    found = observed.answers(root, COMMANDS)
    done = forked.run(root, "python", "-c", OPEN)
    seen = " ".join(dict.fromkeys(done.stdout.split()))
    found["open"] = (done.returncode, done.stderr if done.returncode else seen)
    return found


def _judge(code: int, text: str, right: set[str]) -> tuple[str, list[str]]:
    if code:
        clear = text.startswith("likewise: ") and "Traceback" not in text
        return "refused", [] if clear else [text[-600:]]
    return "one version", [] if text in right else [f"neither version: {text[:300]}"]


def repro_twice(states: States, folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Run ``dvc repro`` twice at once; yield the outcomes, and the states afterwards."""
    alone = copy(states.get("grown"), folder / "alone") / "alice"
    run(alone, "dvc", "repro", "--quiet")
    root = copy(states.get("grown"), folder / "twice") / "alice"
    with ThreadPoolExecutor(2) as pool:
        both: list[Future[str]] = [pool.submit(_repro, root) for _ in range(2)]
    errors = [one.result() for one in both]
    faults = [text for text in errors if len(text.splitlines()) > 1 or "Traceback" in text]
    faults += ["both failed"] if all(errors) else []
    yield "dvc repro", " and ".join("refused" if e else "done" for e in sorted(errors)), faults
    yield "afterwards", "equal to one alone", _differing(alone, root)
    root = copy(states.get("grown"), folder / "during") / "alice"
    yield "dvc repro during another", *_repro_during(root)
    yield "afterwards", "equal to one alone", _differing(alone, root)


def _repro_during(root: Path) -> tuple[str, list[str]]:
    """Run ``dvc repro`` while another one has a lock."""
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_repro, root)
        until(lambda: _is_locked(root) or first.done(), "DVC has a lock")
        done = forked.run(root, "dvc", "repro")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    faults = [f"the first failed: {first.result()}"] if first.result() else []
    if done.returncode == 0 or len(errors) != 1 or "Traceback" in done.stderr:
        faults.append(f"not refused by one error: {done.returncode}: {done.stderr}")
    return "refused" if done.returncode else "done", faults


def _is_locked(root: Path) -> bool:
    """Return True while a stage of DVC runs."""
    with suppress(OSError, ValueError):
        return bool(json.loads((root / ".dvc/tmp/rwlock").read_bytes()).get("write"))
    return False


def _differing(alone: Path, root: Path) -> list[str]:
    """Return the files that differ between two catalogues, and problems of the second."""
    before, after = observed.state(alone), observed.state(root)
    differing = [
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    ]
    return [*sorted(differing), *(str(problem) for problem in observed.problems(root))]


def _repro(root: Path) -> str:
    """Return the error of ``dvc repro``; empty if it succeeds."""
    done = forked.run(root, "dvc", "repro", "--quiet")
    return done.stderr.strip() if done.returncode else ""
