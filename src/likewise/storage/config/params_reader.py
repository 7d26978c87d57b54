"""Read params.yaml and validate its names and references."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from likewise.errors import ConfigError, hint
from likewise.formats.yaml_documents import read_yaml
from likewise.registry import check
from likewise.storage.config.card import Entry
from likewise.storage.config.names import (
    FLAG_NAMES,
    NAME,
    RESERVED_NAMES,
    RUN_NAME,
    dataset_name_fault,
)
from likewise.storage.config.params import MODEL_SECTIONS, Params
from likewise.storage.renamed_options import current, outdated


def read_params(path: Path, *, historic: bool = False) -> Params:
    """Return the checked content of params.yaml.

    Args:
        path: the file.
        historic: accept old names of options, as files of earlier revisions have them.

    Raises:
        ConfigError: lists every fault of the file, one line each.
    """
    written = check(Params, read_yaml(path) or {}, path.name)
    params = _with_current_options(written)
    renamed = () if historic else _renamed_options(written)
    faults = [*renamed, *params_faults(params)]
    if faults:
        raise ConfigError("\n".join(f"{path.name}: {fault}" for fault in faults))
    return params


def params_faults(params: Params) -> list[str]:
    """Return the faults of names and references in a params.yaml."""
    return [*_bad_names(params), *_bad_models(params), *_bad_references(params)]


def _with_current_options(params: Params) -> Params:
    """Return ``params`` with the present names of the options of models."""
    sections = {
        section: {name: current(entry) for name, entry in getattr(params, section).items()}
        for section in MODEL_SECTIONS
    }
    return params.model_copy(update=sections)


def _renamed_options(params: Params) -> Iterator[str]:
    """Yield a fault for each model that has options with their old names."""
    for section in MODEL_SECTIONS:
        for name, entry in getattr(params, section).items():
            names = [f"`{old}` is now called `{new}`" for old, new in outdated(entry)]
            if names:
                these = "it" if len(names) == 1 else "them"
                yield (
                    f"{section}.{name}: {', '.join(names)}; "
                    f"run `likewise init` to rename {these} here"
                )


def _bad_names(params: Params) -> Iterator[str]:
    for name in params.datasets:
        if fault := dataset_name_fault(name):
            yield f"datasets.{name}: {fault}"
    for section, pattern, allowed in (
        *((section, NAME, "letters, digits and '_'") for section in MODEL_SECTIONS),
        ("indexes", NAME, "letters, digits and '_'"),
        ("embeddings", RUN_NAME, "letters, digits, '_' and '-'"),
        ("imported", RUN_NAME, "letters, digits, '_' and '-'"),
        ("runs", RUN_NAME, "letters, digits, '_' and '-'"),
        ("transforms", RUN_NAME, "letters, digits, '_' and '-'"),
        ("exports", RUN_NAME, "letters, digits, '_' and '-'"),
    ):
        for name in getattr(params, section):
            if not pattern.fullmatch(name):
                rule = f"a name consists of lower-case {allowed}, and begins with a letter"
                yield f"{section}.{name}: {rule}"


def _bad_models(params: Params) -> Iterator[str]:
    """Yield models with a reserved name, models defined twice, and unknown references."""
    models, homes = params.recipes(), dict[str, str]()
    for section in MODEL_SECTIONS:
        for name, entry in getattr(params, section).items():
            if name in RESERVED_NAMES:
                yield (
                    f"{section}.{name}: every catalogue has a column or table {name!r}; choose "
                    "another name for the model"
                )
            home = homes.setdefault(name, section)
            if home != section:
                yield f"{section}.{name}: {home!r} has a model of that name too"
            if section == "models":
                continue
            others = {other: None for other in models if other != name}
            yield from _unknown(f"{section}.{name}.init", entry.get("init"), others)
            yield from _unknown(f"{section}.{name}.data", entry.get("data"), params.datasets)
    yield from _bad_imports(params)
    yield from _initialisation_cycles(models)


def _bad_imports(params: Params) -> Iterator[str]:
    """Yield imported vectors whose model has the name of another model or a reserved name."""
    for name, entry in params.imported.items():
        model = entry.model
        if not NAME.fullmatch(model):
            yield (
                f"imported.{name}.model: a name consists of lower-case letters, digits and "
                "'_', and begins with a letter"
            )
        elif model in RESERVED_NAMES:
            yield (
                f"imported.{name}: every catalogue has a column or table {model!r}; choose "
                "another name for the model"
            )
        if model in params.recipes():
            yield (
                f"imported.{name}: params.yaml has a model {model!r} that embeds images "
                "here; choose another name for the imported vectors"
            )
        if name in params.embeddings:
            yield f"imported.{name}: {name!r} is an entry of 'embeddings' too"


def _initialisation_cycles(models: Mapping[str, Entry]) -> Iterator[str]:
    for name in models:
        chain, at = [name], str(models[name].get("init"))
        while at in models and at not in chain:
            chain.append(at)
            at = str(models[at].get("init"))
        if at == name and len(chain) > 1:
            yield f"{name}.init: it is initialised from itself: {' <- '.join([*chain, name])}"


def _bad_references(params: Params) -> Iterator[str]:
    models = [*params.recipes(), *params.imported_models()]
    pairs: dict[tuple[str, str], str] = {}
    for name, entry in params.vector_entries().items():
        section = "imported" if name in params.imported else "embeddings"
        yield from _unknown(f"{section}.{name}.dataset", entry.dataset, params.datasets)
        if section == "embeddings":
            yield from _unknown(f"{section}.{name}.model", entry.model, models)
        twin = pairs.setdefault((entry.dataset, entry.model), name)
        if twin != name:
            yield f"{section}.{name}: embeds the same data set by the same model as {twin!r}"
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
                f"runs.{name}: no entry of 'embeddings' or 'imported' says that {run.model!r} "
                f"embeds {run.dataset!r}"
            )


def _bad_views(params: Params) -> Iterator[str]:
    for name, entry in params.views.items():
        fault = dataset_name_fault(name)
        if name in params.datasets:
            fault = "a data set already has this name"
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
        yield f"{place}: {name!r} is not a name; {hint(str(name), known)}"
    elif name not in known:
        yield f"{place}: no such name {name!r}; {hint(name, known)}"
