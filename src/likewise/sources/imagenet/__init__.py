"""ImageNet's classification data, whole or as a named subset of its classes."""

from likewise.sources.imagenet.imagenet_source import ImageNetSource

__all__ = ["ImageNetSource"]
