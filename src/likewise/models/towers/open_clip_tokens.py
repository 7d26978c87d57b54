"""Tokenizers of open_clip's models."""

from pathlib import Path
from typing import Any

from open_clip.tokenizer import HFTokenizer, SimpleTokenizer, default_bpe

from likewise.errors import DataError, bounded
from likewise.models.model_files import CONFIG, copy_into
from likewise.models.passport import TextTower
from likewise.models.towers import hub_files
from likewise.models.towers.open_clip_source import CONFIGURATION, ClipSource, configuration
from likewise.models.towers.tower_text import Inputs

VOCABULARY = "bpe_simple_vocab_16e6.txt.gz"
"""The byte pairs of CLIP's own tokenizer."""

_OPTIONS = ("clean", "strip_sep_token")
"""Options of tokenizers in configurations; all others are refused."""


def write_tokenizer(source: ClipSource, folder: Path, templates: tuple[str, ...]) -> TextTower:
    """Copy the tokenizer into ``folder``, and describe the text tower.

    Raises:
        DataError: the tokenizer is missing, cannot be fetched, or has unknown options.
    """
    name, options = source.text.get("hf_tokenizer_name"), _options(source.text)
    unknown = sorted({*options} - {*_OPTIONS})
    if unknown:
        raise DataError(
            f"model {source.name!r}: options of its tokenizer are not supported: "
            f"{bounded(unknown, len(unknown))}"
        )
    if name:
        files = hub_files.tokenizer_files(_place(source, str(name)), source.name)
        hub_files.copy_files(files, folder / CONFIG)
    else:
        copy_into(folder, [Path(default_bpe())])
    return TextTower(
        context_length=int(source.text.get("context_length", 77)),
        tokenizer="huggingface" if name else "simple",
        templates=templates,
    )


class ClipTokens:
    """The tokenizer of a model in ``folder``."""

    def __init__(self, folder: Path, tower: TextTower) -> None:
        """Read the tokenizer.

        Raises:
            DataError: its files are damaged.
        """
        text = configuration(folder / CONFIG / CONFIGURATION)["model_cfg"]["text_cfg"]
        options = _options(text)
        self._tokens: Any
        try:
            if tower.tokenizer == "simple":
                clean = str(options.get("clean", "lower"))
                path = str(folder / CONFIG / VOCABULARY)
                self._tokens = SimpleTokenizer(path, None, tower.context_length, clean)
            else:
                self._tokens = HFTokenizer(
                    str(folder / CONFIG),
                    tower.context_length,
                    tokenizer_mode=text.get("tokenizer_mode"),
                    trust_remote_code=False,
                    **{name: options[name] for name in _OPTIONS if name in options},
                )
        except (OSError, ValueError, KeyError, AssertionError) as error:
            message = " ".join(str(error).split())[:200]
            raise DataError(
                f"the tokenizer in {folder / CONFIG} cannot be read ({message}); run: dvc repro"
            ) from error

    def inputs(self, sentence: str) -> Inputs:
        """Return the tokens of a sentence, cut and padded to the context: (1, context)."""
        return {"text": self._tokens([sentence])}

    def count(self, sentence: str) -> int:
        """Return the number of tokens of the uncut sentence, with the special tokens."""
        if isinstance(self._tokens, SimpleTokenizer):
            return len(self._tokens.encode(sentence)) + 2
        cleaned = self._tokens.clean_fn(sentence)
        return len(self._tokens.tokenizer(cleaned).input_ids)


def _options(text: dict[str, Any]) -> dict[str, Any]:
    return dict(text.get("tokenizer_kwargs") or {})


def _place(source: ClipSource, name: str) -> Path:
    """Return the folder of the tokenizer: that of the model, or its repository of the hub."""
    if source.folder is not None and (
        source.name.startswith("folder:")
        or hub_files.existing(source.folder, hub_files.VOCABULARIES)
    ):
        return source.folder
    return hub_files.find(name, None, hub_files.TOKENIZER_FILES, ()).path
