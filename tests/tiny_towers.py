"""Tiny random models of open_clip and transformers, made offline."""

import json
from pathlib import Path
from typing import Any

WORDS = ("a", "photo", "of", "red", "shoe", "cat", "dog", "with", "laces", ".")
CONTEXT = 12


def write_tokenizer(folder: Path) -> None:
    """Write a tokenizer of whole words, with tokens for beginning, end and padding."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    special = ("<pad>", "<start>", "<end>", "<unk>")
    vocabulary = {word: number for number, word in enumerate((*special, *WORDS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, "<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", 2)]
    )
    roles = dict(zip(("pad", "bos", "eos", "unk"), special, strict=True))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=CONTEXT,
        **{f"{role}_token": token for role, token in roles.items()},
    ).save_pretrained(str(folder))


VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
TEXT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 32,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def write_transformers(folder: Path, kind: str) -> Any:
    """Write a random model: clip, siglip, dinov2, dinov3 or vit; return the model."""
    import torch
    import transformers as library

    processors = {
        "clip": library.CLIPImageProcessor(size={"shortest_edge": 36}, crop_size=32),
        "siglip": library.SiglipImageProcessor(size={"height": 32, "width": 32}),
        "dinov2": library.BitImageProcessor(size={"shortest_edge": 36}, crop_size=32),
        "dinov3": library.DINOv3ViTImageProcessor(size={"height": 32, "width": 32}),
        "vit": library.ViTImageProcessor(size={"height": 32, "width": 32}),
    }
    torch.manual_seed(0)
    if kind == "clip":
        config = library.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=24)
        model = library.CLIPModel(config)
    elif kind == "siglip":
        config = library.SiglipConfig(text_config=TEXT, vision_config=VISION)
        model = library.SiglipModel(config)
    elif kind == "dinov2":
        model = library.Dinov2Model(library.Dinov2Config(**VISION))
    elif kind == "dinov3":
        model = library.DINOv3ViTModel(library.DINOv3ViTConfig(**VISION))
    else:
        model = library.ViTModel(library.ViTConfig(**VISION), add_pooling_layer=False)
    model.eval().save_pretrained(str(folder))
    processors[kind].save_pretrained(str(folder))
    if kind in ("clip", "siglip"):
        write_tokenizer(folder)
    return model


CLIP: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": 49408,
            "width": 16,
            "heads": 2,
            "layers": 1,
        },
    },
    "preprocess_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.3, 0.2, 0.3]},
}


def write_open_clip(folder: Path, **text: Any) -> Any:
    """Write a random CLIP in open_clip's format, and return the model.

    Args:
        folder: a new folder.
        text: other options of the text tower.
    """
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    config = json.loads(json.dumps(CLIP))
    config["model_cfg"]["text_cfg"] |= text
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    model = open_clip.create_model(
        f"local-dir:{folder}", load_weights=False, pretrained_text=False
    )
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return model.eval()
