"""Measure the gain of the trainings in docs/laptop.yaml, with three seeds each.

    python benchmarks/trained.py [--small] [--recipe NAME] [--seed N] [--results FILE]

Every training runs as a user would run it: ingest, train, embed, publish, evaluate. The
checkpoint is chosen on a part of the training split, or is the last one. The scored split is
read only once, at the end. The peer is the initial model, scored on the same images by the same
protocol; for a student, it is the teacher.

All trainings take an hour on two cores. --recipe and --seed, which may be repeated, select
some. --results keeps the measurements in a file; those of an unchanged entry are not repeated.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from time import perf_counter, process_time
from typing import Any

import pictures
import yaml
from data import SHARED, work
from measure import ROOT, Table, parser

import likewise
from likewise.models.recipes import RECIPES

ENTRIES = ROOT / "docs" / "laptop.yaml"
SEEDS = (1, 2, 3)
MINUTES = 15
CORES = 2
SMALL = {"epochs": 1, "batch": 8, "input_size": 32, "train_size": 32, "warmup": 0}

Entries = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A training and its figures.

    Attributes:
        section: section of params.yaml that contains the model.
        model: name of the trained model.
        scored: data set on which it is scored.
        figures: protocol -> metric; the first one is compared with the target.
        target: the target in words.
        met: function of the figure after training and the peer's: True if the target is met.
        unit: value of the metric that stands for 1.
        of_mean: the target is one of the mean of the seeds, not of each seed.
    """

    section: str
    model: str
    scored: str
    figures: dict[str, str]
    target: str
    met: Callable[[float, float], bool]
    unit: float = 1.0
    of_mean: bool = False

    @property
    def main(self) -> str:
        """The full name of the main figure."""
        return " ".join(next(iter(self.figures.items())))


CASES = {
    "arnet": Case(
        "trained",
        "clothes_arnet",
        "clothes",
        {"sbir-acc": "acc@1"},
        ">= 0.72",
        lambda after, _: after >= 0.72,
        unit=100,
        of_mean=True,
    ),
    "metric": Case(
        "trained",
        "groceries_metric",
        "groceries",
        {"metric-learning": "ap"},
        "0.10 more",
        lambda after, before: after >= before + 0.1,
    ),
    "adapter": Case(
        "adapted",
        "drawings_adapter",
        "drawings",
        {"metric-learning": "ap", "leave-one-out": "precision@1"},
        "0.02 more",
        lambda after, before: after >= before + 0.02,
    ),
    "ssl": Case(
        "pretrained",
        "pictures_ssl",
        "photos",
        {"knn": "accuracy", "linear-probe": "accuracy", "metric-learning": "ap"},
        ">= 2 x",
        lambda after, before: after >= 2 * before,
    ),
    "distill": Case(
        "distilled",
        "snapshots_student",
        "photos",
        {"metric-learning": "ap", "knn": "accuracy"},
        ">= 0.9 x",
        lambda after, teacher: after >= 0.9 * teacher,
    ),
}


@dataclass(frozen=True)
class Gain:
    """The result of one training.

    Attributes:
        case: name of the case.
        seed: seed of the training.
        entry: options of the training.
        after: figures of the trained model.
        before: figures of the initial model.
        teacher: figures of the teacher, if there is one.
        minutes: wall time of the training.
        cpu_minutes: CPU time of the training, over all cores.
    """

    case: str
    seed: int
    entry: dict[str, Any]
    after: dict[str, float]
    before: dict[str, float]
    teacher: dict[str, float]
    minutes: float
    cpu_minutes: float

    @property
    def peer(self) -> dict[str, float]:
        """The figures to compare with."""
        return self.teacher or self.before


def measured(
    name: str, seeds: Sequence[int], entries: Entries, *, small: bool
) -> Iterator[Gain]:
    """Train with each seed in one catalogue; score the model before and after."""
    case = CASES[name]
    entry = entries[case.section][case.model]
    with work() as root:
        sets = dict.fromkeys((entry["data"], case.scored))
        params = _params(case, entries)
        params["datasets"] = {one: pictures.add(one, root, small=small) for one in sets}
        for seed in seeds:
            text = yaml.safe_dump({**params, "seed": seed})
            (root / "params.yaml").write_text(text, encoding="utf-8")
            for dataset in sets:
                likewise.ingest(dataset, workspace=root)
            yield _gain(name, seed, entry, root)


def _gain(name: str, seed: int, entry: dict[str, Any], root: Path) -> Gain:
    case, start, teacher = CASES[name], entry["init"], entry.get("teacher")
    frozen = [model for model in (start, teacher) if model]
    for model in frozen:
        likewise.load(model, workspace=root)
    for model in [teacher] if teacher else [start] if case.section == "adapted" else []:
        likewise.embed(entry["data"], model, workspace=root)
    began = perf_counter(), process_time()
    likewise.train(case.model, workspace=root)
    spent = perf_counter() - began[0], process_time() - began[1]
    for model in (*frozen, case.model):
        likewise.embed(case.scored, model, workspace=root)
    likewise.publish(case.scored, workspace=root)
    scores = {model: _scores(case, model, root) for model in (*frozen, case.model)}
    taught = scores[teacher] if teacher else {}
    minutes = (round(seconds / 60, 1) for seconds in spent)
    return Gain(name, seed, entry, scores[case.model], scores[start], taught, *minutes)


