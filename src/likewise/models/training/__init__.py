"""Models at work: backbones (the only door to timm), their weights, and encoding images."""
