"""Formats that leave the catalogue, a module each."""

from likewise.exports.base import Export
from likewise.registry import Registry

EXPORTS: Registry[Export] = Registry(
    "export",
    {
        "folder": "likewise.exports.folder:FolderExport",
        "image-matrix": "likewise.exports.image_matrix:ImageMatrix",
        "imagenet-npz": "likewise.exports.imagenet_npz:ImagenetNpz",
    },
)
