"""The type of a path as callers give it."""

import os
from typing import TypeAlias

StrPath: TypeAlias = str | os.PathLike[str]
"""A path of the file system: text, or an object such as ``pathlib.Path``."""
