"""Find the configuration and the weights of a model of open_clip."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import open_clip
from open_clip.transform import PreprocessCfg, merge_preprocess_dict

from likewise.errors import ConfigError, DataError, UnknownNameError, bounded
from likewise.formats.file_hashes import file_sha256
from likewise.formats.json_documents import read_json
from likewise.models.towers import hub_files

CONFIGURATION = "open_clip_config.json"
"""The file of a model's architecture and preprocessing, in open_clip's format."""

_CHECKPOINTS = (
    ("open_clip_model.safetensors",),
    ("open_clip_pytorch_model.safetensors",),
    ("open_clip_pytorch_model.bin",),
    ("model.safetensors",),
    ("*.safetensors",),
    ("*.bin", "*.pth", "*.pt"),
)
"""Files of weights, the preferred ones first."""


@dataclass(frozen=True)
class ClipSource:
    """A model that is not made yet.

    Attributes:
        name: its name, for messages.
        config: ``model_cfg`` and ``preprocess_cfg``, as open_clip writes them.
        folder: the folder of a model that is not built in.
        checkpoint: the file of weights; None for random ones.
        origin: the exact origin of the weights.
    """

    name: str
    config: dict[str, Any]
    folder: Path | None
    checkpoint: Path | None
    origin: str

    @property
    def text(self) -> dict[str, Any]:
        """The configuration of the text tower."""
        return cast("dict[str, Any]", self.config["model_cfg"]["text_cfg"])


def find(model: str, weights: str | None, root: Path | None, seed: int) -> ClipSource:
    """Find the configuration and the weights of a model; they are fetched if necessary.

    Args:
        model: the name of a built-in architecture; ``hub:ORGANISATION/NAME``; or
            ``folder:PATH`` with ``open_clip_config.json``.
        weights: a tag of open_clip or ``file:PATH``, for a built-in architecture; ``random``;
            None for the weights of the hub or the folder.
        root: the folder that relative paths start from.
        seed: the seed of random weights, for their origin.

    Raises:
        UnknownNameError: open_clip has no such architecture or tag.
        ConfigError: the weights are not given, or given twice.
        DataError: a file is missing, damaged, or cannot be fetched.
    """
    kind, _, rest = model.partition(":")
    if kind in ("hub", "folder") and rest:
        place = rest if kind == "hub" else model
        source = _from_folder(model, place, weights, root)
    else:
        source = _built_in(model, weights, root)
    if weights != "random":
        return source
    return ClipSource(source.name, source.config, source.folder, None, f"random seed {seed}")


def configuration(path: Path) -> dict[str, Any]:
    """Return the configuration in a file of open_clip.

    Raises:
        DataError: the file is missing, or not such a configuration.
    """
    if not path.is_file():
        raise DataError(
            f"{path.name} is missing in {path.parent}; it describes the architecture"
        )
    config: Any = read_json(path)
    model = config.get("model_cfg") if isinstance(config, dict) else None
    parts = [model.get(name) for name in ("text_cfg", "vision_cfg")] if model else [None]
    if not all(isinstance(part, dict) for part in parts):
        raise DataError(f"{path} lacks model_cfg with text_cfg and vision_cfg")
    return {"model_cfg": model, "preprocess_cfg": config.get("preprocess_cfg") or {}}


def _from_folder(model: str, place: str, weights: str | None, root: Path | None) -> ClipSource:
    """Find a model of the hub, or in a folder; it has weights of its own."""
    if weights not in (None, "random"):
        raise ConfigError(
            f"model {model!r} has weights of its own; leave weights out, or set random"
        )
    groups = () if weights == "random" else _CHECKPOINTS
    files = (CONFIGURATION, *hub_files.TOKENIZER_FILES)
    source = hub_files.find(place, root, files, groups)
    config = configuration(source.path / CONFIGURATION)
    config["preprocess_cfg"] = merge_preprocess_dict(PreprocessCfg(), config["preprocess_cfg"])
    paths = [path for group in groups for path in hub_files.existing(source.path, group)]
    if groups and not paths:
        raise DataError(f"model {model!r} has no file of weights, such as {_CHECKPOINTS[0][0]}")
    checkpoint = paths[0] if paths else None
    return ClipSource(model, config, source.path, checkpoint, source.origin)


def _built_in(model: str, weights: str | None, root: Path | None) -> ClipSource:
    """Find an architecture of open_clip, and its weights by their tag or in a file."""
    known = open_clip.list_models()
    if model not in known:
        raise UnknownNameError("model", model, known, "open_clip")
    model_cfg = open_clip.get_model_config(model)
    tags = open_clip.list_pretrained_tags_by_model(model)
    if weights is None:
        raise ConfigError(
            f"model {model!r} needs weights: random, file:PATH, or a tag of open_clip: "
            f"{bounded(tags, len(tags), most=12)}"
        )
    kind, _, rest = weights.partition(":")
    tag: dict[str, Any] = {}
    path: Path | None
    if kind == "file" and rest:
        path = (root or Path()) / Path(rest).expanduser()
        if not path.is_file():
            raise DataError(f"weights {weights!r}: the file does not exist; correct the path")
        origin = f"file:{path.name} sha256 {file_sha256(path)}"
    elif weights == "random":
        path, origin = None, ""
    else:
        if weights not in tags:
            raise UnknownNameError("tag", weights, tags, f"open_clip's {model}")
        tag = open_clip.get_pretrained_cfg(model, weights)
        _check_activation(model, weights, model_cfg, tag)
        path = _fetched(model, weights, tag)
        origin = f"open_clip {model} {weights} sha256 {file_sha256(path)}"
    preprocess = merge_preprocess_dict(PreprocessCfg(), tag)
    config = {"model_cfg": copy.deepcopy(model_cfg), "preprocess_cfg": preprocess}
    return ClipSource(model, config, None, path, origin)


def _check_activation(
    model: str, tag: str, config: dict[str, Any], facts: dict[str, Any]
) -> None:
    """Refuse weights that were trained with another activation than that of the architecture.

    Raises:
        ConfigError: the activation differs; open_clip would only warn.
    """
    trained, built = (bool(part.get("quick_gelu")) for part in (facts, config))
    if trained != built:
        other = f"{model}-quickgelu" if trained else model.removesuffix("-quickgelu")
        raise ConfigError(
            f"the weights {tag} need the architecture {other}; set model: {other}"
        )


def _fetched(model: str, tag: str, facts: dict[str, Any]) -> Path:
    try:
        return Path(open_clip.download_pretrained(facts))
    except (OSError, ValueError, RuntimeError) as error:
        message = " ".join(str(error).split())[:160]
        raise DataError(
            f"the weights {tag} of {model} cannot be fetched ({message}); connect to the "
            "network, or set weights: file:PATH"
        ) from error
