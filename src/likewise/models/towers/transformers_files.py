"""Files of transformers in a model's folder: configuration, preprocessing, tokenizer."""

from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer

from likewise.errors import DataError
from likewise.models.towers.hub_files import REMOTE_CODE


def read_config(folder: Path, *, copied: bool = False) -> Any:
    """Return the configuration of a model that transformers itself implements.

    Args:
        folder: its folder.
        copied: the file is a copy by ``copy_files``, which names no code.

    Raises:
        DataError: it is missing or damaged, or the model needs code of its own.
    """
    try:
        config = AutoConfig.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        message = " ".join(str(error).split())[:200]
        raise DataError(
            f"config.json in {folder.name} is not that of a model of transformers ({message}); "
            "code of a model's author is never run"
        ) from error
    if hasattr(config, REMOTE_CODE) and not copied:
        delattr(config, REMOTE_CODE)
    if hasattr(config, REMOTE_CODE):
        raise DataError(
            f"config.json in {folder.name} names code of the model's author, which is never run"
        )
    return config


def read_tokenizer(folder: Path) -> Any:
    """Return the tokenizer in ``folder``.

    Raises:
        DataError: its files are missing or damaged.
    """
    try:
        return AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except Exception as error:  # tokenizers raises plain exceptions
        message = " ".join(str(error).split())[:200]
        raise DataError(
            f"the tokenizer in {folder} cannot be read ({message}); run: dvc repro"
        ) from error
