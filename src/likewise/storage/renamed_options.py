"""Options of recipes that were renamed: the one table of their old and new names.

Params.yaml has the new names. Passports, and the folders of stopped trainings, keep the old
ones: their hashes were computed from them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_FITTED = {"start": "init"}
_TRAINED = {**_FITTED, "clip": "clip_grad_norm", "step": "step_size"}
_CLASSES = {**_TRAINED, "least": "min_images_per_class"}
_PAIRS = {
    **_TRAINED,
    "copies": "augmented_views",
    "gallery": "gallery_input",
    "pseudo": "pseudo_sketch_ratio",
}

RENAMED: Mapping[str, Mapping[str, str]] = {
    "arnet": _PAIRS,
    "arnet-mstr": _PAIRS,
    "classify": _CLASSES,
    "distill": {**_TRAINED, "relations": "relational_weight"},
    "metric": {**_CLASSES, "each": "samples_per_class"},
    "ssl": {
        **_TRAINED,
        "contrast": "contrastive_weight",
        "hidden": "mask_ratio",
        "outputs": "prototypes",
        "patch": "mask_patch_size",
    },
    "timm": {"together": "scale_fusion"},
    "whiten": _FITTED,
}
"""Recipe kind -> old name -> new name. No new name is an old name of another option of the same
kind.
"""


ARCHITECTURE = {
    "gallery": "gallery_input",
    "project": "projection_dim",
    "together": "scale_fusion",
    "unit": "normalise_before_projection",
}
"""Old name -> new name of the fields of a passport's ``architecture``."""


def current(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's entry (``{kind: ..., **options}``) with the new names."""
    return translated(entry, _names(entry))


def recorded(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's entry with the old names, as passports and hashes have them."""
    return translated(entry, {new: old for old, new in _names(entry).items()})


def outdated(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the old and the new name of each option of ``entry`` that has its old name."""
    return ((old, new) for old, new in _names(entry).items() if old in entry)


def translated(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return ``fields`` in their order; those in ``names`` get the name there."""
    return {names.get(name, name): value for name, value in fields.items()}


def _names(entry: Mapping[str, Any]) -> Mapping[str, str]:
    return RENAMED.get(str(entry.get("kind")), {})
