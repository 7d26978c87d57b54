"""Faults of the entries of params.yaml: names, references, models and old options."""

from collections.abc import Collection, Iterator, Mapping

from likewise.errors import hint
from likewise.storage.config.card import Entry, training_data
from likewise.storage.config.entries import EmbeddingEntry
from likewise.storage.config.entry_names import Fault, Names
from likewise.storage.config.names import (
    FLAG_NAMES,
    NAME,
    RESERVED_NAMES,
    RUN_NAME,
    dataset_name_fault,
)
from likewise.storage.config.params import (
    FITTED_SECTIONS,
    MIXED,
    MODEL_SECTIONS,
    VIEW_SECTIONS,
    Params,
)
from likewise.storage.renamed_options import outdated


def entry_faults(params: Params, names: Names) -> Iterator[Fault]:
    """Yield the faults of names, models and references.

    Args:
        params: the valid entries.
        names: the names of all entries, to which references are compared.
    """
    yield from _bad_names(params)
    yield from _bad_models(params, names)
    yield from _bad_imports(params)
    yield from _bad_vectors(params, names)
    yield from _bad_checks(params, names)
    yield from _bad_maps(params, names)
    for name in params.thumbs:
        texts = _unknown(f"thumbs.{name}", name, names.datasets)
        yield from (Fault("thumbs", name, text) for text in texts)
    yield from _bad_views(params, names)
    yield from _bad_runs(params, names)


def renamed_options(params: Params) -> Iterator[Fault]:
    """Yield a fault for each model that has options with their old names."""
    for section in MODEL_SECTIONS:
        for name, entry in getattr(params, section).items():
            renamed = [f"`{old}` is now called `{new}`" for old, new in outdated(entry)]
            if renamed:
                these = "it" if len(renamed) == 1 else "them"
                text = (
                    f"{section}.{name}: {', '.join(renamed)}; "
                    f"run `likewise init` to rename {these} here"
                )
                yield Fault(section, name, text)


def _bad_names(params: Params) -> Iterator[Fault]:
    for name in params.datasets:
        if fault := dataset_name_fault(name):
            yield Fault("datasets", name, f"datasets.{name}: {fault}")
    for section, pattern, allowed in (
        *((section, NAME, "letters, digits and '_'") for section in MODEL_SECTIONS),
        ("indexes", NAME, "letters, digits and '_'"),
        ("rerankers", RUN_NAME, "letters, digits, '_' and '-'"),
        ("embeddings", RUN_NAME, "letters, digits, '_' and '-'"),
        ("imported", RUN_NAME, "letters, digits, '_' and '-'"),
        ("maps", RUN_NAME, "letters, digits, '_' and '-'"),
        ("runs", RUN_NAME, "letters, digits, '_' and '-'"),
        ("transforms", RUN_NAME, "letters, digits, '_' and '-'"),
        ("exports", RUN_NAME, "letters, digits, '_' and '-'"),
        ("engines", RUN_NAME, "letters, digits, '_' and '-'"),
    ):
        for name in getattr(params, section):
            if not pattern.fullmatch(name):
                rule = f"a name consists of lower-case {allowed}, and begins with a letter"
                yield Fault(section, name, f"{section}.{name}: {rule}")


def _bad_models(params: Params, names: Names) -> Iterator[Fault]:
    """Yield models with a reserved name, models defined twice, and unknown references."""
    models, homes = params.recipes(), dict[str, str]()
    for section in MODEL_SECTIONS:
        for name, entry in getattr(params, section).items():
            place = f"{section}.{name}"
            texts = list(_bad_model_name(place, name, homes.setdefault(name, section), section))
            if section == "functions" and not isinstance(entry.get("file"), str):
                texts.append(f"{place}.file: it is missing; name the file of the module")
            if section in FITTED_SECTIONS:
                others = {other: None for other in names.models if other != name}
                texts += _unknown(f"{place}.init", entry.get("init"), others)
                texts += _bad_data(place, section, entry, names)
                texts += _not_embedded(place, entry, names)
            yield from (Fault(section, name, text) for text in texts)
    for name, text in _initialisation_cycles(models):
        yield Fault(params.section(name), name, text)


def _bad_data(place: str, section: str, entry: Entry, names: Names) -> Iterator[str]:
    """Yield the faults of the training data: one name, or in the section mixed a list."""
    data = entry.get("data")
    if section != MIXED:
        if isinstance(data, list):
            yield (
                f"{place}.data: a model of several data sets belongs in the section "
                f"{MIXED!r}; move the entry there, then run `likewise init`"
            )
        else:
            yield from _unknown(f"{place}.data", data, names.datasets)
        return
    if not isinstance(data, list) or len(data) < 2 or len(set(map(str, data))) < len(data):
        yield (
            f"{place}.data: expected a list of two or more different data sets; a model of one "
            "data set belongs in another section"
        )
        return
    for name in data:
        yield from _unknown(f"{place}.data", name, names.datasets)


def _not_embedded(place: str, entry: Entry, names: Names) -> Iterator[str]:
    """Yield the data sets of an adapter that its initial model does not embed."""
    init = str(entry.get("init"))
    if entry.get("kind") != "adapter" or init not in names.models:
        return
    for dataset in training_data(entry):
        if dataset in names.datasets and (dataset, init) not in names.vectors:
            yield (
                f"{place}: an adapter reads stored vectors, and no entry of 'embeddings' says "
                f"that {init!r} embeds {dataset!r}"
            )


