"""Likewise: the versioned catalogue for image-retrieval research.

Every verb is a function here, and of the same name on the command line. Importing this module
loads nothing else; a name's own module is loaded when the name is first used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likewise.catalogue.catalogue import Catalogue
    from likewise.catalogue.dataset import Dataset
    from likewise.errors import (
        ConfigError,
        DataError,
        LikewiseError,
        MissingArtefactError,
        MissingExtraError,
        StaleArtefactError,
        UnknownNameError,
        VersionError,
    )
    from likewise.evaluation.literature import Reference, references
    from likewise.evaluation.protocols.base import Evaluation
    from likewise.models.passport import Passport
    from likewise.steps.add import add
    from likewise.steps.attention import attention
    from likewise.steps.check import Checked, check
    from likewise.steps.check.flags_page import write_flags
    from likewise.steps.compare import Comparison, compare
    from likewise.steps.correct import Corrected, correct
    from likewise.steps.crosswalk import Crosswalk, crosswalk
    from likewise.steps.describe import Statistics, describe
    from likewise.steps.describe.statistics_page import markdown as describe_markdown
    from likewise.steps.describe.statistics_page import write_description
    from likewise.steps.diff import Difference, diff
    from likewise.steps.diff.difference_page import diff_markdown, write_diff
    from likewise.steps.doctor import Problem, doctor
    from likewise.steps.download import Downloaded, Offer, download, downloads
    from likewise.steps.embed import embed
    from likewise.steps.evaluate import evaluate
    from likewise.steps.export import Exported, export
    from likewise.steps.findings import findings, validate
    from likewise.steps.forget import Forgotten, Holder, forget
    from likewise.steps.index import Indexed, index, list_indexes
    from likewise.steps.ingest import ingest
    from likewise.steps.init import init
    from likewise.steps.labels import labels
    from likewise.steps.load import load
    from likewise.steps.log import Version, log
    from likewise.steps.measure import measure
    from likewise.steps.merge import merge
    from likewise.steps.merge_file import merge_file
    from likewise.steps.open import open_catalogue as open
    from likewise.steps.publish import publish
    from likewise.steps.pull import Pulled, pull, pull_columns, pull_images
    from likewise.steps.push import push
    from likewise.steps.query import query, write_query
    from likewise.steps.release import release
    from likewise.steps.report import Report, report
    from likewise.steps.schemas import write_schemas
    from likewise.steps.score import score
    from likewise.steps.search import search
    from likewise.steps.search_many import search_many
    from likewise.steps.sheets import write_sheet
    from likewise.steps.show import datasets, show
    from likewise.steps.train import train
    from likewise.steps.tune import Trial, Tuned, tune
    from likewise.steps.view import view
    from likewise.steps.why import why
    from likewise.storage.config import Card

_HOMES = {
    "Card": "storage.config",
    "Catalogue": "catalogue.catalogue",
    "Checked": "steps.check",
    "Comparison": "steps.compare",
    "ConfigError": "errors",
    "Corrected": "steps.correct",
    "Crosswalk": "steps.crosswalk",
    "DataError": "errors",
    "Dataset": "catalogue.dataset",
    "Difference": "steps.diff",
    "Downloaded": "steps.download",
    "Evaluation": "evaluation.protocols.base",
    "Exported": "steps.export",
    "Forgotten": "steps.forget",
    "Holder": "steps.forget",
    "Indexed": "steps.index",
    "LikewiseError": "errors",
    "MissingArtefactError": "errors",
    "MissingExtraError": "errors",
    "Offer": "steps.download",
    "Passport": "models.passport",
    "Problem": "steps.doctor",
    "Pulled": "steps.pull",
    "Reference": "evaluation.literature",
    "Report": "steps.report",
    "StaleArtefactError": "errors",
    "Statistics": "steps.describe",
    "Trial": "steps.tune",
    "Tuned": "steps.tune",
    "UnknownNameError": "errors",
    "Version": "steps.log",
    "VersionError": "errors",
    "add": "steps.add",
    "attention": "steps.attention",
    "check": "steps.check",
    "compare": "steps.compare",
    "correct": "steps.correct",
    "crosswalk": "steps.crosswalk",
    "datasets": "steps.show",
    "describe": "steps.describe",
    "describe_markdown": "steps.describe.statistics_page:markdown",
    "diff": "steps.diff",
    "diff_markdown": "steps.diff.difference_page",
    "doctor": "steps.doctor",
    "download": "steps.download",
    "downloads": "steps.download",
    "embed": "steps.embed",
    "evaluate": "steps.evaluate",
    "export": "steps.export",
    "findings": "steps.findings",
    "forget": "steps.forget",
    "index": "steps.index",
    "ingest": "steps.ingest",
    "init": "steps.init",
    "labels": "steps.labels",
    "list_indexes": "steps.index",
    "load": "steps.load",
    "log": "steps.log",
    "measure": "steps.measure",
    "merge": "steps.merge",
    "merge_file": "steps.merge_file",
    "open": "steps.open:open_catalogue",
    "publish": "steps.publish",
    "pull": "steps.pull",
    "pull_columns": "steps.pull",
    "pull_images": "steps.pull",
    "push": "steps.push",
    "query": "steps.query",
    "references": "evaluation.literature",
    "release": "steps.release",
    "report": "steps.report",
    "score": "steps.score",
    "search": "steps.search",
    "search_many": "steps.search_many",
    "show": "steps.show",
    "train": "steps.train",
    "tune": "steps.tune",
    "validate": "steps.findings",
    "view": "steps.view",
    "why": "steps.why",
    "write_description": "steps.describe.statistics_page",
    "write_diff": "steps.diff.difference_page",
    "write_flags": "steps.check.flags_page",
    "write_query": "steps.query",
    "write_schemas": "steps.schemas",
    "write_sheet": "steps.sheets",
}
"""Public name -> the module that defines it, and its name there if that is another."""

__all__ = [
    "Card",
    "Catalogue",
    "Checked",
    "Comparison",
    "ConfigError",
    "Corrected",
    "Crosswalk",
    "DataError",
    "Dataset",
    "Difference",
    "Downloaded",
    "Evaluation",
    "Exported",
    "Forgotten",
    "Holder",
    "Indexed",
    "LikewiseError",
    "MissingArtefactError",
    "MissingExtraError",
    "Offer",
    "Passport",
    "Problem",
    "Pulled",
    "Reference",
    "Report",
    "StaleArtefactError",
    "Statistics",
    "Trial",
    "Tuned",
    "UnknownNameError",
    "Version",
    "VersionError",
    "add",
    "attention",
    "check",
    "compare",
    "correct",
    "crosswalk",
    "datasets",
    "describe",
    "describe_markdown",
    "diff",
    "diff_markdown",
    "doctor",
    "download",
    "downloads",
    "embed",
    "evaluate",
    "export",
    "findings",
    "forget",
    "index",
    "ingest",
    "init",
    "labels",
    "list_indexes",
    "load",
    "log",
    "measure",
    "merge",
    "merge_file",
    "open",
    "publish",
    "pull",
    "pull_columns",
    "pull_images",
    "push",
    "query",
    "references",
    "release",
    "report",
    "score",
    "search",
    "search_many",
    "show",
    "train",
    "tune",
    "validate",
    "view",
    "why",
    "write_description",
    "write_diff",
    "write_flags",
    "write_query",
    "write_schemas",
    "write_sheet",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562).

    Raises:
        AttributeError: no such name is public.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'likewise' has no attribute {name!r}")
    module, _, original = _HOMES[name].partition(":")
    value: object = getattr(importlib.import_module(f"likewise.{module}"), original or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return __all__
