"""Transforms of images when they are read, one module each; stored images never change."""

from likewise.imaging.transforms.base import Transform
from likewise.registry import Registry

TRANSFORMS: Registry[Transform] = Registry(
    "transform",
    {
        "crop": "likewise.imaging.transforms.crop:Crop",
        "letterbox": "likewise.imaging.transforms.letterbox:Letterbox",
        "normalise": "likewise.imaging.transforms.normalise:Normalise",
        "resize": "likewise.imaging.transforms.resize:Resize",
    },
    base="likewise.imaging.transforms.base:Transform",
)
