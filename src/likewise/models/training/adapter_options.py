"""Options of the recipe adapter."""

from pydantic import Field

from likewise.models.training.metric_options import MetricOptions


class AdapterOptions(MetricOptions):
    """Layers on the stored vectors of the initial model.

    Attributes:
        init: a model that embeds the data; its stored vectors are read.
        dim: length of the adapted vectors; 0 for that of the initial model.
        hidden: length of a hidden layer, whose output is added to the linear one; 0 for none.
        dropout: share of the values of a stored vector that are 0 in training.
    """

    dim: int = Field(default=0, ge=0)
    hidden: int = Field(default=0, ge=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    batch: int = Field(default=256, gt=0)
    epochs: int = Field(default=50, gt=0)
    lr: float = Field(default=1e-3, gt=0)
