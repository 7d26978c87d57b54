"""Default and least value of the option ``memory``, in bytes."""

MEMORY = 4_000_000_000
"""Bytes that a command may use for vectors and tables.

The number is a constant, so that a command behaves alike on every machine. Results do not
depend on it.
"""

MIN_MEMORY = 2_000_000_000
"""Least value of ``memory``: smaller data sets are read as a whole."""
