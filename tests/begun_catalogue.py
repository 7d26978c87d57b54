"""The params.yaml of a new catalogue, with comments."""

PARAMS = """\
# what our group works on
seed: 3  # the year's

datasets: {}
models:
  small: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}   # quick
  large:
    kind: timm
    backbone: test_vit.r160_in1k
    weights: random
embeddings: {}
indexes:
  exact: {kind: exact}
  ivf: {kind: faiss, factory: 'IVF16,Flat'}
runs: {}
"""
COMMENTS = ["# what our group works on", "seed: 3  # the year's", "weights: random}   # quick"]
