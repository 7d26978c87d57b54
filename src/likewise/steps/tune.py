"""Measure recall, latency and size of several indexes, and choose one."""

import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from likewise.catalogue.catalogue import open_workspace
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.params_editor import ParamsEditor
from likewise.errors import ConfigError, DataError, size_text
from likewise.formats import atomic
from likewise.formats.paths import StrPath
from likewise.pages.tradeoff_plot import IndexPoint, tradeoff_plot
from likewise.retrieval.indexes import INDEXES
from likewise.retrieval.indexes.base import Vectors
from likewise.retrieval.indexes.benchmark import IndexMeasurement, Probes
from likewise.retrieval.indexes.exact import Exact
from likewise.storage.workspace import Workspace

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}
_PER_CELL = 39
"""Training vectors per cell that FAISS requires."""

_TRAINED = 20_000
"""Number of vectors to train OPQ on; training on all of them takes an hour."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Trial:
    """One measured index.

    Attributes:
        family: the family of the index.
        entry: its entry for params.yaml.
        build_s: time to build it, in seconds.
        measured: its recall, latency and size.
    """

    family: str
    entry: dict[str, Any]
    build_s: float
    measured: IndexMeasurement


@dataclass(frozen=True)
class Tuned:
    """The result of ``tune``.

    Attributes:
        name: name of the new entry in params.yaml.
        chosen: the fastest index that reaches the recall within the memory.
        trials: all measured indexes.
        picture: path of the SVG plot; a JSON file of the same name has the trials.
    """

    name: str
    chosen: Trial
    trials: list[Trial]
    picture: str


def tune(
    dataset: str,
    model: str,
    *,
    recall: float = 0.95,
    memory: str | int | None = None,
    name: str | None = None,
    workspace: StrPath | None = None,
) -> Tuned:
    """Measure several indexes on the vectors of ``model``; write the best one to params.yaml.

    The best index is the one with the lowest latency of a single query among those that reach
    ``recall`` within ``memory``. Recall is recall@10 relative to exact search, for random items
    as queries.

    Args:
        dataset: name of the data set.
        model: a model that embeds it.
        recall: minimum recall, above 0 and up to 1.
        memory: maximum size of the index in bytes, or as text such as ``2GB``; unlimited by
            default.
        name: name of the entry; by default ``tuned_<dataset>_<model>``.
        workspace: a folder in the catalogue; by default the current one.

    Raises:
        DataError: no index reaches the recall (the nearest one is named), or an argument is out
            of range.
        UnknownNameError: there is no such data set or model.
        MissingArtefactError: the data set is not published.

    Example:
        >>> tuned = likewise.tune("emoji", "tiny", recall=0.9)
        >>> tuned.name, tuned.chosen.measured.recall >= 0.9
        ('tuned_emoji_tiny', True)
        >>> sorted({trial.family for trial in tuned.trials})
        ['HNSW32', 'exact']
    """
    ws = open_workspace(workspace)
    ws.dataset(dataset)
    index_name = name or f"tuned_{dataset}_{model}"
    most = _checked(recall, memory, index_name)
    opened = Dataset(ws, dataset)
    opened.need_model(model)
    vectors = Vectors.from_column(opened.table, model)
    trials = list(_trials(ws, vectors, most))
    chosen = _chosen(trials, recall, most)
    picture = _write(ws, f"{dataset}-{model}", trials, chosen, recall)
    entries = ParamsEditor(ws)
    entries.add("indexes", {index_name: chosen.entry})
    entries.commit()
    return Tuned(index_name, chosen, trials, ws.relative(picture))


def candidates(rows: int, dim: int) -> dict[str, list[dict[str, Any]]]:
    """Return the indexes to try for (rows, dim) vectors: family -> entries of params.yaml.

    The number of cells is 4 sqrt(rows), as FAISS recommends, or less if there are too few
    vectors to train them.
    """
    entries: dict[str, list[dict[str, Any]]] = {"exact": [{"kind": "exact"}]}
    entries["HNSW32"] = _asked("HNSW32", "ef_search", (16, 32, 64, 128, 256, 512))
    cells = min(4 * math.isqrt(rows), rows // _PER_CELL)
    if cells >= 4:
        probes = [n for n in (1, 2, 4, 8, 16, 32, 64, 128) if n <= cells]
        codes = next((m for m in (64, 32, 16, 8, 4, 2) if dim % m == 0 and m * 2 <= dim), 0)
        kinds = ["Flat", "SQ8", "RaBitQ4", "RaBitQ,Refine(SQ8)"]
        for kind in kinds:
            entries[f"IVF,{kind}"] = _asked(f"IVF{cells},{kind}", "nprobe", probes)
        for entry in entries["IVF,RaBitQ,Refine(SQ8)"]:
            entry["refine_factor"] = 8
        if codes and rows >= 256 * _PER_CELL:
            entries[f"OPQ,IVF,PQ{codes}"] = _asked(
                f"OPQ{codes},IVF{cells},PQ{codes}", "nprobe", probes
            )
            for entry in entries[f"OPQ,IVF,PQ{codes}"]:
                entry["train"] = max(_TRAINED, cells * _PER_CELL)
                entry["metric"] = "l2"
            shared = {"kind": "lopq", "v": 8, "m": codes}
            entries[f"LOPQ{codes}"] = [{**shared, "nprobe": n} for n in (4, 16, 64)]
    return entries


def _asked(factory: str, option: str, values: Sequence[int]) -> list[dict[str, Any]]:
    return [{"kind": "faiss", "factory": factory, option: value} for value in values]


def _checked(recall: float, memory: str | int | None, name: str) -> int | None:
    """Validate the arguments and return the memory in bytes.

    Raises:
        DataError: an argument is out of range.
    """
    if not 0 < recall <= 1:
        raise DataError(f"recall is {recall:g}; it must be above 0 and at most 1")
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} is not a valid name of an index; use letters, digits and '_'"
        )
    if memory is None or isinstance(memory, int):
        return memory
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]I?B|B?)\s*", memory.upper())
    if not match:
        raise DataError(f"memory is {memory!r}; write 500MB or 2GB")
    return int(float(match[1]) * _UNITS[match[2].removesuffix("B")])


def _trials(ws: Workspace, vectors: Vectors, most: int | None) -> Iterator[Trial]:
    """Build and measure every candidate whose vectors fit into ``most`` bytes."""
    probes = Probes(vectors, Exact().build(vectors))
    whole = vectors.rows * vectors.dim * 4
    families = candidates(vectors.rows, vectors.dim)
    total = sum(len(entries) for entries in families.values())
    with (
        atomic.spare_folder(ws.trials) as folder,
        tqdm(total=total, unit="index", desc="tune", disable=None) as bar,
    ):
        for family, entries in families.items():
            bar.update(len(entries))
            bare = family in ("exact", "HNSW32", "IVF,Flat")
            if not bare or most is None or whole <= most:
                yield from _family(family, entries, vectors, probes, folder)


def _family(
    family: str,
    entries: Sequence[dict[str, Any]],
    vectors: Vectors,
    probes: Probes,
    folder: Path,
) -> Iterator[Trial]:
    """Measure one index with several search settings; none if it cannot be built."""
    file = folder / re.sub(r"\W", "_", family)
    build_s = 0.0
    for entry in entries:
        part = INDEXES.build(entry, "tune")
        began = time.perf_counter()
        try:
            built = part.build(vectors, file if part.cached else None)
        except ConfigError:
            return
        build_s = build_s or time.perf_counter() - began
        held = file.stat().st_size if file.is_file() else vectors.rows * vectors.dim * 4
        yield Trial(family, entry, build_s, probes.measure(built, held))


def _chosen(trials: Sequence[Trial], recall: float, most: int | None) -> Trial:
    within = [t for t in trials if most is None or t.measured.nbytes <= most]
    good = [t for t in within if t.measured.recall >= recall]
    if good:
        return min(good, key=lambda t: (t.measured.ms, t.measured.nbytes))
    limit = "any memory" if most is None else size_text(most)
    if not within:
        raise DataError(f"none of the tested indexes fits into {limit}; increase --memory")
    near = max(within, key=lambda t: t.measured.recall)
    nearest = f"{near.measured.recall:.4f} by {near.entry}"
    raise DataError(f"no index reaches recall {recall:g} within {limit}; the best is {nearest}")


def _write(
    ws: Workspace, name: str, trials: Sequence[Trial], chosen: Trial, recall: float
) -> Path:
    """Write the plot, and the trials as JSON."""
    points = [
        IndexPoint(
            t.family,
            t.measured.recall,
            1000 / max(t.measured.ms, 1e-6),
            t.measured.nbytes,
            t is chosen,
        )
        for t in trials
    ]
    picture = ws.tuning(name)
    atomic.write_text(picture, tradeoff_plot(f"Indexes of {name}", points, recall))
    rows = [{**asdict(t), "measured": t.measured.model_dump()} for t in trials]
    atomic.write_text(picture.with_suffix(".json"), json.dumps(rows, indent=2) + "\n")
    return picture
