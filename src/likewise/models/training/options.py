"""Options shared by the recipes that learn from data."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from likewise.registry import Part

PARTIAL = (
    "layer_decay",
    "freeze_blocks",
    "train_blocks",
    "lora_rank",
    "lora_alpha",
    "init_share",
)
"""Options that keep a part of the initial backbone, or train its layers at different rates."""


class AugmentOptions(Part):
    """Random augmentation of training images; none by default.

    Attributes:
        rotate: maximum rotation in degrees, in either direction.
        scale: maximum relative change of the size: 0.2 is up to a fifth larger or smaller.
        stretch: maximum relative change of the aspect ratio.
        shift: maximum shift as a share of the image.
        flip: probability of a horizontal flip.
        crop: minimum area of a random crop as a share of the image; 1 for no crop.
        colour: maximum relative change of brightness, contrast and channels.
        grey: probability of a grey image.
        blur: probability of a blurred image.
        fill: grey level outside the image, 0 to 1.
        zoom: factor by which images are read larger than the model's input, for small crops.
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


class DataOptions(Part):
    """Initial model and training data.

    Attributes:
        init: the model whose backbone and weights training starts from.
        data: the data set for training, or a list of several; see the section mixed.
        merge_labels: make one class of equal labels of different data sets. By default, classes
            of different data sets are different.
        split: the split for training; null for all items.
    """

    init: str
    data: str | Annotated[tuple[str, ...], Field(min_length=2)]
    merge_labels: bool = False
    split: str | None = "train"

    @model_validator(mode="after")
    def _check_merge_labels(self) -> Self:
        """Refuse ``merge_labels`` for one data set."""
        if self.merge_labels and isinstance(self.data, str):
            raise ValueError("merge_labels needs a list of data sets in data; leave it out")
        return self


class FitOptions(DataOptions):
    """Initial model, training data and preprocessing.

    Attributes:
        input_size: side of the square input in pixels; by default that of ``init``.
        crop_pct: timm's crop_pct: the share of the resized image that the crop keeps.
        crop_mode: timm's crop_mode: center, squash or border.
        precision: number format of networks on a GPU. With float32, convolutions use cuDNN's
            default, TF32. Pooling, the last layer, augmentation and losses are always float32,
            and so is everything on a CPU.
    """

    input_size: int | None = Field(default=None, gt=0)
    crop_pct: float | None = Field(default=None, gt=0, le=1)
    crop_mode: Literal["center", "squash", "border"] | None = None
    precision: Literal["float32", "bfloat16"] = "bfloat16"


class LoopOptions(DataOptions):
    """Options of the training loop that concern no images.

    Attributes:
        validation: share of the training items that is held out to choose the best weights.
        epochs: passes over the items.
        batch: items per step, over all processes.
        optimiser: adamw, adam (with L2 regularisation as weight decay) or sgd (momentum 0.9).
        lr: maximum learning rate.
        weight_decay: weight decay of the optimiser.
        schedule: cosine (to zero), step (times ``gamma`` every ``step_size`` epochs) or
            constant.
        step_size: epochs between two reductions of the schedule step.
        gamma: factor of the schedule step.
        warmup: epochs of linear warm-up of the learning rate.
        ema: decay of an exponential moving average of the weights, which is kept in place of
            the weights; 0 for none.
        clip_grad_norm: maximum norm of the gradient; 0 for no limit.
        patience: stop after this many validations without improvement; 0 for never.
        validate_every: epochs between two validations.
        save_every: steps between two checkpoints.
        save_minutes: maximum minutes between two checkpoints.
    """

    validation: float = Field(default=0.1, ge=0, lt=1)
    epochs: int = Field(default=20, gt=0)
    batch: int = Field(default=32, gt=0)
    optimiser: Literal["adamw", "adam", "sgd"] = "adamw"
    lr: float = Field(default=3e-4, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    step_size: float = Field(default=1.0, gt=0)
    gamma: float = Field(default=0.9, gt=0)
    warmup: float = Field(default=0.0, ge=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    clip_grad_norm: float = Field(default=0.0, ge=0)
    patience: int = Field(default=0, ge=0)
    validate_every: int = Field(default=1, gt=0)
    save_every: int = Field(default=200, gt=0)
    save_minutes: float = Field(default=10.0, gt=0)


class TrainingOptions(LoopOptions, FitOptions):
    """Options of the training loop.

    Attributes:
        original: reproduce the original program, including its faults; reports state this.
        train_size: side of training images, if it differs from ``input_size``. Smaller ones
            are faster and may be better (Touvron et al., FixRes, 2019).
        accumulate: number of parts that a process splits its batch into, to save memory. A
            loss that compares items of a batch compares items of the same part.
        freeze_norm: freeze running means and variances of batch norms.
        layer_decay: factor of the learning rate from each block of the backbone to the block
            before it. The last block, and layers on top of it, have the full rate (Bao et
            al., BEiT, 2021).
        freeze_blocks: number of first blocks of the backbone that are not trained, with the
            layers before them; all blocks: only the layers on top are trained.
        train_blocks: number of last blocks of the backbone that are trained; in place of
            ``freeze_blocks``.
        lora_rank: rank of matrices that are trained in place of the weights of the linear
            layers in the blocks (LoRA, Hu et al., 2021); 0 trains the weights. The model
            contains the sums, so that embedding needs no further library.
        lora_alpha: these matrices are multiplied by ``lora_alpha`` / ``lora_rank``.
        init_share: share of the initial weights in the backbone that is kept: it has
            (1 - ``init_share``) x trained + ``init_share`` x initial weights. A share of 0.2
            to 0.5 often generalises better to unseen classes (Wortsman et al., Robust
            Fine-Tuning of Zero-Shot Models, CVPR 2022).
        compile: run the model through torch.compile.
        workers: processes that decode images; by default chosen by the device.
        order: shuffled (any image may follow any other), or packs: images are read in the order
            in which they are stored, inside shuffled shards. It suits storage whose random
            reads are slow.
        augment: augmentation of the images.
    """

    original: bool = False
    train_size: int | None = Field(default=None, gt=0)
    accumulate: int = Field(default=1, gt=0)
    freeze_norm: bool = False
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    freeze_blocks: int = Field(default=0, ge=0)
    train_blocks: int | None = Field(default=None, ge=0)
    lora_rank: int = Field(default=0, ge=0)
    lora_alpha: float = Field(default=16.0, gt=0)
    init_share: float = Field(default=0.0, ge=0, lt=1)
    compile: bool = False
    workers: int | None = Field(default=None, ge=0)
    order: Literal["shuffled", "packs"] = "shuffled"
    augment: AugmentOptions = AugmentOptions()

    @model_validator(mode="after")
    def _check_partial(self) -> Self:
        """Refuse options of partial training that exclude each other."""
        if self.freeze_blocks and self.train_blocks is not None:
            raise ValueError("freeze_blocks and train_blocks exclude each other; set one")
        if not self.lora_rank and self.lora_alpha != _default(self, "lora_alpha"):
            raise ValueError("lora_alpha needs lora_rank; set it, or leave lora_alpha out")
        if self.lora_rank and self.init_share:
            raise ValueError("init_share and lora_rank exclude each other; lower lora_alpha")
        return self

    @property
    def partial(self) -> dict[str, object]:
        """The options of partial training that are set; older passports lack them."""
        return {n: getattr(self, n) for n in PARTIAL if getattr(self, n) != _default(self, n)}


def _default(options: TrainingOptions, name: str) -> object:
    return type(options).model_fields[name].default
