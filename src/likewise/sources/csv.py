"""CSV: the source ``table`` under its former name, for cards that use it."""

from typing import ClassVar

from likewise.sources.delimited import DelimitedSource


class CsvSource(DelimitedSource):
    """One or several CSV files with a header, and images anywhere.

    It is the source ``table``, with all its options; only a column with the name of one that
    every catalogue has is an error here, and gets the prefix ``given_`` there.
    """

    prefixed: ClassVar[frozenset[str]] = frozenset()
