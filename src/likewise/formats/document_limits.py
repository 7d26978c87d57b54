"""Limits of YAML, JSON and XML documents, which come with data sets and from clones.

A parser may recurse for every level, keep a node for every byte, and expand a reference to
another part at each use. The limits are checked before a parser runs. They are far above the
values of real files: the largest card has a depth of 4, and a list of 21,841 class names has
400 kB.
"""

MAX_DEPTH = 64
"""Maximum number of nested lists, mappings and elements."""

MAX_DIGITS = 40
"""Maximum number of characters of an integer in YAML."""

MAX_INTEGER = 2**64
"""Integers are smaller than this, and greater than its negative."""

MAX_YAML_BYTES = 16 << 20
MAX_YAML_NODES = 1_000_000
"""Maximum number of values of a YAML document, with those that aliases repeat."""

MAX_JSON_BYTES = 2 << 30
MAX_XML_BYTES = 64 << 20

TOO_DEEP = f"more than {MAX_DEPTH} levels of nesting"


def size_fault(size: int, most: int) -> str:
    """Return the fault of a document of ``size`` bytes, of which ``most`` are read; or ""."""
    return f"{size:,} bytes; at most {most:,} are read" if size > most else ""
