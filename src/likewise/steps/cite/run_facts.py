"""The facts of a run that a paper states, and their texts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from likewise.evaluation.significance import DRAWS, SEED
from likewise.formats.counted_nouns import counted
from likewise.formats.latex_text import latex
from likewise.storage.config import Card, Run, training_data, training_items

_STATED = ("loss", "method", "epochs", "batch", "optimiser", "lr", "seed")
"""Options of a training that a paragraph states."""


@dataclass(frozen=True)
class CitedFacts:
    """The facts of a run, as its card, passport, protocol and report state them.

    Attributes:
        run: the entry of params.yaml.
        card: the card of the data set.
        protocol: the options of the protocol.
        protocol_source: its publication; "" if none is stated.
        recipe_source: the publication of the recipe of the model; "" if none is stated.
        counts: numbers of queries, gallery items and labels.
        items: number of items.
        model: the passport of the model.
        reranking: the re-ranker with its options, and the metrics without it; None without a
            re-ranker.
        reranker: kind of the re-ranker; "" without one.
        reranker_source: its publication; "" if none is stated.
    """

    run: Run
    card: Card
    protocol: Mapping[str, Any]
    protocol_source: str
    recipe_source: str
    counts: Mapping[str, int]
    items: int
    model: Mapping[str, Any]
    reranking: Mapping[str, Any] | None = None
    reranker: str = ""
    reranker_source: str = ""

    @property
    def backbone(self) -> str:
        """Name of the backbone; the name in the catalogue if the passport states none."""
        return str(self.model.get("backbone") or self.run.model)

    @property
    def library(self) -> str:
        """Version of Likewise that made the model; "" if the passport does not state it."""
        libraries = self.model.get("libraries")
        return str(libraries.get("likewise", "")) if isinstance(libraries, dict) else ""

    def missing(self) -> list[str]:
        """Return the facts that nothing states, each with the place where it belongs."""
        card = f"the card of {self.run.dataset}"
        absent = {
            f"citation of the data set: {card} has no citation": not self.card.citation,
            f"address of the data set: {card} has no homepage": not self.card.homepage,
            f"licence of the data set: {card} has no licence": (
                self.card.licence.spdx == "NOASSERTION" and not self.card.licence.terms
            ),
            "origin of the weights: the passport states none": not self.model.get(
                "weights_source"
            ),
            "preprocessing of images: the passport states none": not self.model.get(
                "preprocessing"
            ),
            "publication of the model: neither passport nor recipe states one": (
                not self.recipe_source
            ),
            "training data of the weights: the passport states none": not self.model.get(
                "data"
            ),
            f"publication of the protocol: {self.protocol['name']} states none": (
                not self.protocol_source
            ),
            f"publication of the re-ranker: {self.reranker} states none": (
                self.reranking is not None and not self.reranker_source
            ),
        }
        return [text for text, is_absent in absent.items() if is_absent]


def methods_text(facts: CitedFacts) -> str:
    """Return a paragraph about model, data, protocol and intervals."""
    return " ".join(_sentences(facts))


def _sentences(facts: CitedFacts) -> Iterator[str]:
    model, protocol, counts = facts.model, facts.protocol, facts.counts
    dim = model.get("dim")
    details = [counted(dim, "dimension")] if isinstance(dim, int) else []
    if model.get("weights_source"):
        details.append(f"weights: {model['weights_source']}")
    known = f" ({', '.join(details)})" if details else ""
    sizes = [counted(facts.items, "item")]
    sizes += [
        f"{counts[name]:,} {noun}"
        for name, noun in (
            ("queries", "queries"),
            ("gallery", "gallery items"),
            ("labels", "labels"),
        )
        if name in counts
    ]
    data = f"{facts.card.title} ({', '.join(sizes)})"
    by = f"the protocol {protocol['name']}, version {protocol['version']}"
    yield f"We evaluate {facts.backbone}{known} on {data} by {by}."
    yield from _training(model)
    yield from _preprocessing(model.get("preprocessing"))
    yield from _scoring(protocol, facts.run.index)
    yield from _reranking(facts)
    yield (
        "Intervals are 95 % confidence intervals by a bootstrap over classes with expanded "
        f"percentiles ({DRAWS:,} resamples, seed {SEED})."
    )
    if facts.library:
        yield f"The model was made by Likewise {facts.library}."


def _training(model: Mapping[str, Any]) -> Iterator[str]:
    """Yield the recipe of a trained model, its data and the options that papers state."""
    recipe = model.get("recipe")
    if not isinstance(recipe, dict) or not recipe.get("data") or not recipe.get("init"):
        return
    data = " and ".join(training_data(recipe))
    options = {**recipe, "seed": model.get("seed")}
    known = (f"{n} {_option_text(options[n])}" for n in _STATED if options.get(n) is not None)
    yield (
        f"The model was trained from {recipe['init']} by the recipe {recipe.get('kind')} on "
        f"{training_items(recipe)} of {data}: {', '.join(known)}."
    )


def _reranking(facts: CitedFacts) -> Iterator[str]:
    """Yield the re-ranker with all options, and the main metric without it."""
    if facts.reranking is None:
        return
    entry = facts.reranking["reranker"].items()
    options = ", ".join(
        f"{name} {_option_text(value)}" for name, value in entry if name != "kind"
    )
    decimals = int(facts.protocol.get("decimals", 4))
    main = facts.reranking["metrics"][:1]  # the main metric
    without = "".join(
        f"; without it, {row['metric']} is {row['first']:.{decimals}f}" for row in main
    )
    known = f" ({options})" if options else ""
    yield f"The hits are re-ranked by {facts.reranker}{known}{without}."


def _option_text(value: object) -> str:
    """Format the value of an option."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _preprocessing(stated: object) -> Iterator[str]:
    """Yield the preprocessing of images, if the passport states all of it."""
    if not isinstance(stated, dict):
        return
    names = ("input_size", "interpolation", "crop_mode", "crop_pct")
    size, interpolation, mode, share = (stated.get(name) for name in names)
    if not isinstance(size, list) or len(size) != 3 or None in (interpolation, mode, share):
        return
    yield (
        f"Images are resized ({interpolation}, {mode}) and cropped to {size[1]} x {size[2]} "
        f"pixels, {share} of the resized side."
    )