def _params(case: Case, entries: Entries) -> dict[str, Any]:
    """Return params.yaml for one training: its models, embeddings and runs."""
    entry = entries[case.section][case.model]
    frozen = [entry[role] for role in ("init", "teacher") if role in entry]
    embedded = [(case.scored, model) for model in (*frozen, case.model)]
    runs = [(*pair, protocol) for pair in embedded for protocol in case.figures]
    if "teacher" in entry and entry["data"] != case.scored:
        embedded.append((entry["data"], entry["teacher"]))
    return {
        "models": {model: entries["models"][model] for model in frozen},
        case.section: {case.model: entry},
        "indexes": {"exact": {"kind": "exact"}},
        "embeddings": {f"{d}-{m}": {"dataset": d, "model": m} for d, m in embedded},
        "runs": {
            f"{d}-{m}-{p}": {"dataset": d, "model": m, "index": "exact", "protocol": p}
            for d, m, p in runs
        },
    }


def _scores(case: Case, model: str, root: Path) -> dict[str, float]:
    found = {}
    for protocol, figure in case.figures.items():
        result = likewise.evaluate(f"{case.scored}-{model}-{protocol}", workspace=root)
        found[f"{protocol} {figure}"] = result.metrics[figure] / case.unit
    return found


def show(table: Table, gains: Sequence[Gain]) -> None:
    """Add one row per seed, one for their mean, and further facts."""
    case = CASES[gains[0].case]
    name = f"{gains[0].case}: {case.main}"
    for gain in gains:
        after, peer = gain.after[case.main], gain.peer[case.main]
        what = f"{name}, seed {gain.seed}"
        target = "" if case.of_mean else case.target
        table.score(what, after, peer, target, met=case.met(after, peer))
    values = sorted(gain.after[case.main] for gain in gains)
    what = f"{name}, mean of {len(gains)}, {values[0]:.3f} to {values[-1]:.3f}"
    after, peer = _means(gains, case.main)
    table.score(what, after, peer, case.target, met=case.met(after, peer))
    for figure in list(gains[0].after)[1:]:
        table.score(f"{gains[0].case}: {figure}, mean", *_means(gains, figure))
    if gains[0].teacher:
        was = mean(gain.before[case.main] for gain in gains)
        table.score(f"{name}, before training, mean", was, peer)
    clock = max(gain.minutes for gain in gains)
    busy = max(gain.cpu_minutes for gain in gains)
    table.note(f"{gains[0].case}: minutes of a training, at most", f"{clock:.1f}")
    table.below(f"{gains[0].case}: CPU minutes of a training", busy, MINUTES * CORES, "min")


def _means(gains: Sequence[Gain], figure: str) -> tuple[float, float]:
    """Return the mean over seeds after training, and that of the peer."""
    sides = ([g.after[figure] for g in gains], [g.peer[figure] for g in gains])
    return mean(sides[0]), mean(sides[1])


def lessened(entries: Entries) -> dict[str, Any]:
    """Return the entries with a tiny backbone and one short epoch."""
    tiny = {"kind": "timm", "backbone": "test_resnet", "weights": "random", "input_size": 32}
    found: dict[str, Any] = {"models": dict.fromkeys(entries["models"], tiny)}
    for case in CASES.values():
        entry = entries[case.section][case.model]
        fields = type(RECIPES.build(entry, "docs/laptop.yaml")).model_fields
        less = {option: value for option, value in SMALL.items() if option in fields}
        found.setdefault(case.section, {})[case.model] = {**entry, **less}
    return found


def kept(path: Path | None) -> list[Gain]:
    """Return the measurements of an earlier run."""
    if path is None or not path.is_file():
        return []
    return [Gain(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Run the selected trainings and print their gains."""
    options = _options()
    entries = yaml.safe_load(ENTRIES.read_text(encoding="utf-8"))
    if options.small or not SHARED.is_dir():
        options.small, entries = True, lessened(entries)
    seeds = options.seed or (SEEDS[:1] if options.small else SEEDS)
    table = Table("Trainings by docs/laptop.yaml; peer: before training", small=options.small)
    for name in options.recipe or CASES:
        case = CASES[name]
        entry = entries[case.section][case.model]
        known = [g for g in kept(options.results) if (g.case, g.entry) == (name, entry)]
        gains = {gain.seed: gain for gain in known}
        missing = [seed for seed in seeds if seed not in gains]
        for gain in measured(name, missing, entries, small=options.small) if missing else ():
            gains[gain.seed] = gain
            _keep(options.results, gain)
        show(table, [gains[seed] for seed in seeds])
    table.print()


def _options() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--recipe", action="append", choices=CASES, help="this one; repeatable")
    made.add_argument("--seed", action="append", type=int, help="this one; repeatable")
    made.add_argument("--results", type=Path, help="keep what is measured there")
    return made.parse_args()


def _keep(path: Path | None, gain: Gain) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(gain)) + "\n")


if __name__ == "__main__":
    main()
