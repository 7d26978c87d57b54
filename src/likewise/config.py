"""Cards and params.yaml: read once, checked whole, frozen.

A card (``catalog/<dataset>.yaml``) says what a data set is; params.yaml says where it lies here
and what is done with it. Only this module reads YAML.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from likewise.errors import ConfigError, DataError, UnknownNameError, hint
from likewise.registry import Part, check
from likewise.schema import FLAG_NAMES

NAME = re.compile(r"[a-z][a-z0-9_]*")
RUN_NAME = re.compile(r"[a-z][a-z0-9_-]*")
TABLE_SUFFIXES = ("_images", "_items", "_findings", "_pixels", "_flags")
"""In SQL a data set ``x`` is also ``x_images``, ``x_items`` ...; no data set may end so."""

MODEL_STAGES = {
    "models": "train",
    "trained": "fit",
    "pretrained": "pretrain",
    "distilled": "distill",
}
"""The sections of params.yaml that name models, and the stage of dvc.yaml that makes each.

They differ in what their stage reads: nothing, items and labels, items alone, and the vectors
of a teacher.
"""

Entry = dict[str, Any]
"""``{kind: <registered name>, **options}``; the part's own class checks the options."""


class Licence(Part):
    """Under which terms the images may be used."""

    spdx: str = "NOASSERTION"
    terms: str = ""


class Card(Part):
    """What a data set is: ``catalog/<dataset>.yaml``."""

    title: str
    source: Entry
    licence: Licence = Licence()
    citation: str = ""
    faults: tuple[str, ...] = ()


class DatasetEntry(Part):
    """Where a data set lies on this machine.

    ``path`` is a folder or archive of images; ``annotations`` is the folder, archive or file
    that explains them, the same as ``path`` when they lie together.
    """

    path: str
    annotations: str


class EmbeddingEntry(Part):
    """Which model embeds which data set, and how the vectors are stored and indexed.

    ``ann`` holds the options of the ANN index in the published table; see ``indexes.lance``.
    """

    dataset: str
    model: str
    dtype: Literal["float32", "float16"] = "float32"
    ann: Entry = Field(default_factory=dict)


class Check(Part):
    """By what an image of a data set is flagged; a bound that is null flags nothing.

    The defaults are those of FISSP's filters, and ``near`` is measured (see DECISIONS.md).

    Attributes:
        min_bytes: files of fewer bytes are ``few_bytes``.
        min_side: images with a side of fewer pixels are ``small``.
        min_brightness: images of a lower mean grey value (0 to 1) are ``dark``.
        max_brightness: ... of a higher one are ``bright``.
        min_sharpness: images of a smaller variance of the Laplacian are ``blurred``.
        near: hashes that differ in at most so many of 256 bits are of near duplicates.
        model: a model that embeds the data set, for the flags by its vectors.
        similar: items of at least this cosine with an earlier one are ``similar``.
        max_outlier: items whose mean absolute z-score is greater are ``outlier``.
        index: how similar items are looked for; exact, or an index of params.yaml.
        against: the data sets in which copies are leaks; null: all others that are checked.
    """

    min_bytes: int | None = 1024
    min_side: int | None = 200
    min_brightness: float | None = 0.2
    max_brightness: float | None = 0.95
    min_sharpness: float | None = 100.0
    near: int = Field(15, ge=0, le=15)
    model: str | None = None
    similar: float | None = 0.97
    max_outlier: float | None = 3.0
    index: str = "exact"
    against: tuple[str, ...] | None = None


class View(Part):
    """A data set ``of`` the catalogue ``without`` what has one of these flags."""

    of: str
    without: tuple[str, ...] = Field(min_length=1)


class Run(Part):
    """One evaluation: data set x model x index x protocol."""

    dataset: str
    model: str
    index: str
    protocol: str


