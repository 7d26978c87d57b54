"""Protocols: executable, named, frozen definitions of how a benchmark is scored."""

from likewise.protocols.base import Protocol
from likewise.registry import Registry

PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    {
        "gpr1200": "likewise.protocols.gpr1200:Gpr1200",
        "gpr1200-indices": "likewise.protocols.gpr1200_indices:Gpr1200Indices",
        "gpr1200-strict": "likewise.protocols.gpr1200:Gpr1200Strict",
    },
)

__all__ = ["PROTOCOLS"]
