"""Engines: who calls the work of the shards; each registered by name."""

import os
from collections.abc import Mapping
from typing import Any

from likewise.distributed.engines.base import Engine
from likewise.errors import UnknownNameError
from likewise.registry import Registry

HERE = "here"
"""The default engine: this process, without parts."""

VARIABLE = "LIKEWISE_ENGINE"
"""The environment variable with the name of the engine of this machine."""

ENGINES: Registry[Engine] = Registry(
    "engine",
    {
        HERE: "likewise.distributed.engines.here:Here",
        "processes": "likewise.distributed.engines.processes:Processes",
        "ray": "likewise.distributed.engines.ray:Ray",
    },
    base="likewise.distributed.engines.base:Engine",
)
"""Engine kind -> class."""


def choose_engine(entries: Mapping[str, Mapping[str, Any]], name: str | None = None) -> Engine:
    """Return the engine with a name.

    Args:
        entries: the section ``engines`` of params.yaml.
        name: an entry, or a kind with its default options; by default the value of
            LIKEWISE_ENGINE, and without that ``here``.

    Raises:
        UnknownNameError: there is no such entry and no such kind.
        ConfigError: the entry is wrong.
    """
    origin = "" if name else VARIABLE
    chosen = name or os.environ.get(VARIABLE) or HERE
    if chosen in entries:
        return ENGINES.build(entries[chosen], f"params.yaml: engines.{chosen}")
    if chosen not in ENGINES.kinds():
        known = {*entries, *ENGINES.kinds()}
        raise UnknownNameError("engine", chosen, known, complete=True, entry=origin)
    return ENGINES.build({"kind": chosen}, f"engine {chosen}")
