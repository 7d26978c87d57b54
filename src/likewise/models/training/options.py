"""The options that all recipes that learn have in common: the plan of a training."""

from typing import Literal

from pydantic import Field

from likewise.registry import Part


class Augment(Part):
    """How pictures are changed at random while a model learns; nothing by default.

    ``rotate`` is in degrees either way; ``scale``, ``stretch`` (the sides' ratio) and ``shift``
    are shares: 0.2 is up to a fifth more or less; ``flip`` is the probability of a mirrored
    picture. ``crop`` is the least share of the area that is looked at, 1 for all of it.
    ``colour`` moves brightness, contrast and the channels by up to that share, ``grey`` and
    ``blur`` are probabilities. ``fill`` is the grey level (0 to 1) outside the picture;
    ``zoom`` is how much larger than the model's input a picture is read, for small crops.
    """

    rotate: float = Field(default=0.0, ge=0, le=180)
    scale: float = Field(default=0.0, ge=0, lt=1)
    stretch: float = Field(default=0.0, ge=0, lt=1)
    shift: float = Field(default=0.0, ge=0, le=1)
    flip: float = Field(default=0.0, ge=0, le=1)
    crop: float = Field(default=1.0, gt=0, le=1)
    colour: float = Field(default=0.0, ge=0, le=1)
    grey: float = Field(default=0.0, ge=0, le=1)
    blur: float = Field(default=0.0, ge=0, le=1)
    fill: float = Field(default=1.0, ge=0, le=1)
    zoom: float = Field(default=1.0, ge=1, le=8)


class Source(Part):
    """Where a model begins, what it learns from, and how it sees pictures.

    Attributes:
        init: the model whose backbone and weights training starts from.
        data: the data set that it learns from.
        split: the items' split; null for all items.
        input_size: side of the square input in pixels; the start's own where not given.
        crop_pct: as in timm: the share of the resized picture that is looked at.
        crop_mode: as in timm: center, squash or border.
        precision: what a GPU computes networks in (float32: convolutions as cuDNN does by
            default, in TF32); pooling, the last layer, random changes and losses are float32
            whatever it says, and so is all that a CPU computes.
    """

    init: str
    data: str
    split: str | None = "train"
    input_size: int | None = Field(default=None, gt=0)
    crop_pct: float | None = Field(default=None, gt=0, le=1)
    crop_mode: Literal["center", "squash", "border"] | None = None
    precision: Literal["float32", "bfloat16"] = "bfloat16"


class Plan(Source):
    """In which steps a training goes.

    Attributes:
        validation: the share of them that is held out to choose the best weights by.
        original: do as the original program did, faults and all; the reports say so.
        train_size: the side of the pictures that it learns from, where that is another; a
            smaller one takes less time, and may do better (Touvron et al., FixRes, 2019).
        epochs: passes over the items.
        batch: items a step, over all processes.
        accumulate: parts that the batch of a process is worked off in, to save memory; a loss
            that compares the items of a batch compares those of a part.
        optimiser: adamw, adam (its weight decay is plain L2) or sgd (momentum 0.9).
        lr: the highest learning rate.
        weight_decay: the optimiser's.
        schedule: cosine (to zero), step (times ``gamma`` every ``step_size`` epochs) or
            constant.
        warmup: epochs in which the rate rises from zero.
        ema: decay of the moving average of the weights that is kept in their place; 0: none.
        clip_grad_norm: maximum norm of the gradient; 0 for no limit.
        freeze_norm: leave the means and variances of batch norms as they were.
        compile: run the model through torch.compile.
        patience: validations without a better one after which it ends; 0: none.
        validate_every: epochs between two validations.
        save_every: steps between two checkpoints.
        save_minutes: minutes after which one is written, however few steps there were.
        workers: processes that decode pictures; by default as many as the device can use.
    """

    validation: float = Field(default=0.1, ge=0, lt=1)
    original: bool = False
    train_size: int | None = Field(default=None, gt=0)
    epochs: int = Field(default=20, gt=0)
    batch: int = Field(default=32, gt=0)
    accumulate: int = Field(default=1, gt=0)
    optimiser: Literal["adamw", "adam", "sgd"] = "adamw"
    lr: float = Field(default=3e-4, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    step_size: float = Field(default=1.0, gt=0)
    gamma: float = Field(default=0.9, gt=0)
    warmup: float = Field(default=0.0, ge=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    clip_grad_norm: float = Field(default=0.0, ge=0)
    freeze_norm: bool = False
    compile: bool = False
    patience: int = Field(default=0, ge=0)
    validate_every: int = Field(default=1, gt=0)
    save_every: int = Field(default=200, gt=0)
    save_minutes: float = Field(default=10.0, gt=0)
    workers: int | None = Field(default=None, ge=0)
    augment: Augment = Augment()
