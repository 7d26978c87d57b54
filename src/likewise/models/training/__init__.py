"""Models at work: backbones of timm, their weights and blocks, training, encoding images."""