class Params(Part):
    """params.yaml: what to make, and with what."""

    seed: int = 0
    datasets: dict[str, DatasetEntry] = Field(default_factory=dict)
    models: dict[str, Entry] = Field(default_factory=dict)
    trained: dict[str, Entry] = Field(default_factory=dict)
    pretrained: dict[str, Entry] = Field(default_factory=dict)
    distilled: dict[str, Entry] = Field(default_factory=dict)
    embeddings: dict[str, EmbeddingEntry] = Field(default_factory=dict)
    indexes: dict[str, Entry] = Field(default_factory=dict)
    checks: dict[str, Check] = Field(default_factory=dict)
    views: dict[str, View] = Field(default_factory=dict)
    runs: dict[str, Run] = Field(default_factory=dict)
    transforms: dict[str, tuple[Entry, ...]] = Field(default_factory=dict)
    exports: dict[str, Entry] = Field(default_factory=dict)
    public_remotes: tuple[str, ...] = ()

    def recipes(self) -> dict[str, Entry]:
        """Every model of every section, and its recipe."""
        return {n: e for section in MODEL_STAGES for n, e in getattr(self, section).items()}

    def section(self, model: str) -> str:
        """The section of params.yaml that names ``model``.

        Raises:
            UnknownNameError: none does.
        """
        for section in MODEL_STAGES:
            if model in getattr(self, section):
                return section
        raise UnknownNameError("model", model, self.recipes(), "params.yaml")

    def stage(self, model: str) -> str:
        """The stage of dvc.yaml that makes ``model``.

        Raises:
            UnknownNameError: params.yaml has no such model.
        """
        return f"{MODEL_STAGES[self.section(model)]}@{model}"

    def models_of(self, dataset: str) -> list[str]:
        """The models that embed ``dataset``, or that which it is a view of, in file order."""
        base = self.base(dataset)
        return [e.model for e in self.embeddings.values() if e.dataset == base]

    def base(self, dataset: str) -> str:
        """The data set that ``dataset`` is a view of, or is itself."""
        return self.views[dataset].of if dataset in self.views else dataset

    def embedding(self, dataset: str, model: str) -> str:
        """The name of the entry that says how ``model`` embeds ``dataset``.

        Raises:
            UnknownNameError: there is none.
        """
        for name, entry in self.embeddings.items():
            if (entry.dataset, entry.model) == (dataset, model):
                return name
        where = f"the embeddings of {dataset} in params.yaml"
        raise UnknownNameError("model", model, self.models_of(dataset), where)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Plain values only; a key that stands twice is refused, not overwritten."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                fault = f"{key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, fault, key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_yaml(path: Path) -> object:
    """The YAML document in ``path``.

    Raises:
        ConfigError: the file is not UTF-8, not YAML, or has a key twice; the line is named.
    """
    return parse_yaml(path.read_bytes(), path.name)


def parse_yaml(data: bytes, where: str) -> object:
    """The YAML document that ``data`` is; ``where`` it stands.

    Raises:
        ConfigError: it is not UTF-8, not YAML, or has a key twice; the line is named.
    """
    try:
        return _Loader(data.decode()).get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not YAML: {' '.join(str(error).split())}") from error


def read_params(path: Path) -> Params:
    """The checked content of params.yaml.

    Raises:
        ConfigError: every fault of the file, a line each.
    """
    params = check(Params, read_yaml(path) or {}, path.name)
    faults = [*_bad_names(params), *_bad_models(params), *_bad_references(params)]
    if faults:
        raise ConfigError("\n".join(f"{path.name}: {fault}" for fault in faults))
    return params


def read_card(path: Path) -> Card:
    """The checked content of a card.

    Raises:
        ConfigError: every fault of the file, a line each.
    """
    return check(Card, read_yaml(path) or {}, path.name)


def check_dataset_name(name: str) -> None:
    """Refuse a name that could not be a table of its own in SQL and in file names.

    Raises:
        DataError: the name, and what a name looks like.
    """
    fault = _dataset_name_fault(name)
    if fault:
        raise DataError(f"{name!r} is no name for a data set: {fault}")


def _dataset_name_fault(name: str) -> str:
    if not NAME.fullmatch(name):
        return "a name is lower-case letters, digits and '_', and begins with a letter"
    for suffix in TABLE_SUFFIXES:
        if name.endswith(suffix):
            return f"names that end in {suffix} are kept for tables"
    return ""


def _bad_names(params: Params) -> Iterator[str]:
    for name in params.datasets:
        if fault := _dataset_name_fault(name):
            yield f"datasets.{name}: {fault}"
    for section, pattern, allowed in (
        *((section, NAME, "letters, digits and '_'") for section in MODEL_STAGES),
        ("indexes", NAME, "letters, digits and '_'"),
        ("embeddings", RUN_NAME, "letters, digits, '_' and '-'"),
        ("runs", RUN_NAME, "letters, digits, '_' and '-'"),
        ("transforms", RUN_NAME, "letters, digits, '_' and '-'"),
        ("exports", RUN_NAME, "letters, digits, '_' and '-'"),
    ):
        for name in getattr(params, section):
            if not pattern.fullmatch(name):
                yield f"{section}.{name}: a name is lower-case {allowed}, a letter first"


def _bad_models(params: Params) -> Iterator[str]:
    """Models that two sections name, and trained ones that begin or learn from nothing."""
    models, homes = params.recipes(), dict[str, str]()
    for section in MODEL_STAGES:
        for name, entry in getattr(params, section).items():
            home = homes.setdefault(name, section)
            if home != section:
                yield f"{section}.{name}: {home!r} has a model of that name too"
            if section == "models":
                continue
            others = {other: None for other in models if other != name}
            yield from _unknown(f"{section}.{name}.start", entry.get("start"), others)
            yield from _unknown(f"{section}.{name}.data", entry.get("data"), params.datasets)
    yield from _circles(models)


def _circles(models: Mapping[str, Entry]) -> Iterator[str]:
    for name in models:
        behind, at = [name], str(models[name].get("start"))
        while at in models and at not in behind:
            behind.append(at)
            at = str(models[at].get("start"))
        if at == name and len(behind) > 1:
            yield f"{name}.start: it begins from itself: {' <- '.join([*behind, name])}"


def _bad_references(params: Params) -> Iterator[str]:
    models = params.recipes()
    pairs: dict[tuple[str, str], str] = {}
    for name, entry in params.embeddings.items():
        yield from _unknown(f"embeddings.{name}.dataset", entry.dataset, params.datasets)
        yield from _unknown(f"embeddings.{name}.model", entry.model, models)
        twin = pairs.setdefault((entry.dataset, entry.model), name)
        if twin != name:
            yield f"embeddings.{name}: embeds the same data set by the same model as {twin!r}"
    yield from _bad_checks(params)
    yield from _bad_views(params)
    for name, run in params.runs.items():
        known_data = params.datasets.keys() | params.views.keys()
        yield from _unknown(f"runs.{name}.dataset", run.dataset, known_data)
        yield from _unknown(f"runs.{name}.model", run.model, models)
        yield from _unknown(f"runs.{name}.index", run.index, params.indexes)
        known = run.dataset in known_data and run.model in models
        if known and (params.base(run.dataset), run.model) not in pairs:
            yield (
                f"runs.{name}: no entry of 'embeddings' says that {run.model!r} "
                f"embeds {run.dataset!r}"
            )


def _bad_views(params: Params) -> Iterator[str]:
    for name, entry in params.views.items():
        fault = _dataset_name_fault(name)
        if name in params.datasets:
            fault = "a data set has that name"
        if fault:
            yield f"views.{name}: {fault}"
        yield from _unknown(f"views.{name}.of", entry.of, params.checks)
        for flag in entry.without:
            yield from _unknown(f"views.{name}.without", flag.partition(":")[0], FLAG_NAMES)


def _bad_checks(params: Params) -> Iterator[str]:
    for name, entry in params.checks.items():
        yield from _unknown(f"checks.{name}", name, params.datasets)
        if entry.model is not None:
            yield from _unknown(f"checks.{name}.model", entry.model, params.models_of(name))
        yield from _unknown(f"checks.{name}.index", entry.index, {"exact", *params.indexes})
        for other in entry.against or ():
            yield from _unknown(f"checks.{name}.against", other, params.checks.keys() - {name})


def _unknown(place: str, name: object, known: Collection[str]) -> Iterator[str]:
    if name is None:
        yield f"{place}: it is missing; {hint('', known)}"
    elif not isinstance(name, str):
        yield f"{place}: {name!r} is no name; {hint(str(name), known)}"
    elif name not in known:
        yield f"{place}: no such name {name!r}; {hint(name, known)}"