def _bad_model_name(place: str, name: str, home: str, section: str) -> Iterator[str]:
    if name in RESERVED_NAMES:
        yield (
            f"{place}: every catalogue has a column or table {name!r}; choose another name for "
            "the model"
        )
    if home != section:
        yield f"{place}: {home!r} has a model of that name too"


def _initialisation_cycles(models: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    for name in models:
        chain, at = [name], str(models[name].get("init"))
        while at in models and at not in chain:
            chain.append(at)
            at = str(models[at].get("init"))
        if at == name and len(chain) > 1:
            text = f"{name}.init: it is initialised from itself: {' <- '.join([*chain, name])}"
            yield name, text


def _bad_imports(params: Params) -> Iterator[Fault]:
    """Yield imported vectors whose model has the name of another model or a reserved name."""
    own = params.recipes()
    for name, entry in params.imported.items():
        model, texts = entry.model, []
        if not NAME.fullmatch(model):
            texts.append(
                f"imported.{name}.model: a name consists of lower-case letters, digits and "
                "'_', and begins with a letter"
            )
        elif model in RESERVED_NAMES:
            texts.append(
                f"imported.{name}: every catalogue has a column or table {model!r}; choose "
                "another name for the model"
            )
        if model in own:
            texts.append(
                f"imported.{name}: params.yaml has a model {model!r} that embeds images "
                "here; choose another name for the imported vectors"
            )
        if name in params.embeddings:
            texts.append(f"imported.{name}: {name!r} is an entry of 'embeddings' too")
        yield from (Fault("imported", name, text) for text in texts)


def _bad_vectors(params: Params, names: Names) -> Iterator[Fault]:
    for section in ("embeddings", "imported"):
        entries: Mapping[str, EmbeddingEntry] = getattr(params, section)
        for name, entry in entries.items():
            place = f"{section}.{name}"
            texts = list(_unknown(f"{place}.dataset", entry.dataset, names.datasets))
            if section == "embeddings":
                texts += _unknown(f"{place}.model", entry.model, names.models)
            first = names.vectors[entry.dataset, entry.model]
            if first != (section, name):
                texts.append(
                    f"{place}: embeds the same data set by the same model as {first[1]!r}"
                )
            yield from (Fault(section, name, text) for text in texts)


def _bad_runs(params: Params, names: Names) -> Iterator[Fault]:
    for name, run in params.runs.items():
        known_data = {*names.datasets, *names.views}
        texts = list(_unknown(f"runs.{name}.dataset", run.dataset, known_data))
        texts += _unknown(f"runs.{name}.model", run.model, names.models)
        texts += _unknown(f"runs.{name}.index", run.index, names.indexes)
        known = run.dataset in known_data and run.model in names.models
        embedded = (params.base(run.dataset), run.model) in names.vectors
        if known and not embedded and run.dataset in (*params.all_views, *names.datasets):
            texts.append(
                f"runs.{name}: no entry of 'embeddings' or 'imported' says that {run.model!r} "
                f"embeds {run.dataset!r}"
            )
        yield from (Fault("runs", name, text) for text in texts)


def _bad_maps(params: Params, names: Names) -> Iterator[Fault]:
    for name, entry in params.maps.items():
        place = f"maps.{name}"
        texts = list(_unknown(f"{place}.dataset", entry.dataset, names.datasets))
        if not texts:
            texts += _unknown(f"{place}.model", entry.model, names.models_of(entry.dataset))
        yield from (Fault("maps", name, text) for text in texts)


def _bad_views(params: Params, names: Names) -> Iterator[Fault]:
    for name in params.views:
        for flag in params.views[name].without:
            for text in _unknown(f"views.{name}.without", flag.partition(":")[0], FLAG_NAMES):
                yield Fault("views", name, text)
    for section in VIEW_SECTIONS:
        known = names.checks if section == "views" else names.datasets
        for name, entry in getattr(params, section).items():
            fault = dataset_name_fault(name)
            if name in names.datasets:
                fault = "a data set already has this name"
            elif list(names.views).count(name) > 1:
                fault = "another view has this name"
            texts = [f"{section}.{name}: {fault}"] if fault else []
            texts += _unknown(f"{section}.{name}.of", entry.of, known)
            yield from (Fault(section, name, text) for text in texts)


def _bad_checks(params: Params, names: Names) -> Iterator[Fault]:
    for name, entry in params.checks.items():
        place = f"checks.{name}"
        texts = list(_unknown(place, name, names.datasets))
        for option, model in (("model", entry.model), ("label_model", entry.label_model)):
            if model is not None:
                texts += _unknown(f"{place}.{option}", model, names.models_of(name))
        texts += _unknown(f"{place}.index", entry.index, {"exact", *names.indexes})
        for other in entry.against or ():
            texts += _unknown(f"{place}.against", other, {*names.checks} - {name})
        yield from (Fault("checks", name, text) for text in texts)


def _unknown(place: str, name: object, known: Collection[str]) -> Iterator[str]:
    if name is None:
        yield f"{place}: it is missing; {hint('', known)}"
    elif not isinstance(name, str):
        yield f"{place}: {name!r} is not a name; {hint(str(name), known)}"
    elif name not in known:
        yield f"{place}: no such name {name!r}; {hint(name, known)}"
