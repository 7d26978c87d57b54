"""Cards and params.yaml: read once, checked whole, frozen.

A card (``catalog/<dataset>.yaml``) says what a data set is; params.yaml says where it lies here
and what is done with it. Only this package reads YAML.
"""

from likewise.config.card import Card, Entry, Licence, read_card
from likewise.config.documents import parse_yaml, read_yaml
from likewise.config.faults import read_params
from likewise.config.names import check_dataset_name
from likewise.config.params import Check, DatasetEntry, EmbeddingEntry, Params, Run

__all__ = [
    "Card",
    "Check",
    "DatasetEntry",
    "EmbeddingEntry",
    "Entry",
    "Licence",
    "Params",
    "Run",
    "check_dataset_name",
    "parse_yaml",
    "read_card",
    "read_params",
    "read_yaml",
]