def _scoring(protocol: Mapping[str, Any], index: str) -> Iterator[str]:
    """Yield the choices of the protocol that it states."""
    parts = []
    if "score" in protocol:
        parts.append(f"vectors are compared by {protocol['score']} with the index {index}")
    if "query_in_gallery" in protocol:
        place = "in" if protocol["query_in_gallery"] else "not in"
        parts.append(f"the query is {place} its ranking")
    if "relevant" in protocol:
        parts.append(f"relevant items: {protocol['relevant']}")
    if "metric" in protocol:
        denominator = protocol.get("denominator")
        by = f", divided by {denominator}" if denominator else ""
        parts.append(f"metric: {protocol['metric']}{by}, averaged {protocol.get('average')}")
    if parts:
        text = "; ".join(map(str, parts))
        yield f"{text[0].upper()}{text[1:]}."


def bibtex_entries(facts: CitedFacts) -> str:
    """Return BibTeX entries of data set, model, protocol and re-ranker: stated facts only."""
    protocol = f"{facts.protocol['name']}, version {facts.protocol['version']}"
    licence = facts.card.licence
    terms = "" if licence.spdx == "NOASSERTION" else licence.spdx
    data = {
        "title": facts.card.title,
        "howpublished": facts.card.homepage,
        "note": "; ".join(filter(None, (facts.card.citation, terms and f"licence {terms}"))),
    }
    sha = facts.model.get("weights_sha256")
    model = {
        "title": facts.backbone,
        "howpublished": facts.model.get("weights_source"),
        "note": "; ".join(
            filter(None, (facts.recipe_source, f"SHA-256 of the weights {sha}" if sha else ""))
        ),
    }
    scored = {"title": f"Evaluation protocol {protocol}", "note": facts.protocol_source}
    entries: dict[str, Mapping[str, object]] = {
        f"data-{facts.run.dataset}": data,
        f"model-{facts.run.model}": model,
        f"protocol-{facts.protocol['name']}": scored,
    }
    if facts.reranking is not None:
        title = f"Re-ranking by {facts.reranker}"
        entries[f"reranker-{facts.reranker}"] = {"title": title, "note": facts.reranker_source}
    return "\n".join(_entry(key, fields) for key, fields in entries.items())


def _entry(key: str, fields: Mapping[str, object]) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", key)
    lines = [f"  {name} = {{{latex(str(value))}}}," for name, value in fields.items() if value]
    # Entries without an author are sorted by ``key``; BibTeX warns of those that have neither.
    return "\n".join([f"@misc{{{plain},", *lines, f"  key = {{{plain}}},", "}", ""])
