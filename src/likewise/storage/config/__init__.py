"""Cards and params.yaml, validated and frozen.

A card (``catalog/<dataset>.yaml``) describes a data set. params.yaml has its path on this
machine and the models, indexes and runs to compute. Only this package reads YAML.
"""

from likewise.formats.yaml_documents import parse_yaml, read_yaml
from likewise.storage.config.card import (
    Card,
    Entry,
    ExpectedCounts,
    Licence,
    card_options,
    read_card,
    training_data,
    training_items,
)
from likewise.storage.config.entries import (
    Check,
    DatasetEntry,
    EmbeddingEntry,
    FilteredView,
    ImportEntry,
    MapEntry,
    Run,
    SelectedView,
    ThumbsEntry,
    View,
)
from likewise.storage.config.names import check_dataset_name, is_home_path
from likewise.storage.config.params import (
    FITTED_SECTIONS,
    MIXED,
    MODEL_VERBS,
    VIEW_SECTIONS,
    AnyView,
    BrokenEntry,
    Params,
)
from likewise.storage.config.params_reader import (
    params_faults,
    read_intact_params,
    read_params,
)

__all__ = [
    "FITTED_SECTIONS",
    "MIXED",
    "MODEL_VERBS",
    "VIEW_SECTIONS",
    "AnyView",
    "BrokenEntry",
    "Card",
    "Check",
    "DatasetEntry",
    "EmbeddingEntry",
    "Entry",
    "ExpectedCounts",
    "FilteredView",
    "ImportEntry",
    "Licence",
    "MapEntry",
    "Params",
    "Run",
    "SelectedView",
    "ThumbsEntry",
    "View",
    "card_options",
    "check_dataset_name",
    "is_home_path",
    "params_faults",
    "parse_yaml",
    "read_card",
    "read_intact_params",
    "read_params",
    "read_yaml",
    "training_data",
    "training_items",
]
